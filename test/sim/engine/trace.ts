// What happened, one line per transition in fixed columns (legend: test/sim/README.md). Every line goes into the hash by
// which two runs of a seed are compared byte for byte; lines are kept only when somebody wants to read them.

import type { Micros, Scheduler } from './scheduler.ts';

export class Trace {
  readonly #scheduler: Scheduler;
  readonly #keep: ((line: string) => void) | null;
  /** The last lines, for the report of a failed run that nobody listened to. */
  readonly tail: string[] = [];
  lines = 0;
  #hash = 0xcbf29ce4;
  readonly #waiting = new Map<string, (() => void)[]>();

  constructor(scheduler: Scheduler, keep: ((line: string) => void) | null) {
    this.#scheduler = scheduler;
    this.#keep = keep;
  }

  /** `who` is a process, a database or the world; `what` names the transition; `fields` are told in their order. */
  line(who: string, what: string, fields: string): void {
    const line = `${showTime(this.#scheduler.now)} ${who.padEnd(12)} ${what.padEnd(24)} ${fields}`;
    this.lines += 1;
    for (let index = 0; index < line.length; index += 1) {
      this.#hash = Math.imul(this.#hash ^ line.charCodeAt(index), 0x01000193);
    }
    this.#keep?.(line);
    this.tail.push(line);
    if (this.tail.length > 400) this.tail.splice(0, 200);
    const waiting = this.#waiting.size > 0 ? this.#waiting.get(what) : undefined;
    if (waiting === undefined) return;
    this.#waiting.delete(what);
    for (const run of waiting) run();
  }

  /** Runs `run` in the middle of the next transition of that name. */
  onNext(what: string, run: () => void): void {
    const waiting = this.#waiting.get(what);
    if (waiting === undefined) this.#waiting.set(what, [run]);
    else waiting.push(run);
  }

  hash(): string {
    return `${this.lines}-${(this.#hash >>> 0).toString(16).padStart(8, '0')}`;
  }
}

/** Seconds with six decimals, padded to a fixed width. */
export function showTime(time: Micros): string {
  return (time / 1_000_000).toFixed(6).padStart(12);
}
