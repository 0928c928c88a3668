// The fuse as systemd/siteward-fuse behaves: a process of its own that looks about every 0.15 s, asks nobody, and kills
// the database at the deadline or when it runs as a primary without one. Between its looks nothing can happen that it
// would notice, so only those that matter are events; the others are worked out when somebody asks for the last look.

import { done } from '../../../src/core/outcome.ts';
import type { Fuse } from '../../../src/ports/database.ts';
import type { Random } from '../engine/random.ts';
import { cancel, type Event, type Micros, milli, type Scheduler } from '../engine/scheduler.ts';
import type { Machine } from './machine.ts';
import type { Postgres } from './postgres.ts';
import { Process } from './process.ts';

/** A look is an event at least so often: one that stood still in between is noticed then. */
const looksPerEvent = 4;
/** systemd: Restart=always, RestartSec. */
const restart: Micros = 500 * milli;

export class FuseBox {
  readonly name: string;
  readonly #pg: Postgres;
  readonly #machine: Machine;
  readonly #scheduler: Scheduler;
  readonly #random: Random;
  process: Process | null = null;
  /** On disk: outlives a boot. */
  armed = false;
  /** In memory-backed files. */
  deadline: number | null = null;
  #seen: number | null = null;
  #life = 0;
  /** sleep 0.15, and what a look costs. */
  #every: Micros = 0;
  /** True time of the last look that was an event, or is known to have been. */
  #lookedAt: Micros = 0;
  #next: Event | null = null;
  #nextAt: Micros = 0;

  constructor(pg: Postgres, random: Random) {
    this.name = `${pg.site}-fuse`;
    this.#pg = pg;
    this.#machine = pg.machine;
    this.#scheduler = pg.scheduler;
    this.#random = random;
    pg.onUnguarded = () => this.#rethink();
  }

  start(): void {
    if (this.process !== null || !this.#machine.up) return;
    this.#life += 1;
    this.process = new Process(this.#machine, this.name, this.#life, (how) => this.#died(how));
    this.#every = this.#random.range(152, 175) * milli;
    this.#look();
  }

  /** The machine booted: its memory-backed files are gone. */
  boot(): void {
    this.deadline = null;
    this.#seen = null;
    this.start();
  }

  /** `siteward-fuse inhibit`, before systemd starts PostgreSQL: a host that lost power in a start has no signal file (L10). */
  inhibit(): void {
    const underLease = this.deadline !== null && this.#machine.now() < this.deadline;
    if (this.armed && !underLease && !this.#pg.processesLeft()) this.#pg.data.putSignalFile();
  }

  /** `siteward-fuse disarm`, by a person. */
  disarm(): void {
    this.armed = false;
  }

  setDeadline(at: number | null): void {
    this.deadline = at;
    this.#rethink();
  }

  arm(): void {
    this.armed = true;
    this.#rethink();
  }

  /** CLOCK_BOOTTIME ms. */
  lastLook(): number | null {
    const { process } = this;
    if (process === null || process.frozen || this.#seen === null) return this.#seen;
    const since = this.#scheduler.now - this.#lookedAt;
    return this.#machine.now() - Math.ceil((since % this.#every) / milli / 10) * 10;
  }

  #died(how: string): void {
    const seen = this.lastLook();
    this.process = null;
    this.#seen = seen;
    if (this.#next !== null) cancel(this.#next);
    this.#next = null;
    if (this.#machine.up) this.#scheduler.after(restart, () => this.start());
    this.#pg.trace.line(this.name, 'fuse.died', how);
  }

  #look = (): void => {
    const { process } = this;
    if (process === null) return;
    this.#next = null;
    if (process.frozen) return process.run(this.#look);
    const now = this.#machine.now();
    this.#seen = now;
    this.#lookedAt = this.#scheduler.now;
    if (this.#mustKill(now)) this.#kill(process);
    this.#rethink();
  };

  #mustKill(now: number): boolean {
    if (!this.armed || this.#pg.server === null) return false;
    if (this.deadline !== null) return now >= this.deadline;
    return !this.#pg.data.signalFile && this.#pg.postmaster;
  }

  /** Three passes over /proc; what is in the kernel dies when it returns, and the next look begins again. */
  #kill(process: Process): void {
    process.after(this.#random.range(5, 30) * milli, () => {
      this.#pg.trace.line(this.name, 'fuse.kills', this.deadline === null ? 'no deadline' : 'deadline passed');
      this.#pg.killAll('killed by the fuse');
    });
  }

  /** When the next look that matters is due: at a multiple of its period. */
  #rethink(): void {
    const { process } = this;
    if (process === null || process.frozen) return;
    const { now } = this.#scheduler;
    const passed = Math.floor((now - this.#lookedAt) / this.#every);
    let looks = Math.max(looksPerEvent, passed + 1);
    if (this.armed) {
      if (this.deadline !== null) {
        const due = this.#machine.trueTime(this.deadline) - this.#lookedAt;
        looks = Math.min(looks, Math.max(passed + 1, Math.ceil(due / this.#every)));
      } else if (!this.#pg.data.signalFile && this.#pg.postmaster) looks = passed + 1;
    }
    const at = this.#lookedAt + looks * this.#every;
    if (this.#next !== null) {
      if (this.#nextAt === at) return;
      cancel(this.#next);
    }
    this.#nextAt = at;
    this.#next = this.#scheduler.at(at, this.#look);
  }
}

/** The guard's side of the three files. */
export function fusePort(fuse: FuseBox, process: Process): Fuse {
  const nothing = done(undefined);
  return {
    arm: () => {
      if (!fuse.armed && process.mayAffect()) fuse.arm();
      return nothing;
    },
    setDeadline: (at) => {
      if (process.mayAffect()) fuse.setDeadline(Math.floor(at));
      return nothing;
    },
    clearDeadline: () => {
      if (process.mayAffect()) fuse.setDeadline(null);
      return nothing;
    },
    deadline: () => fuse.deadline,
    lastLook: () => fuse.lastLook(),
    armed: () => fuse.armed,
  };
}
