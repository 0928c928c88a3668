// Virtual time: events in a heap, by time and then by the order they were asked for, so that one seed is one run.
// Time is true time in whole microseconds since the run began; no node ever sees it (machine.ts has their clocks).

import { drainMicrotasks } from './microtasks.ts';

export type Micros = number;

export const milli = 1000;
export const second = 1_000_000;

/** `run` becomes null once it ran or was cancelled. */
export type Event = { readonly time: Micros; readonly order: number; run: (() => void) | null };

export class Scheduler {
  now: Micros = 0;
  /** Events carried out so far: the unit of work of a run. */
  events = 0;
  /**
   * While nothing is wrong, everything happens on a grid of so many microseconds: later than it could, within all that is
   * allowed, and much of it at the same instant, which saves most of the steps. 1 while anything may matter.
   */
  grid: Micros = 1;
  readonly #heap: Event[] = [];
  readonly #deadlines = new Map<Micros, Deadlines>();
  #soon: (() => void)[] = [];
  #order = 0;

  /** Runs `run` at `time`, or at once (after what is due already) when that has passed. */
  at(time: Micros, run: () => void): Event {
    this.#order += 1;
    const event: Event = {
      time: time <= this.now ? this.now : Math.ceil(time / this.grid) * this.grid,
      order: this.#order,
      run,
    };
    this.#push(event);
    return event;
  }

  after(delay: Micros, run: () => void): Event {
    return this.at(this.now + delay, run);
  }

  /**
   * For what is nearly always cancelled. Those of one length come due in the order they were set, so each length has a
   * queue of its own, of which only the first is an event.
   */
  deadline(delay: Micros, run: () => void): Event {
    let queue = this.#deadlines.get(delay);
    if (queue === undefined) {
      queue = new Deadlines(this);
      this.#deadlines.set(delay, queue);
    }
    return queue.add(this.now + delay, run);
  }

  /** Runs `run` once everything of this instant that is known now has happened. */
  soon(run: () => void): void {
    this.#soon.push(run);
  }

  /** Carries out everything up to `end`. Promises that an event settles have run before the next event does. */
  runUntil(end: Micros): void {
    for (;;) {
      const next = this.#heap[0];
      if (this.#soon.length > 0 && (next === undefined || next.time > this.now)) {
        const work = this.#soon;
        this.#soon = [];
        for (const run of work) run();
        this.endTurn();
        continue;
      }
      if (next === undefined || next.time > end) break;
      this.#pop();
      const { run } = next;
      if (run === null) continue;
      this.now = next.time;
      this.events += 1;
      next.run = null;
      run();
      this.endTurn();
    }
    this.now = Math.max(this.now, end);
  }

  /** The end of a turn of a process's event loop: what its promises brought about happens before its next timer or message. */
  endTurn(): void {
    drainMicrotasks();
  }

  /** How many events wait: a leak shows here. */
  get waiting(): number {
    let waiting = this.#heap.length;
    for (const queue of this.#deadlines.values()) waiting += queue.length;
    return waiting;
  }

  #push(event: Event): void {
    const heap = this.#heap;
    let index = heap.length;
    heap.push(event);
    while (index > 0) {
      const parent = (index - 1) >> 1;
      const above = heap[parent] as Event;
      if (!isBefore(event, above)) break;
      heap[index] = above;
      index = parent;
    }
    heap[index] = event;
  }

  #pop(): void {
    const heap = this.#heap;
    const last = heap.pop() as Event;
    const size = heap.length;
    if (size === 0) return;
    let index = 0;
    for (;;) {
      const left = 2 * index + 1;
      if (left >= size) break;
      const right = left + 1;
      const child = right < size && isBefore(heap[right] as Event, heap[left] as Event) ? right : left;
      const below = heap[child] as Event;
      if (!isBefore(below, last)) break;
      heap[index] = below;
      index = child;
    }
    heap[index] = last;
  }
}

/** Deadlines of one length. */
class Deadlines {
  readonly #scheduler: Scheduler;
  #waiting: Event[] = [];
  #first = 0;

  constructor(scheduler: Scheduler) {
    this.#scheduler = scheduler;
  }

  get length(): number {
    return this.#waiting.length;
  }

  add(time: Micros, run: () => void): Event {
    const event: Event = { time, order: 0, run };
    this.#waiting.push(event);
    if (this.#waiting.length === 1) this.#scheduler.at(time, this.#ring);
    return event;
  }

  #ring = (): void => {
    const waiting = this.#waiting;
    const { now } = this.#scheduler;
    for (;;) {
      const next = waiting[this.#first];
      if (next === undefined) break;
      const { run } = next;
      // The next one that may still be missed.
      if (run !== null && next.time > now) {
        this.#forget();
        this.#scheduler.at(next.time, this.#ring);
        return;
      }
      this.#first += 1;
      next.run = null;
      run?.();
    }
    waiting.length = 0;
    this.#first = 0;
  };

  #forget(): void {
    if (this.#first < 64) return;
    this.#waiting.splice(0, this.#first);
    this.#first = 0;
  }
}

function isBefore(one: Event, other: Event): boolean {
  return one.time < other.time || (one.time === other.time && one.order < other.order);
}

export function cancel(event: Event): void {
  event.run = null;
}
