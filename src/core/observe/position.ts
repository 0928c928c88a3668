// V5: how far a primary is known to have written. Any lease was granted by somebody, and whoever grants one is told the
// position with the ask; so whoever is left of a majority knows what this agent did not see itself.

import type { Lsn } from '../lsn.ts';
import type { GuardStatus } from '../messages.ts';
import { compareEpochs, type EpochId, sameEpoch } from '../quorum/record.ts';
import type { Ms } from '../time.ts';

/** A lower bound: within one epoch it only grows. */
export type PrimaryPosition = { readonly epoch: EpochId; readonly position: Lsn };

/** What a guard says of the database that it asks a lease for; null: in this epoch it has written nothing yet. */
export function positionOf({ noted: epoch, position, database }: GuardStatus): PrimaryPosition | null {
  return epoch === null || position === null || database !== 'primary' ? null : { epoch, position };
}

/** On disk it may be so far behind: a sixteenth of maxLagBytes' default, and no reason to write while next to nothing happens. */
const savedWithinBytes = 1024 * 1024;
const savedEveryMs: Ms = 5000;

/** Whether it is time to put `known` on disk, for those that are told positions by guards only. */
export function isWorthSaving(saved: PrimaryPosition | null, known: PrimaryPosition | null, sinceMs: Ms): boolean {
  if (known === null || known === saved) return false;
  if (saved === null || !sameEpoch(saved.epoch, known.epoch)) return true;
  return sinceMs >= savedEveryMs && known.position - saved.position >= savedWithinBytes;
}

/** The later epoch's, and within one epoch the further one; the very same value where nothing is new. */
export function furthest(known: PrimaryPosition | null, heard: PrimaryPosition | null): PrimaryPosition | null {
  if (known === null || heard === null) return known ?? heard;
  const order = compareEpochs(heard.epoch, known.epoch);
  return order > 0 || (order === 0 && heard.position > known.position) ? heard : known;
}
