// sshd and the forced command of one host: the order's text in, the answer's text out, one order at a time, each step of
// it apart, so that command or host can die between any two.

import { Refusal } from '../../../src/cli/host/refusal.ts';
import type { Token } from '../../../src/core/observe/observation.ts';
import { encodeAnswer, type HostAnswer, type HostOrder, parseOrder } from '../../../src/wire/host-orders.ts';
import type { Random } from '../engine/random.ts';
import { type Micros, milli } from '../engine/scheduler.ts';
import type { Machine } from './machine.ts';
import { Process } from './process.ts';

/** Goes on when the step's last bit is done; may throw a Refusal. */
export type Step = (next: () => void) => void;

/** What one order does on this host. */
export type Work = { readonly steps: readonly Step[]; readonly answer: () => HostAnswer };

export type CommandFaults = {
  /** Connections are refused. */
  down: boolean;
  /** Added to every order. */
  extraDelay: Micros;
  /** Of 1000 orders so many die before one of their steps, or before the answer. */
  diesPerMille: number;
  /** Of 1000 answers so many are lost with their connection. */
  lostAnswerPerMille: number;
};

const noFaults: CommandFaults = { down: false, extraDelay: 0, diesPerMille: 0, lostAnswerPerMille: 0 };

/** Until node has read its files and flock has the lock; then each write with its fsync. */
const startMicros = { low: 40 * milli, high: 120 * milli };
const stepMicros = { low: milli, high: 5 * milli };
const lockWait: Micros = 3000 * milli;

export class ForcedCommand {
  readonly machine: Machine;
  readonly faults: CommandFaults = { ...noFaults };
  /** Orders carried out to their end. */
  done = 0;
  readonly #random: Random;
  readonly #obey: (order: HostOrder) => Work;
  readonly #seen: () => Token | null;
  readonly #waiting: (() => void)[] = [];
  #locked = false;
  #lives = 0;

  /** `seen` is the highest token of the note, for the answer to a lower one. */
  constructor(machine: Machine, random: Random, obey: (order: HostOrder) => Work, seen: () => Token | null) {
    this.machine = machine;
    this.#random = random;
    this.#obey = obey;
    this.#seen = seen;
  }

  heal(): void {
    Object.assign(this.faults, noFaults);
  }

  /** What a new connection meets. */
  get door(): 'open' | 'refused' | 'silent' {
    if (!this.machine.up || this.machine.suspended) return 'silent';
    return this.faults.down ? 'refused' : 'open';
  }

  /**
   * An order has arrived on an open connection; `reply` gets null where that ends without an answer. A host that stands
   * still takes it too, and carries it out when it goes on: R1 is for what comes that late.
   */
  run(text: string, reply: (text: string | null) => void): void {
    if (!this.machine.up) return;
    if (this.faults.down) return reply(null);
    const random = this.#random;
    const { faults } = this;
    let answered = false;
    let holdsLock = false;
    const end = (answer: HostAnswer | null): void => {
      if (answered) return;
      answered = true;
      if (holdsLock) this.#unlock();
      const lost = answer === null || (faults.lostAnswerPerMille > 0 && random.ratio(faults.lostAnswerPerMille, 1000));
      // A host without power says nothing at all; the other end notices by its own deadline.
      if (this.machine.up) reply(lost ? null : encodeAnswer(answer));
    };
    const process = new Process(this.machine, 'siteward-host', this.#lives, () => end(null));
    this.#lives += 1;
    const finish = (answer: HostAnswer): void => {
      if (!process.mayAffect()) return;
      this.done += 1;
      end(answer);
      process.die('done');
    };
    const order = parseOrder(text);
    if (order === null) return finish(refusal(new Refusal('not-an-order', 'no order of siteward'), null));
    const work = this.#obey(order);
    if (faults.diesPerMille > 0 && random.ratio(faults.diesPerMille, 1000)) {
      process.dieAtEffect(random.range(0, work.steps.length));
    }
    const step = (index: number): void => {
      const current = work.steps[index];
      if (current === undefined) return finish(work.answer());
      if (!process.mayAffect()) return;
      try {
        current(() => process.after(random.range(stepMicros.low, stepMicros.high), () => step(index + 1)));
      } catch (error) {
        if (!(error instanceof Refusal)) throw error;
        finish(refusal(error, error.code === 'lower-token' ? this.#seen() : null));
      }
    };
    process.after(random.range(startMicros.low, startMicros.high) + faults.extraDelay, () => {
      // `read` waits for nobody.
      if (order.verb === 'read') return step(0);
      this.#lock((busy) => {
        if (!process.alive) return busy ? undefined : this.#unlock();
        if (busy) return finish(refusal(new Refusal('busy', 'another order held the lock'), null));
        holdsLock = true;
        step(0);
      });
    });
  }

  #lock(taken: (busy: boolean) => void): void {
    if (!this.#locked) {
      this.#locked = true;
      taken(false);
      return;
    }
    const { now } = this.machine.scheduler;
    this.#waiting.push(() => {
      const busy = this.machine.scheduler.now - now > lockWait;
      if (!busy) this.#locked = true;
      taken(busy);
    });
  }

  #unlock(): void {
    this.#locked = false;
    while (!this.#locked) {
      const next = this.#waiting.shift();
      if (next === undefined) return;
      next();
    }
  }
}

function refusal(error: Refusal, token: Token | null): HostAnswer {
  return { ok: false, code: error.code, detail: error.message, token };
}
