/** What a scenario is, and what it is given. */
import type { WitnessKind } from '../../src/cluster-file.ts';
import type { Lab } from '../../src/lab.ts';
import type { LoadOptions } from '../../src/load.ts';
import type { SiteName } from '../../src/topology.ts';

export interface Scenario {
  readonly id: string;
  readonly title: string;
  /** The client's write outage that issue text and docs/TIMING.md promise; such a round runs alone, with default timings. */
  readonly boundMs?: number;
  /** Which witness it can run with. */
  readonly witness: readonly WitnessKind[];
  /** Everything in the lab is well when it begins; it may end in any state that `makeWell` can repair. */
  run(round: Round): Promise<void>;
}

/** One run of a scenario. */
export interface Round {
  readonly lab: Lab;
  /** The pace of the load, where it is not the usual one. */
  readonly load: LoadOptions;
  /** One line of progress. */
  say(text: string): void;
  /** A measured figure for the table; numbers of the same name add up. */
  figure(name: string, value: string | number): void;
  /** The client's write outage, which a bound is held against. */
  outage(ms: number): void;
}

/** Something that must hold does not. Its message is all a reader gets: what, and what was seen instead. */
export class Broken extends Error {
  override name = 'Broken';
}

/** What no starved machine excuses: such a round is never repeated. */
export class Unsafe extends Broken {
  override name = 'Unsafe';
}

export function insistSafe(condition: boolean, what: string): asserts condition {
  if (!condition) throw new Unsafe(what);
}

export function insist(condition: boolean, what: string): asserts condition {
  if (!condition) throw new Broken(what);
}

export const otherSite = (site: SiteName): SiteName => (site === 'site1' ? 'site2' : 'site1');

export const seconds = (ms: number): string => `${(ms / 1000).toFixed(2)} s`;

/** CLOCK_MONOTONIC in ms, as the load's records have it. */
export const nowMs = (): number => Number(process.hrtime.bigint() / 1000n) / 1000;

/** The same moment on the wall clock, as the daemons' logs have it. */
export const wallOf = (monotonicMs: number): number => Date.now() - (nowMs() - monotonicMs);
