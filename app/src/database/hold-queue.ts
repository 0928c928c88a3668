// The one line in which requests wait: for a database to serve from, or for a free connection. First come, first served, bounded in
// length and in time, so that a failover costs memory and seconds but never an avalanche.

export type HoldRefusal = 'full' | 'expired' | 'stopping';

/** The request could not be held any longer; the answer is 503. */
export class HoldEnded extends Error {
  readonly refusal: HoldRefusal;
  /** It was sent before, and may have been done. */
  readonly inDoubt: boolean;

  constructor(refusal: HoldRefusal, inDoubt = false) {
    super(`the request could not be held: ${refusal}`);
    this.refusal = refusal;
    this.inDoubt = inDoubt;
  }
}

interface Waiting<T> {
  readonly admit: (seat: T) => void;
  readonly refuse: (error: HoldEnded) => void;
  readonly timer: NodeJS.Timeout;
}

export class HoldQueue<T> {
  // A Set keeps the order of arrival and gives up anybody's place at once.
  readonly #waiting = new Set<Waiting<T>>();
  readonly #max: number;
  #stopping = false;

  constructor(max: number) {
    this.#max = max;
  }

  get size(): number {
    return this.#waiting.size;
  }

  /** `deadline` is a reading of performance.now(). */
  wait(deadline: number): Promise<T> {
    const left = deadline - performance.now();
    if (this.#stopping) return Promise.reject(new HoldEnded('stopping'));
    if (left <= 0) return Promise.reject(new HoldEnded('expired'));
    if (this.#waiting.size >= this.#max) return Promise.reject(new HoldEnded('full'));
    return new Promise((admit, refuse) => {
      const timer = setTimeout(() => {
        this.#waiting.delete(place);
        refuse(new HoldEnded('expired'));
      }, left);
      const place = { admit, refuse, timer };
      this.#waiting.add(place);
    });
  }

  /** Lets the first in line go with this seat; false when nobody waits. */
  admit(seat: T): boolean {
    for (const place of this.#waiting) {
      this.#leave(place);
      place.admit(seat);
      return true;
    }
    return false;
  }

  stop(): void {
    this.#stopping = true;
    for (const place of this.#waiting) {
      this.#leave(place);
      place.refuse(new HoldEnded('stopping'));
    }
  }

  #leave(place: Waiting<T>): void {
    clearTimeout(place.timer);
    this.#waiting.delete(place);
  }
}
