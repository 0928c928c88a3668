// L1: a round of renewals is (start, sequence). `start` is written to disk before it is used and never goes back, so
// a round is never used twice, not even when a guard's disk is put back.

export type Round = { readonly start: number; readonly seq: number };

export const noRound: Round = { start: 0, seq: 0 };

export function compareRounds(a: Round, b: Round): number {
  return a.start !== b.start ? a.start - b.start : a.seq - b.seq;
}

export function sameRound(a: Round, b: Round): boolean {
  return compareRounds(a, b) === 0;
}

export function maxRound(a: Round, b: Round): Round {
  return compareRounds(a, b) >= 0 ? a : b;
}

export function showRound(round: Round): string {
  return `${round.start}.${round.seq}`;
}
