// A database as its clients see it over the network; the model of PostgreSQL is joined to this.

import type { EpochId } from '../../../src/core/quorum/record.ts';
import type { Site } from '../../../src/core/site.ts';
import type { Micros } from '../engine/scheduler.ts';
import type { Machine } from './machine.ts';

/** What a connection made now would meet, the network aside. */
export type Greeting = {
  /** `refused`: not running, starting up, out of connections. `silent`: it hangs. */
  readonly kind: 'welcome' | 'refused' | 'silent';
  /** Neither in recovery nor read-only. */
  readonly writable: boolean;
  /** The row of siteward.cluster. */
  readonly epoch: EpochId | null;
  /** Grows whenever all connections break: a connection of another session is a broken one. */
  readonly session: number;
  /** Since when `kind`, `writable` and `epoch` have been so, in true time. */
  readonly since: Micros;
};

export type CommitEnd = 'acknowledged' | 'failed' | 'in-doubt';

export type DatabaseEndpoint = {
  readonly site: Site;
  readonly machine: Machine;
  /** Cheap: asked very often. */
  greet(): Greeting;
  /** Commits write `id` over a connection of `session`. `done` comes back over the network, or never. */
  commit(from: Machine, session: number, id: number, done: (end: CommitEnd) => void): void;
  /** The highest write id there is; null: the connection is broken. */
  highest(from: Machine, session: number, done: (id: number | null) => void): void;
};
