// A driver under test: virtual time, promises that the test settles by hand, and a core that does what the test says.

import type { Act, Effects, Send, StepResult } from '../../../src/core/effects.ts';
import type { Answer } from '../../../src/core/messages.ts';
import { done, type Outcome } from '../../../src/core/outcome.ts';
import { createDriver, type DriverOptions } from '../../../src/driver/driver.ts';
import type { ActTerms, DriverEvent } from '../../../src/driver/events.ts';
import type { Clock } from '../../../src/ports/clock.ts';

export type Deed = { readonly kind: string };
export type State = { readonly fenceAt: number | null };
export type Event = DriverEvent<string>;
type Change = Partial<Effects<unknown, Deed>> & { readonly fenceAt?: number | null; readonly wakeAt?: number };

/** Calls that wait for the test to settle them. */
export class Held<T> {
  readonly calls: { readonly what: unknown; settle(value: T): Promise<void> }[] = [];
  call(what: unknown): Promise<T> {
    return new Promise((resolve) => {
      const settle = (value: T) => {
        resolve(value);
        return settled();
      };
      this.calls.push({ what, settle });
    });
  }
}

/** Lets every promise that can go on do so. */
export function settled(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

export function virtualClock(): Clock & { pass(ms: number): void; jump(ms: number): void } {
  let now = 1000;
  const timers = new Map<number, { at: number; callback: () => void }>();
  let last = 0;
  const ring = () => {
    for (const [id, timer] of [...timers].sort((a, b) => a[1].at - b[1].at)) {
      if (timer.at <= now && timers.delete(id)) timer.callback();
    }
  };
  return {
    now: () => now,
    wall: () => now,
    wakeAt: (at, callback) => {
      last += 1;
      const id = last;
      timers.set(id, { at, callback });
      return () => void timers.delete(id);
    },
    pass: (ms) => {
      for (let left = ms; left > 0; left -= 10) {
        now += Math.min(10, left);
        ring();
      }
    },
    /** The process stood still: time is another, no timer rang yet. */
    jump: (ms) => {
      now += ms;
    },
  };
}

export function world(options: Partial<DriverOptions<State, Event, unknown, Deed, string>> = {}) {
  const clock = virtualClock();
  const happened: string[] = [];
  const note = <T>(what: string, result: T): T => {
    happened.push(what);
    return result;
  };
  const events: Event[] = [];
  const saves = new Held<Outcome<void>>();
  const acts = new Held<Outcome<string>>();
  const terms: ActTerms[] = [];
  const asks = new Held<Outcome<Answer>>();
  const fences = new Held<Outcome<void>>();
  const logged: string[] = [];
  const fatal: string[] = [];
  let answerTo: (event: Event) => Change = () => ({});

  const driver = createDriver<State, Event, unknown, Deed, string>({
    step: (state, event): StepResult<State, unknown, Deed> => {
      events.push(event);
      happened.push(`step:${event.type}`);
      const { fenceAt = state.fenceAt, wakeAt = Number.MAX_SAFE_INTEGER, ...effects } = answerTo(event);
      return {
        state: { fenceAt },
        effects: { fence: false, persist: null, send: [], act: [], ...effects },
        trace: [],
        wakeAt,
      };
    },
    initial: { fenceAt: null },
    clock,
    random: { bits: () => '0'.repeat(32) },
    store: { save: (document) => note('persist', saves.call(document)) },
    log: { event: (_level, event) => void logged.push(event), flush: () => {} },
    peers: { ask: (to, request) => note(`ask:${to}`, asks.call(request)) },
    register: null,
    perform: (deed, given) => {
      happened.push(`act:${deed.kind}`);
      terms.push(given);
      return acts.call(deed);
    },
    fence: {
      now: () => note('fence', fences.call('fence')),
      at: (state) => state.fenceAt,
    },
    onFatal: (reason) => void fatal.push(reason),
    ...options,
  });

  /** The core does this at the next event of that type, once. */
  const onNext = (type: Event['type'], change: Change) => {
    const before = answerTo;
    let used = false;
    answerTo = (event) => {
      if (used || event.type !== type) return before(event);
      used = true;
      return change;
    };
  };
  /** Has the core step once with this change. */
  const step = (change: Change) => {
    onNext('request', change);
    driver.handle('site1-agent', { type: 'status' }, () => {});
  };

  return { driver, clock, happened, events, saves, acts, terms, asks, fences, logged, fatal, onNext, step };
}

export const ok = done('done');
export const saved = done(undefined);

export function ask(id: number): Send {
  return { kind: 'ask', id, to: 'site2-agent', request: { type: 'status' }, deadlineMs: 500 };
}

export function act(id: number, kind: string, target = 'database', notAfter: number | null = null): Act<Deed> {
  return { id, target, notAfter, deadlineMs: 500, deed: { kind } };
}
