// siteward's own daemons and the fuse: killed, killed between two effects, frozen for longer than a lease, stalled.

import type { Site } from '../../../src/core/site.ts';
import { sites } from '../../../src/core/site.ts';
import { showRange, spoken } from '../../../src/wire/versions.ts';
import type { Random } from '../engine/random.ts';
import { milli, second } from '../engine/scheduler.ts';
import { oldRelease } from '../world/codec.ts';
import type { Process } from '../world/process.ts';
import type { World } from '../world/world.ts';
import { type Begun, type Fault, type FaultTable, nothing } from './fault.ts';
import { guardedSite, mayDisturb, mayDisturbFuse } from './sound.ts';

/** Down for less than a lease, for longer than one, and for longer than the longest quarantine. */
function downTime(random: Random): number {
  return random.pick([random.range(20, 900), random.range(900, 7000), random.range(7000, 40_000)]) * milli;
}

const crash: Fault = (world, random) => {
  const daemon = random.pick(world.daemons);
  if (!mayDisturb(world, daemon)) return null;
  daemon.kill('killed');
  return { what: daemon.name, lasts: 10 * milli, end: nothing };
};

const crashBetweenEffects: Fault = (world, random) => {
  const daemon = random.pick(world.daemons);
  if (!mayDisturb(world, daemon)) return null;
  const effects = random.range(0, 60);
  daemon.process?.dieAtEffect(effects);
  return { what: `${daemon.name} before its effect ${effects}`, lasts: 10 * milli, end: nothing };
};

function frozen(longest: (random: Random) => number): Fault {
  return (world, random) => {
    const daemon = random.pick(world.daemons);
    const { process } = daemon;
    if (process === null || !mayDisturb(world, daemon)) return null;
    const site = guardedSite(world, daemon);
    if (site !== null && random.ratio(1, 3)) return frozenAtWork(world, site, process, random);
    process.freeze();
    return { what: daemon.name, lasts: longest(random), end: () => process.thaw() };
  };
}

/** A guard that begins to start, promote or stop its database, and stands still before it has done so (L9). */
function frozenAtWork(world: World, site: Site, guard: Process, random: Random): Begun {
  const pg = world.postgres[site];
  guard.marked = true;
  pg.onWork = () => {
    pg.onWork = nothing;
    guard.freeze();
    const lasts = random.range(500, 12_000) * milli;
    // Only now is it a fault, and of this kind whatever it was drawn as: its database stays as it was left until the guard goes on.
    world.moves.fault('freeze-daemon', { what: guard.name, lasts, end: nothing });
    pg.scheduler.after(lasts, () => guard.thaw());
  };
  const end = (): void => {
    pg.onWork = nothing;
    guard.marked = false;
    guard.thaw();
  };
  return { what: `${guard.name} when it next works on its database`, lasts: random.range(10, 60) * second, end };
}

function fuse(disturb: (world: World, site: Site, random: Random) => Begun | null): Fault {
  return (world, random) => {
    const site = random.pick(sites);
    return mayDisturbFuse(world, site) ? disturb(world, site, random) : null;
  };
}

/** A package is installed: the daemon is stopped and comes back in the other release, an older or a newer one. */
const upgrade: Fault = (world, random) => {
  const daemon = random.pick(world.daemons);
  if (!mayDisturb(world, daemon)) return null;
  daemon.speaks = daemon.speaks === oldRelease ? spoken : oldRelease;
  daemon.stop();
  return {
    what: `${daemon.name} to ${showRange(daemon.speaks)}`,
    lasts: random.range(200, 5000) * milli,
    end: () => daemon.start(),
  };
};

/** A person stops it and comes back to it later. */
const stop: Fault = (world, random) => {
  const daemon = random.pick(world.daemons);
  if (!mayDisturb(world, daemon)) return null;
  daemon.stop();
  return { what: daemon.name, lasts: random.range(10_000, 120_000) * milli, end: () => daemon.start() };
};

export const processFaults: FaultTable = {
  'stop-daemon': stop,
  'crash-daemon': crash,
  'crash-between-effects': crashBetweenEffects,
  'upgrade-daemon': upgrade,
  'freeze-daemon': frozen(downTime),
  'stall-daemon': frozen((random) => random.range(20, 1200) * milli),
  'freeze-fuse': fuse((world, site, random) => {
    const { process } = world.fuses[site];
    process?.freeze();
    return { what: `${site}-fuse`, lasts: downTime(random), end: () => process?.thaw() };
  }),
  'crash-fuse': fuse((world, site) => {
    world.fuses[site].process?.die('killed');
    return { what: `${site}-fuse`, lasts: 10 * milli, end: nothing };
  }),
};
