// A paused machine that goes on.

import { sites } from '../../../src/core/site.ts';
import type { Micros } from '../engine/scheduler.ts';
import type { Machine } from './machine.ts';
import type { World } from './world.ts';

/** One look of the fuse and one kill. */
const fuseLooksAfter: Micros = 250_000;

/**
 * It is outside the promise for the moment between its resumption and the fuse's next look (protocol.md's model, "the watchdog
 * fits into the fence budget"): its database runs again that much later.
 */
export function resume({ postgres, scheduler, trace }: World, machine: Machine): void {
  const halted = sites
    .map((site) => postgres[site])
    .filter((pg) => pg.machine === machine && pg.server !== null && !pg.faults.frozen);
  for (const pg of halted) {
    pg.faults.freeze();
    pg.faults.waitsForFuse = true;
  }
  machine.suspended = false;
  trace.line(machine.name, 'resumes', '');
  for (const process of [...machine.processes]) process.flush();
  for (const pg of halted)
    scheduler.after(fuseLooksAfter, () => {
      pg.faults.waitsForFuse = false;
      pg.faults.thaw();
    });
}
