/**
 * Checks the formal model of the protocol: every rule holds within the stated bounds, and every weakened rule is caught.
 *
 *   node test/spec/run.ts             what `make test` runs: some minutes on two cores
 *   node test/spec/run.ts --large     larger bounds: half an hour, several GiB
 *   node test/spec/run.ts --only L3   the cases whose name has this in it
 *   node test/spec/run.ts --json      the outcome as JSON on the standard output, progress on the other one
 *
 * It works in .state/spec. What was broken stays there: `spin -t -p` in that folder replays the way to it.
 */
import { parseArgs } from 'node:util';
import { type Case, LARGE, SMALL, WEAKENED } from './cases.ts';
import { check, folderOf, type Limits, type Outcome, stopAll } from './checker.ts';

interface Result {
  readonly each: Case;
  readonly outcome: Outcome;
  readonly ok: boolean;
}

const { values } = parseArgs({
  options: {
    large: { type: 'boolean', default: false },
    only: { type: 'string', default: '' },
    json: { type: 'boolean', default: false },
    jobs: { type: 'string', default: '2' },
  },
});

async function main(): Promise<number> {
  const limits: Limits = values.large ? { mebibytes: 10_000, seconds: 7200 } : { mebibytes: 3000, seconds: 900 };
  const all = values.large ? LARGE : [...SMALL, ...WEAKENED];
  const cases = all.filter((each) => each.name.includes(values.only.toLowerCase()));
  if (cases.length === 0) {
    console.error(`no case has ${values.only} in its name`);
    return 2;
  }
  const begun = performance.now();
  const results = await runAll(cases, limits);
  const failed = results.filter((result) => !result.ok);
  const summary = `${results.length} checks, ${failed.length} not as expected, ${Math.round((performance.now() - begun) / 1000)} s`;
  if (values.json) console.log(JSON.stringify({ summary, results: results.map(asJson) }, null, 2));
  else console.log(`\n${table(results)}\n\n${summary}`);
  return failed.length === 0 ? 0 : 1;
}

async function runAll(cases: readonly Case[], limits: Limits): Promise<Result[]> {
  const queue = [...cases.entries()];
  const results: Result[] = [];
  const worker = async (): Promise<void> => {
    for (let next = queue.shift(); next !== undefined; next = queue.shift()) {
      const [index, each] = next;
      const outcome = await check(each, limits);
      const result = { each, outcome, ok: isExpected(each, outcome) };
      results[index] = result;
      say(`${result.ok ? 'ok  ' : 'FAIL'} ${each.name}: ${sentence(result)}`);
    }
  };
  await Promise.all(Array.from({ length: Number(values.jobs) }, worker));
  return results;
}

function isExpected(each: Case, outcome: Outcome): boolean {
  return each.expect.kind === 'caught' ? outcome.kind === 'broken' : outcome.kind === 'holds';
}

/** Progress goes where it does not spoil the JSON. */
function say(line: string): void {
  if (values.json) console.error(line);
  else console.log(line);
}

function sentence({ each, outcome, ok }: Result): string {
  if (outcome.kind === 'failed') return outcome.why ?? 'the run failed';
  const { expect } = each;
  if (outcome.kind === 'broken') {
    const what = `breaks ${outcome.invariant} in ${outcome.steps} steps`;
    if (ok && expect.kind === 'caught') return `${expect.rule} weakened: ${what}`;
    return `${what}; replay it in ${folderOf(each.name)}`;
  }
  if (expect.kind === 'redundant') return `${expect.rule} weakened: redundant within the bounds: ${expect.why}`;
  return ok ? 'holds' : 'NOT CAUGHT';
}

function asJson({ each, outcome, ok }: Result): object {
  return { name: each.name, model: each.model, bounds: each.options, expect: each.expect, ok, outcome };
}

function table(results: readonly Result[]): string {
  const head = ['check', 'model', 'bounds and options', 'states', 'seconds', 'MiB', 'result'];
  const rows = results.map((result) => {
    const { each, outcome } = result;
    const numbers = [outcome.states.toLocaleString('en'), outcome.seconds.toFixed(1), String(outcome.mebibytes)];
    return [each.name, each.model, each.options, ...numbers, sentence(result)];
  });
  const widths = head.map((title, column) => Math.max(title.length, ...rows.map((row) => (row[column] ?? '').length)));
  const isNumber = (column: number): boolean => column >= 3 && column <= 5;
  const line = (row: readonly string[]): string =>
    row
      .map((cell, column) => (isNumber(column) ? cell.padStart(widths[column] ?? 0) : cell.padEnd(widths[column] ?? 0)))
      .join('  ')
      .trimEnd();
  return [head, ...rows].map(line).join('\n');
}

for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.once(signal, () => {
    stopAll();
    process.exit(130);
  });
}
process.exitCode = await main();
