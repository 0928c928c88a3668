// `make sim-bench`: cluster-minutes per CPU second. One cluster minute is a minute of simulated time of the whole cluster
// (two agents, two guards, register or witness, databases, applications, clients). Told for a cluster that nothing
// happens to and for the usual mixture of faults, after a warm-up; a million events more must not cost more memory: else
// it fails.

import { drawOptions } from './options.ts';
import { runOne } from './run.ts';

/** V8 keeps some 0.1 MiB of each run for itself (main.ts), which is not ours. */
const mostMiB = 16;

type Measured = { minutes: number; cpuSeconds: number; events: number };

function measure(label: string, seeds: readonly string[], given: Parameters<typeof drawOptions>[1]): Measured {
  const before = process.cpuUsage();
  let minutes = 0;
  let events = 0;
  for (const seed of seeds) {
    const report = runOne(drawOptions(seed, given));
    minutes += report.minutes;
    events += report.events;
  }
  const used = process.cpuUsage(before);
  const cpuSeconds = (used.user + used.system) / 1_000_000;
  const rate = (minutes / cpuSeconds).toFixed(1);
  console.log(
    `${label.padEnd(12)} ${rate.padStart(7)} cluster-minutes per CPU second (${minutes.toFixed(0)} minutes, ${events} events, ${cpuSeconds.toFixed(1)} s)`,
  );
  return { minutes, cpuSeconds, events };
}

const numbers = (count: number, from: number): string[] =>
  Array.from({ length: count }, (_, index) => String(from + index));

// Not from here: a module is itself evaluated in a microtask (engine/microtasks.ts).
setImmediate(() => {
  const calm = { faults: {}, upgrade: false, codecEvery: 16, writesPerSecond: 1 } as const;
  measure('warm-up', numbers(8, 1), {});
  measure('calm', numbers(4, 10), calm);
  measure('faults', numbers(12, 20), {});
  const heapMiB = (): number => {
    globalThis.gc?.();
    return process.memoryUsage().heapUsed / 2 ** 20;
  };
  const before = heapMiB();
  let events = 0;
  for (let seed = 100; events < 1_000_000; seed += 1) events += runOne(drawOptions(String(seed))).events;
  const more = heapMiB() - before;
  console.log(`leak          ${more.toFixed(1)} MiB more heap after ${events} further events`);
  if (more <= mostMiB) return;
  console.error(`that is a leak: ${mostMiB} MiB at most were expected`);
  process.exitCode = 1;
});
