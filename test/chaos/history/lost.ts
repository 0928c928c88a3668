/** Acknowledged writes that are not there: none in zero-loss mode, else only within what each change said it may lose. */
import type { Change, Finding, History, SocketWrite } from './history.ts';
import { at, finding } from './history.ts';
import type { Tail } from './tails.ts';
import { inTail } from './tails.ts';

export function checkLost(history: History, tails: readonly Tail[]): readonly Finding[] {
  const { sockets, names, final } = history;
  const gone = sockets.filter(({ key }) => !final.keys.has(key));
  const outside = gone.filter((write) => !tails.some(({ lost }) => lost.includes(write)));
  const goneNames = names.filter(({ name }) => !final.names.has(name));
  const namesOutside = goneNames.filter(({ s, a }) => !inTail(tails, s, a));
  const place = history.replication === 'async' ? 'outside the tail of an epoch that failed' : 'in zero-loss mode';
  return [
    ...finding(
      'lost',
      true,
      outside,
      `writes acknowledged at a socket are lost ${place}`,
      ({ key, s, a }) => `${key}, sent at ${at(s)}, answered at ${at(a)}`,
    ),
    ...finding(
      'lost',
      true,
      namesOutside,
      `writes acknowledged to the client are lost ${place}`,
      ({ name, s, a }) => `${name}, sent at ${at(s)}, answered at ${at(a)}`,
    ),
    ...tails.flatMap((tail) => [...holes(tail), ...beyondWord(history, tail)]),
  ];
}

/** What survives of an epoch is a prefix: nothing is lost of what was answered before a survivor was sent. */
function holes({ lost, fromMs, change }: Tail): readonly Finding[] {
  const early = lost.filter(({ a }) => a < fromMs);
  return finding(
    'lost',
    true,
    early,
    `writes are lost although a later one of the same epoch, sent at ${at(fromMs)}, survived the change to epoch ${change.epoch}`,
    ({ key, a }) => `${key}, answered at ${at(a)}`,
  );
}

/** The daemons' own word: up to `received` the new primary has everything, and what lies beyond is bounded. */
function beyondWord(history: History, { lost, change }: Tail): readonly Finding[] {
  const { received } = change;
  if (lost.length === 0) return [];
  if (received === null) {
    const what = `the change to epoch ${change.epoch} lost ${lost.length} writes and did not say that it may`;
    return [{ check: 'lost', unsafe: true, what }];
  }
  const ends = endPositions(history.sockets, lost);
  const promised = lost.filter((write) => (ends.get(write) ?? Number.POSITIVE_INFINITY) <= received);
  const unsaid = lost.filter((write) => isUnsaid(write, change));
  const furthest = lost.reduce((max, { lsn }) => Math.max(max, lsn ?? 0), 0);
  const tooMuch = furthest - received > history.maxLagBytes ? [furthest - received] : [];
  return [
    ...finding(
      'lost',
      true,
      promised,
      `writes are lost that the new primary of epoch ${change.epoch} was said to have (up to ${received})`,
      (write) => `${write.key}, ended below ${ends.get(write)}`,
    ),
    ...finding(
      'lost',
      true,
      unsaid,
      `writes are lost that were answered before the old primary of epoch ${change.epoch} was seen, beyond where it was seen`,
      (write) => `${write.key}, answered at ${at(write.a)}`,
    ),
    ...finding(
      'lost',
      true,
      tooMuch,
      `tail lost beyond maxLagBytes by the change to epoch ${change.epoch}`,
      (bytes) => `${bytes} bytes`,
    ),
  ];
}

/** Longer than a probe lasts: the position was read before its answer was there. */
const PROBE_MS = 1_500;

function isUnsaid({ lsn, a }: SocketWrite, { received, lagBytes, seenAtMs }: Change): boolean {
  if (lsn === null || received === null || lagBytes === null || seenAtMs === null) return false;
  return lsn > received + lagBytes && a < seenAtMs - PROBE_MS;
}

/** A write's record ends below the position that any write sent after its answer was made at. */
function endPositions(all: readonly SocketWrite[], lost: readonly SocketWrite[]): ReadonlyMap<SocketWrite, number> {
  const ends = new Map<SocketWrite, number>();
  for (const write of lost) {
    const [era, epoch, timeline] = write.token;
    for (const { site, token, s, lsn } of all) {
      if (lsn === null || site !== write.site || s <= write.a) continue;
      if (token[0] !== era || token[1] !== epoch || token[2] !== timeline) continue;
      ends.set(write, Math.min(ends.get(write) ?? Number.POSITIVE_INFINITY, lsn));
    }
  }
  return ends;
}
