/** `test/lab/suite`: every scenario in the lab, with its measured times. */
import { parseArgs } from 'node:util';
import { requireMachine } from '../../src/up.ts';
import { Lane } from './lane.ts';
import { Machine } from './machine.ts';
import { ids, stagesOf } from './plan.ts';
import type { Result } from './results.ts';
import { closingLine, hasFailed, table } from './results.ts';
import { showStarvation } from './starvation.ts';

const USAGE = `suite [--only S1,S4] [--slow] [--minutes X] [--json] [--name NAME]

Runs the scenarios ${ids[0]} to ${ids.at(-1)} over the lab. Needs root.
  --only     these alone
  --slow     the other witness kinds, S15 and S17
  --minutes  begin no scenario after so long
  --json     the results on standard output, progress on standard error
  --name     begins the names of its labs (default: suite)`;

const running = new Set<Lane>();
const machine = new Machine();

async function main(): Promise<number> {
  const { values } = parseArgs({
    options: {
      only: { type: 'string' },
      slow: { type: 'boolean', default: false },
      minutes: { type: 'string', default: 'Infinity' },
      json: { type: 'boolean', default: false },
      name: { type: 'string', default: 'suite' },
      help: { type: 'boolean', short: 'h', default: false },
    },
  });
  if (values.help) {
    console.log(USAGE);
    return 0;
  }
  const only = (values.only ?? '').split(',').filter(Boolean);
  const strange = only.filter((id) => !ids.includes(id));
  const stages = stagesOf({ slow: values.slow, only });
  if (strange.length > 0 || stages.length === 0) {
    console.error(`there is no scenario ${strange.join(', ')}: they are ${ids.join(', ')}`);
    return 2;
  }
  const minutes = Number(values.minutes);
  if (!(minutes > 0)) {
    console.error(`--minutes is a number above 0, not "${values.minutes}"`);
    return 2;
  }
  await requireMachine();
  const begin = performance.now();
  const isTimeLeft = () => performance.now() - begin < minutes * 60_000;
  const say = (text: string) => {
    const at = `${((performance.now() - begin) / 1000).toFixed(1).padStart(6)} s  ${text}`;
    if (values.json) console.error(at);
    else console.log(at);
  };
  const results: Result[] = [];
  for (const [index, stage] of stages.entries()) {
    const lanes = stage.map(
      (plan, lane) => new Lane(`${values.name}${index + 1}${String.fromCharCode(97 + lane)}`, plan, machine, say),
    );
    await runStage(lanes, isTimeLeft, (result) => results.push(result));
  }
  if (values.json) console.log(JSON.stringify(results, null, 2));
  else {
    const all = stages.flat().flatMap(({ scenarios }) => scenarios).length;
    console.log(`\n${table(results)}\n\n${failures(results)}${closingLine(results, all)}`);
  }
  return results.some(hasFailed) ? 1 : 0;
}

async function runStage(
  stage: readonly Lane[],
  isTimeLeft: () => boolean,
  onResult: (result: Result) => void,
): Promise<void> {
  const ends = stage.map(async (lane) => {
    running.add(lane);
    await lane.run(isTimeLeft, onResult);
    running.delete(lane);
  });
  // Each puts its own lab away first; then the first error, if there is one, is told.
  for (const outcome of await Promise.allSettled(ends)) if (outcome.status === 'rejected') throw outcome.reason;
}

function failures(results: readonly Result[]): string {
  return results
    .filter(hasFailed)
    .map(
      ({ id, why, logs, starvation }) => `${id}: ${why}\n    ${showStarvation(starvation)}; logs: ${logs ?? 'none'}\n`,
    )
    .join('');
}

for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.once(signal, () => {
    console.error('suite: told to end, putting the labs away');
    void Promise.allSettled([...running].map((lane) => lane.lab.down())).then(() => process.exit(130));
  });
}

try {
  process.exitCode = await main();
} catch (error) {
  console.error(
    `suite: ${(error as Error).name === 'LabError' ? (error as Error).message : String((error as Error).stack)}`,
  );
  process.exitCode = 1;
}
