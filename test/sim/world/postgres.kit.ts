// Two databases, their hosts and a client's, and nothing else: what the tests of the model share.

import assert from 'node:assert/strict';
import { test as nodeTest } from 'node:test';
import type { ClusterRow } from '../../../src/core/observe/observation.ts';
import type { Outcome } from '../../../src/core/outcome.ts';
import type { Site } from '../../../src/core/site.ts';
import type { Database } from '../../../src/ports/database.ts';
import { Random } from '../engine/random.ts';
import { milli, Scheduler } from '../engine/scheduler.ts';
import { Trace } from '../engine/trace.ts';
import type { CommitEnd } from './database-endpoint.ts';
import { FuseBox } from './fuse.ts';
import { databasePort } from './guard-database.ts';
import { Machine } from './machine.ts';
import { Network } from './network.ts';
import { Postgres } from './postgres.ts';
import { probesOf } from './probes.ts';
import { Process } from './process.ts';
import { Wal } from './wal.ts';

export const always = () => true;

/** Each in a turn of its own: within a promise's turn the engine cannot drain the microtasks of an event. */
export function test(title: string, body: () => void): void {
  void nodeTest(
    title,
    () =>
      new Promise<void>((resolve, reject) => {
        setImmediate(() => {
          try {
            body();
            resolve();
          } catch (error) {
            reject(error instanceof Error ? error : new Error(String(error)));
          }
        });
      }),
  );
}

export class Pair {
  readonly scheduler = new Scheduler();
  readonly random: Random;
  readonly trace: Trace;
  readonly network: Network;
  readonly client: Machine;
  readonly site1: Postgres;
  readonly site2: Postgres;
  readonly fuse: FuseBox;
  readonly lines: string[] = [];
  #write = 0;

  constructor(seed = 'seed') {
    this.random = new Random(seed);
    this.trace = new Trace(this.scheduler, (line) => this.lines.push(line));
    this.network = new Network(this.scheduler, this.random.fork('network'));
    this.client = new Machine(this.scheduler, this.random, 'client', 'site1', 1);
    const wal = new Wal();
    const make = (site: Site, other: () => Postgres): Postgres =>
      new Postgres({
        scheduler: this.scheduler,
        random: this.random.fork(site),
        trace: this.trace,
        network: this.network,
        machine: new Machine(this.scheduler, this.random.fork('m'), `${site}-db`, site, 1),
        site,
        wal,
        systemId: '7000000000000000001',
        other,
      });
    this.site1 = make('site1', () => this.site2);
    this.site2 = make('site2', () => this.site1);
    this.fuse = new FuseBox(this.site1, this.random.fork('fuse'));
    this.site1.bornPrimary();
    this.site2.bornStandby();
    this.run(500);
  }

  run(ms: number): void {
    // Promises that the test itself settled are done with in this event.
    this.scheduler.after(0, () => {});
    this.scheduler.runUntil(this.scheduler.now + ms * milli);
  }

  /** What `work` resolves to within so many ms of virtual time; null: nothing yet. */
  within<T>(ms: number, work: Promise<T>): T | null {
    let value: T | null = null;
    void work.then((result) => {
      value = result;
    });
    const end = this.scheduler.now + ms * milli;
    while (value === null && this.scheduler.now < end) this.run(1);
    return value;
  }

  value<T>(ms: number, work: Promise<Outcome<T>>): T {
    const outcome = this.within(ms, work);
    if (outcome?.kind !== 'done') assert.fail(JSON.stringify(outcome));
    return outcome.value;
  }

  guard(pg: Postgres): { readonly process: Process; readonly db: Database } {
    const process = new Process(pg.machine, `${pg.site}-guard`, 1, () => {});
    return { process, db: databasePort(pg, process) };
  }

  probes() {
    const process = new Process(this.client, 'agent', 1, () => {});
    const { site1, site2 } = this;
    return probesOf(process, this.client, { databases: { site1, site2 }, systemId: () => null });
  }

  /** One commit of a client whose session is as fresh as can be; null: no word within two seconds. */
  commit(pg: Postgres, ms = 2000): { readonly write: number; readonly end: CommitEnd | null } {
    this.#write += 1;
    const write = this.#write;
    const { session } = pg.sessions.greet();
    const end = this.within(
      ms,
      new Promise<CommitEnd>((resolve) => pg.sessions.commit(this.client, session, write, resolve)),
    );
    return { write, end };
  }

  /** The link between the sites, both ways. */
  cut(cut: boolean): void {
    this.network.path('site1', 'site2').cut = cut;
    this.network.path('site2', 'site1').cut = cut;
  }
}

export function row(epoch: number, beat: number): ClusterRow {
  return { cluster: 'c1', epoch: { era: { number: 0, site: 'site1' }, epoch }, beat };
}
