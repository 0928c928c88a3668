// The guard's rounds (L1, L5): quiet ones every P, long ones when a grant is missing, and what their answers mean. A
// guard that holds no lease and may not ask for one inquires instead, so that it learns of every change.

import type { GuardAnswer, Refusal, Renew } from '../messages.ts';
import type { Outcome } from '../outcome.ts';
import { bothAgents, extendLease, isMajority, openTally, type Tally, withAnswer } from '../quorum/holder.ts';
import { type EpochId, sameEpoch, showEpoch } from '../quorum/record.ts';
import { compareRounds, type Round, sameRound, showRound } from '../quorum/round.ts';
import { soleVoterOf } from '../quorum/sole-voter.ts';
import { agentOf, peerOfVoter, type Site, sites, type VoterId } from '../site.ts';
import { clockGrainMs, draw, type Instant, type Ms } from '../time.ts';
import { ask, type GuardDraft, set, setDurable, trace } from './draft.ts';
import { dutyEpoch, epochToAskFor, leaseInForce, wordForMs } from './facts.ts';
import { hearWord } from './hear.ts';
import type { Pending } from './state.ts';
import { guardStatus } from './status.ts';

/** More rounds than fit into the longest lease are never needed. */
const talliesKept = 32;

export function driveRounds(d: GuardDraft): void {
  dropOldTallies(d);
  const epoch = epochToAskFor(d.s, d.at.now);
  if (epoch === null) return driveInquiries(d);
  noteMissing(d);
  endLongRound(d);
  if (d.at.now >= d.s.nextRoundAt) beginDueRound(d, epoch);
  if (longIsDue(d)) beginRound(d, epoch, 'long');
}

function driveInquiries(d: GuardDraft): void {
  if (d.at.now < d.s.nextRoundAt) return;
  const { durable, settings } = d.s;
  set(d, { nextRoundAt: nextDue(d), missingSince: null, long: null });
  const cluster = durable.cluster ?? settings.cluster;
  for (const site of sites) {
    const message = { type: 'inquire', cluster, voters: settings.voters, status: guardStatus(d.s, d.at.now) } as const;
    ask(d, agentOf(site), message, { kind: 'inquire', voter: site }, settings.peerDeadlineMs);
  }
}

/** On schedule, whatever became of the round before; a schedule that was slept through is not made up for. */
function nextDue(d: GuardDraft): Instant {
  const { renewEveryMs } = d.s.settings.lease;
  const next = d.s.nextRoundAt + renewEveryMs;
  return next > d.at.now ? next : d.at.now + renewEveryMs;
}

function beginDueRound(d: GuardDraft, epoch: EpochId): void {
  set(d, { nextRoundAt: nextDue(d) });
  const word = d.s.agents[d.s.me];
  // L5: a new primary's guard begins with a long round at once when its agent misses the peer.
  const alone = word !== null && !word.hearsPeer && d.at.now - word.at <= wordForMs;
  const longFirst = alone && d.s.settings.witness === 'route53' && !leaseInForce(d.s, d.at.now);
  const free = d.s.long === null && d.at.now >= d.s.nextLongAt;
  beginRound(d, epoch, longFirst && free ? 'long' : 'quiet');
}

export function takeRound(d: GuardDraft): Round {
  set(d, { seq: d.s.seq + 1 });
  return { start: d.s.durable.roundStart, seq: d.s.seq };
}

function beginRound(d: GuardDraft, epoch: EpochId, length: 'quiet' | 'long'): void {
  const { lease } = d.s.settings;
  const round = takeRound(d);
  const ttlMs = length === 'long' ? lease.witnessTtlMs : lease.ttlMs;
  // L1: t0 was read before the step, so before the first byte leaves.
  const tally = openTally(round, epoch, ttlMs, d.at.now);
  set(d, { tallies: [...d.s.tallies, tally].slice(-talliesKept) });
  if (length === 'long') {
    set(d, { long: { round, t0: d.at.now, asked: null } });
    trace(d, 'info', 'round.long', { round: showRound(round), epoch: showEpoch(epoch), ttlMs });
  }
  for (const site of sites) renew(d, tally, site);
}

function renewDeadline(d: GuardDraft, ttlMs: Ms): Ms {
  return Math.min(d.s.settings.peerDeadlineMs, ttlMs);
}

function leaseOf(d: GuardDraft, tally: Tally): Omit<Renew, 'type' | 'status'> {
  const { durable, settings, me } = d.s;
  const { epoch, round, ttlMs } = tally;
  return { cluster: durable.cluster ?? settings.cluster, voters: settings.voters, epoch, site: me, round, ttlMs };
}

function renew(d: GuardDraft, tally: Tally, voter: VoterId): void {
  const message: Renew = { type: 'renew', ...leaseOf(d, tally), status: guardStatus(d.s, d.at.now) };
  const firstWords = !d.s.answered.includes(voter);
  const meaning = { kind: 'renew', voter, round: tally.round, epoch: tally.epoch, firstWords } as const;
  ask(d, peerOfVoter(voter), message, meaning, renewDeadline(d, tally.ttlMs));
}

function isQuiet(d: GuardDraft, tally: Tally): boolean {
  return d.s.long === null || !sameRound(d.s.long.round, tally.round)
    ? tally.ttlMs === d.s.settings.lease.ttlMs
    : false;
}

/** L5, Q9: the newest quiet round that has had its time, and whether both agents granted it. */
function noteMissing(d: GuardDraft): void {
  const { lease } = d.s.settings;
  const quiet = d.s.tallies.filter((tally) => isQuiet(d, tally));
  const newest = quiet.findLast((tally) => d.at.now - tally.t0 >= lease.witnessAfterMs || bothAgents(tally.granted));
  if (newest === undefined) return;
  if (bothAgents(newest.granted)) {
    if (d.s.missingSince !== null) set(d, { missingSince: null });
    return;
  }
  if (d.s.missingSince !== null) return;
  set(d, { missingSince: newest.t0 });
  const { round, granted, answered } = newest;
  trace(d, 'info', 'round.missed', {
    round: showRound(round),
    granted: granted.join(' '),
    answered: answered.join(' '),
  });
}

function longIsDue(d: GuardDraft): boolean {
  if (d.s.settings.witness !== 'route53' || d.s.long !== null) return false;
  if (soleVoterOf(d.s.durable.chosen?.record ?? null) !== null) return false;
  return d.s.missingSince !== null && d.at.now >= d.s.nextLongAt;
}

/** A long round that nobody granted in time is over: each of its three legs has its bound. */
function endLongRound(d: GuardDraft): void {
  const { long, settings } = d.s;
  if (long === null) return;
  // Without an agent's grant within the bound of its answer there is nothing for the register to follow.
  const limitMs = settings.peerDeadlineMs + (long.asked === null ? 0 : 3 * settings.lease.registerLegMs);
  if (d.at.now - long.t0 > limitMs) longFailed(d);
}

/** Q7: one write's longest time plus jitter. */
function longFailed(d: GuardDraft): void {
  const { registerLegMs } = d.s.settings.lease;
  set(d, { long: null, nextLongAt: d.at.now + registerLegMs + draw(d.at.random, registerLegMs, 1) });
}

function dropOldTallies(d: GuardDraft): void {
  const { durable, covered, tallies } = d.s;
  const alive = tallies.filter(
    (tally) =>
      d.at.now < tally.t0 + tally.ttlMs &&
      compareRounds(tally.round, covered) > 0 &&
      (durable.noted === null || sameEpoch(tally.epoch, durable.noted)),
  );
  if (alive.length !== tallies.length) set(d, { tallies: alive });
}

type RoundPending = Extract<Pending, { kind: 'renew' | 'register-grant' }>;

/** The answer to a renewal or to the ask to run the register's grant. */
export function onRoundAnswer(d: GuardDraft, pending: RoundPending, outcome: Outcome<GuardAnswer>): void {
  if (outcome.kind !== 'done') {
    if (pending.kind === 'register-grant') onNoRegisterGrant(d, pending);
    return;
  }
  const answer = outcome.value;
  hearWord(d, pending.voter, answer, pending.epoch);
  const tally = d.s.tallies.find((open) => sameRound(open.round, pending.round));
  // L1, L7: nothing is counted that belongs to a round before a release, or to an epoch that is over.
  if (tally === undefined || compareRounds(tally.round, d.s.covered) <= 0) return;
  const voter = pending.kind === 'renew' ? pending.voter : 'witness';
  const grantedMs = timeGranted(answer, voter, tally);
  if (pending.kind === 'register-grant' && grantedMs === null) {
    if (registerSpoke(answer.refusal)) noteAnswer(d, tally, 'witness', null);
    return onNoRegisterGrant(d, pending);
  }
  // L8 counts answers: an agent that started a moment ago and may not say yet whether it grants has given none.
  if (grantedMs === null && answer.refusal === 'busy') {
    // L4: in version 1 no voter can say that its file gives less than was asked for. In the next one, spoken from now on, it can.
    if (pending.kind === 'renew' && pending.firstWords) set(d, { nextRoundAt: d.at.now });
    return onRefusal(d, tally, 'busy');
  }
  const counted = noteAnswer(d, tally, voter, grantedMs);
  if (grantedMs === null) return onRefusal(d, counted, answer.refusal);
  if (makesLease(d, counted.granted)) return onMajority(d, counted);
  if (pending.kind === 'renew') askWitness(d, counted, pending.voter);
}

/** For how long this voter granted the round; null where it did not. */
function timeGranted({ granted, grantedFor, round }: GuardAnswer, voter: VoterId, tally: Tally): Ms | null {
  if (round === null || !sameRound(round, tally.round)) return null;
  if (granted === voter) return tally.ttlMs;
  return grantedFor?.voter === voter ? grantedFor.ttlMs : null;
}

/** "Orders": in a forced era the grant of its one voter is a lease; the answer that ends the era is heard before it is counted. */
function makesLease(d: GuardDraft, granted: readonly VoterId[]): boolean {
  const sole = soleVoterOf(d.s.durable.chosen?.record ?? null);
  return sole === null ? isMajority(granted, d.s.settings.witness) : granted.includes(sole);
}

function noteAnswer(d: GuardDraft, tally: Tally, voter: VoterId, grantedMs: Ms | null): Tally {
  const counted = withAnswer(tally, voter, grantedMs);
  set(d, { tallies: d.s.tallies.map((open) => (sameRound(open.round, tally.round) ? counted : open)) });
  return counted;
}

/** A refusal that rests on the register's own record is the register's answer (L8 counts answers). */
function registerSpoke(refusal: Refusal | null): boolean {
  return refusal === 'not-accepted' || refusal === 'old-round' || refusal === 'other-voters';
}

/** L5: refusals that a long round can make good are not waited out; those about the epoch or a release it cannot. */
function onRefusal(d: GuardDraft, tally: Tally, refusal: Refusal | null): void {
  const hopeless: readonly (Refusal | null)[] = ['released', 'not-accepted', 'not-known', 'later-known', null];
  if (hopeless.includes(refusal) || d.s.missingSince !== null || !isQuiet(d, tally)) return;
  set(d, { missingSince: tally.t0 });
  trace(d, 'info', 'round.missed', { round: showRound(tally.round), refusal });
}

/** L1, L5: a voter without a clock of its own, or a witness, is asked only for a round that an agent granted. */
function askWitness(d: GuardDraft, tally: Tally, granter: VoterId): void {
  if (granter === 'witness' || d.s.leaving !== null) return;
  if (d.s.settings.witness === 'agent') return renew(d, tally, 'witness');
  const { long } = d.s;
  if (d.s.settings.witness !== 'route53' || long === null || !sameRound(long.round, tally.round)) return;
  if (long.asked === null) askRegister(d, tally, granter);
}

function askRegister(d: GuardDraft, tally: Tally, granter: Site): void {
  if (d.s.long === null) return;
  set(d, { long: { ...d.s.long, asked: granter } });
  const meaning = { kind: 'register-grant', voter: granter, round: tally.round, epoch: tally.epoch } as const;
  const deadlineMs = 3 * d.s.settings.lease.registerLegMs;
  ask(d, agentOf(granter), { type: 'register-grant', ...leaseOf(d, tally) }, meaning, deadlineMs);
}

function onNoRegisterGrant(d: GuardDraft, pending: RoundPending): void {
  if (d.s.long !== null && sameRound(d.s.long.round, pending.round)) longFailed(d);
}

function onMajority(d: GuardDraft, tally: Tally): void {
  const duty = dutyEpoch(d.s);
  if (duty === null || !sameEpoch(tally.epoch, duty) || d.s.leaving !== null) return;
  if (d.s.long !== null && sameRound(d.s.long.round, tally.round)) {
    set(d, { long: null, nextLongAt: tally.t0 + d.s.settings.lease.witnessEveryMs });
  }
  extend(d, tally, 'granted');
}

/** Takes up a round that counts. One that is over already is no lease. */
export function extend(d: GuardDraft, tally: Pick<Tally, 'round' | 'epoch' | 't0' | 'grantedMs'>, how: string): void {
  if (d.at.now + clockGrainMs >= tally.t0 + tally.grantedMs) return;
  const held = leaseInForce(d.s, d.at.now) ? d.s.lease : null;
  const lease = extendLease(held, tally);
  if (lease === held) return;
  set(d, { lease });
  const fields = { epoch: showEpoch(lease.epoch), round: showRound(lease.round), leftMs: lease.until - d.at.now, how };
  trace(d, held === null ? 'info' : 'debug', held === null ? 'lease.acquired' : 'lease.extended', fields);
  // Q0: noted on disk before anything is armed, started or killed under it.
  if (!d.s.durable.heldFirstLease) setDurable(d, { heldFirstLease: true });
}
