// A virtual world for guards: one queue of things to come, every host with a clock of its own rate, rounded down like
// /proc/uptime. Nothing here knows the protocol.

export class Clockwork {
  /** True time in ms, which nobody in the world can read. */
  time = 1_000_000;
  #queue: { readonly at: number; readonly order: number; readonly run: () => void }[] = [];
  #order = 0;
  /** Called after everything that happens. */
  afterEach: () => void = () => {};

  after(ms: number, run: () => void): void {
    const entry = { at: this.time + Math.max(0, ms), order: this.#order++, run };
    // Kept sorted by binary insertion: the queue is long and mostly appended to.
    let low = 0;
    let high = this.#queue.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.#queue[middle]?.at ?? 0) <= entry.at) low = middle + 1;
      else high = middle;
    }
    this.#queue.splice(low, 0, entry);
  }

  pass(ms: number): void {
    const end = this.time + ms;
    for (;;) {
      const next = this.#queue[0];
      if (next === undefined || next.at > end) break;
      this.#queue.shift();
      this.time = Math.max(this.time, next.at);
      next.run();
      this.afterEach();
    }
    this.time = end;
  }
}

export class HostClock {
  readonly #world: Clockwork;
  readonly #rate: number;

  constructor(world: Clockwork, rate = 1) {
    this.#world = world;
    this.#rate = rate;
  }

  now(): number {
    return Math.floor((this.#world.time * this.#rate) / 10) * 10;
  }

  /** True ms until this clock reads `at`. */
  until(at: number): number {
    return Math.max(0, at / this.#rate - this.#world.time);
  }
}

/** A small generator of numbers (mulberry32), so that a world is the same again from its seed. */
export function dice(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296;
  };
}
