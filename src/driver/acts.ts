// Acts: on each target one at a time, in the order they were asked for. A fence cancels all that wait and tells the
// running ones to stop before their next side effect.

import type { Act } from '../core/effects.ts';
import { type Outcome, rejected, unknown } from '../core/outcome.ts';
import type { Ms } from '../core/time.ts';
import type { Clock } from '../ports/clock.ts';
import type { Log } from '../ports/log.ts';
import type { ActOutcome, Perform } from './events.ts';

/** More than this many acts waiting for one target is a core gone wrong or a target gone for good. */
const waitingLimit = 64;
/** Adapters keep their deadlines; one that is so much later is taken to be lost. */
const overdueMs: Ms = 5000;

export type ActQueues<Deed> = {
  /** `generation` is that of the step that asked: acts decided before a fence are not done after it. */
  add(acts: readonly Act<Deed>[], generation: number): void;
  cancelAll(): void;
  generation(): number;
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
      cancelOverdue();
      afterEffect(`act:${act.deed.kind}`);
      end(act, outcome);
    };
    // I7: an adapter that never comes back must not block its target for ever.
    const cancelOverdue = clock.wakeAt(clock.now() + act.deadlineMs + overdueMs, () => {
      log.event('error', 'act.overdue', { deed: act.deed.kind, target: act.target, deadlineMs: act.deadlineMs });
      once(unknown(`no outcome ${overdueMs} ms after its deadline`));
    });
    const mayGoOn = () => !ended && began === generation && inTime();
    void performed(perform, act, mayGoOn).then(once);
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

  return { add, cancelAll, generation: () => generation };
}

/** An adapter that throws has not said what happened. */
async function performed<Deed, Value>(
  perform: Perform<Deed, Value>,
  act: Act<Deed>,
  mayGoOn: () => boolean,
): Promise<Outcome<Value>> {
  try {
    return await perform(act.deed, { deadlineMs: act.deadlineMs, notAfter: act.notAfter, mayGoOn });
  } catch (error) {
    return unknown(String(error));
  }
}
