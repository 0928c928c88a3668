// What guards ask of an agent: renewals (L2, L3), releases (L7) and news (L10). The register's grant is queued here and
// run in register-io.ts.

import type { GuardAnswer, GuardStatus, Inquire, Refusal, RegisterGrant, Release, Renew } from '../messages.ts';
import { noBallot } from '../quorum/ballot.ts';
import { type Accepted, compareEpochs, epochOf, sameEpoch, showEpoch } from '../quorum/record.ts';
import { isCurrent } from '../quorum/register.ts';
import { compareRounds, noRound, type Round, sameRound, showRound } from '../quorum/round.ts';
import { grant, latestRound, release, toldOfGrant } from '../quorum/voter.ts';
import type { Site } from '../site.ts';
import { standbyAdvice } from '../verdict/standby.ts';
import { type AgentDraft, reply, set, trace } from './draft.ts';
import { hearsPeer, hearsWitness, recordOf, waitsForWords } from './facts.ts';
import { hearGuardsPosition } from './positions.ts';
import { orderRefuses, refusesDatabase, refusesNow } from './refusing.ts';
import { type AgentState, rulesOf } from './state.ts';

/** More than there are between a long round and the word that its register grant is wanted, however short a round is. */
const roundsKept = 64;

/** Every answer to a guard carries the chosen record and what this agent knows of the standby ("Messages"). */
export function guardAnswer(
  d: AgentDraft,
  verdict: Pick<GuardAnswer, 'granted' | 'refusal' | 'round'> & Partial<Pick<GuardAnswer, 'grantedFor'>>,
): GuardAnswer {
  const record = recordOf(d.s);
  return {
    type: 'guard-answer',
    grantedFor: null,
    ...verdict,
    chosen: d.s.voter.durable.chosen,
    standby: standbyAdvice(d.s, d.at.now),
    refusing: record !== null && refusesDatabase(d.s, epochOf(record), d.at.now),
    hearsPeer: hearsPeer(d.s, d.at.now),
  };
}

export function hearGuard(d: AgentDraft, site: Site, status: GuardStatus): void {
  set(d, { guards: { ...d.s.guards, [site]: { at: d.at.now, value: status } } });
  hearGuardsPosition(d, site, status);
  const record = recordOf(d.s);
  if (
    d.s.durable.founded ||
    record === null ||
    record.primary !== site ||
    status.noted === null ||
    status.leaseLeftMs <= 0
  )
    return;
  // Q0: the founding guard holds its first lease; from now on records may be proposed.
  set(d, { durable: { ...d.s.durable, founded: true } });
  trace(d, 'info', 'cluster.founded', { site });
}

/** L10: what a guard of another cluster has noted (its host was put back to that) was not chosen in this one. */
function ofThisCluster(d: AgentDraft, { cluster, status }: Renew | Inquire): GuardStatus {
  return cluster === d.s.voter.durable.cluster ? status : { ...status, noted: null };
}

/** An ask for another site than the sender's own: refused, since a silent one would look like a dead agent. */
function notYours(d: AgentDraft, round: Round, replyTo: number): void {
  reply(d, replyTo, guardAnswer(d, { granted: null, refusal: 'not-accepted', round }));
}

/** L7: with no change chosen in time the guard goes on with a later round, and what it said with its release is over. */
function voidRelease(d: AgentDraft, message: Renew): void {
  const isOver = (said: AgentDraft['s']['gone'] | AgentDraft['s']['stopped']): boolean =>
    said !== null && sameEpoch(said.epoch, message.epoch) && compareRounds(message.round, said.round) > 0;
  if (isOver(d.s.gone)) set(d, { gone: null });
  if (isOver(d.s.stopped)) set(d, { stopped: null });
}

/**
 * I7: whoever else could grant this round has voted for a later epoch's other primary, or cannot be asked: the witness
 * while the peer is gone or lost its memory, and perhaps that was chosen by these two; the peer while the witness is out.
 * No majority can grant this round, which would only renew, for ever, the promise that keeps us from voting for the other.
 */
function nobodyElseGrants(d: AgentDraft, message: Renew): boolean {
  const { s, at } = d;
  const isLater = (held: Accepted | null): boolean =>
    held !== null && held.record.primary !== message.site && compareEpochs(epochOf(held.record), message.epoch) > 0;
  if (hearsPeer(s, at.now)) return isWitnessOut(s) && isLater(s.peer?.view.accepted ?? null);
  return hearsWitness(s, at.now) && isLater(heldByWitness(s));
}

/** Not merely unheard: it has no part in anything until a person makes it rejoin (Q8, W3). */
function isWitnessOut(s: AgentState): boolean {
  return s.settings.witness === 'agent' ? s.witness?.view.amnesia === true : s.register.out !== null;
}

function heldByWitness(s: AgentState): Accepted | null {
  if (s.settings.witness === 'agent') return s.witness?.view.accepted ?? null;
  return isCurrent(s.register) ? (s.register.held?.state.accepted ?? null) : null;
}

function whyNotNow(d: AgentDraft, message: Renew): Refusal | null {
  if (orderRefuses(d.s, message.epoch, d.at.now)) return 'order';
  if (message.status.leaseLeftMs <= 0 && nobodyElseGrants(d, message)) return 'not-free';
  // Q8: an old state that was put back grants what its record says: others may have chosen another since.
  return waitsForWords(d.s, d.at.now) ? 'busy' : null;
}

export function onRenew(d: AgentDraft, site: Site, message: Renew, replyTo: number): void {
  if (message.site !== site) return notYours(d, message.round, replyTo);
  hearGuard(d, site, ofThisCluster(d, message));
  noteRound(d, site);
  voidRelease(d, message);
  const refusing = refusesDatabase(d.s, message.epoch, d.at.now);
  const refusal = whyNotNow(d, message);
  const result =
    refusal === null
      ? grant(d.s.voter, message, refusing, rulesOf(d.s.settings), d.at.now)
      : { voter: d.s.voter, refusal };
  const isLong = message.ttlMs > d.s.settings.lease.ttlMs;
  set(d, {
    voter: result.voter,
    longRoundAt: isLong && d.s.settings.witness === 'route53' ? d.at.now : d.s.longRoundAt,
    grantedRounds:
      result.refusal === null ? [...d.s.grantedRounds, message.round].slice(-roundsKept) : d.s.grantedRounds,
  });
  if (result.refusal !== null) {
    trace(d, 'debug', 'lease.refused', {
      site,
      round: showRound(message.round),
      epoch: showEpoch(message.epoch),
      why: result.refusal,
    });
  }
  const { refusal: why } = result;
  const round = why === null ? message.round : latestRound(d.s.voter, message);
  const words = why === null ? toldOfGrant(d.s.me, message, rulesOf(d.s.settings)) : { granted: null, refusal: why };
  reply(d, replyTo, guardAnswer(d, { ...words, round }));
}

function noteRound(d: AgentDraft, site: Site): void {
  set(d, { roundAt: { ...d.s.roundAt, [site]: d.at.now } });
}

export function onInquire(d: AgentDraft, site: Site, message: Inquire, replyTo: number): void {
  if (message.status.site === site) hearGuard(d, site, ofThisCluster(d, message));
  // V1: one that has just started has heard nobody yet, and looks around before it asks for anything.
  if (message.status.unheardMs[d.s.me] === null) noteRound(d, site);
  // L1: above whatever is known of that guard's earlier lives it may begin.
  const latest = latestRound(d.s.voter, { site, round: noRound });
  reply(
    d,
    replyTo,
    guardAnswer(d, { granted: null, refusal: null, round: sameRound(latest, noRound) ? null : latest }),
  );
}

/** L5: only an agent that itself granted this round runs the register's grant of it. */
export function onRegisterGrant(d: AgentDraft, site: Site, message: RegisterGrant, replyTo: number): void {
  if (message.site !== site) return notYours(d, message.round, replyTo);
  const refuse = (refusal: Refusal): void =>
    reply(d, replyTo, guardAnswer(d, { granted: null, refusal, round: message.round }));
  const promise = d.s.voter.promise;
  if (d.s.settings.witness !== 'route53' || d.s.register.out !== null) return refuse('register');
  // Quiet rounds go on meanwhile, so the highest round granted may be a later one than this. Its length says nothing: the
  // guard's file may give other leases than this agent's (L4).
  const granted = d.s.grantedRounds.some((round) => sameRound(round, message.round));
  if (promise === null || promise.site !== site || !granted) return refuse('not-granted');
  // A1: an agent that refuses its own grant does not run the register's either (V4).
  if (refusesNow(d.s, message.epoch, d.at.now)) return refuse('refusing');
  if (d.s.queuedGrants.length >= 4) return refuse('busy');
  set(d, {
    queuedGrants: [...d.s.queuedGrants, { ask: message, replyTo, since: d.at.now, retried: false, sought: null }],
  });
}

export function onRelease(d: AgentDraft, site: Site, message: Release, replyTo: number): void {
  const record = recordOf(d.s);
  if (message.site !== site || message.cluster !== d.s.voter.durable.cluster)
    return notYours(d, message.round, replyTo);
  const { promise } = d.s.voter;
  const latest = latestRound(d.s.voter, message);
  // A late or repeated release of rounds before one that was granted since: its guard has gone on (L7).
  const late = promise !== null && promise.site === site && compareRounds(promise.round, message.round) > 0;
  const current = !late && record !== null && record.primary === site && sameEpoch(epochOf(record), message.epoch);
  const said = { epoch: message.epoch, round: message.round, at: d.at.now };
  set(d, {
    voter: release(d.s.voter, message),
    gone: current && message.gone ? said : d.s.gone,
    stopped:
      current && !message.gone
        ? { ...said, position: message.position, under: d.s.voter.durable.chosen?.ballot ?? noBallot }
        : d.s.stopped,
    queuedReleases: d.s.settings.witness === 'route53' ? [...d.s.queuedReleases, message].slice(-4) : [],
    due: { ...d.s.due, state: d.at.now },
  });
  trace(d, 'info', 'lease.released', {
    site,
    round: showRound(message.round),
    epoch: showEpoch(message.epoch),
    gone: message.gone,
  });
  reply(d, replyTo, guardAnswer(d, { granted: null, refusal: null, round: latest }));
}
