/** What this machine bears: how many labs at once, and whether times can be measured on it at all. */

/** Rounds that only took too long, on a machine that was starved: after so many it is known to be too slow. */
const MAX_SLOW_ROUNDS = 3;

/**
 * The labs of a stage run side by side until a round finds the machine starved, or a lab cannot be made. From then on it is
 * one lab after the other, each to its end: what a machine cannot bear once it is not asked to bear twice.
 */
export class Machine {
  #one = false;
  #running = 0;
  #slowRounds = 0;
  readonly #waiting: (() => void)[] = [];

  get mustWait(): boolean {
    return this.#one && this.#running > 0;
  }

  /** More than one lab may run, or does still. */
  get isShared(): boolean {
    return !this.#one || this.#running > 1;
  }

  async take(): Promise<void> {
    while (this.mustWait) await new Promise<void>((resolve) => this.#waiting.push(resolve));
    this.#running += 1;
  }

  give(): void {
    this.#running -= 1;
    this.#waiting.shift()?.();
  }

  oneLabAtATime(): void {
    this.#one = true;
  }

  /** A starved round that failed by its time alone. Is it worth another one? */
  mayMeasureAgain(): boolean {
    this.#slowRounds += 1;
    return this.#slowRounds < MAX_SLOW_ROUNDS;
  }
}
