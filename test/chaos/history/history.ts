/** What was seen from outside during one sequence: all that the checkers look at. Times are CLOCK_MONOTONIC in ms. */
import type { SiteName } from '../../lab/src/topology.ts';

/** Era, epoch, timeline: what a write says about the database that made it, compared in this order. */
export type Token = readonly [number, number, number];

/** A write at a database's own socket that was acknowledged: sent at `s`, the answer there at `a`. */
export interface SocketWrite {
  readonly key: string;
  readonly site: SiteName;
  readonly s: number;
  readonly a: number;
  readonly token: Token;
  /** The position where its record ends at the latest is not known; that of whoever wrote after it is not below it. */
  readonly lsn: number | null;
}

/** A write of a new name through the public name that was acknowledged. */
export interface NameWrite {
  readonly name: string;
  readonly s: number;
  readonly a: number;
}

/** A read of an acknowledged name that was answered, with or without the name. */
export interface NameRead {
  readonly name: string;
  readonly s: number;
  readonly a: number;
  readonly found: boolean;
}

/** One register has one writer, which ends with the first write of unknown end: acknowledged values only grow. */
export interface RegisterWrite {
  readonly name: string;
  readonly value: number;
  readonly s: number;
  /** Null: its end is unknown, it may happen at any time after. */
  readonly a: number | null;
}

export interface RegisterRead {
  readonly name: string;
  /** Null: there was no such name. */
  readonly value: number | null;
  readonly s: number;
  readonly a: number;
}

/** A chosen record that names another primary than the one before. */
export interface Change {
  readonly epoch: number;
  readonly from: SiteName;
  readonly to: SiteName;
  readonly atMs: number;
  /** The old primary was stopped by an order and the new one had all of it: then nothing may be lost. */
  readonly planned: boolean;
  readonly reason: string;
  /** What the daemons' event of the change said: up to here the new primary has everything. */
  readonly received: number | null;
  readonly lagBytes: number | null;
  /** When it saw the old one so far beyond. */
  readonly seenAtMs: number | null;
}

/** What one daemon took for chosen. */
export interface Belief {
  readonly by: string;
  readonly epoch: string;
  readonly ballot: string;
  readonly primary: SiteName;
  readonly entry: SiteName;
  readonly mode: string;
}

/** A chosen record that names another entry, of the same primary. */
export interface EntryMove {
  readonly from: SiteName;
  readonly to: SiteName;
  readonly atMs: number;
  readonly reason: string;
}

/** What a fault took away while it lasted: a host, a balancer, `witness`, or the way `A>B` from one host to another. */
export interface Impairment {
  readonly fault: string;
  readonly what: string;
  readonly fromMs: number;
  readonly toMs: number;
}

/** What is there at the end, when everything is healed and agrees. */
export interface Final {
  readonly primary: SiteName;
  readonly keys: ReadonlySet<string>;
  readonly names: ReadonlySet<string>;
  readonly registers: ReadonlyMap<string, number>;
  readonly atMs: number;
}

export interface History {
  readonly replication: 'async' | 'zero-loss' | 'zero-loss-strict';
  readonly witness: 'route53' | 'agent' | 'none';
  readonly maxLagBytes: number;
  readonly sockets: readonly SocketWrite[];
  readonly names: readonly NameWrite[];
  readonly nameReads: readonly NameRead[];
  readonly registerWrites: readonly RegisterWrite[];
  readonly registerReads: readonly RegisterRead[];
  readonly changes: readonly Change[];
  readonly entryMoves: readonly EntryMove[];
  readonly beliefs: readonly Belief[];
  readonly impairments: readonly Impairment[];
  readonly final: Final;
}

export type Check = 'overlap' | 'epochs' | 'lost' | 'backwards' | 'needless' | 'unavailable';

export interface Finding {
  readonly check: Check;
  /** No starved machine excuses it. */
  readonly unsafe: boolean;
  readonly what: string;
}

export function compareTokens(a: Token, b: Token): number {
  return a[0] - b[0] || a[1] - b[1] || a[2] - b[2];
}

const SHOWN = 3;

/** One finding for all of a kind, with the first examples. */
export function finding<T>(
  check: Check,
  unsafe: boolean,
  found: readonly T[],
  what: string,
  show: (one: T) => string,
): readonly Finding[] {
  if (found.length === 0) return [];
  const examples = found.slice(0, SHOWN).map(show).join('; ');
  return [{ check, unsafe, what: `${found.length} ${what}: ${examples}` }];
}

export const at = (ms: number): string => `${(ms / 1000).toFixed(3)} s`;
