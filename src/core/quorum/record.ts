// The cluster record: the one small value that the voters agree on, replaced as a whole (protocol.md, "What is agreed").

import type { Site } from '../site.ts';
import type { Ballot } from './ballot.ts';

/** Grows only when a person forces a change without a majority ("Orders"); `site` is the one that forced it. */
export type Era = { readonly number: number; readonly site: Site };

/** Wherever an epoch is compared, noted or written it is (era, epoch), era first. The fencing token. */
export type EpochId = { readonly era: Era; readonly epoch: number };

export type ClusterRecord = {
  readonly cluster: string;
  readonly era: Era;
  readonly epoch: number;
  readonly primary: Site;
  readonly entry: Site;
  readonly mode: 'auto' | 'paused';
  readonly sync: boolean;
  /** Fingerprint of the voter set. */
  readonly voters: string;
  /** Who wrote it, when by the wall clock (for people only), and why. */
  readonly by: string;
  readonly at: string;
  readonly reason: string;
};

/** A record with the ballot at which a voter accepted it, or, where the name says so, at which it was chosen. */
export type Accepted = { readonly ballot: Ballot; readonly record: ClusterRecord };

export function epochOf(record: ClusterRecord): EpochId {
  return { era: record.era, epoch: record.epoch };
}

export function compareEras(a: Era, b: Era): number {
  if (a.number !== b.number) return a.number - b.number;
  return a.site === b.site ? 0 : a.site < b.site ? -1 : 1;
}

export function compareEpochs(a: EpochId, b: EpochId): number {
  return compareEras(a.era, b.era) || a.epoch - b.epoch;
}

export function sameEpoch(a: EpochId, b: EpochId): boolean {
  return compareEpochs(a, b) === 0;
}

/** The later of two, either of which may be missing. */
export function laterEpoch(a: EpochId | null, b: EpochId | null): EpochId | null {
  if (a === null) return b;
  if (b === null) return a;
  return compareEpochs(a, b) >= 0 ? a : b;
}

/** For people: `4`, or `2.site1/4` once a change was forced. */
export function showEpoch(id: EpochId): string {
  return id.era.number === 0 ? String(id.epoch) : `${id.era.number}.${id.era.site}/${id.epoch}`;
}
