// The guard's fence, as src/adapters/postgres/fence.ts: SIGQUIT at once, SIGKILL to whoever is left 0.2 s later, and
// standby.signal in the background; done when nothing is left and the file is there.

import { done, type Outcome, unknown } from '../../../src/core/outcome.ts';
import type { Ms } from '../../../src/core/time.ts';
import { milli } from '../engine/scheduler.ts';
import type { GuardSocket } from './guard-socket.ts';
import { Process } from './process.ts';

const quitMs: Ms = 200;
const againMs: Ms = 15;
const slowAgainMs: Ms = 100;
const giveUpMs: Ms = 10_000;
const birthMs: Ms = 300;

export type Leave = { readonly given: () => boolean; readonly fenced: () => boolean };

export class GuardFence {
  readonly #socket: GuardSocket;
  #count = 0;
  #current: Promise<Outcome<void>> | null = null;
  #startedAt = Number.NEGATIVE_INFINITY;

  constructor(socket: GuardSocket) {
    this.#socket = socket;
  }

  kill(): Promise<Outcome<void>> {
    if (!this.#socket.process.mayAffect()) return Process.never;
    this.#count += 1;
    this.#current ??= this.#fence().finally(() => {
      this.#current = null;
    });
    return this.#current;
  }

  noteStart(): void {
    this.#startedAt = this.#socket.pg.scheduler.now;
  }

  /** `given` is asked before side effects; while it is only waited for, a fence alone ends the act. */
  leave(mayGoOn: () => boolean): Leave {
    const before = this.#count;
    const fenced = (): boolean => this.#current !== null || this.#count !== before;
    return { given: () => mayGoOn() && !fenced(), fenced };
  }

  /** Synchronous up to the first signal. */
  async #fence(): Promise<Outcome<void>> {
    const { pg, process } = this.#socket;
    const { random, scheduler } = pg;
    const began = scheduler.now;
    const target = pg.server;
    // A postmaster that does not get round to it in time is killed with all the others.
    if (target !== null && pg.postmaster && !random.ratio(1, 16)) {
      target.after(random.range(5, 60) * milli, () => target.die('fenced'));
    }
    const file = this.#putSignalFile();
    for (;;) {
      await this.#socket.pause(scheduler.now - began < 1000 * milli ? againMs : slowAgainMs);
      // Asked before the look: whatever starts after the file was there reads it.
      const { is } = file;
      const isNoneLeft = !pg.processesLeft() && scheduler.now >= this.#startedAt + birthMs * milli;
      if (isNoneLeft && is === 'there') return done(undefined);
      if (isNoneLeft && is === 'failed') return unknown('nothing is left, but standby.signal cannot be written');
      const elapsedMs = (scheduler.now - began) / milli;
      if (elapsedMs < quitMs) continue;
      if (pg.server !== null) {
        if (!process.mayAffect()) return Process.never;
        pg.killAll('fenced by SIGKILL');
      }
      if (elapsedMs > giveUpMs) return unknown('some of its processes are left');
    }
  }

  /** In the background: on a disk that hangs it waits. */
  #putSignalFile(): { is: 'missing' | 'there' | 'failed' } {
    const { pg, process } = this.#socket;
    const { data } = pg;
    const file: { is: 'missing' | 'there' | 'failed' } = { is: data.signalFile ? 'there' : 'missing' };
    const put = (): void => {
      if (process.mayAffect()) file.is = data.putSignalFile() ? 'there' : 'failed';
    };
    if (file.is === 'missing') process.after(milli, () => data.volume.afterwards(() => process.run(put)));
    return file;
  }
}
