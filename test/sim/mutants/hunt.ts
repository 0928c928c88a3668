// How a negative control is caught: in one of so many runs, in the one run that is pinned, or in its story.

import { execFile } from 'node:child_process';
import { Worker } from 'node:worker_threads';
import type { JobDone } from '../jobs.ts';
import { asBefore, type RunOptions } from '../options.ts';
import type { Pinned } from '../pinned.ts';
import { bundle } from './bundle.ts';
import type { Edit, Mutant, StoryMutant } from './mutant.ts';

export type Caught = { readonly where: string; readonly by: string };

export type Control = {
  readonly name: string;
  readonly rule: string;
  /** What it is caught within. */
  readonly within: string;
  /** Null: it survived. `file`: where its bundle may lie meanwhile. */
  readonly hunt: (file: string) => Promise<Caught | null>;
};

/** The numbers of runs that mutants.ts and its like state were measured without what is drawn since. */
const asMeasured: Partial<RunOptions> = { ambushOneIn: 0 };

/** `first`: of its runs; null where the mutant says it. */
export function byRuns(mutant: Mutant, first: number | null, most: number | null): Control {
  const { name, rule, edits, options = {}, skip = 0 } = mutant;
  const from = first ?? skip + 1;
  const runs = most ?? mutant.seeds;
  const jobs = Array.from({ length: runs }, (_, index) => ({
    seed: `${name} ${from + index}`,
    given: { ...asMeasured, ...options },
  }));
  return { name, rule, within: `${runs} runs from ${from}`, hunt: (file) => hunt(edits, jobs, file) };
}

/** A pinned seed still means something: with what it found put back it finds it again. */
export function byPin({ seed, given, undo }: Pinned): Control {
  const job = { seed, given: { ...asBefore, ...given } };
  return { name: `pinned ${seed}`, rule: 'pin', within: 'its run', hunt: (file) => hunt(undo, [job], file) };
}

async function hunt(
  edits: readonly Edit[],
  jobs: readonly { readonly seed: string; readonly given: Partial<RunOptions> }[],
  file: string,
): Promise<Caught | null> {
  await bundle('worker.ts', edits, file);
  const worker = new Worker(file);
  try {
    for (const [index, { seed, given }] of jobs.entries()) {
      const [violation] = (await ask(worker, seed, given)).report.violations;
      if (violation !== undefined)
        return {
          where: jobs.length === 1 ? 'in its run' : `in run ${index + 1}, seed '${seed}'`,
          by: `${violation.id} ${violation.sentence}`,
        };
    }
    return null;
  } finally {
    await worker.terminate();
  }
}

function ask(worker: Worker, seed: string, given: Partial<RunOptions>): Promise<JobDone> {
  return new Promise((resolve, reject) => {
    worker.once('error', reject);
    worker.once('message', (done: JobDone) => {
      worker.removeListener('error', reject);
      resolve(done);
    });
    worker.postMessage({ seed, given, twice: false });
  });
}

export function byStory({ name, rule, edits, story }: StoryMutant): Control {
  return {
    name,
    rule,
    within: `the story ${story}`,
    hunt: async (file) => {
      await bundle(`stories/${story}`, edits, file);
      const by = await failureOf(file);
      return by === null ? null : { where: `in ${story}`, by };
    },
  };
}

/** What its first failed test says; null when none fails. */
function failureOf(file: string): Promise<string | null> {
  return new Promise((resolve, reject) => {
    execFile(process.execPath, ['--test-reporter=tap', file], { maxBuffer: 1 << 28 }, (error, stdout) => {
      if (error === null) return resolve(null);
      // A story that cannot even be run has caught nothing.
      if (!stdout.includes("code: 'ERR_ASSERTION'")) return reject(new Error(`${file}: ${stdout.slice(-2000)}`));
      resolve(/I[1-8] [^']+/.exec(stdout)?.[0] ?? /^not ok \d+ - (.*)$/m.exec(stdout)?.[1] ?? 'a test');
    });
  });
}
