// Ways over the network whose loss the sender comes to know, because it set itself a deadline: one event where all goes
// well, and none that only watches.

import type { Random } from '../engine/random.ts';
import { type Micros, milli, type Scheduler } from '../engine/scheduler.ts';
import type { Machine } from './machine.ts';
import type { Network } from './network.ts';

export type Ways = { readonly scheduler: Scheduler; readonly network: Network; readonly random: Random };

/** How long `legs` messages, each sent after the one before it, take between two machines; retransmissions included. */
export function travel(ways: Ways, from: Machine, to: Machine, legs: number): Micros {
  const { network, random } = ways;
  if (from === to) return 30 * legs;
  const path = network.path(from.place, to.place);
  let delay =
    legs * (path.extraDelay + (from.place === to.place ? random.range(150, 700) : random.range(8 * milli, 18 * milli)));
  if (path.jitter > 0) delay += legs * random.range(0, path.jitter);
  if (path.lossPerMille > 0 && random.ratio(Math.min(1000, path.lossPerMille * legs), 1000)) {
    delay += 200 * milli * (2 ** random.range(1, 4) - 1);
  }
  return delay;
}

/** One message: `deliver` at the other end, or `lost` at the time at which it would have come. */
export function carry(ways: Ways, from: Machine, to: Machine, deliver: () => void, lost: () => void): void {
  const { network, scheduler } = ways;
  const left = network.reaches(from, to);
  scheduler.after(travel(ways, from, to, 1), () => {
    if (left && network.reaches(from, to)) deliver();
    else lost();
  });
}
