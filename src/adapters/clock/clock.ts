// The machine's clocks. CLOCK_BOOTTIME runs on during suspend; without add-ons it is os.uptime(), in steps of 10 ms.

import { uptime } from 'node:os';
import { clockGrainMs, type Instant } from '../../core/time.ts';
import type { Clock } from '../../ports/clock.ts';

/** Timers stand still while the machine is suspended, so a long wait looks at the clock this often. */
const longestSleepMs = 500;

export function createClock(): Clock {
  let last: Instant = 0;

  function now(): Instant {
    // Rounded first: 1234.57 s is 1234569.9999 ms in floating point.
    const reading = Math.floor(Math.round(uptime() * 1000) / clockGrainMs) * clockGrainMs;
    last = Math.max(last, reading);
    return last;
  }

  function wakeAt(at: Instant, callback: () => void): () => void {
    let timer: NodeJS.Timeout;
    const sleep = (): void => {
      const leftMs = at - now();
      timer = setTimeout(wake, Math.min(longestSleepMs, Math.max(1, leftMs)));
    };
    const wake = (): void => {
      if (now() >= at) callback();
      else sleep();
    };
    sleep();
    return () => clearTimeout(timer);
  }

  return { now, wall: () => Date.now(), wakeAt };
}
