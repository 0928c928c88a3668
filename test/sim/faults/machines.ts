// Whole machines and their disks: power, boots, suspend, a whole site, clocks of the wall, state files.

import { sites } from '../../../src/core/site.ts';
import type { Random } from '../engine/random.ts';
import { milli } from '../engine/scheduler.ts';
import type { AnyDaemon, World } from '../world/world.ts';
import { type Fault, type FaultTable, nothing } from './fault.ts';
import { mayDisturb } from './sound.ts';

const down = (random: Random): number =>
  random.pick([random.range(2000, 12_000), random.range(12_000, 90_000)]) * milli;

const powerLoss: Fault = (world, random) => {
  const machine = random.pick(world.hosts);
  if (!machine.up) return null;
  world.powerOff(machine);
  return { what: machine.name, lasts: down(random), end: () => world.powerOn(machine) };
};

const reboot: Fault = (world, random) => {
  const machine = random.pick(world.hosts);
  if (!machine.up) return null;
  world.powerOff(machine);
  return { what: machine.name, lasts: random.range(1500, 9000) * milli, end: () => world.powerOn(machine) };
};

const suspend: Fault = (world, random) => {
  const machine = random.pick(world.hosts);
  if (!machine.up || machine.suspended) return null;
  world.suspend(machine);
  return { what: machine.name, lasts: random.range(200, 30_000) * milli, end: () => world.resume(machine) };
};

const siteLoss: Fault = (world, random) => {
  const site = random.pick(sites);
  const machines = world.machinesOf(site).filter((machine) => machine.up);
  if (machines.length === 0) return null;
  for (const machine of machines) world.powerOff(machine);
  return {
    what: site,
    lasts: down(random),
    end: () => {
      for (const machine of machines) world.powerOn(machine);
    },
  };
};

const wallJump: Fault = (world, random) => {
  const machine = random.pick(world.hosts);
  const ms = random.pick([random.range(-90_000, 90_000), random.range(-86_400_000, 86_400_000)]);
  machine.jumpWall(ms);
  return { what: `${machine.name} by ${ms} ms`, lasts: 10 * milli, end: nothing };
};

const diskSlow: Fault = (world, random) => {
  const daemon = random.pick(world.daemons);
  daemon.disk.extraDelay = random.range(10, 4000) * milli;
  return {
    what: `${daemon.name} by ${daemon.disk.extraDelay / milli} ms`,
    lasts: random.range(500, 20_000) * milli,
    end: () => {
      daemon.disk.extraDelay = 0;
    },
  };
};

const diskFull: Fault = (world, random) => {
  const daemon = random.pick(world.daemons);
  if (!mayDisturb(world, daemon)) return null;
  daemon.disk.full = true;
  return {
    what: daemon.name,
    lasts: random.range(500, 20_000) * milli,
    end: () => {
      daemon.disk.full = false;
    },
  };
};

/** One that is down already, or one that may go down. */
function mayKill(world: World, daemon: AnyDaemon): boolean {
  return daemon.process === null || mayDisturb(world, daemon);
}

/**
 * Q8, L10: at one voter or guard a run, since two memories lost at once are more than any majority can make good. Nor that of
 * an era's only voter (RUNBOOK: found the cluster anew).
 */
function once(world: World): boolean {
  if (world.memoryLost || world.forced) return false;
  world.memoryLost = true;
  return true;
}

const stateDamaged: Fault = (world, random) => {
  const daemon = random.pick(world.daemons);
  if (daemon.disk.synced === undefined || !mayKill(world, daemon) || !once(world)) return null;
  daemon.kill('its disk is damaged');
  daemon.disk.damaged = true;
  return { what: daemon.name, lasts: 10 * milli, end: nothing };
};

/**
 * A disk put back to an older state. What others remember is what protects a voter then (Q8), so everybody else is well
 * and can be asked; a guard protects itself (L1).
 */
const statePutBack: Fault = (world, random) => {
  const daemon = random.pick(world.daemons);
  const older = daemon.disk.history;
  if (older.length < 2 || world.disturbed() || !mayKill(world, daemon) || !once(world)) return null;
  daemon.kill('its disk is put back');
  daemon.disk.synced = random.pick(older);
  return { what: daemon.name, lasts: 20_000 * milli, end: nothing };
};

export const machineFaults: FaultTable = {
  'power-loss': powerLoss,
  reboot,
  suspend,
  'site-loss': siteLoss,
  'wall-jump': wallJump,
  'disk-slow': diskSlow,
  'disk-full': diskFull,
  'state-damaged': stateDamaged,
  'state-put-back': statePutBack,
};
