/** What came out of one sequence. */
import type { Starvation } from '../../lab/scenarios/run/starvation.ts';
import type { Figures } from '../history/check.ts';
import type { Finding } from '../history/history.ts';
import type { Plan } from '../plan/plan.ts';
import type { Convergence } from './converge.ts';

export interface Result {
  readonly plan: Plan;
  readonly ok: boolean;
  /** It failed in a way that no starved machine excuses. */
  readonly unsafe: boolean;
  /** Why it failed: findings of the history, or what did not come together. */
  readonly why: readonly string[];
  readonly findings: readonly Finding[];
  readonly figures: Figures | null;
  readonly struck: Readonly<Record<string, number>>;
  readonly convergence: Convergence | null;
  /** The client's longest time without an acknowledged write, faults included. */
  readonly longestOutageMs: number | null;
  /** Databases that the person had to make anew. */
  readonly rebuilt: number;
  readonly tookMs: number;
  readonly starvation: Starvation;
  readonly attempts: number;
  /** Where the logs of a failed one lie. */
  readonly logs: string | null;
}

const seconds = (ms: number | null | undefined): string =>
  ms === null || ms === undefined ? '?' : `${(ms / 1000).toFixed(1)} s`;

export function showResult({
  plan,
  ok,
  unsafe,
  figures,
  convergence,
  longestOutageMs,
  rebuilt,
  tookMs,
}: Result): string {
  const parts = [
    ok ? 'ok' : unsafe ? 'UNSAFE' : 'FAILED',
    `${figures?.acknowledged ?? '?'} acknowledged`,
    `${figures?.failovers ?? '?'} failovers, ${figures?.planned ?? '?'} switchovers`,
    `lost ${figures === null ? '?' : `${figures.lostWrites} + ${figures.lostNames}`}`,
    `longest outage ${seconds(longestOutageMs)}`,
    `together after ${seconds(convergence?.servedMs)}`,
    rebuilt > 0 ? `${rebuilt} rebuilt` : '',
    seconds(tookMs),
  ];
  return `seed ${plan.seed}: ${parts.filter(Boolean).join(', ')}`;
}

/** For all sequences of a run, and those that there was no time for. */
export function showTotals(results: readonly Result[], leftOut: number): string {
  const struck: Record<string, number> = {};
  for (const result of results)
    for (const [kind, count] of Object.entries(result.struck)) struck[kind] = (struck[kind] ?? 0) + count;
  const sum = (pick: (figures: Figures) => number) =>
    results.reduce((total, { figures }) => total + (figures === null ? 0 : pick(figures)), 0);
  const kinds = Object.entries(struck)
    .sort(([, a], [, b]) => b - a)
    .map(([kind, count]) => `${kind} ${count}`);
  const longest = Math.max(0, ...results.map(({ longestOutageMs }) => longestOutageMs ?? 0));
  const slowest = Math.max(0, ...results.map(({ convergence }) => convergence?.servedMs ?? 0));
  return [
    `faults struck: ${kinds.join(', ') || 'none'}`,
    `${sum((f) => f.acknowledged)} writes acknowledged, ${sum((f) => f.reads)} reads; ` +
      `lost within what was said: ${sum((f) => f.lostWrites)} at sockets, ${sum((f) => f.lostNames)} of the client`,
    `${sum((f) => f.failovers)} failovers, ${sum((f) => f.planned)} switchovers, ${sum((f) => f.entryMoves)} moves of the name; ` +
      `longest outage ${seconds(longest)}, slowest to come together ${seconds(slowest)}`,
    `${results.filter(({ ok }) => ok).length} passed, ${results.filter(({ ok }) => !ok).length} failed` +
      (leftOut > 0 ? `, ${leftOut} skipped (no time left for them)` : ''),
  ].join('\n');
}
