/** I1 and I3 as they can be seen at the databases' own sockets. */
import type { Finding, SocketWrite } from './history.ts';
import { at, compareTokens, finding } from './history.ts';

/**
 * A write that was *sent* after the answer to a write of a higher token had arrived, and was acknowledged all the same:
 * another site's is two databases at once (I1), the own site's an epoch that came back (I3).
 */
export function checkOrder(writes: readonly SocketWrite[]): readonly Finding[] {
  const byAnswer = writes.toSorted((a, b) => a.a - b.a);
  const bySending = writes.toSorted((a, b) => a.s - b.s);
  const overlaps: Pair[] = [];
  const returns: Pair[] = [];
  let next = 0;
  // The highest token answered so far at each site: one of the other site counts even below one of the own.
  const highest = new Map<string, SocketWrite>();
  for (const write of bySending) {
    for (; next < byAnswer.length; next += 1) {
      const answered = byAnswer[next];
      if (answered === undefined || answered.a >= write.s) break;
      const before = highest.get(answered.site);
      if (before === undefined || compareTokens(answered.token, before.token) > 0) highest.set(answered.site, answered);
    }
    for (const [site, earlier] of highest) {
      if (compareTokens(write.token, earlier.token) >= 0) continue;
      (site === write.site ? returns : overlaps).push({ write, earlier });
    }
  }
  return [
    ...finding('overlap', true, overlaps, 'writes were acknowledged while the other site had a later epoch', showPair),
    ...finding('epochs', true, returns, 'writes were acknowledged in an epoch that was over', showPair),
  ];
}

/** The same seen as intervals: from a site's first sending to its last answer in one epoch no two sites meet. */
export function checkIntervals(writes: readonly SocketWrite[]): readonly Finding[] {
  const spans = new Map<string, Span>();
  for (const { site, token, s, a } of writes) {
    const key = `${site} ${token.join('.')}`;
    const span = spans.get(key) ?? { key, site, s, a };
    // When it was sent proves nothing yet: only from its answer on the database is known to have taken it.
    spans.set(key, { ...span, s: Math.min(span.s, a), a: Math.max(span.a, s) });
  }
  const all = [...spans.values()];
  const met = all.flatMap((one, index) =>
    all.slice(index + 1).flatMap((other) => (meet(one, other) ? [{ one, other }] : [])),
  );
  return finding(
    'overlap',
    true,
    met,
    'pairs of epochs of two sites overlap',
    ({ one, other }) =>
      `${one.key} from ${at(one.s)} to ${at(one.a)} and ${other.key} from ${at(other.s)} to ${at(other.a)}`,
  );
}

interface Pair {
  readonly write: SocketWrite;
  readonly earlier: SocketWrite;
}

interface Span {
  readonly key: string;
  readonly site: string;
  readonly s: number;
  readonly a: number;
}

const meet = (one: Span, other: Span) => one.site !== other.site && one.s < other.a && other.s < one.a;

const showPair = ({ write, earlier }: Pair): string =>
  `${write.site} took ${write.key} in ${write.token.join('.')}, sent at ${at(write.s)}, ` +
  `${earlier.site} had answered in ${earlier.token.join('.')} at ${at(earlier.a)}`;
