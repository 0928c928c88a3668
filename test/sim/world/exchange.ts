// One request of a process over the network, and its one answer, or the word of the deadline.

import { cancel, milli } from '../engine/scheduler.ts';
import type { Machine } from './machine.ts';
import type { Network } from './network.ts';
import type { Process } from './process.ts';

/**
 * `serve` runs at the other end; what it answers counts once, and only until the deadline. `isLook`: nothing changes
 * there and the answer is made at once, so that one event stands for both ways, at the end of them.
 */
export function exchange<T>(
  network: Network,
  process: Process,
  to: Machine,
  deadlineMs: number,
  serve: (reply: (value: T) => void) => void,
  late: () => T,
  isLook = false,
): Promise<T> {
  const from = process.machine;
  return new Promise((resolve) => {
    const deadline = from.scheduler.deadline(deadlineMs * milli, () => process.run(() => resolve(late())));
    const settle = (value: T): void => {
      cancel(deadline);
      process.run(() => resolve(value));
    };
    const reply = (value: T): void => {
      if (!isLook) network.send(to, from, () => settle(value));
      else if (network.reaches(to, from)) settle(value);
    };
    network.send(from, to, () => serve(reply), true, isLook ? network.travel(to, from) : 0);
  });
}
