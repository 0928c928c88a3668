// Fencing waits for nothing (L9): no persist, no send, no queue. A step asks for it, and besides an alarm that is set
// from the state alone rings even while a persist hangs and no step can run.

import { type Outcome, unknown } from '../core/outcome.ts';
import type { Instant, Ms } from '../core/time.ts';
import type { Clock } from '../ports/clock.ts';
import type { Log } from '../ports/log.ts';
import type { FenceControl } from './events.ts';

export type Fence<State> = {
  /** Calls the fence before it returns, or right after the one that is under way. Reported when the last one ended. */
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

/** A fence that has not ended after this is begun anew when it is asked for again. */
const hangsMs: Ms = 1000;

export function createFence<State>(options: FenceOptions<State>): Fence<State> {
  const { control, clock, log, cancelActs, report } = options;
  let underWay: { readonly since: Instant; again: boolean } | null = null;
  let alarm: Instant | null = null;
  let cancelTimer = () => {};

  function begin(cause: 'step' | 'alarm'): void {
    // One that is about to end may have missed what was started a moment ago: its end is the beginning of the next.
    if (underWay !== null && clock.now() - underWay.since < hangsMs) underWay.again = true;
    else run();
    cancelActs();
    // A line of the log may block; the kill above is already on its way.
    if (cause === 'alarm') log.event('warn', 'fence.alarm', { lateMs: clock.now() - (alarm ?? clock.now()) });
  }

  function run(): void {
    const mine = { since: clock.now(), again: false };
    underWay = mine;
    void killed(control).then((outcome) => {
      if (underWay !== mine) return;
      underWay = null;
      if (mine.again) run();
      else report(outcome);
    });
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
