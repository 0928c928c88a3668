// What lies between machines: cut in both directions, in one, for one place, for two machines; lossy, slow, doubling.

import type { Random } from '../engine/random.ts';
import { milli, second } from '../engine/scheduler.ts';
import type { Machine, Place } from '../world/machine.ts';
import type { Path } from '../world/network.ts';
import type { Fault, FaultTable } from './fault.ts';

const places: readonly Place[] = ['site1', 'site2', 'third', 'internet'];
const sitePlaces: readonly Place[] = ['site1', 'site2'];

function lasting(random: Random): number {
  // Short ones against hysteresis, long ones against leases and quarantines.
  return random.pick([random.range(300, 3000), random.range(3000, 20_000), random.range(20_000, 90_000)]) * milli;
}

/** Two different places, at least one of them a site. */
function pair(random: Random): readonly [Place, Place] {
  const from = random.pick(sitePlaces);
  const to = random.pick(places.filter((place) => place !== from));
  return random.ratio(1, 2) ? [from, to] : [to, from];
}

/** Changes one direction of a path and changes it back; another fault on the same path may end it early. */
function onPath(name: string, change: (path: Path, random: Random) => void, back: (path: Path) => void): Fault {
  return (world, random) => {
    const [from, to] = pair(random);
    change(world.network.path(from, to), random);
    return {
      what: `${name} ${from}>${to}`,
      lasts: lasting(random),
      end: () => back(world.network.path(from, to)),
    };
  };
}

function cutBoth(one: Place, other: Place): Fault {
  return (world, random) => {
    const paths = [world.network.path(one, other), world.network.path(other, one)];
    for (const path of paths) path.cut = true;
    return {
      what: `${one} and ${other} apart`,
      lasts: lasting(random),
      end: () => {
        for (const path of paths) path.cut = false;
      },
    };
  };
}

const cutPlace: Fault = (world, random) => {
  const place = random.pick(sitePlaces);
  const others = places.filter((other) => other !== place);
  const ends = others.map((other) => cutBoth(place, other)(world, random));
  return {
    what: `${place} alone`,
    lasts: lasting(random),
    end: () => {
      for (const end of ends) end?.end();
    },
  };
};

const cutMachines: Fault = (world, random) => {
  const one = random.pick(world.everyMachine);
  const other = random.pick(world.everyMachine.filter((machine) => machine !== one));
  const oneWay = random.ratio(1, 2);
  world.network.block(one, other);
  if (!oneWay) world.network.block(other, one);
  return {
    what: `${one.name}${oneWay ? '>' : '<>'}${other.name}`,
    lasts: lasting(random),
    end: () => {
      world.network.unblock(one, other);
      world.network.unblock(other, one);
    },
  };
};

/**
 * One machine alone. Its links come back one by one, as routes and security groups are mended by people; often the one to
 * its twin at the other site first, since hosts of a kind share a subnet.
 */
const isolateMachine: Fault = (world, random) => {
  const { network, scheduler } = world;
  const one = random.pick(world.hosts);
  const lasts = lasting(random);
  const others = world.everyMachine.filter((machine) => machine !== one);
  const unblock = (other: Machine): void => {
    network.unblock(one, other);
    network.unblock(other, one);
  };
  const [, kind] = one.name.split('-');
  for (const other of others) {
    network.block(one, other);
    network.block(other, one);
    const isTwin = kind !== undefined && other.name.endsWith(kind);
    if (random.ratio(isTwin ? 3 : 1, 5)) {
      const after = random.range(Math.ceil(lasts / 10), isTwin ? Math.ceil(lasts / 2) : lasts);
      scheduler.after(after, () => unblock(other));
    }
  }
  return { what: `${one.name} alone`, lasts, end: () => others.forEach(unblock) };
};

export const networkFaults: FaultTable = {
  'cut-sites': cutBoth('site1', 'site2'),
  'cut-one-way': onPath(
    'cut',
    (path) => {
      path.cut = true;
    },
    (path) => {
      path.cut = false;
    },
  ),
  'cut-place': cutPlace,
  'cut-machines': cutMachines,
  'isolate-machine': isolateMachine,
  'lossy-path': onPath(
    'loss',
    (path, random) => {
      path.lossPerMille = random.range(10, 400);
    },
    (path) => {
      path.lossPerMille = 0;
    },
  ),
  'slow-path': onPath(
    'slow',
    (path, random) => {
      path.extraDelay = random.range(20, 1500) * milli;
      path.jitter = random.range(0, 2) * second;
    },
    (path) => {
      path.extraDelay = 0;
      path.jitter = 0;
    },
  ),
  duplicates: onPath(
    'duplicates',
    (path, random) => {
      path.duplicatePerMille = random.range(20, 500);
      path.jitter = random.range(0, 500) * milli;
    },
    (path) => {
      path.duplicatePerMille = 0;
      path.jitter = 0;
    },
  ),
};
