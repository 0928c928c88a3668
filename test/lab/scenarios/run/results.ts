/** What came out of a round, and the table of all of them. */
import type { WitnessKind } from '../../src/cluster-file.ts';
import type { Scenario } from '../kit/scenario.ts';
import { seconds } from '../kit/scenario.ts';
import type { Starvation } from './starvation.ts';

export interface Result {
  readonly id: string;
  readonly title: string;
  readonly witness: WitnessKind;
  readonly ok: boolean;
  readonly tookMs: number;
  readonly outageMs: number | null;
  /** Null where the round states no bound. */
  readonly boundMs: number | null;
  readonly figures: Readonly<Record<string, string | number>>;
  /** It failed in a way that no starved machine excuses. */
  readonly unsafe: boolean;
  /** It did not begin: its lab could not be made. */
  readonly noLab: boolean;
  /** It failed by its bound alone. */
  readonly late: boolean;
  /** It was late again and again on a machine too busy to measure on: no failure, and no success. */
  readonly notJudged: boolean;
  /** Why it failed. */
  readonly why: string | null;
  readonly starvation: Starvation;
  readonly attempts: number;
  /** Where the logs of a failed round lie. */
  readonly logs: string | null;
}

export function boundOf(scenario: Scenario, bounded: boolean): number | null {
  return bounded ? (scenario.boundMs ?? null) : null;
}

export function table(results: readonly Result[]): string {
  const rows = results.map((result) => [
    result.id,
    result.ok ? 'ok' : result.notJudged ? 'not judged' : 'FAILED',
    result.title,
    result.witness,
    result.outageMs === null ? '-' : seconds(result.outageMs),
    result.boundMs === null ? '-' : seconds(result.boundMs),
    Object.entries(result.figures)
      .filter(([name]) => name !== 'outage')
      .map(([name, value]) => `${name} ${value}`)
      .join(', '),
  ]);
  const head = ['id', 'result', 'scenario', 'witness', 'outage', 'bound', 'measured'];
  const widths = head.map((name, column) => Math.max(name.length, ...rows.map((row) => row[column]?.length ?? 0)));
  const line = (row: readonly string[]) =>
    row
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join('  ')
      .trimEnd();
  return [line(head), line(widths.map((width) => '-'.repeat(Math.min(width, 60)))), ...rows.map(line)].join('\n');
}

export const hasFailed = ({ ok, notJudged }: Result): boolean => !ok && !notJudged;

/** Of so many scenarios: those without a result were not begun, for want of time. */
export function closingLine(results: readonly Result[], scenarios: number): string {
  const failed = results.filter(hasFailed).length;
  const notJudged = results.filter((result) => result.notJudged).length;
  const leftOut = scenarios - results.length;
  const why = [
    ...(notJudged > 0 ? [`${notJudged} on too busy a machine to judge their times`] : []),
    ...(leftOut > 0 ? [`${leftOut} for want of time`] : []),
  ];
  const skipped = why.length === 0 ? '' : `, ${notJudged + leftOut} skipped (${why.join(', ')})`;
  return `${results.length - failed - notJudged} passed, ${failed} failed${skipped}`;
}
