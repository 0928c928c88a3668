// Operators: orders at any moment, also the worst one.

import type { Order } from '../../../src/core/messages.ts';
import { otherSite, type Site, sites } from '../../../src/core/site.ts';
import type { Random } from '../engine/random.ts';
import { cancel, milli, second } from '../engine/scheduler.ts';
import type { Machine } from '../world/machine.ts';
import type { World } from '../world/world.ts';
import { type Fault, type FaultTable, nothing } from './fault.ts';

function order(make: (random: Random, world: World) => Order): Fault {
  return (world, random) => {
    const site = random.pick(sites);
    const wanted = make(random, world);
    world.order(site, wanted);
    return { what: `${site}-agent ${JSON.stringify(wanted)}`, lasts: 10 * milli, end: nothing };
  };
}

const failover = { kind: 'failover', dryRun: false, acceptLoss: false, force: false, otherSideIsDown: false } as const;

/** A pause is ended by the same person, who does not forget. */
const pause: Fault = (world, random) => {
  world.order(random.pick(sites), { kind: 'pause', reason: 'maintenance' });
  return {
    what: 'pause',
    lasts: random.range(1000, 60_000) * milli,
    end: () => world.order(random.pick(sites), { kind: 'resume' }),
  };
};

/**
 * "Orders": the person's word that the other side is down, which the whole order rests on, is true here: its hosts are
 * powered off, and stay so until the era's record is known at everybody who could grant it anything.
 */
const force: Fault = (world, random) => {
  const site = random.pick(sites);
  const other = otherSite(site);
  if (world.forced || world.memoryLost || world.files.size > 0) return null;
  if (world.hosts.some((machine) => machine.place === other && machine.up)) return null;
  world.forced = true;
  world.promisedDown.promise(other);
  world.order(site, { ...failover, to: site, force: true, acceptLoss: random.ratio(1, 2), otherSideIsDown: true });
  return { what: `${site}-agent to ${site}`, lasts: 10 * milli, end: nothing };
};

/**
 * RUNBOOK, "The other site and the witness are lost": all was well, and a while later a person forces what is left. In half
 * of them that was cut off from everybody first, while the primary went on: what it knows is old then.
 */
const disaster: Fault = (world, random) => {
  const lost = world.records.newest()?.record.primary;
  if (world.forced || world.memoryLost || lost === undefined || world.disturbed() || world.files.size > 0) return null;
  const site = otherSite(lost);
  const { witness, route53, scheduler } = world;
  const machines = [...world.machinesOf(lost), ...(witness === null ? [] : [witness.machine])];
  world.forced = true;
  const alone = random.ratio(1, 2) ? random.range(5000, 120_000) * milli : 0;
  const cut = alone > 0 ? linksOf(world, site) : [];
  for (const [from, to] of cut) world.network.block(from, to);
  const mend = (): void => {
    for (const [from, to] of cut) world.network.unblock(from, to);
  };
  const loss = scheduler.after(alone, () => {
    for (const machine of machines) world.powerOff(machine);
    route53.faults.down = true;
    mend();
  });
  const wait = alone + random.range(10_000, 60_000) * milli;
  const order = scheduler.after(wait, () => {
    world.promisedDown.promise(lost);
    const acceptLoss = random.ratio(3, 4);
    world.order(site, { ...failover, to: site, force: true, acceptLoss, otherSideIsDown: true });
  });
  return {
    what: `${lost} and the witness, ${site} is forced${alone > 0 ? ` after ${alone / second} s alone` : ''}`,
    lasts: wait + random.range(1000, 90_000) * milli,
    end: () => {
      cancel(loss);
      cancel(order);
      mend();
      route53.faults.down = false;
      for (const machine of machines) world.powerOn(machine);
    },
  };
};

/** Both ways, between each machine of the site and each that is not. */
function linksOf(world: World, site: Site): readonly (readonly [Machine, Machine])[] {
  const inside = world.machinesOf(site);
  const outside = world.everyMachine.filter((machine) => !inside.includes(machine));
  return inside.flatMap((near) => outside.flatMap((far) => [[near, far] as const, [far, near] as const]));
}

export const peopleFaults: FaultTable = {
  'order-switchover': order((random) => ({ ...failover, to: random.ratio(1, 2) ? null : random.pick(sites) })),
  'order-failover': order((random) => ({ ...failover, to: random.pick(sites), acceptLoss: random.ratio(1, 3) })),
  'order-entry': order((random) => ({ kind: 'entry', to: random.pick(sites) })),
  'order-pause': pause,
  'order-restart': order(() => ({ kind: 'restart' })),
  'order-force': force,
  disaster,
};
