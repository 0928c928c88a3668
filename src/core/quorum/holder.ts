// The lease at its holder (L1, L5): grants counted by round. The grantor's side is voter.ts. Two agents and the witness
// are the voters; any two make a lease, and without a witness the grant of either agent does ("Who takes part").

import type { WitnessKind } from '../settings.ts';
import type { VoterId } from '../site.ts';
import type { Instant, Ms } from '../time.ts';
import { compareEpochs, type EpochId } from './record.ts';
import type { Round } from './round.ts';

/** What was granted of one round. Grants of different rounds are never added up, so each has a tally of its own. */
export type Tally = {
  readonly round: Round;
  readonly epoch: EpochId;
  readonly ttlMs: Ms;
  /** The shortest time that a voter granted it for, which its own file limits (L4). */
  readonly grantedMs: Ms;
  /** The clock read before the first byte of the round left (L1). */
  readonly t0: Instant;
  readonly granted: readonly VoterId[];
  /** Voters that answered, granting or refusing (L8: a refusal is an answer). */
  readonly answered: readonly VoterId[];
};

/** `until` is this machine's clock: the end of the longest round that counts. */
export type Lease = { readonly epoch: EpochId; readonly until: Instant; readonly round: Round };

export function openTally(round: Round, epoch: EpochId, ttlMs: Ms, t0: Instant): Tally {
  return { round, epoch, ttlMs, grantedMs: ttlMs, t0, granted: [], answered: [] };
}

/** `grantedMs`: for how long it granted the round; null where it refused. */
export function withAnswer(tally: Tally, voter: VoterId, grantedMs: Ms | null): Tally {
  const add = (list: readonly VoterId[]): readonly VoterId[] => (list.includes(voter) ? list : [...list, voter]);
  const answered = add(tally.answered);
  if (grantedMs === null) return { ...tally, answered };
  return { ...tally, answered, granted: add(tally.granted), grantedMs: Math.min(tally.grantedMs, grantedMs) };
}

/** A voter counts once, however often its grant arrives. */
export function isMajority(granted: readonly VoterId[], witness: WitnessKind): boolean {
  if (witness === 'none') return granted.includes('site1') || granted.includes('site2');
  return new Set(granted).size >= 2;
}

export function bothAgents(granted: readonly VoterId[]): boolean {
  return granted.includes('site1') && granted.includes('site2');
}

/**
 * The lease after a round that counts: a later deadline or a later epoch replaces what was held, an earlier one never
 * does (L1). The same value comes back when nothing changed.
 */
export function extendLease(held: Lease | null, tally: Pick<Tally, 'round' | 'epoch' | 't0' | 'grantedMs'>): Lease {
  const until = tally.t0 + tally.grantedMs;
  if (held !== null) {
    const order = compareEpochs(tally.epoch, held.epoch);
    if (order < 0 || (order === 0 && until <= held.until)) return held;
  }
  return { epoch: tally.epoch, until, round: tally.round };
}
