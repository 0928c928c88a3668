// Q1: ballots are (counter, voter), totally ordered; no ballot is ever used twice, not even across a crash.

import type { VoterId } from '../site.ts';

export type Ballot = { readonly counter: number; readonly voter: VoterId };

/** Below every ballot that a proposer can make. */
export const noBallot: Ballot = { counter: 0, voter: 'site1' };

export function compareBallots(a: Ballot, b: Ballot): number {
  if (a.counter !== b.counter) return a.counter - b.counter;
  return a.voter === b.voter ? 0 : a.voter < b.voter ? -1 : 1;
}

export function maxBallot(a: Ballot, b: Ballot): Ballot {
  return compareBallots(a, b) >= 0 ? a : b;
}

export function sameBallot(a: Ballot, b: Ballot): boolean {
  return compareBallots(a, b) === 0;
}

/** Q1: a ballot above every one seen. The caller persists it as its own promise before it sends it. */
export function nextBallot(seen: Ballot, voter: VoterId): Ballot {
  return { counter: seen.counter + 1, voter };
}

export function showBallot(ballot: Ballot): string {
  return `${ballot.counter}.${ballot.voter}`;
}
