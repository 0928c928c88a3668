// Acts: on each target one at a time, in the order they were asked for. A fence cancels all that wait and tells the
// running ones to stop before their next side effect.

import type { Act } from '../core/effects.ts';
import { type Outcome, rejected, unknown } from '../core/outcome.ts';
import type { Instant, Ms } from '../core/time.ts';
import type { Clock } from '../ports/clock.ts';
import type { Log } from '../ports/log.ts';
import type { ActOutcome, Perform } from './events.ts';
import { outcomeOf } from './outcome-of.ts';

/** More than this many acts waiting for one target is a core gone wrong or a target gone for good. */
const waitingLimit = 64;
/** Adapters keep their deadlines; one that is so much later is taken to be lost. */
const overdueMs: Ms = 5000;

export type ActQueues<Deed> = {
  /** `generation` is that of the step that asked: acts decided before a fence are not done after it. */
  add(acts: readonly Act<Deed>[], generation: number): void;
  cancelAll(): void;
  generation(): number;
  /** Watches over nothing any more. */
  stop(): void;
};

export type ActQueuesOptions<Deed, Value> = {
  readonly clock: Clock;
  readonly log: Log;
  readonly perform: Perform<Deed, Value>;
  readonly report: (id: number, outcome: ActOutcome<Value>) => void;
  readonly afterEffect: (name: string) => void;
};

export function createActQueues<Deed extends { readonly kind: string }, Value>(
  options: ActQueuesOptions<Deed, Value>,
): ActQueues<Deed> {
  const { clock, log, perform, report, afterEffect } = options;
  /** What waits, by target; an entry exists exactly while an act on that target runs. */
  const waiting = new Map<string, Act<Deed>[]>();
  /** What runs, and when it is taken to be lost. */
  const running = new Map<Act<Deed>, { readonly at: Instant; readonly lose: () => void }>();
  /** One timer for all that runs: for the earliest of it, or for one that has ended meanwhile. */
  let overdueAt: Instant | null = null;
  let cancelOverdue = () => {};
  let generation = 0;

  function add(acts: readonly Act<Deed>[], asked: number): void {
    for (const act of acts) {
      const queue = waiting.get(act.target);
      if (asked !== generation) report(act.id, { kind: 'cancelled' });
      else if (queue === undefined) begin(act);
      else if (queue.length < waitingLimit) queue.push(act);
      else report(act.id, rejected('busy', `${waitingLimit} acts wait for ${act.target}`));
    }
  }

  function begin(act: Act<Deed>): void {
    if (!waiting.has(act.target)) waiting.set(act.target, []);
    const began = generation;
    const inTime = () => act.notAfter === null || clock.now() <= act.notAfter;
    // L9: the deadline is checked again right before the side effect, whatever time the act spent in the queue.
    if (!inTime()) return end(act, { kind: 'expired' });
    let ended = false;
    const once = (outcome: Outcome<Value>) => {
      if (ended) return;
      ended = true;
      running.delete(act);
      afterEffect(`act:${act.deed.kind}`);
      end(act, outcome);
    };
    // I7: an adapter that never comes back must not block its target for ever.
    const lose = () => {
      log.event('error', 'act.overdue', { deed: act.deed.kind, target: act.target, deadlineMs: act.deadlineMs });
      once(unknown(`no outcome ${overdueMs} ms after its deadline`));
    };
    const at = clock.now() + act.deadlineMs + overdueMs;
    running.set(act, { at, lose });
    watchOverdue(at);
    const mayGoOn = () => !ended && began === generation && inTime();
    outcomeOf(() => perform(act.deed, { deadlineMs: act.deadlineMs, notAfter: act.notAfter, mayGoOn }), once);
  }

  function watchOverdue(at: Instant): void {
    if (overdueAt !== null && overdueAt <= at) return;
    overdueAt = at;
    cancelOverdue();
    cancelOverdue = clock.wakeAt(at, () => {
      overdueAt = null;
      const now = clock.now();
      for (const act of [...running.values()]) if (act.at <= now) act.lose();
      const next = Math.min(...[...running.values()].map((act) => act.at));
      if (Number.isFinite(next)) watchOverdue(next);
    });
  }

  function end(act: Act<Deed>, outcome: ActOutcome<Value>): void {
    // Told first: the core may fence because of it, and then the next one must not begin.
    report(act.id, outcome);
    const next = waiting.get(act.target)?.shift();
    if (next === undefined) waiting.delete(act.target);
    else begin(next);
  }

  function cancelAll(): void {
    generation += 1;
    for (const queue of waiting.values()) {
      for (const act of queue.splice(0)) report(act.id, { kind: 'cancelled' });
    }
  }

  return { add, cancelAll, generation: () => generation, stop: () => cancelOverdue() };
}
