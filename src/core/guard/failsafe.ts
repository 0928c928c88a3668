// L8, both sides: a lease in force may be renewed, never acquired, by the promise of the other guard, so that both agents
// and the witness may be down without stopping a healthy pair.

import type { Failsafe, FailsafeAnswer } from '../messages.ts';
import { furthest, isWorthSaving } from '../observe/position.ts';
import type { Outcome } from '../outcome.ts';
import { isMajority } from '../quorum/holder.ts';
import { compareEpochs, sameEpoch, showEpoch } from '../quorum/record.ts';
import { compareRounds, sameRound, showRound } from '../quorum/round.ts';
import { soleVoterOf } from '../quorum/sole-voter.ts';
import { guardOf, otherSite, sites } from '../site.ts';
import { bindingMs } from '../time.ts';
import { ask, type GuardDraft, reply, set, setDurable, trace } from './draft.ts';
import { dutyEpoch, epochToAskFor, isRefused, leaseInForce, mayBeWritable, servesNobody, wordForMs } from './facts.ts';
import { noteEpoch } from './hear.ts';
import { extend, takeRound } from './rounds.ts';
import type { Pending } from './state.ts';

/** Two of three voters, or both agents where there is no witness. */
const majority = 2;

export function driveFailsafe(d: GuardDraft): void {
  const { s, at } = d;
  const epoch = epochToAskFor(s, at.now);
  if (epoch === null || s.lease === null || s.fencing !== null || at.now < s.nextFailsafeAt) return;
  if (!isNeeded(d)) return;
  const { lease, peerDeadlineMs } = s.settings;
  const round = takeRound(d);
  set(d, { nextFailsafeAt: at.now + lease.renewEveryMs });
  const { cluster } = s.durable;
  const message: Failsafe = {
    type: 'failsafe',
    cluster: cluster ?? s.settings.cluster,
    voters: s.settings.voters,
    epoch,
    site: s.me,
    round,
    ttlMs: lease.ttlMs,
    position: s.db.position,
  };
  ask(d, guardOf(otherSite(s.me)), message, { kind: 'failsafe', round, epoch, ttlMs: lease.ttlMs }, peerDeadlineMs);
}

/** In force, but with less than F + 2P left, and a round that has had its time was answered by fewer than a majority. */
function isNeeded(d: GuardDraft): boolean {
  const { s, at } = d;
  const { fenceBudgetMs, renewEveryMs, witnessAfterMs } = s.settings.lease;
  if (s.lease === null || s.db.role !== 'primary' || !leaseInForce(s, at.now)) return false;
  // In a forced era there is one voter, and the other side counts for nothing.
  if (soleVoterOf(s.durable.chosen?.record ?? null) !== null) return false;
  if (s.lease.until - at.now >= fenceBudgetMs + 2 * renewEveryMs) return false;
  // I6: the promise keeps the other database from taking over; one that serves nobody is not worth it.
  if (servesNobody(s, at.now)) return false;
  // A word of V4, or of an order, from either agent is an objection that no promise overrides.
  if (sites.some((site) => refusesNow(d, site)) || isRefused(s, s.lease.epoch, at.now)) return false;
  const round = s.tallies.findLast((tally) => at.now - tally.t0 >= witnessAfterMs);
  if (round === undefined) return false;
  const since = s.tallies.filter((tally) => compareRounds(tally.round, round.round) >= 0);
  // Without a witness one agent's grant is a lease: what was just renewed so needs no promise of the other guard, which
  // would keep that one from ever taking over (I6).
  if (since.some((tally) => isMajority(tally.granted, s.settings.witness))) return false;
  return new Set(since.flatMap((tally) => tally.answered)).size < majority;
}

/** V4's refusal, or an order's. */
function refusesNow(d: GuardDraft, site: 'site1' | 'site2'): boolean {
  const word = d.s.agents[site];
  const since = Math.max(word?.refuses?.at ?? Number.NEGATIVE_INFINITY, word?.orderedAt ?? Number.NEGATIVE_INFINITY);
  return d.at.now - since <= wordForMs;
}

export function onFailsafeAnswer(
  d: GuardDraft,
  pending: Extract<Pending, { kind: 'failsafe' }>,
  outcome: Outcome<FailsafeAnswer>,
): void {
  if (outcome.kind !== 'done') return;
  const { promised, round, noted, why } = outcome.value;
  if (noted !== null && d.s.durable.noted !== null && compareEpochs(noted, d.s.durable.noted) > 0) {
    return noteEpoch(d, noted, 'told by the other guard');
  }
  const duty = dutyEpoch(d.s);
  const counts =
    promised &&
    sameRound(round, pending.round) &&
    compareRounds(round, d.s.covered) > 0 &&
    duty !== null &&
    sameEpoch(duty, pending.epoch);
  // C4: only a lease that is in force when the promise arrives is renewed.
  if (!counts || d.s.lease === null || !leaseInForce(d.s, d.at.now) || d.s.leaving !== null) {
    trace(d, 'info', 'failsafe.refused', { round: showRound(pending.round), why: promised ? 'it came too late' : why });
    return;
  }
  const before = d.s.lease.until;
  extend(d, { round, epoch: pending.epoch, grantedMs: pending.ttlMs, t0: pending.at }, 'failsafe');
  if (d.s.lease.until > before) {
    trace(d, 'warn', 'failsafe.renewed', { round: showRound(round), leftMs: d.s.lease.until - d.at.now });
  }
}

/** The other side: promises neither to promote nor to start this database as a primary. */
export function onFailsafe(d: GuardDraft, message: Failsafe, replyTo: number): void {
  const why = whyNot(d, message);
  const answer = (promised: boolean): void => {
    const { noted } = d.s.durable;
    reply(d, replyTo, { type: 'failsafe-answer', promised, round: message.round, noted, why: why ?? '' });
  };
  if (why !== null) {
    trace(d, 'info', 'failsafe.declined', { epoch: showEpoch(message.epoch), why });
    return answer(false);
  }
  // L10: noted on disk before it is answered, with the longest promise this guard may have to remember (L8).
  noteEpoch(d, message.epoch, 'failsafe');
  if (message.ttlMs > d.s.durable.longestTtlMs) setDurable(d, { longestTtlMs: message.ttlMs });
  const until = d.at.now + bindingMs(message.ttlMs, d.s.settings.lease.drift);
  const { epoch, position } = message;
  const failsafeOf = furthest(d.s.failsafeOf, position === null ? null : { epoch, position });
  set(d, { promisedUntil: Math.max(d.s.promisedUntil, until), failsafeOf });
  if (isWorthSaving(d.s.durable.failsafeOf, failsafeOf, d.at.now - d.s.failsafeSavedAt)) {
    setDurable(d, { failsafeOf });
    set(d, { failsafeSavedAt: d.at.now });
  }
  trace(d, 'warn', 'failsafe.promised', {
    epoch: showEpoch(message.epoch),
    round: showRound(message.round),
    ttlMs: message.ttlMs,
  });
  answer(true);
}

function whyNot(d: GuardDraft, message: Failsafe): string | null {
  const { s, at } = d;
  if (message.site !== otherSite(s.me)) return 'it does not ask for its own site';
  if (s.durable.cluster === null || message.cluster !== s.durable.cluster) return 'another cluster';
  if (s.durable.noted !== null && compareEpochs(message.epoch, s.durable.noted) < 0)
    return 'a later epoch is known here';
  if (s.durable.noted !== null && sameEpoch(message.epoch, s.durable.noted) && dutyEpoch(s) !== null)
    return 'this epoch is of this site';
  if (leaseInForce(s, at.now)) return 'this guard holds a lease';
  // A start or promotion that was asked for counts as done; what is not known counts as a primary.
  if (mayBeWritable(s) || s.db.process === null) return 'this database runs, or may run, as a primary';
  if (s.db.work?.deed === 'start-primary' || s.db.work?.deed === 'promote')
    return 'this database is being started as a primary';
  return null;
}
