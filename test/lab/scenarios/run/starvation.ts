/**
 * Was the machine itself too busy to measure on? A thread that only wants to run every 20 ms notes when it could not, and
 * the kernel's pressure file says how long others waited. Both are shown beside a bounded round.
 */
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { Worker } from 'node:worker_threads';

/** A daemon that stands still for so long looks like a fault, and a measured time is no longer siteward's. */
const STARVED_MS = 300;

/** Others waited for a CPU this share of the time: time-outs then say more about the machine than about the cluster. */
const STARVED_SHARE = 0.5;

const PROBE = `
  const { parentPort } = require('node:worker_threads');
  let last = performance.now();
  setInterval(() => {
    const now = performance.now();
    parentPort.postMessage(now - last - 20);
    last = now;
  }, 20);`;

export interface Starvation {
  readonly worstMs: number;
  /** Share of the time in which some process waited for a CPU; null where the kernel does not say. */
  readonly waited: number | null;
}

export function wasStarved({ worstMs, waited }: Starvation): boolean {
  return worstMs > STARVED_MS || (waited !== null && waited > STARVED_SHARE);
}

export class StarvationProbe {
  readonly #worker = new Worker(PROBE, { eval: true });
  readonly #beginMs = performance.now();
  readonly #pressure = cpuPressureMs();
  #worstMs = 0;

  constructor() {
    // Its own start is not what is measured.
    let first = true;
    this.#worker.on('message', (lateMs: number) => {
      if (!first) this.#worstMs = Math.max(this.#worstMs, lateMs);
      first = false;
    });
    this.#worker.on('error', () => {});
    this.#worker.unref();
  }

  async end(): Promise<Starvation> {
    await this.#worker.terminate();
    const now = cpuPressureMs();
    const waited =
      now === null || this.#pressure === null ? null : (now - this.#pressure) / (performance.now() - this.#beginMs);
    return { worstMs: this.#worstMs, waited };
  }
}

/** To start a program that does nothing. Elsewhere 1 to 2 ms; where it takes 8, a login at PostgreSQL takes 50 ms of CPU. */
const SLOW_START_MS = 4;

let slow: boolean | null = null;

/**
 * Is this machine one on which processes are so dear that probes of both sites' databases alone take half a core? Measured when
 * it is asked first.
 */
export function startsSlowly(): boolean {
  slow ??= medianStartMs() > SLOW_START_MS;
  return slow;
}

function medianStartMs(): number {
  const times = Array.from({ length: 15 }, () => {
    const begin = performance.now();
    spawnSync('/bin/true');
    return performance.now() - begin;
  }).sort((a, b) => a - b);
  return times[7] ?? 0;
}

function cpuPressureMs(): number | null {
  try {
    const total = /^some .*total=(\d+)/m.exec(readFileSync('/proc/pressure/cpu', 'utf8'))?.[1];
    return total === undefined ? null : Number(total) / 1000;
  } catch {
    return null;
  }
}

export function showStarvation({ worstMs, waited }: Starvation): string {
  const share = waited === null ? '' : `, something waited for a CPU ${Math.round(waited * 100)} % of the time`;
  return `this machine: longest delay ${Math.round(worstMs)} ms${share}`;
}
