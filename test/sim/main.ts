// `make sim`: runs seeds side by side and says what they found. The first line of output is what is run, the last line of
// a failure is the command that does it again. With --trace one seed is told line by line (README.md has the legend).

import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { Worker } from 'node:worker_threads';
import type { Job, JobDone } from './jobs.ts';
import { asBefore, drawOptions, type RunOptions } from './options.ts';
import { pinned } from './pinned.ts';
import { runOne } from './run.ts';
import { Summary } from './summary.ts';

const usage = `usage: node test/sim/main.ts [--seeds N] [--from SEED] [--minutes M] [--jobs J] [--twice] [--json]
                            [--witness route53|agent|none] [--replication async|zero-loss|zero-loss-strict]
       node test/sim/main.ts --trace --from SEED [--options JSON]

  --seeds N     so many runs (default 100), of seeds SEED, SEED+1, ...
  --from SEED   default: where the last "make sim" of this checkout ended
  --minutes M   simulated minutes with faults (default 8; founding and healing come on top)
  --pinned      the seeds of pinned.ts, each with the options it had, instead of N
  --twice       each seed runs twice, and both traces must be the same to the byte
  --trace       one seed, every transition on standard output
  --options JSON  options other than those drawn from the seed, e.g. '{"faults":{"cut-sites":5}}'
`;

/** V8 keeps something of every run (0.1 MB): after some twenty thousand a worker is full. */
const jobsPerWorker = 2000;

const root = join(import.meta.dirname, '../..');
const stateFile = join(root, '.state/sim.json');

const { values } = parseArgs({
  options: {
    seeds: { type: 'string' },
    from: { type: 'string' },
    minutes: { type: 'string' },
    jobs: { type: 'string' },
    witness: { type: 'string' },
    replication: { type: 'string' },
    options: { type: 'string' },
    pinned: { type: 'boolean', default: false },
    twice: { type: 'boolean', default: false },
    trace: { type: 'boolean', default: false },
    json: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
});

function number(text: string | undefined, otherwise: number): number {
  if (text === undefined) return otherwise;
  if (!/^\d{1,9}$/.test(text)) throw new Error(`${text} is no number\n${usage}`);
  return Number(text);
}

function given(): Partial<RunOptions> {
  const { minutes, witness, replication, options } = values;
  return {
    ...(options === undefined ? {} : (JSON.parse(options) as Partial<RunOptions>)),
    ...(minutes === undefined ? {} : { minutes: number(minutes, 8) }),
    ...(witness === undefined ? {} : { witness: witness as RunOptions['witness'] }),
    ...(replication === undefined ? {} : { replication: replication as RunOptions['replication'] }),
  };
}

function commit(): string {
  try {
    const git = (...args: string[]) => execFileSync('git', ['-C', root, ...args], { encoding: 'utf8' }).trim();
    return (
      git('rev-parse', '--short', 'HEAD') + (git('status', '--porcelain', 'src', 'test/sim') === '' ? '' : '+changes')
    );
  } catch {
    return 'unknown';
  }
}

function traceOne(seed: string): void {
  const options = drawOptions(seed, given());
  console.log(`# seed ${seed} commit ${commit()} options ${JSON.stringify(options)}`);
  const report = runOne(options, (line) => console.log(line));
  const { tail: _, ...rest } = report;
  console.log(`# ${JSON.stringify(rest)}`);
  if (report.violations.length > 0) process.exitCode = 1;
}

async function runMany(): Promise<void> {
  const options = given();
  const from = values.from === undefined ? lastSeed() + 1 : number(values.from, 1);
  const seeds = number(values.seeds, 100);
  const jobs: Job[] = values.pinned
    ? pinned.map(({ seed, given: had = {} }) => ({
        seed,
        given: { ...asBefore, ...had, ...options },
        twice: values.twice,
      }))
    : Array.from({ length: seeds }, (_, index) => ({
        seed: String(from + index),
        given: options,
        twice: values.twice,
      }));
  const header = {
    seeds: jobs.length,
    from: jobs[0]?.seed,
    commit: commit(),
    twice: values.twice,
    pinned: values.pinned,
    given: options,
  };
  console.log(values.json ? JSON.stringify({ sim: header }) : `sim ${JSON.stringify(header)}`);
  const summary = new Summary(jobs.length, values.json);
  const waiting = [...jobs];
  const work = async (): Promise<void> => {
    while (waiting.length > 0) {
      const worker = new Worker(join(import.meta.dirname, 'worker.ts'));
      try {
        for (let done = 0; done < jobsPerWorker; done += 1) {
          const job = waiting.shift();
          if (job === undefined) return;
          summary.add(await ask(worker, job));
        }
      } finally {
        await worker.terminate();
      }
    }
  };
  const threads = Math.min(jobs.length, number(values.jobs, availableParallelism()));
  await Promise.all(Array.from({ length: threads }, work));
  summary.print();
  if (values.from === undefined && !values.pinned) store(from + seeds - 1);
  if (!summary.clean) process.exitCode = 1;
}

function ask(worker: Worker, job: Job): Promise<JobDone> {
  return new Promise((resolve, reject) => {
    const failed = (error: unknown): void => reject(new Error(`seed ${job.seed}`, { cause: error }));
    worker.once('error', failed);
    worker.once('message', (done: JobDone) => {
      worker.removeListener('error', failed);
      resolve(done);
    });
    worker.postMessage(job);
  });
}

function lastSeed(): number {
  try {
    return (JSON.parse(readFileSync(stateFile, 'utf8')) as { last: number }).last;
  } catch {
    return 0;
  }
}

function store(last: number): void {
  mkdirSync(join(root, '.state'), { recursive: true });
  writeFileSync(stateFile, `${JSON.stringify({ last })}\n`);
}

if (values.help) console.log(usage);
// Not from here: a module is itself evaluated in a microtask, and the simulator empties that queue (microtasks.ts).
else if (values.trace) setImmediate(() => traceOne(values.from ?? '1'));
else await runMany();
