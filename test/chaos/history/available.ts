/**
 * I6, as far as it can be asked for among faults: while nothing is struck any more, clients write again within the longest
 * promise, a confirmation, a failover of a whole site and the time to live of the name (docs/TIMING.md). The bounds of
 * single faults in a calm cluster are held by test/lab/suite.
 */
import type { Finding, History } from './history.ts';
import { at, finding } from './history.ts';

const BOUND_MS = 15_750 + 2_300 + 8_800 + 10_000;
/** A host that has its power back starts before it can be counted on. */
const STARTS_MS = 5_000;

interface Gap {
  readonly fromMs: number;
  readonly toMs: number;
}

export function checkAvailable({ names, impairments }: History): readonly Finding[] {
  const answers = names.map(({ a }) => a).sort((a, b) => a - b);
  const gaps = answers.flatMap((toMs, index): readonly Gap[] => {
    const fromMs = answers[index - 1] ?? toMs;
    return toMs - fromMs > BOUND_MS ? [{ fromMs, toMs }] : [];
  });
  const calm = gaps
    .flatMap((gap) => calmParts(gap, impairments))
    .filter(({ fromMs, toMs }) => toMs - fromMs > BOUND_MS);
  return finding(
    'unavailable',
    false,
    calm,
    'times without a write although nothing was struck any more',
    ({ fromMs, toMs }) => `${((toMs - fromMs) / 1000).toFixed(1)} s from ${at(fromMs)}`,
  );
}

/** What is left of a gap without the times of impairments. */
function calmParts(gap: Gap, impairments: History['impairments']): readonly Gap[] {
  let parts: readonly Gap[] = [gap];
  for (const each of impairments) {
    const toMs = each.toMs + STARTS_MS;
    parts = parts.flatMap((part) => [
      ...(each.fromMs > part.fromMs ? [{ fromMs: part.fromMs, toMs: Math.min(part.toMs, each.fromMs) }] : []),
      ...(toMs < part.toMs ? [{ fromMs: Math.max(part.fromMs, toMs), toMs: part.toMs }] : []),
    ]);
  }
  return parts;
}
