/** `test/chaos/run`: random fault sequences from seeds, each in a fresh lab, and the history of each checked. */
import { parseArgs } from 'node:util';
import { showStarvation, wasStarved } from '../lab/scenarios/run/starvation.ts';
import { WITNESS_KINDS } from '../lab/src/cluster-file.ts';
import { LabError } from '../lab/src/topology.ts';
import { requireMachine } from '../lab/src/up.ts';
import type { PlanOptions } from './plan/plan.ts';
import { makePlan } from './plan/plan.ts';
import { relayProblem } from './relay/relay.ts';
import type { Result } from './sequence/result.ts';
import { showResult, showTotals } from './sequence/result.ts';
import { Sequence } from './sequence/sequence.ts';

const USAGE = `run [--seeds N] [--from SEED] [--minutes X] [--relay MS] [--replication KIND] [--witness KIND]
    [--faults A,B] [--logs] [--json] [--name NAME]

Random fault sequences over the lab, one a seed. Needs root.
  --seeds        how many (default 1)
  --from         the first seed (default 1)
  --minutes      begin no new one after so long; without --seeds as many as that allows
  --relay        ms each way between the sites, 0 for none (default 35)
  --replication  async, zero-loss, zero-loss-strict, or mixed: by the seed (default mixed)
  --witness      route53 or agent; by the seed where it is not given
  --faults       only these kinds
  --logs         keep the logs of those that passed, too
  --json         the results on standard output, progress on standard error
  --name         of its lab (default: chaos)`;

const REPLICATIONS = ['async', 'zero-loss', 'zero-loss-strict', 'mixed'] as const;
const MAX_RETRIES = 2;

let running: Sequence | null = null;

function oneOf<T extends string>(value: string, allowed: readonly T[], what: string): T {
  const found = allowed.find((each) => each === value);
  if (found === undefined) throw new LabError(`${what} is one of ${allowed.join(', ')}, not "${value}"`);
  return found;
}

function count(value: string, what: string): number {
  const number = Number(value);
  if (!Number.isFinite(number) || number < 0 || value === '') throw new LabError(`${what} is a number, not "${value}"`);
  return number;
}

async function main(): Promise<number> {
  const { values } = parseArgs({
    options: {
      seeds: { type: 'string' },
      from: { type: 'string', default: '1' },
      minutes: { type: 'string' },
      relay: { type: 'string', default: '35' },
      replication: { type: 'string', default: 'mixed' },
      witness: { type: 'string' },
      faults: { type: 'string' },
      logs: { type: 'boolean', default: false },
      json: { type: 'boolean', default: false },
      name: { type: 'string', default: 'chaos' },
      help: { type: 'boolean', short: 'h', default: false },
    },
  });
  if (values.help) {
    console.log(USAGE);
    return 0;
  }
  const options: Omit<PlanOptions, 'seed'> = {
    relayMs: count(values.relay, '--relay'),
    replication: oneOf(values.replication, REPLICATIONS, '--replication'),
    ...(values.witness === undefined ? {} : { witness: oneOf(values.witness, WITNESS_KINDS, '--witness') }),
    ...(values.faults === undefined ? {} : { only: values.faults.split(',') }),
  };
  const problem = options.relayMs > 0 ? await relayProblem() : undefined;
  if (problem !== undefined) throw new LabError(problem);
  await requireMachine();
  const first = count(values.from, '--from');
  const endMs =
    performance.now() + (values.minutes === undefined ? Infinity : count(values.minutes, '--minutes') * 60_000);
  const asMany = values.minutes === undefined ? 1 : Number.POSITIVE_INFINITY;
  const seeds = values.seeds === undefined ? asMany : count(values.seeds, '--seeds');
  const print = values.json ? console.error : console.log;
  const results: Result[] = [];
  for (let seed = first; seed < first + seeds && performance.now() < endMs; seed += 1) {
    const result = await oneSeed(values, { ...options, seed }, print);
    results.push(result);
    if (values.json) console.log(JSON.stringify(result));
    if (result.unsafe) break;
  }
  const unsafe = results.some((result) => result.unsafe);
  print(`\n${showTotals(results, unsafe || values.seeds === undefined ? 0 : seeds - results.length)}`);
  const failed = results.find(({ ok }) => !ok);
  print(`again: ${reproduce(values, failed?.plan.seed ?? first, failed === undefined ? results.length : 1)}`);
  return failed === undefined ? 0 : 1;
}

/** A round that the machine starved is tried again in a fresh lab; an unsafe one never is. */
async function oneSeed(
  { name, logs }: { readonly name: string; readonly logs: boolean },
  options: PlanOptions,
  print: (text: string) => void,
): Promise<Result> {
  const plan = makePlan(options);
  for (let attempt = 1; ; attempt += 1) {
    print(`seed ${plan.seed}: ${JSON.stringify(plan)}`);
    const begin = performance.now();
    const say = (text: string) => print(`${((performance.now() - begin) / 1000).toFixed(1).padStart(6)} s  ${text}`);
    running = new Sequence(name, plan, { say, keepLogs: logs });
    const result = await running.run(attempt);
    running = null;
    for (const why of result.why) print(`seed ${plan.seed}: ${why}`);
    if (result.logs !== null) print(`seed ${plan.seed}: logs of all hosts: ${result.logs}`);
    print(`seed ${plan.seed}: ${showStarvation(result.starvation)}`);
    print(showResult(result));
    if (result.ok || result.unsafe || !wasStarved(result.starvation) || attempt > MAX_RETRIES) return result;
    print(`seed ${plan.seed}: the machine was starved: tried again in a fresh lab`);
  }
}

function reproduce(
  values: Readonly<Record<string, string | boolean | undefined>>,
  seed: number,
  seeds: number,
): string {
  const words = [`test/chaos/run --seeds ${seeds} --from ${seed} --relay ${values['relay']}`];
  for (const key of ['replication', 'witness', 'faults'] as const)
    if (values[key] !== undefined) words.push(`--${key} ${values[key]}`);
  return words.join(' ');
}

for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.once(signal, () => {
    console.error('chaos: told to end, putting the lab away');
    void (running?.close() ?? Promise.resolve()).finally(() => process.exit(130));
  });
}

try {
  process.exitCode = await main();
} catch (error) {
  const known = (error as Error).name === 'LabError' || (error as { code?: string }).code?.startsWith('ERR_PARSE_ARGS');
  console.error(`chaos: ${known === true ? (error as Error).message : String((error as Error).stack)}`);
  process.exitCode = 1;
}
