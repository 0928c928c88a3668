// One run: a cluster is founded, faults come and go (safety), everything is healed and has to come to its end by itself
// (liveness). The same options give the same run to the byte.

import type { Violation } from './checkers/violations.ts';
import { Random } from './engine/random.ts';
import { second } from './engine/scheduler.ts';
import { Injector } from './faults/injector.ts';
import type { FaultKind } from './faults/kinds.ts';
import type { RunOptions } from './options.ts';
import { takeOver } from './take-over.ts';
import { World } from './world/world.ts';

export type RunReport = {
  readonly options: RunOptions;
  readonly violations: readonly Violation[];
  /** Of the whole trace. */
  readonly hash: string;
  readonly minutes: number;
  readonly events: number;
  readonly steps: number;
  readonly faults: Readonly<Partial<Record<FaultKind, number>>>;
  readonly acknowledged: number;
  readonly lost: number;
  /** Changes of primary: by an order, for a reason that the world can confirm, and for none. */
  readonly moves: { readonly ordered: number; readonly needed: number; readonly needless: number };
  /** How long after healing all was well again; null when it never was. */
  readonly convergedMs: number | null;
  readonly tail: readonly string[];
};

/** Founding, the first quarantines and a resume. */
const settleLimit = 90 * second;
/**
 * docs/TIMING.md: the longest promise (16 s) and quarantine on both sides of a change, a restart budget (30 s) for parts
 * that were never seen to work, the entry's own change, register legs and one retry of each.
 */
const convergeLimit = 90 * second;
/** V6: a second failover waits for the cool-down of the first; so it does where a memory that was lost blocks one side. */
const coolDown = 300 * second;

export function runOne(options: RunOptions, keep: ((line: string) => void) | null = null): RunReport {
  const world = new World(options, keep);
  world.found();
  const calm = awaitCalm(world, settleLimit);
  if (calm === null) world.violations.add('I7', `never came up: ${world.notCalm()}`);
  const injector = new Injector(world, new Random(`faults ${options.seed}`));
  injector.start();
  world.scheduler.runUntil(world.scheduler.now + options.minutes * 60 * second);
  injector.stop();
  world.heal();
  const limit = convergeLimit + world.files.longerBy + (world.memoryLost && !options.brisk ? coolDown : 0);
  const converged = awaitCalm(world, limit);
  if (converged === null && world.violations.all.length === 0)
    world.violations.add('I7', `did not converge after healing: ${world.notCalm()}`);
  else if (options.brisk && world.violations.all.length === 0) takeOver(world);
  world.finish();
  return {
    options,
    violations: world.violations.all,
    hash: world.trace.hash(),
    minutes: world.scheduler.now / (60 * second),
    events: world.scheduler.events,
    steps: world.steps,
    faults: Object.fromEntries(injector.counts),
    acknowledged: world.history.acknowledged,
    lost: world.history.lost,
    moves: world.moves.counts,
    convergedMs: converged === null ? null : Math.round(converged / 1000),
    tail: world.trace.tail,
  };
}

/** How long it took until everything was as it should be for three seconds on end; null: not within the limit. */
function awaitCalm(world: World, limit: number): number | null {
  const began = world.scheduler.now;
  let calmSince: number | null = null;
  while (world.scheduler.now - began < limit) {
    world.scheduler.runUntil(world.scheduler.now + second / 2);
    if (world.notCalm() !== null) calmSince = null;
    else calmSince ??= world.scheduler.now;
    if (calmSince !== null && world.scheduler.now - calmSince >= 3 * second) return calmSince - began;
  }
  return null;
}
