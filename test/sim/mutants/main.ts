// `node test/sim/mutants/main.ts [NAME ...] [--runs N] [--json]`: every negative control has to be caught within its seeds. One that
// survives is a hole in the checkers or in the faults. Prints one line a mutant; the unmutated code runs the same seeds
// in `make sim`, so what is caught here is caught because of the mutation.

import { mkdirSync, rmSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { Worker } from 'node:worker_threads';
import type { JobDone } from '../jobs.ts';
import { bundleWorker } from './bundle.ts';
import { decisionMutants } from './decisions.ts';
import { leaseMutants } from './lease.ts';
import type { Mutant } from './mutant.ts';
import { quorumMutants } from './quorum.ts';
import { restMutants } from './rest.ts';
import { zeroLossMutants } from './zero-loss.ts';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    json: { type: 'boolean', default: false },
    jobs: { type: 'string' },
    from: { type: 'string', default: '1' },
    runs: { type: 'string' },
  },
});
const all: readonly Mutant[] = [
  ...quorumMutants,
  ...leaseMutants,
  ...decisionMutants,
  ...restMutants,
  ...zeroLossMutants,
];
const unknown = positionals.filter((name) => !all.some((mutant) => mutant.name === name));
if (unknown.length > 0) {
  console.error(`no such mutant: ${unknown.join(', ')}\n${all.map(({ name }) => name).join('\n')}`);
  process.exit(2);
}
const chosen = positionals.length === 0 ? all : all.filter(({ name }) => positionals.includes(name));
const folder = join(import.meta.dirname, '../../../.state/mutants');
mkdirSync(folder, { recursive: true });

const waiting = [...chosen];
let survivors = 0;

async function work(): Promise<void> {
  for (let mutant = waiting.shift(); mutant !== undefined; mutant = waiting.shift()) {
    const file = join(folder, `${mutant.name}.cjs`);
    await bundleWorker(mutant, file);
    const caught = await hunt(mutant, file);
    rmSync(file);
    tell(mutant, caught);
  }
}

type Caught = { readonly seed: number; readonly by: string; readonly minutes: number; readonly runs: number } | null;

async function hunt(mutant: Mutant, file: string): Promise<Caught> {
  const worker = new Worker(file);
  let minutes = 0;
  const first = Number(values.from);
  try {
    const runs = values.runs === undefined ? mutant.seeds : Number(values.runs);
    for (let seed = first; seed < first + runs; seed += 1) {
      const { report } = await ask(worker, mutant, seed);
      minutes += report.minutes;
      const violation = report.violations[0];
      if (violation !== undefined)
        return {
          seed,
          by: `${violation.id} ${violation.sentence}`,
          minutes: Math.round(minutes),
          runs: seed - first + 1,
        };
    }
    return null;
  } finally {
    await worker.terminate();
  }
}

function ask(worker: Worker, mutant: Mutant, seed: number): Promise<JobDone> {
  return new Promise((resolve, reject) => {
    worker.once('error', reject);
    worker.once('message', (done: JobDone) => {
      worker.removeListener('error', reject);
      resolve(done);
    });
    worker.postMessage({ seed: `${mutant.name} ${seed}`, given: mutant.options ?? {}, twice: false });
  });
}

function tell(mutant: Mutant, caught: Caught): void {
  if (caught === null) survivors += 1;
  const { name, rule, seeds } = mutant;
  if (values.json) return console.log(JSON.stringify({ name, rule, seeds, caught }));
  const result =
    caught === null ? `SURVIVED ${seeds} runs` : `caught in run ${caught.runs} by ${caught.by.slice(0, 90)}`;
  console.log(`${rule.padEnd(4)} ${name.padEnd(40)} ${result}`);
}

await Promise.all(Array.from({ length: Math.min(Number(values.jobs ?? availableParallelism()), chosen.length) }, work));
console.log(
  values.json
    ? JSON.stringify({ mutants: chosen.length, survivors })
    : `${chosen.length} mutants, ${survivors} survived`,
);
if (survivors > 0) process.exitCode = 1;
