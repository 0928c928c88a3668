/**
 * Runs the suites of one plan (suites.ts), two at a time, and says for each when it began, what came out and how long it
 * took. Whole logs go to .state/logs/; of a suite that failed the end of its log is shown. The last line sums up.
 *
 *   node scripts/run-suites.ts check|unit|contract|lab|test|slow [--minutes N]
 *
 * With `--minutes`, suites that consist of parts begin none after that time; what is left out is said and counted as skipped.
 */
import { mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { endAll, runCommand } from './suite-process.ts';
import { planNames, type Suite, stagesOf } from './suites.ts';

const root = join(import.meta.dirname, '..');
const logFolder = join(root, '.state/logs');
const SIDE_BY_SIDE = 2;
const TAIL_LINES = 80;
/** A lab takes half of it to be made. */
const LEAST_SECONDS = 60;

interface Result {
  readonly suite: Suite;
  readonly ok: boolean;
  /** It did not begin: there was no time left. */
  readonly leftOut: boolean;
  readonly seconds: number;
  readonly counts: Counts;
}

interface Counts {
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
}

const NOTHING: Counts = { passed: 0, failed: 0, skipped: 0 };

const begun = performance.now();
let stopped = false;
let minutes = Number.POSITIVE_INFINITY;

async function main(): Promise<number> {
  const { values, positionals } = parseArgs({ options: { minutes: { type: 'string' } }, allowPositionals: true });
  const [plan] = positionals;
  const stages = plan === undefined ? undefined : stagesOf(plan);
  if (plan === undefined || stages === undefined) {
    console.error(`say which: ${planNames().join(', ')}`);
    return 2;
  }
  if (values.minutes !== undefined) minutes = Number(values.minutes);
  if (!(minutes > 0)) {
    console.error(`--minutes is a number above 0, not "${values.minutes}"`);
    return 2;
  }
  mkdirSync(logFolder, { recursive: true });
  const results: Result[] = [];
  for (const stage of stages) results.push(...(await runStage(plan, stage)));
  return report(plan, results, secondsSince(begun));
}

async function runStage(plan: string, suites: readonly Suite[]): Promise<Result[]> {
  const queue = [...suites];
  const results: Result[] = [];
  const worker = async (): Promise<void> => {
    for (let suite = queue.shift(); suite !== undefined && !stopped; suite = queue.shift()) {
      results.push(await runSuite(plan, suite));
    }
  };
  await Promise.all(Array.from({ length: SIDE_BY_SIDE }, worker));
  return results;
}

async function runSuite(plan: string, suite: Suite): Promise<Result> {
  const live = suite.shown === true;
  const logName = `.state/logs/${plan}-${suite.name}.log`;
  const left = minutes * 60 - secondsSince(begun);
  const bounded = suite.inParts === true && Number.isFinite(left);
  if ((bounded || suite.mayBeLeftOut === true) && left < LEAST_SECONDS) {
    say(`${suite.name}: left out, the ${minutes} minutes are over`);
    return { suite, ok: true, leftOut: true, seconds: 0, counts: NOTHING };
  }
  const command = bounded ? [...suite.command, '--minutes', (left / 60).toFixed(1)] : suite.command;
  say(`${suite.name}: started${live ? `, at most ${suite.limitSeconds} s` : ''}`);
  const begin = performance.now();
  const ok = await runCommand({ ...suite, command }, join(root, logName));
  const seconds = secondsSince(begin);
  const text = readFileSync(join(root, logName), 'utf8');
  const counts = countTests(text);
  const tests = counts.passed + counts.failed > 0 ? `, ${counts.passed} passed, ${counts.failed} failed` : '';
  say(`${suite.name}: ${ok ? 'ok' : stopped ? 'stopped' : 'FAILED'}${tests}, ${seconds.toFixed(1)} s`);
  if (!ok && !stopped) {
    if (!live) console.log(tail(text));
    console.log(`    the whole log: ${logName}`);
  }
  return { suite, ok, leftOut: false, seconds, counts };
}

/** node:test ends with "ℹ pass N", the lab's suite with "N passed, N failed". */
function countTests(log: string): Counts {
  const ofNode = (word: string): number => Number(new RegExp(`^[ℹ#] ${word} (\\d+)$`, 'mu').exec(log)?.[1] ?? 0);
  const lines = [...log.matchAll(/(\d+) passed, (\d+) failed(?:, (\d+) skipped)?/g)];
  const last = lines.at(-1);
  if (last !== undefined) return { passed: Number(last[1]), failed: Number(last[2]), skipped: Number(last[3] ?? 0) };
  return { passed: ofNode('pass'), failed: ofNode('fail') + ofNode('cancelled'), skipped: ofNode('skipped') };
}

function report(plan: string, results: readonly Result[], seconds: number): number {
  const sum = (pick: (counts: Counts) => number): number => results.reduce((all, one) => all + pick(one.counts), 0);
  const bad = results.filter((result) => !result.ok);
  const leftOut = results.filter((result) => result.leftOut).map((result) => result.suite.name);
  const [passed, failed, skipped] = [sum((c) => c.passed), sum((c) => c.failed), sum((c) => c.skipped)];
  if (passed + failed > 0) console.log(`tests: ${passed} passed, ${failed} failed, ${skipped} skipped`);
  const names = bad.map((result) => result.suite.name).join(', ');
  console.log(
    `${plan}: ${results.length - bad.length - leftOut.length} passed, ${bad.length} failed${names && ` (${names})`}, ` +
      `${leftOut.length > 0 ? `${leftOut.length} left out (${leftOut.join(', ')}), ` : ''}${seconds.toFixed(0)} s`,
  );
  return bad.length === 0 && results.length > 0 && !stopped ? 0 : 1;
}

/** What failed, where node:test says it at the end, else the last lines. */
function tail(text: string): string {
  const failures = text.slice(text.lastIndexOf('✖ failing tests:'));
  const lines = text.includes('✖ failing tests:')
    ? failures.trimEnd().split('\n').slice(0, TAIL_LINES)
    : text.trimEnd().split('\n').slice(-TAIL_LINES);
  return lines.map((line) => `    ${line}`).join('\n');
}

function say(text: string): void {
  console.log(`${new Date().toISOString().slice(11, 19)} ${text}`);
}

function secondsSince(begun: number): number {
  return (performance.now() - begun) / 1000;
}

for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.on(signal, () => {
    stopped = true;
    endAll();
  });
}

process.exitCode = await main();
