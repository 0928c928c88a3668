// Route 53: slow, throttling, failing, late; its control plane gone; the record deleted or put back by a person.

import type { Random } from '../engine/random.ts';
import { milli } from '../engine/scheduler.ts';
import type { ApiFaults } from '../world/route53.ts';
import { type Fault, type FaultTable, nothing } from './fault.ts';

const lasting = (random: Random): number => random.pick([random.range(1000, 8000), random.range(8000, 60_000)]) * milli;

function api(name: string, change: (faults: ApiFaults, random: Random) => void, back: Partial<ApiFaults>): Fault {
  return (world, random) => {
    const { faults } = world.route53;
    change(faults, random);
    return { what: name, lasts: lasting(random), end: () => Object.assign(faults, back) };
  };
}

/**
 * W3: an older value that neither agent can date is a double fault with a person in it, which nobody promises to survive;
 * so both agents are there and remember.
 */
const putBack: Fault = (world, random) => {
  const { register } = world.route53;
  if (world.options.witness !== 'route53' || world.memoryLost || world.forced || world.disturbed()) return null;
  if (!register.putBack(random.range(1, 12), world.scheduler.now)) return null;
  world.memoryLost = true;
  return { what: 'an older value', lasts: 20_000 * milli, end: nothing };
};

const deleted: Fault = (world) => {
  const { register } = world.route53;
  if (world.options.witness !== 'route53' || world.memoryLost || world.forced || register.value === null) return null;
  world.memoryLost = true;
  register.delete(world.scheduler.now);
  return { what: 'the record', lasts: 10 * milli, end: nothing };
};

const dnsSlow: Fault = (world, random) => {
  world.route53.name.extraSyncDelay = random.range(1, 60) * 1000 * milli;
  return {
    what: 'INSYNC late',
    lasts: lasting(random),
    end: () => {
      world.route53.name.extraSyncDelay = 0;
    },
  };
};

export const registerFaults: FaultTable = {
  'register-slow': api(
    'slow answers',
    (faults, random) => {
      faults.extraDelay = random.range(50, 2500) * milli;
    },
    { extraDelay: 0 },
  ),
  'register-throttled': api(
    'throttling',
    (faults, random) => {
      faults.throttlePerMille = random.range(50, 900);
    },
    { throttlePerMille: 0 },
  ),
  'register-late': api(
    'late landings, lost answers, stale reads',
    (faults, random) => {
      faults.latePerMille = random.range(0, 400);
      faults.lostAnswerPerMille = random.range(0, 400);
      faults.failPerMille = random.range(0, 300);
      faults.stalePerMille = random.range(0, 300);
    },
    { latePerMille: 0, lostAnswerPerMille: 0, failPerMille: 0, stalePerMille: 0 },
  ),
  'register-down': api(
    'the control plane is down',
    (faults) => {
      faults.down = true;
    },
    { down: false },
  ),
  'register-deleted': deleted,
  'register-put-back': putBack,
  'dns-slow': dnsSlow,
};
