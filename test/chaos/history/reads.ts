/** Reads that go backwards, of names that are written once and of registers that only grow. */
import type { Finding, History, RegisterRead, RegisterWrite } from './history.ts';
import { at, finding } from './history.ts';
import type { Tail } from './tails.ts';
import { inTail } from './tails.ts';

export function checkReads(history: History, tails: readonly Tail[]): readonly Finding[] {
  return [...checkNames(history), ...checkRegisters(history, tails)];
}

/** A name that is there at the end was there for every read sent after its answer; one that is lost does not come back. */
function checkNames({ names, nameReads, final }: History): readonly Finding[] {
  const answered = new Map(names.map(({ name, a }) => [name, a]));
  const misses = nameReads.filter(({ name, s, found }) => !found && s > (answered.get(name) ?? 0));
  const missed = misses.filter(({ name }) => final.names.has(name));
  const firstMiss = new Map<string, number>();
  for (const { name, a } of misses) {
    firstMiss.set(name, Math.min(firstMiss.get(name) ?? Number.POSITIVE_INFINITY, a));
  }
  const back = nameReads.filter(({ name, s, found }) => found && s > (firstMiss.get(name) ?? Number.POSITIVE_INFINITY));
  const show = ({ name, s }: { readonly name: string; readonly s: number }) => `${name}, asked at ${at(s)}`;
  return [
    ...finding('backwards', true, missed, 'reads missed a name that was acknowledged and survived', show),
    ...finding('backwards', true, back, 'reads found a name again that was gone before', show),
  ];
}

interface Back {
  readonly name: string;
  readonly saw: number | null;
  readonly known: number;
  readonly sinceMs: number;
  readonly readMs: number;
}

/** What was known before a read was sent: answers to writes, and what earlier reads had shown. */
function checkRegisters({ registerWrites, registerReads, final }: History, tails: readonly Tail[]): readonly Finding[] {
  const writes = groupBy(registerWrites);
  const reads = groupBy([...registerReads, ...finalReads(registerWrites, final)]);
  const back: Back[] = [];
  for (const [name, ofName] of reads) {
    const known = knownOf(writes.get(name) ?? [], ofName);
    for (const read of ofName) {
      // What may be lost with a tail proves nothing about what has to be there.
      const before = known.filter(({ atMs, s, a }) => atMs < read.s && !lostBefore(tails, s, a, read.a));
      const best = before.reduce<Known | null>((max, one) => (max === null || one.value > max.value ? one : max), null);
      if (best !== null && (read.value ?? -1) < best.value)
        back.push({ name, saw: read.value, known: best.value, sinceMs: best.atMs, readMs: read.s });
    }
  }
  return finding(
    'backwards',
    true,
    back,
    'reads of a register went backwards',
    ({ name, saw, known, sinceMs, readMs }) =>
      `${name} was ${known} at ${at(sinceMs)} and ${saw ?? 'gone'} for a read sent at ${at(readMs)}`,
  );
}

interface Known {
  readonly value: number;
  /** From when on it is known. */
  readonly atMs: number;
  /** Of the write that made it. */
  readonly s: number;
  readonly a: number;
}

function knownOf(writes: readonly RegisterWrite[], reads: readonly RegisterRead[]): readonly Known[] {
  const made = new Map(writes.map((write) => [write.value, write]));
  const answered = writes.flatMap(({ value, s, a }) => (a === null ? [] : [{ value, atMs: a, s, a }]));
  const shown = reads.flatMap(({ value, a }) => {
    const write = value === null ? undefined : made.get(value);
    // A write of unknown end that a read has shown has happened, at the latest when it was shown.
    return write === undefined ? [] : [{ value: write.value, atMs: a, s: write.s, a: write.a ?? a }];
  });
  return [...answered, ...shown];
}

const lostBefore = (tails: readonly Tail[], s: number, a: number, readMs: number): boolean =>
  inTail(
    tails.filter(({ change }) => change.atMs <= readMs),
    s,
    a,
  );

/** The state at the end is one more read. */
function finalReads(writes: readonly RegisterWrite[], { registers, atMs }: History['final']): readonly RegisterRead[] {
  const names = new Set(writes.map(({ name }) => name));
  return [...names].map((name) => ({ name, value: registers.get(name) ?? null, s: atMs, a: atMs }));
}

function groupBy<T extends { readonly name: string }>(items: readonly T[]): ReadonlyMap<string, readonly T[]> {
  const groups = new Map<string, T[]>();
  for (const item of items) groups.set(item.name, [...(groups.get(item.name) ?? []), item]);
  return groups;
}
