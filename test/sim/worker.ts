// One thread that runs seeds: a report for each, and whether a second run of the same seed was the same to the byte.

import { parentPort } from 'node:worker_threads';
import type { Job, JobDone } from './jobs.ts';
import { drawOptions } from './options.ts';
import { runOne } from './run.ts';

parentPort?.on('message', ({ seed, given, twice }: Job) => {
  // Not in the event's own turn: the simulator empties the microtask queue itself.
  setImmediate(() => {
    const before = process.threadCpuUsage();
    const options = drawOptions(seed, given);
    const report = runOne(options);
    const used = process.threadCpuUsage(before);
    const same = !twice || runOne(options).hash === report.hash;
    const done: JobDone = { report, cpuMs: (used.user + used.system) / 1000, same };
    parentPort?.postMessage(done);
  });
});
