// Application hosts and balancers: instances that crash, hang or overhear a reload, SSH that dies half way, HAProxy gone.

import { sites } from '../../../src/core/site.ts';
import type { Random } from '../engine/random.ts';
import { milli } from '../engine/scheduler.ts';
import { type Fault, type FaultTable, nothing } from './fault.ts';

const lasting = (random: Random): number => random.pick([random.range(500, 5000), random.range(5000, 40_000)]) * milli;

const instanceCrash: Fault = (world, random) => {
  const host = world.applications[random.pick(sites)];
  const instance = random.pick(host.instances);
  if (instance.process === null) return null;
  host.crash(instance);
  return { what: instance.name, lasts: 10 * milli, end: nothing };
};

const instanceHang: Fault = (world, random) => {
  const instance = random.pick(world.applications[random.pick(sites)].instances);
  const { process } = instance;
  if (process === null || process.frozen) return null;
  process.freeze();
  return { what: instance.name, lasts: lasting(random), end: () => process.thaw() };
};

const reloadLost: Fault = (world, random) => {
  const instance = random.pick(world.applications[random.pick(sites)].instances);
  instance.ignoresReload = true;
  return {
    what: instance.name,
    lasts: lasting(random),
    end: () => {
      instance.ignoresReload = false;
    },
  };
};

const sshDies: Fault = (world, random) => {
  const site = random.pick(sites);
  const command = random.ratio(1, 3) ? world.databaseCommands[site] : world.applications[site].command;
  command.faults.diesPerMille = random.range(50, 700);
  command.faults.lostAnswerPerMille = random.range(0, 500);
  command.faults.extraDelay = random.range(0, 3000) * milli;
  return { what: `${site} ${command.machine.name}`, lasts: lasting(random), end: () => command.heal() };
};

const applicationHostDown: Fault = (world, random) => {
  const { machine } = world.applications[random.pick(sites)];
  if (!machine.up) return null;
  world.powerOff(machine);
  return { what: machine.name, lasts: lasting(random), end: () => world.powerOn(machine) };
};

const balancerCrash: Fault = (world, random) => {
  const balancer = world.balancers[random.pick(sites)];
  if (balancer.process === null) return null;
  balancer.stopped = true;
  balancer.crash();
  return { what: `${balancer.site}-haproxy`, lasts: lasting(random), end: () => balancer.heal() };
};

const balancerHang: Fault = (world, random) => {
  const balancer = world.balancers[random.pick(sites)];
  const { process } = balancer;
  if (process === null || process.frozen) return null;
  process.freeze();
  return { what: `${balancer.site}-haproxy`, lasts: lasting(random), end: () => process.thaw() };
};

export const applicationFaults: FaultTable = {
  'instance-crash': instanceCrash,
  'instance-hang': instanceHang,
  'reload-lost': reloadLost,
  'ssh-dies': sshDies,
  'application-host-down': applicationHostDown,
  'balancer-crash': balancerCrash,
  'balancer-hang': balancerHang,
};
