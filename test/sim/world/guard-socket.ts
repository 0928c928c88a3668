// How the guard's adapter waits and asks: its deadlines, its pauses, and its questions to the server over the local
// socket. What was sent may still be done when nobody waits for the answer any more.

import { done, type Outcome, rejected, unknown } from '../../../src/core/outcome.ts';
import type { Ms } from '../../../src/core/time.ts';
import { type Micros, milli } from '../engine/scheduler.ts';
import type { Postgres } from './postgres.ts';
import type { Process } from './process.ts';

const pollMs: Ms = 20;
const questionMs: Ms = 500;

export type Answer<T> = (outcome: Outcome<T>) => void;

export class GuardSocket {
  readonly pg: Postgres;
  readonly process: Process;

  constructor(pg: Postgres, process: Process) {
    this.pg = pg;
    this.process = process;
  }

  end(deadlineMs: Ms): Micros {
    return this.pg.scheduler.now + deadlineMs * milli;
  }

  left(end: Micros): Ms {
    return Math.max(0, end - this.pg.scheduler.now) / milli;
  }

  pause(ms: Ms): Promise<void> {
    return this.process.later(ms * milli, () => undefined);
  }

  /** A synchronous call on the database's volume: on a disk that hangs the whole process stands still. */
  diskMoves(): Promise<void> {
    return this.pg.data.volume.blocks(this.process) ? this.pause(0) : Promise.resolve();
  }

  /** `work` is done by the server, if it takes sessions, whenever it gets to it. */
  asked<T>(deadlineMs: Ms, work: (answer: Answer<T>) => void): Promise<Outcome<T>> {
    const { pg, process } = this;
    const end = this.end(deadlineMs);
    return new Promise((resolve) => {
      let over = false;
      const answer = (outcome: Outcome<T>): void => {
        if (over) return;
        over = true;
        process.run(() => resolve(outcome));
      };
      const arrive = (): void => {
        const { server } = pg;
        if (server === null || pg.phase === 'booting') return answer(rejected('refused', 'no such socket'));
        server.run(() => {
          if (pg.faults.refusesSocket) return answer(rejected('auth', 'Peer authentication failed'));
          if (pg.phase === 'primary' || pg.inRecovery()) work(answer);
          else answer(rejected('starting-up', `it is ${pg.phase}`));
        });
        if (!over) pg.scheduler.at(end, () => answer(unknown(`no answer within ${deadlineMs} ms`)));
      };
      pg.scheduler.after(Math.min(pg.random.range(300, 2000), deadlineMs * milli), arrive);
    });
  }

  question<T>(deadlineMs: Ms, work: () => Outcome<T>): Promise<Outcome<T>> {
    return this.asked(deadlineMs, (answer) => answer(work()));
  }

  isRecovering(end: Micros, atMostMs: Ms = questionMs): Promise<Outcome<boolean>> {
    return this.question(Math.min(atMostMs, this.left(end)), () => done(this.pg.inRecovery()));
  }

  /** Looks again and again; null: not yet. */
  async until(end: Micros, look: () => Promise<Outcome<void> | null> | Outcome<void> | null): Promise<Outcome<void>> {
    while (this.pg.scheduler.now < end) {
      const outcome = await look();
      if (outcome !== null) return outcome;
      await this.pause(pollMs);
    }
    return unknown('not within its deadline');
  }
}
