// A machine: its clock of a rate of its own, its power, and the processes on it. CLOCK_BOOTTIME runs on while a process
// or the whole machine stands still; a boot begins it anew.

import type { Clock } from '../../../src/ports/clock.ts';
import type { Random } from '../engine/random.ts';
import { type Micros, milli, type Scheduler } from '../engine/scheduler.ts';
import type { Process } from './process.ts';

/** Where it stands: what lies between two places can be cut. */
export type Place = 'site1' | 'site2' | 'third' | 'internet';

const grainMs = 10;
/** 2026-01-01: what wall clocks show at the start of a run. */
const wallStart = 1_767_225_600_000;

export class Machine {
  readonly name: string;
  readonly place: Place;
  readonly scheduler: Scheduler;
  /** How fast its clock runs against true time. */
  readonly rate: number;
  up = true;
  /** The whole machine stands still (suspend, a paused virtual machine); its clocks run on. */
  suspended = false;
  /** So often it was booted. */
  boots = 0;
  readonly processes = new Set<Process>();
  #bootAt: Micros;
  #bootReading: number;
  #wallOffsetMs: number;

  constructor(scheduler: Scheduler, random: Random, name: string, place: Place, rate: number) {
    this.scheduler = scheduler;
    this.name = name;
    this.place = place;
    this.rate = rate;
    this.#bootAt = scheduler.now;
    this.#bootReading = random.range(20_000, 40_000_000);
    this.#wallOffsetMs = random.range(-500, 500);
  }

  /** CLOCK_BOOTTIME in ms, rounded down to 10 ms. */
  now(): number {
    const ms = this.#bootReading + ((this.scheduler.now - this.#bootAt) / milli) * this.rate;
    return Math.floor(ms / grainMs) * grainMs;
  }

  wall(): number {
    return Math.floor(wallStart + this.scheduler.now / milli + this.#wallOffsetMs);
  }

  /** Somebody, or an NTP client, set the wall clock. */
  jumpWall(ms: number): void {
    this.#wallOffsetMs += ms;
  }

  /** True time at which this machine's clock shows `at`. */
  trueTime(at: number): Micros {
    return this.#bootAt + ((at - this.#bootReading) / this.rate) * milli;
  }

  /** A boot: BOOTTIME begins near zero again. */
  boot(): void {
    this.up = true;
    this.suspended = false;
    this.boots += 1;
    this.#bootAt = this.scheduler.now;
    this.#bootReading = 3000;
  }
}

/** The clock port of one process; its timers die with it, and wait while it stands still. */
export function clockOf(machine: Machine, process: Process, random: Random): Clock {
  return {
    now: () => machine.now(),
    wall: () => machine.wall(),
    wakeAt: (at, callback) => {
      // A timer is never early and usually a little late.
      const lateness = random.ratio(1, 64) ? random.range(1, 40) : 1;
      return process.at(machine.trueTime(at) + lateness * milli, callback);
    },
  };
}
