// `node test/sim/mutants/main.ts [NAME ...] [--from N] [--runs N] [--json]`: every negative control has to be caught: each mutant within its
// seeds or in its story, each pinned seed with what it once found put back. One that survives is a hole in the checkers or in
// the faults. Prints one line each; the unmutated code runs the same in `make sim`, `--pinned` and the tests of test/sim, so
// what is caught here is caught because of the mutation.

import { mkdirSync, rmSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { pinned } from '../pinned.ts';
import { decisionMutants } from './decisions.ts';
import { byPin, byRuns, byStory, type Caught, type Control } from './hunt.ts';
import { leaseMutants } from './lease.ts';
import { quorumMutants } from './quorum.ts';
import { restMutants } from './rest.ts';
import { standInMutants } from './stand-ins.ts';
import { storyMutants } from './stories.ts';
import { zeroLossMutants } from './zero-loss.ts';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    json: { type: 'boolean', default: false },
    jobs: { type: 'string' },
    from: { type: 'string' },
    runs: { type: 'string' },
  },
});
const mutants = [...quorumMutants, ...leaseMutants, ...decisionMutants, ...restMutants, ...zeroLossMutants];
const first = values.from === undefined ? null : Number(values.from);
const most = values.runs === undefined ? null : Number(values.runs);
const all: readonly Control[] = [
  ...mutants.map((mutant) => byRuns(mutant, first, most)),
  ...[...storyMutants, ...standInMutants].map(byStory),
  ...pinned.map(byPin),
];
const unknown = positionals.filter((name) => !all.some((control) => control.name === name));
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
  for (let control = waiting.shift(); control !== undefined; control = waiting.shift()) {
    const file = join(folder, `${control.name.replaceAll(' ', '-')}.cjs`);
    tell(control, await control.hunt(file));
    rmSync(file);
  }
}

function tell({ name, rule, within }: Control, caught: Caught | null): void {
  if (caught === null) survivors += 1;
  if (values.json) return console.log(JSON.stringify({ name, rule, within, caught }));
  const result = caught === null ? `SURVIVED ${within}` : `caught ${caught.where} by ${caught.by.slice(0, 90)}`;
  console.log(`${rule.padEnd(6)} ${name.padEnd(44)} ${result}`);
}

await Promise.all(Array.from({ length: Math.min(Number(values.jobs ?? availableParallelism()), chosen.length) }, work));
console.log(
  values.json
    ? JSON.stringify({ controls: chosen.length, survivors })
    : `${chosen.length} negative controls, ${survivors} survived`,
);
if (survivors > 0) process.exitCode = 1;
