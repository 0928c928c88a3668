// What lies between machines: delay, loss, cuts in one direction or both, between whole places or two machines only.
// Carries closures, not bytes: what is sent is the business of those who send.

import type { Random } from '../engine/random.ts';
import { type Micros, milli, type Scheduler } from '../engine/scheduler.ts';
import type { Machine, Place } from './machine.ts';

/** One direction between two places. */
export type Path = {
  cut: boolean;
  /** Of 1000 messages so many are lost on the way and sent again by TCP, late; some of them too late. */
  lossPerMille: number;
  /** Of 1000 messages so many arrive twice. */
  duplicatePerMille: number;
  /** Added to every message. */
  extraDelay: Micros;
  /** Up to so much more, at random: this is what reorders. */
  jitter: Micros;
};

function wholePath(): Path {
  return { cut: false, lossPerMille: 0, duplicatePerMille: 0, extraDelay: 0, jitter: 0 };
}

function everyPath(): Readonly<Record<Place, Readonly<Record<Place, Path>>>> {
  const from = () => ({ site1: wholePath(), site2: wholePath(), third: wholePath(), internet: wholePath() });
  return { site1: from(), site2: from(), third: from(), internet: from() };
}

/** One in so many requests that meet a cut comes through after it; drawn apart, so that this shifts nothing else. */
export type Late = { readonly oneIn: number; readonly random: Random };

export class Network {
  readonly #scheduler: Scheduler;
  readonly #random: Random;
  #paths = everyPath();
  /** `from>to` by machine name. */
  readonly #blocked = new Set<string>();

  readonly #late: Late | null;

  constructor(scheduler: Scheduler, random: Random, late: Late | null = null) {
    this.#scheduler = scheduler;
    this.#random = random;
    this.#late = late;
  }

  /** Within one place too: that is the path to itself. */
  path(from: Place, to: Place): Path {
    return this.#paths[from][to];
  }

  /** One direction between two machines alone. */
  block(from: Machine, to: Machine): void {
    this.#blocked.add(`${from.name}>${to.name}`);
  }

  unblock(from: Machine, to: Machine): void {
    this.#blocked.delete(`${from.name}>${to.name}`);
  }

  /** Everything as on the first day. */
  heal(): void {
    this.#paths = everyPath();
    this.#blocked.clear();
  }

  /** Whether something sent now from one machine would get to the other. */
  reaches(from: Machine, to: Machine): boolean {
    if (!from.up || !to.up) return false;
    if (from === to) return true;
    if (this.#blocked.size > 0 && this.#blocked.has(`${from.name}>${to.name}`)) return false;
    return !this.path(from.place, to.place).cut;
  }

  /**
   * Calls `deliver` at the other end, or never; twice where the path duplicates and `once` was not asked for. `handling`:
   * what the other end does with it before it counts as there.
   */
  send(from: Machine, to: Machine, deliver: () => void, once = true, handling: Micros = 0): void {
    if (!this.reaches(from, to)) {
      if (!once) this.#perhapsLate(from, to, deliver);
      return;
    }
    const path = this.path(from.place, to.place);
    const random = this.#random;
    const delay = handling + this.travel(from, to);
    const arrive = (): void => {
      if (this.reaches(from, to)) deliver();
      else if (!once) this.#perhapsLate(from, to, deliver);
    };
    this.#scheduler.after(delay, arrive);
    if (!once && path.duplicatePerMille > 0 && random.ratio(path.duplicatePerMille, 1000)) {
      this.#scheduler.after(delay + random.range(0, 2000 * milli), arrive);
    }
  }

  /**
   * It lies in a socket of a host that stays up, whose kernel sends it again and again; the sender has long given up. Tried
   * like TCP, at longer and longer intervals.
   */
  #perhapsLate(from: Machine, to: Machine, deliver: () => void): void {
    const late = this.#late;
    if (late === null || !from.up || !to.up || !late.random.ratio(1, late.oneIn)) return;
    const boots = [from.boots, to.boots];
    const again = (tries: number): void => {
      if (tries > 6 || from.boots !== boots[0] || to.boots !== boots[1] || !from.up || !to.up) return;
      if (this.reaches(from, to)) deliver();
      else this.#scheduler.after(2 ** tries * 500 * milli, () => again(tries + 1));
    };
    this.#scheduler.after(late.random.range(200, 1000) * milli, () => again(0));
  }

  /** How long something sent now takes if it arrives. */
  travel(from: Machine, to: Machine): Micros {
    const path = this.path(from.place, to.place);
    const random = this.#random;
    let delay = from === to ? 30 : this.#delay(from.place, to.place) + path.extraDelay;
    if (path.jitter > 0) delay += random.range(0, path.jitter);
    if (path.lossPerMille > 0 && random.ratio(path.lossPerMille, 1000)) {
      // The first retransmission comes after 200 ms, the next ones twice as late each.
      delay += 200 * milli * (2 ** random.range(1, 4) - 1);
    }
    return delay;
  }

  /** A round trip that stays within one machine or crosses places; for connections that need several. */
  #delay(from: Place, to: Place): Micros {
    const random = this.#random;
    if (from === to) return random.range(150, 700);
    const far = from === 'internet' || to === 'internet';
    return far ? random.range(5 * milli, 30 * milli) : random.range(8 * milli, 18 * milli);
  }
}
