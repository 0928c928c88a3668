// One request of a process over the network, and its one answer, or the word of the deadline.

import { cancel, milli } from '../engine/scheduler.ts';
import type { Machine } from './machine.ts';
import type { Network } from './network.ts';
import type { Process } from './process.ts';

/** `serve` runs at the other end; what it answers counts once, and only until the deadline. */
export function exchange<T>(
  network: Network,
  process: Process,
  to: Machine,
  deadlineMs: number,
  serve: (reply: (value: T) => void) => void,
  late: () => T,
): Promise<T> {
  const from = process.machine;
  return new Promise((resolve) => {
    const deadline = from.scheduler.deadline(deadlineMs * milli, () => process.run(() => resolve(late())));
    const reply = (value: T): void =>
      network.send(to, from, () => {
        cancel(deadline);
        process.run(() => resolve(value));
      });
    network.send(from, to, () => serve(reply));
  });
}
