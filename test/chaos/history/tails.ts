/**
 * Asynchronous replication may lose the tail of an epoch that ended without order. Where such a tail begins is read off
 * the sockets' writes: WAL is kept up to one position, so what survives of an epoch is a prefix of it. Every other loss
 * (a name, a register's value, a read that goes back) has to fall into a tail.
 */
import type { Change, History, SocketWrite } from './history.ts';

export interface Tail {
  readonly change: Change;
  /** What was acknowledged before this has to be there: a later write of the same epoch is. */
  readonly fromMs: number;
  /** What was sent after this went to the next primary. */
  readonly toMs: number;
  readonly lost: readonly SocketWrite[];
}

/** Writes are of the epoch that was chosen last, until the next one: the row in the table may be a beat behind. */
export function tailsOf(history: History): readonly Tail[] {
  if (history.replication !== 'async') return [];
  const { changes, sockets, final } = history;
  return changes.flatMap((change, index) => {
    if (change.planned) return [];
    const begin = index === 0 ? Number.NEGATIVE_INFINITY : (changes[index - 1]?.atMs ?? 0);
    const end = firstAnswer(sockets, change) ?? final.atMs;
    const own = sockets.filter(({ site, s, a }) => site === change.from && a > begin && s < end);
    const kept = own.filter(({ key }) => final.keys.has(key));
    const lastKept = kept.reduce((last, { s }) => Math.max(last, s), begin);
    return [{ change, fromMs: lastKept, toMs: end, lost: own.filter(({ key }) => !final.keys.has(key)) }];
  });
}

function firstAnswer(sockets: readonly SocketWrite[], { to, atMs }: Change): number | null {
  let first: number | null = null;
  for (const { site, a } of sockets) if (site === to && a > atMs && (first === null || a < first)) first = a;
  return first;
}

/** Acknowledged within [s, a], could it have been in a tail? */
export function inTail(tails: readonly Tail[], s: number, a: number): boolean {
  return tails.some((tail) => a >= tail.fromMs && s <= tail.toMs);
}
