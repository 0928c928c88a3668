// A story: one history played by plan in the whole simulated cluster, where the swarm would need too many seeds to meet it.

import assert from 'node:assert/strict';
import { otherSite, type Site } from '../../../src/core/site.ts';
import { milli, second } from '../engine/scheduler.ts';
import { drawOptions, type RunOptions } from '../options.ts';
import type { Machine } from '../world/machine.ts';
import { World } from '../world/world.ts';

/** Exact time and nothing by chance: what happens is what the story says. */
const plain = {
  onCrash: 'fastest',
  faults: {},
  clockPpm: {},
  grainMs: 0,
  upgrade: false,
  brisk: true,
  patient: false,
  lateOneIn: 0,
  writesPerSecond: 5,
  bytesPerWrite: 2000,
} as const;

/** The order, to the other site. */
export const switchover = {
  kind: 'failover',
  dryRun: false,
  acceptLoss: false,
  force: false,
  otherSideIsDown: false,
  to: null,
} as const;

export class Story {
  readonly world: World;
  /** Told each line of the trace. */
  onLine: (line: string) => void = () => {};

  constructor(seed: string, options: Partial<RunOptions>) {
    this.world = new World({ ...drawOptions(seed), ...plain, ...options }, (line) => this.onLine(line));
  }

  /** A minute of peace after the foundation; answers the primary's site. */
  begin(): Site {
    this.world.found();
    this.pass(60_000);
    assert.equal(this.world.notCalm(), null);
    return this.primary();
  }

  primary(): Site {
    const newest = this.world.records.newest();
    assert.ok(newest, 'nothing is founded');
    return newest.record.primary;
  }

  machine(name: string): Machine {
    const machine = this.world.machines.get(name);
    assert.ok(machine, name);
    return machine;
  }

  pass(ms: number): void {
    this.world.scheduler.runUntil(this.world.scheduler.now + ms * milli);
  }

  /** Whether it came about within the limit. */
  until(done: () => boolean, limitMs: number, everyMs = 50): boolean {
    for (let passed = 0; passed < limitMs && !done(); passed += everyMs) this.pass(everyMs);
    return done();
  }

  cut(some: readonly Machine[], others: readonly Machine[]): void {
    for (const one of some)
      for (const other of others) {
        this.world.network.block(one, other);
        this.world.network.block(other, one);
      }
  }

  mend(some: readonly Machine[], others: readonly Machine[]): void {
    for (const one of some)
      for (const other of others) {
        this.world.network.unblock(one, other);
        this.world.network.unblock(other, one);
      }
  }

  /** Its whole site is lost, which is a reason for the other one to take over. */
  lose(site: Site): void {
    this.world.moves.primaryTaken();
    for (const machine of this.world.machinesOf(site)) this.world.powerOff(machine);
  }

  /** Its database's host alone. */
  loseDatabase(site: Site): void {
    this.world.moves.primaryTaken();
    this.world.powerOff(this.machine(`${site}-db`));
  }

  /** A person who promises that everything of this site stays down has the other one forced ("Orders"). */
  force(lost: Site, acceptLoss: boolean): void {
    const to = otherSite(lost);
    this.world.forced = true;
    this.world.promisedDown.promise(lost);
    this.world.order(to, { ...switchover, force: true, otherSideIsDown: true, acceptLoss, to });
  }

  /** Whether the other site's database came to accept writes. */
  tookOver(lost: Site, limitMs: number): boolean {
    return this.until(() => this.world.postgres[otherSite(lost)].isWritable(), limitMs, 500);
  }

  /** Nothing that must always hold was broken. */
  end(): void {
    this.world.finish();
    assert.deepEqual(
      this.world.violations.all.map(({ id, sentence }) => `${id} ${sentence}`),
      [],
    );
  }

  get seconds(): number {
    return this.world.scheduler.now / second;
  }
}
