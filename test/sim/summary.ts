// What many runs found, as they come in and at the end.

import type { JobDone } from './jobs.ts';
import { drawOptions } from './options.ts';

export class Summary {
  readonly #seeds: number;
  readonly #json: boolean;
  readonly #failed: JobDone[] = [];
  readonly #faults = new Map<string, number>();
  #done = 0;
  #minutes = 0;
  #cpuMs = 0;
  #events = 0;
  #acknowledged = 0;
  #lost = 0;
  #moves = { ordered: 0, needed: 0, needless: 0 };
  #slowestMs = 0;
  #toldAt = 0;

  constructor(seeds: number, json: boolean) {
    this.#seeds = seeds;
    this.#json = json;
  }

  get clean(): boolean {
    return this.#failed.length === 0;
  }

  add(done: JobDone): void {
    const { report } = done;
    this.#done += 1;
    this.#minutes += report.minutes;
    this.#cpuMs += done.cpuMs;
    this.#events += report.events;
    this.#acknowledged += report.acknowledged;
    this.#lost += report.lost;
    this.#slowestMs = Math.max(this.#slowestMs, report.convergedMs ?? 0);
    for (const key of ['ordered', 'needed', 'needless'] as const) this.#moves[key] += report.moves[key];
    for (const [kind, count] of Object.entries(report.faults))
      this.#faults.set(kind, (this.#faults.get(kind) ?? 0) + (count ?? 0));
    if (report.violations.length > 0 || !done.same) {
      this.#failed.push(done);
      this.#tellFailure(done);
    }
    this.#tellProgress();
  }

  print(): void {
    const total = {
      runs: this.#done,
      failed: this.#failed.length,
      clusterMinutes: Math.round(this.#minutes),
      cpuSeconds: Math.round(this.#cpuMs / 1000),
      clusterMinutesPerCpuSecond: Number(this.#rate()),
      events: this.#events,
      writesAcknowledged: this.#acknowledged,
      writesLost: this.#lost,
      moves: this.#moves,
      slowestConvergenceMs: this.#slowestMs,
      faults: Object.fromEntries([...this.#faults].sort()),
    };
    console.log(
      this.#json ? JSON.stringify({ total }) : `total ${JSON.stringify(total, null, 1).replaceAll(/\n\s*/g, ' ')}`,
    );
    const first = this.#failed[0];
    if (first !== undefined) console.log(`again: ${this.#again(first)}`);
  }

  #rate(): string {
    return (this.#minutes / Math.max(0.001, this.#cpuMs / 1000)).toFixed(1);
  }

  #again({ report }: JobDone): string {
    const { seed, minutes } = report.options;
    const drawn = Object.entries(drawOptions(seed, { minutes }));
    const had = new Map<string, unknown>(Object.entries(report.options));
    const given = drawn.flatMap(([key, value]) =>
      JSON.stringify(had.get(key)) === JSON.stringify(value) ? [] : [[key, had.get(key)]],
    );
    const words = [`node_modules/.bin/node test/sim/main.ts --trace --from '${seed}' --minutes ${minutes}`];
    if (given.length > 0) words.push(`--options '${JSON.stringify(Object.fromEntries(given))}'`);
    return words.join(' ');
  }

  #tellFailure(done: JobDone): void {
    const { report, same } = done;
    if (this.#json) {
      const { tail: _, ...rest } = report;
      console.log(JSON.stringify({ failed: rest, same }));
      return;
    }
    console.log(`FAILED seed ${report.options.seed}${same ? '' : ': a second run of it was another run'}`);
    for (const { id, sentence } of report.violations.slice(0, 3)) console.log(`  ${id} ${sentence}`);
    console.log(`  ${this.#again(done)}`);
  }

  #tellProgress(): void {
    const now = Date.now();
    if (now - this.#toldAt < 5000) return;
    this.#toldAt = now;
    process.stderr.write(
      `${this.#done}/${this.#seeds} runs, ${this.#failed.length} failed, ${this.#rate()} cluster-minutes per CPU second\n`,
    );
  }
}
