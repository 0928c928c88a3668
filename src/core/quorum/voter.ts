// One voter with a clock: an agent, or an agent witness. Holds a promise and a vote for the record (Q1 to Q8) and one
// lease promise (L2 to L4, L7). Pure; the caller persists `durable` before it answers (Q3).

import type { Accept, GuardAnswer, Prepare, Refusal, Release, StateNotice, VoterView } from '../messages.ts';
import type { Site, VoterId } from '../site.ts';
import { bindingMs, type Instant, type Ms } from '../time.ts';
import { type Ballot, compareBallots, maxBallot, noBallot, sameBallot } from './ballot.ts';
import {
  type Accepted,
  type ClusterRecord,
  compareEpochs,
  compareEras,
  type EpochId,
  epochOf,
  sameEpoch,
} from './record.ts';
import { compareRounds, maxRound, noRound, type Round } from './round.ts';
import { endsForcedEra, soleVoterOf } from './sole-voter.ts';

/** On disk before anything that rests on it is said (Q3). */
export type VoterDurable = {
  /** null until Q0 founded the cluster here. */
  readonly cluster: string | null;
  readonly promised: Ballot;
  readonly accepted: Accepted | null;
  /** The record of the highest ballot that is known to be chosen (Q4). */
  readonly chosen: Accepted | null;
  /** Tmax: the largest ttl ever granted or that may be granted (L4). */
  readonly longestTtlMs: Ms;
  /** Q8: others remember more of it than it holds. Kept, so that a restart does not give it its vote back. */
  readonly forgot: boolean;
};

/** L3: one deadline, the latest of all its grants, and the highest round. */
export type LeasePromise = {
  readonly site: Site;
  readonly epoch: EpochId;
  readonly round: Round;
  readonly until: Instant;
};

export type Voter = {
  readonly durable: VoterDurable;
  /** Q8: the state was damaged, missing though the cluster exists, or older than others remember. It does not vote. */
  readonly amnesia: boolean;
  /** L4: no change of primary is accepted before. */
  readonly quarantinedUntil: Instant;
  readonly promise: LeasePromise | null;
  /** The highest released round of each guard (L7). */
  readonly released: { readonly site1: Round; readonly site2: Round };
  /** V5: what was promised when it last granted a lease, or may have (before its start): an accept of that ballot is an old one. */
  readonly grantedUnder: Ballot;
  /** Q8: what it gave last to who would make it rejoin; only a word that was fetched for it is taken (rejoin.ts). */
  readonly ticket: string | null;
};

/** What every voter of this voter set shares. The cluster id is not configured: Q0 makes it, the disk keeps it. */
export type VoterRules = { readonly voters: string; readonly drift: number; readonly longestTtlMs: Ms };

export const emptyVoterDurable: VoterDurable = {
  cluster: null,
  promised: noBallot,
  accepted: null,
  chosen: null,
  longestTtlMs: 0,
  forgot: false,
};

/** A voter that starts now, from what its disk says. L4: whatever it had promised, it waits out the longest. */
export function startVoter(durable: VoterDurable, amnesia: boolean, rules: VoterRules, now: Instant): Voter {
  const longest = Math.max(durable.longestTtlMs, rules.longestTtlMs);
  return {
    // Whatever it writes first, amnesia goes to disk with it: half a memory must not look like a new voter's.
    durable: { ...durable, longestTtlMs: longest, forgot: amnesia || durable.forgot },
    amnesia: amnesia || durable.forgot,
    quarantinedUntil: now + bindingMs(longest, rules.drift),
    promise: null,
    released: { site1: noRound, site2: noRound },
    grantedUnder: durable.promised,
    ticket: null,
  };
}

/** Q8: this voter does not vote any more, nor after a restart. */
export function forget(voter: Voter): Voter {
  return { ...withDurable(voter, { forgot: true }), amnesia: true };
}

export type VoterResult = { readonly voter: Voter; readonly refusal: Refusal | null };

function refuse(voter: Voter, refusal: Refusal): VoterResult {
  return { voter, refusal };
}

function strange(voter: Voter, rules: VoterRules, message: { cluster: string; voters: string }): Refusal | null {
  if (voter.amnesia) return 'amnesia';
  if (voter.durable.cluster === null) return 'not-bootstrapped';
  if (message.cluster !== voter.durable.cluster) return 'other-cluster';
  // A voter grants and votes for no other voter set, but its answer still tells the chosen record.
  return message.voters === rules.voters ? null : 'other-voters';
}

export function withDurable(voter: Voter, change: Partial<VoterDurable>): Voter {
  return { ...voter, durable: { ...voter.durable, ...change } };
}

/** Q3: promises are kept for ever; a repeat of the same ballot is answered again. */
export function prepare(voter: Voter, message: Prepare, rules: VoterRules): VoterResult {
  const refusal = strange(voter, rules, message);
  if (refusal !== null) return refuse(voter, refusal);
  if (compareBallots(message.ballot, voter.durable.promised) < 0) return refuse(voter, 'promised-more');
  return { voter: withDurable(voter, { promised: message.ballot }), refusal: null };
}

/**
 * Q6: whether accepting `record` would be a change of primary *at this voter*, whatever the round was begun for. It is
 * what this voter has accepted that counts, not what the proposer meant.
 */
export function changesPrimary(voter: Voter, record: ClusterRecord): boolean {
  const held = voter.durable.accepted;
  return held !== null && held.record.primary !== record.primary;
}

/** For how long this voter may not accept `record` (L3, L4); 0 when it is free. */
export function bindsAgainst(voter: Voter, record: ClusterRecord, now: Instant): Ms {
  if (!changesPrimary(voter, record)) return 0;
  // A promise to that primary's own guard hinders nothing, so a voter left behind can always be repaired (Q6).
  const promised = voter.promise !== null && voter.promise.site !== record.primary ? voter.promise.until - now : 0;
  return Math.max(0, promised, voter.quarantinedUntil - now);
}

export function accept(voter: Voter, message: Accept, rules: VoterRules, now: Instant): VoterResult {
  const refusal =
    strange(voter, rules, message) ?? (message.record.cluster === message.cluster ? null : 'other-cluster');
  if (refusal !== null) return refuse(voter, refusal);
  const { promised, accepted } = voter.durable;
  if (compareBallots(message.ballot, promised) < 0) return refuse(voter, 'promised-more');
  // The same vote again is answered again; a ballot never carries two records (I2).
  if (accepted !== null && sameBallot(accepted.ballot, message.ballot)) return { voter, refusal: null };
  if (accepted !== null && isOver(voter, accepted.record, message.record)) return refuse(voter, 'later-known');
  if (bindsAgainst(voter, message.record, now) > 0) return refuse(voter, 'not-free');
  if (changesPrimary(voter, message.record) && isOld(voter, message)) return refuse(voter, 'not-free');
  const accepting = { promised: message.ballot, accepted: { ballot: message.ballot, record: message.record } };
  const next = withDurable(voter, accepting);
  // "Orders": a voter of a forced era's end begins L4's wait with the *ending* record, not when it was told of the era.
  if (!endsForcedEra(accepted?.record ?? null, message.record)) return { voter: next, refusal: null };
  const waitUntil = now + bindingMs(voter.durable.longestTtlMs, rules.drift);
  return { voter: { ...next, quarantinedUntil: Math.max(voter.quarantinedUntil, waitUntil) }, refusal: null };
}

/**
 * "Orders": one who accepted a forced era's record votes for none of an era before, whatever its ballot. Within an era
 * it is defence in depth: a record below a *chosen* epoch can only come from a fault.
 */
function isOver(voter: Voter, held: ClusterRecord, next: ClusterRecord): boolean {
  if (compareEras(next.era, held.era) < 0) return true;
  const { chosen } = voter.durable;
  const below = (record: ClusterRecord): boolean => compareEpochs(epochOf(next), epochOf(record)) < 0;
  return below(held) && chosen !== null && below(chosen.record);
}

/** V5: the old primary may have gone on since it was asked whether another may take over. What is known to be chosen is repaired. */
function isOld({ grantedUnder, durable: { chosen } }: Voter, { ballot, record }: Accept): boolean {
  if (chosen !== null && compareEpochs(epochOf(chosen.record), epochOf(record)) >= 0) return false;
  return compareBallots(ballot, grantedUnder) <= 0;
}

/** Q4: takes up that a record was chosen. Returns the same voter when it is nothing new. */
export function learnChosen(voter: Voter, chosen: Accepted): Voter {
  const known = voter.durable.chosen;
  if (voter.durable.cluster === null || chosen.record.cluster !== voter.durable.cluster) return voter;
  if (known !== null && !isLaterChosen(chosen, known)) return voter;
  return withDurable(voter, { chosen });
}

/**
 * Era first, then ballot: within an era chosen ballots only grow, and with them chosen epochs. So one of a lower epoch at
 * a higher ballot was not chosen, whoever says so (I3).
 */
export function isLaterChosen(a: Accepted, b: Accepted): boolean {
  const eras = compareEpochs({ era: a.record.era, epoch: 0 }, { era: b.record.era, epoch: 0 });
  if (eras !== 0) return eras > 0;
  return compareBallots(a.ballot, b.ballot) > 0 && compareEpochs(epochOf(a.record), epochOf(b.record)) >= 0;
}

/**
 * Q2: the record a round goes on from is that of the highest accepted ballot, of a later era first. Not `isLaterChosen`: what
 * was accepted need not have been chosen, so the higher ballot may well carry the lower epoch, and buries the other one.
 */
export function isLaterAccepted(a: Accepted, b: Accepted): boolean {
  return (compareEras(a.record.era, b.record.era) || compareBallots(a.ballot, b.ballot)) > 0;
}

/** Whether who holds this has voted for another primary than that of the chosen record, which gets no grant of it any more. */
export function movesOn(held: Accepted | null | undefined, chosen: Accepted): boolean {
  return held != null && held.record.primary !== chosen.record.primary && isLaterAccepted(held, chosen);
}

export type RenewAsk = {
  readonly cluster: string;
  readonly voters: string;
  readonly epoch: EpochId;
  readonly site: Site;
  readonly round: Round;
  readonly ttlMs: Ms;
};

/**
 * L2 Grant and L3 Promise. A higher promised ballot does not matter: a mere prepare must not stop renewals. `refusing`
 * is V4's word on this database (an agent witness has no opinion and passes false).
 */
export function grant(voter: Voter, ask: RenewAsk, refusing: boolean, rules: VoterRules, now: Instant): VoterResult {
  const stranger = strange(voter, rules, ask);
  if (stranger !== null) return refuse(voter, stranger);
  const refusal = mayGrant(voter, ask, now);
  if (refusal !== null) return refuse(voter, refusal);
  if (refusing) return refuse(voter, 'refusing');
  const until = now + bindingMs(grantableMs(ask, rules), rules.drift);
  const held = voter.promise?.site === ask.site ? voter.promise : null;
  const promise: LeasePromise = {
    site: ask.site,
    epoch: ask.epoch,
    // A shorter or older grant brings neither down (L3).
    round: maxRound(held?.round ?? noRound, ask.round),
    until: Math.max(held?.until ?? 0, until),
  };
  return { voter: { ...voter, promise, grantedUnder: voter.durable.promised }, refusal: null };
}

/**
 * L4: for how long a voter grants: for no longer than its own file says, whatever the guard's file asks for. So what it waits for
 * after a start, also with a disk that is lost or put back, is enough for all that it ever granted by this file.
 */
export function grantableMs({ ttlMs }: Pick<RenewAsk, 'ttlMs'>, { longestTtlMs }: VoterRules): Ms {
  return Math.min(ttlMs, longestTtlMs);
}

/** How the guard is told of a grant. */
export function toldOfGrant(
  voter: VoterId,
  ask: Pick<RenewAsk, 'ttlMs'>,
  rules: VoterRules,
): Pick<GuardAnswer, 'granted' | 'refusal' | 'grantedFor'> {
  const ttlMs = grantableMs(ask, rules);
  return ttlMs < ask.ttlMs
    ? { granted: null, refusal: 'busy', grantedFor: { voter, ttlMs } }
    : { granted: voter, refusal: null, grantedFor: null };
}

/** L4: in a forced era only its one voter grants, perhaps longer leases than the others' files say; at its end they wait as long. */
export function takeLongest(voter: Voter, from: VoterId, { chosen, longestTtlMs }: VoterView): Voter {
  if (chosen === null || chosen.record.cluster !== voter.durable.cluster) return voter;
  const longer = soleVoterOf(chosen.record) === from && (longestTtlMs ?? 0) > voter.durable.longestTtlMs;
  return longer ? withDurable(voter, { longestTtlMs: longestTtlMs ?? 0 }) : voter;
}

function mayGrant(voter: Voter, ask: RenewAsk, now: Instant): Refusal | null {
  const { accepted, chosen } = voter.durable;
  if (accepted === null || accepted.record.primary !== ask.site) return 'not-accepted';
  // Q10: a file that was edited alone is not yet the cluster's: who counts by it may need fewer than the others do.
  if (accepted.record.voters !== ask.voters && soleVoterOf(accepted.record) === null) return 'other-voters';
  if (!sameEpoch(epochOf(accepted.record), ask.epoch)) return 'not-accepted';
  // C1: two voters can hold records of one epoch of which none was chosen; only a chosen epoch carries a lease.
  if (chosen === null || compareEpochs(epochOf(chosen.record), ask.epoch) < 0) return 'not-known';
  if (compareEpochs(epochOf(chosen.record), ask.epoch) > 0) return 'later-known';
  if (compareRounds(ask.round, voter.released[ask.site]) <= 0) return 'released';
  // Cannot be while the accept rule holds: the vote for this primary waited for the promise to the other one.
  if (voter.promise !== null && voter.promise.site !== ask.site && voter.promise.until > now) return 'not-free';
  return null;
}

/** L7: drops the promise to that guard if it granted it no later round. */
export function release(voter: Voter, message: Pick<Release, 'site' | 'round'>): Voter {
  const released = { ...voter.released, [message.site]: maxRound(voter.released[message.site], message.round) };
  const held = voter.promise;
  const covered = held !== null && held.site === message.site && compareRounds(held.round, message.round) <= 0;
  return { ...voter, released, promise: covered ? null : held };
}

/**
 * What an answer to a guard carries for a round that was not granted: that round, or a later one of that guard that this voter
 * knows. A guard whose disk is lost and whose wall clock went back learns by it that its rounds are behind (L1).
 */
export function latestRound({ promise, released }: Voter, { site, round }: Pick<Release, 'site' | 'round'>): Round {
  const held = promise?.site === site ? promise.round : noRound;
  return maxRound(round, maxRound(held, released[site]));
}

/** What this voter tells others of itself. */
export function viewOf(voter: Voter, now: Instant): VoterView {
  const quarantineMs = Math.max(0, voter.quarantinedUntil - now);
  const promised = voter.promise === null ? 0 : Math.max(0, voter.promise.until - now);
  return {
    promised: voter.durable.promised,
    accepted: voter.durable.accepted,
    chosen: voter.durable.chosen,
    bindsMs: Math.max(promised, quarantineMs),
    bindsTo: promised > 0 && voter.promise !== null ? voter.promise.site : null,
    quarantineMs,
    amnesia: voter.amnesia || voter.durable.cluster === null,
    longestTtlMs: voter.durable.longestTtlMs,
  };
}

/**
 * What others remember of a voter (Q4, Q8). Two ballots, because a disk that was put back may hold the promise of a
 * ballot and not the vote at it, which came a moment later. What it knows to be chosen is no part: others tell it that
 * again at once.
 */
export type Memory = {
  /** The highest ballot it was seen to have promised. */
  readonly promised: Ballot;
  /**
   * The highest ballot it was seen to have accepted. Null: remembered by an older release, which kept one ballot for all
   * that a voter held, what it knew to be chosen included.
   */
  readonly voted: Ballot | null;
};

export function memoryIn({ promised, accepted }: VoterView): { readonly promised: Ballot; readonly voted: Ballot } {
  const voted = accepted?.ballot ?? noBallot;
  return { promised: maxBallot(promised, voted), voted };
}

/** What the sender of a notice remembers of its receiver; null: nothing. */
export function memoryOfUs({ seenOfYou, voteOfYou }: StateNotice): Memory | null {
  return seenOfYou === null ? null : { promised: seenOfYou, voted: voteOfYou };
}

/** Q8: four `state` intervals, within which a voter that has just started hears what the others remember of it. */
export const hearFirstMs: Ms = 2000;

/** Whether a voter that shows this holds less of anything than is remembered of it. */
export function holdsLess(view: VoterView, { promised, voted }: Memory): boolean {
  const holds = memoryIn(view);
  if (voted === null) return compareBallots(maxBallot(holds.promised, view.chosen?.ballot ?? noBallot), promised) < 0;
  return compareBallots(holds.promised, promised) < 0 || compareBallots(holds.voted, voted) < 0;
}
