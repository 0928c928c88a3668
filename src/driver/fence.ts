// Fencing waits for nothing (L9): no persist, no send, no queue. A step asks for it, and besides an alarm that is set
// from the state alone rings even while a persist hangs and no step can run.

import { type Outcome, unknown } from '../core/outcome.ts';
import type { Instant, Ms } from '../core/time.ts';
import type { Clock } from '../ports/clock.ts';
import type { Log } from '../ports/log.ts';
import type { FenceControl } from './events.ts';

export type Fence<State> = {
  /** Calls the fence before it returns. */
  begin(cause: 'step' | 'alarm'): void;
  /** Sets the alarm from the new state. */
  watch(state: State): void;
  /** Rings the alarm if it is due: asked before every step, so that a loop that stood still fences before all else. */
  check(): void;
  stop(): void;
};

export type FenceOptions<State> = {
  readonly control: FenceControl<State>;
  readonly clock: Clock;
  readonly log: Log;
  readonly cancelActs: () => void;
  readonly report: (outcome: Outcome<void>) => void;
};

/** A fence ends within its budget; one that has not after this is taken to be lost, so that it can be begun again. */
const lostMs: Ms = 5000;

export function createFence<State>(options: FenceOptions<State>): Fence<State> {
  const { control, clock, log, cancelActs, report } = options;
  let begun = 0;
  let running = 0;
  let alarm: Instant | null = null;
  let cancelTimer = () => {};

  /** Each is carried out: one that is about to end may have missed what was started a moment ago. Told when all ended. */
  function begin(cause: 'step' | 'alarm'): void {
    const dead = killed(control);
    cancelActs();
    // A line of the log may block; the kill above is already on its way.
    if (cause === 'alarm') log.event('warn', 'fence.alarm', { lateMs: clock.now() - (alarm ?? clock.now()) });
    running += 1;
    begun += 1;
    const mine = begun;
    void inTime(dead).then((outcome) => {
      running -= 1;
      if (mine === begun) last = outcome;
      if (running === 0) report(last);
    });
  }
  let last: Outcome<void> = unknown('not begun');

  function inTime(dead: Promise<Outcome<void>>): Promise<Outcome<void>> {
    let cancel = () => {};
    const lost = new Promise<Outcome<void>>((resolve) => {
      cancel = clock.wakeAt(clock.now() + lostMs, () => resolve(unknown(`did not end within ${lostMs} ms`)));
    });
    return Promise.race([dead, lost]).finally(() => cancel());
  }

  /** An alarm rings once; the core is told by `fenced` and sets the next one by its new state. */
  function check(): void {
    if (alarm === null || clock.now() < alarm) return;
    cancelTimer();
    begin('alarm');
    alarm = null;
  }

  let watched: Instant | null = null;
  function watch(state: State): void {
    const at = control.at(state);
    if (at === watched) return;
    watched = at;
    cancelTimer();
    alarm = at;
    cancelTimer = at === null ? () => {} : clock.wakeAt(at, check);
  }

  return { begin, watch, check, stop: () => cancelTimer() };
}

/** Runs the first synchronous part of the fence at once. */
async function killed<State>(control: FenceControl<State>): Promise<Outcome<void>> {
  try {
    return await control.now();
  } catch (error) {
    return unknown(String(error));
  }
}
