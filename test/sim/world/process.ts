// One incarnation of a process. What it asked for is answered only while it lives; what happens to it while it stands
// still (SIGSTOP, a stalled event loop) waits in order. It can be made to die between any two of its effects.

import { cancel, type Event, type Micros } from '../engine/scheduler.ts';
import type { Machine } from './machine.ts';

const never = new Promise<never>(() => {});

export class Process {
  readonly name: string;
  readonly machine: Machine;
  alive = true;
  /** A fault waits for its moment: whoever asks counts it as out of order already. */
  marked = false;
  /** Its pid, so to speak: grows with every start. */
  readonly life: number;
  #frozen = false;
  #waiting: (() => void)[] = [];
  readonly #onDeath: (how: string) => void;
  /** Effects left until it dies; negative: it does not. */
  #effectsLeft = -1;

  constructor(machine: Machine, name: string, life: number, onDeath: (how: string) => void) {
    this.machine = machine;
    this.name = name;
    this.life = life;
    this.#onDeath = onDeath;
    machine.processes.add(this);
  }

  get frozen(): boolean {
    return this.#frozen || this.machine.suspended;
  }

  /** Does `work` in this process: now, when it stands still later, when it is dead never. */
  run(work: () => void): void {
    if (!this.alive) return;
    if (this.frozen) {
      this.#waiting.push(work);
      return;
    }
    work();
  }

  at(time: Micros, work: () => void): () => void {
    let taken = false;
    const event: Event = this.machine.scheduler.at(time, () => {
      if (!this.alive) return;
      if (this.frozen)
        this.#waiting.push(() => {
          if (!taken) work();
        });
      else work();
    });
    return () => {
      taken = true;
      cancel(event);
    };
  }

  after(delay: Micros, work: () => void): () => void {
    return this.at(this.machine.scheduler.now + delay, work);
  }

  /** A promise that this process gets the value of after `delay`; one that died never does. */
  later<T>(delay: Micros, value: () => T): Promise<T> {
    return new Promise((resolve) => {
      const end = (): void => resolve(value());
      this.machine.scheduler.after(delay, () => this.run(end));
    });
  }

  freeze(): void {
    this.#frozen = true;
  }

  thaw(): void {
    this.#frozen = false;
    this.flush();
  }

  /** What waited while it stood still, in order. */
  flush(): void {
    while (this.alive && !this.frozen) {
      const work = this.#waiting.shift();
      if (work === undefined) return;
      work();
      this.machine.scheduler.endTurn();
    }
  }

  /** It dies before its n-th effect from now is carried out (0: the next one). */
  dieAtEffect(count: number): void {
    this.marked = count >= 0;
    this.#effectsLeft = count;
  }

  /** Asked by every port before an effect; false: it died right here, and nothing of it happens. */
  mayAffect(): boolean {
    if (!this.alive) return false;
    if (this.#effectsLeft < 0) return true;
    this.#effectsLeft -= 1;
    if (this.#effectsLeft >= 0) return true;
    this.die('between two effects');
    return false;
  }

  die(how: string): void {
    if (!this.alive) return;
    this.alive = false;
    this.#waiting = [];
    this.machine.processes.delete(this);
    this.#onDeath(how);
  }

  /** What a dead process's ports return. */
  static readonly never: Promise<never> = never;
}
