/**
 * The sums that the timings must satisfy (protocol.md "Timing"), as data: `rules.ts` refuses a file that breaks one,
 * `explain.ts` prints them all, docs/TIMING.md states them by these ids.
 */
import type { ClusterConfig } from './cluster.ts';
import { formatDuration } from './units.ts';

export interface Sum {
  readonly id: string;
  /** What holds as long as the sum does. */
  readonly why: string;
  readonly terms: readonly Term[];
  readonly limit: { readonly key: string; readonly ms: number };
  readonly holds: boolean;
}

interface Term {
  /** As the operator writes it: a key's last name, with a factor where there is one. */
  readonly name: string;
  readonly ms: number;
}

/** The fuse looks every 0.2 s; one look and one kill of a dozen processes (30 ms measured) stay below this. */
export const FUSE_LOOK_AND_KILL_MS = 250;

export function timingSums(config: Pick<ClusterConfig, 'lease' | 'witness'>): readonly Sum[] {
  const { lease, witness } = config;
  const register = witness.kind === 'route53';
  const P: Term = { name: 'renewEvery', ms: lease.renewEveryMs };
  const F: Term = { name: 'fenceBudget', ms: lease.fenceBudgetMs };
  // Without a register a "leg" is one exchange between agents.
  const leg = register ? 'registerLeg' : 'roundTrip';
  const d = register ? lease.registerLegMs : lease.roundTripMs;
  const ttl = { key: 'lease.ttl', ms: lease.ttlMs };
  const fuse = { key: 'lease.fuseBudget', ms: lease.fuseBudgetMs };
  const common = [
    sum(
      'T4',
      'a guard that released waits long enough for either agent to choose the change',
      { key: 'lease.releaseWait', ms: lease.releaseWaitMs },
      [
        { name: 'otherDelay', ms: lease.otherDelayMs },
        { name: `2 ${leg}`, ms: 2 * d },
      ],
    ),
    sum(
      'T5',
      'the guard tries to stop the database cleanly before the fuse kills it',
      { key: 'lease.fenceBudget', ms: lease.fenceBudgetMs },
      [{ name: 'fuseBudget', ms: lease.fuseBudgetMs }],
    ),
    sum('T6', 'the fuse looks and kills in time', fuse, [{ name: 'one look and one kill', ms: FUSE_LOOK_AND_KILL_MS }]),
  ];
  if (!register) {
    const trips: Term = { name: '2 roundTrip', ms: 2 * lease.roundTripMs };
    const quiet = [{ name: '2 renewEvery', ms: 2 * P.ms }, trips, F];
    return [sum('T3', 'one bad link or one dead voter never costs a healthy primary its lease', ttl, quiet), ...common];
  }
  const w: Term = { name: 'witnessAfter', ms: lease.witnessAfterMs };
  const longTtl = { key: 'lease.witnessTtl', ms: lease.witnessTtlMs };
  const every: Term = { name: 'witnessEvery', ms: lease.witnessEveryMs };
  return [
    sum('T1', 'one bad link or one dead voter never costs a healthy primary its lease', ttl, [
      P,
      w,
      { name: '3 registerLeg', ms: 3 * d },
      F,
    ]),
    sum('T2', 'one long round that fails costs a healthy primary nothing', longTtl, [
      every,
      P,
      { name: '5 registerLeg', ms: 5 * d },
      F,
    ]),
    ...common,
    sum('T7', 'a missing grant is noticed before the next round begins', { key: 'lease.renewEvery', ms: P.ms }, [w]),
    sum('T8', 'a long lease is longer than a quiet one', longTtl, [{ name: 'ttl', ms: lease.ttlMs }]),
  ];
}

function sum(id: string, why: string, limit: Sum['limit'], terms: readonly Term[]): Sum {
  return { id, why, terms, limit, holds: totalOf(terms) < limit.ms };
}

function totalOf(terms: readonly Term[]): number {
  return terms.reduce((total, term) => total + term.ms, 0);
}

export function sumTotal(sum: Sum): number {
  return totalOf(sum.terms);
}

/** `renewEvery 0.75s + witnessAfter 0.4s + ... = 5.65s < lease.ttl 6s`. */
export function formatSum(sum: Sum): string {
  const terms = sum.terms.map((term) => `${term.name} ${formatDuration(term.ms)}`).join(' + ');
  const total = sum.terms.length > 1 ? ` = ${formatDuration(totalOf(sum.terms))}` : '';
  const relation = sum.holds ? '<' : 'is not less than';
  return `${terms}${total} ${relation} ${sum.limit.key} ${formatDuration(sum.limit.ms)}`;
}
