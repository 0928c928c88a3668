// Time and the network between the simulated cluster's nodes: what is sent may be lost, late, repeated or overtaken.

import type { Answer, Request } from '../../src/core/messages.ts';

/** `late` names a kind of message, or the register's swap, that takes seconds. */
export type Weather = {
  readonly loss: number;
  readonly slow: number;
  readonly repeat: number;
  readonly late: Request['type'] | 'register-swap' | null;
};

export class Network {
  now = 0;
  weather: Weather = { loss: 0, slow: 0, repeat: 0, late: null };
  readonly cuts = new Set<string>();
  readonly #events: { at: number; run: () => void }[] = [];
  readonly #random: () => number;

  constructor(random: () => number) {
    this.#random = random;
  }

  /** Lets everything happen that is due within `ms`. */
  run(ms: number): void {
    const end = this.now + ms;
    for (let next = this.#events[0]; next !== undefined && next.at <= end; next = this.#events[0]) {
      this.#events.shift();
      this.now = Math.max(this.now, next.at);
      next.run();
    }
    this.now = end;
  }

  after(ms: number, run: () => void): void {
    const at = this.now + ms;
    let low = 0;
    for (let high = this.#events.length; low < high; ) {
      const middle = (low + high) >> 1;
      if (this.#events[middle]!.at <= at) low = middle + 1;
      else high = middle;
    }
    this.#events.splice(low, 0, { at, run });
  }

  /** A request: `deliver` hands it to the other side; its answer comes once, or null at the deadline, or later than that. */
  ask(
    from: string,
    to: string,
    what: Request['type'],
    deadlineMs: number,
    deliver: (answer: (answer: Answer) => void) => void,
    then: (answer: Answer | null) => void,
  ): void {
    const finish = once(then);
    this.after(deadlineMs, () => finish(null));
    const times = this.#random() < this.weather.repeat ? 2 : 1;
    for (let time = 0; time < times; time += 1) {
      if (this.#lost(from, to)) continue;
      this.after(this.#delay(what), () =>
        deliver((answer) => {
          if (!this.#lost(to, from)) this.after(this.#delay(), () => finish(answer));
        }),
      );
    }
  }

  /** One leg at the register: it may land long after its caller gave up on it. */
  leg<T>(
    from: string,
    what: 'register-swap' | null,
    deadlineMs: number,
    land: () => T,
    then: (value: T | null) => void,
  ): void {
    const finish = once(then);
    this.after(deadlineMs, () => finish(null));
    if (this.#lost(from, 'register')) return;
    this.after(this.#delay(what), () => {
      const value = land();
      if (!this.#lost(from, 'register')) this.after(this.#delay(), () => finish(value));
    });
  }

  #delay(what: Request['type'] | 'register-swap' | null = null): number {
    // Later than most deadlines, and soon enough to meet what comes of them.
    if (what !== null && what === this.weather.late) return this.#random() * 2500;
    return this.#random() < this.weather.slow ? this.#random() * 6000 : 1 + this.#random() * 30;
  }

  #lost(a: string, b: string): boolean {
    return this.cuts.has(`${a}|${b}`) || this.cuts.has(`${b}|${a}`) || this.#random() < this.weather.loss;
  }
}

function once<T>(then: (value: T | null) => void): (value: T | null) => void {
  let open = true;
  return (value) => {
    if (open) then(value);
    open = false;
  };
}
