/** The changes of primary, out of the daemons' own logs. */
import { parseLsn } from '../../../src/core/lsn.ts';
import type { LabEvent } from '../../lab/src/events.ts';
import type { SiteName } from '../../lab/src/topology.ts';
import type { Belief, Change, EntryMove } from '../history/history.ts';

/** `atOf` gives the moment of a log's wall clock on the clock of the journals. */
export function changesIn(events: readonly LabEvent[], atOf: (wallMs: number) => number): readonly Change[] {
  const changes: Change[] = [];
  let current: { readonly epoch: number; readonly primary: SiteName } | undefined;
  let sinceWall = 0;
  for (const event of events) {
    if (event.event !== 'record.chosen') continue;
    const epoch = epochOf(event);
    const primary = event.fields['primary'] as SiteName;
    if (current !== undefined && epoch <= current.epoch) continue;
    if (current !== undefined) {
      const own = events.filter(({ at }) => at >= sinceWall && at <= event.at);
      changes.push({
        epoch,
        from: current.primary,
        to: primary,
        atMs: atOf(event.at),
        planned: isPlanned(own, current.primary, event),
        reason: String(event.fields['reason']),
        ...saidOf(own, atOf),
      });
    }
    current = { epoch, primary };
    sinceWall = event.at;
  }
  return changes;
}

/** All that anybody said was chosen, whatever came of it. */
export function beliefsIn(events: readonly LabEvent[]): readonly Belief[] {
  return events
    .filter(({ event }) => event === 'record.chosen')
    .map(({ host, fields }) => ({
      by: host,
      epoch: String(fields['epoch']),
      ballot: String(fields['ballot']),
      primary: fields['primary'] as SiteName,
      entry: fields['entry'] as SiteName,
      mode: String(fields['mode']),
    }));
}

/** Of the name alone, by ballot: a record is told again and again, and late. */
export function entryMovesIn(events: readonly LabEvent[], atOf: (wallMs: number) => number): readonly EntryMove[] {
  const moves: EntryMove[] = [];
  let current: { readonly epoch: number; readonly entry: SiteName; readonly counter: number } | undefined;
  for (const event of events) {
    if (event.event !== 'record.chosen') continue;
    const epoch = epochOf(event);
    const entry = event.fields['entry'] as SiteName;
    const counter = Number.parseInt(String(event.fields['ballot']), 10);
    if (current !== undefined && counter <= current.counter) continue;
    if (current !== undefined && epoch === current.epoch && entry !== current.entry)
      moves.push({ from: current.entry, to: entry, atMs: atOf(event.at), reason: String(event.fields['reason']) });
    current = { epoch, entry, counter };
  }
  return moves;
}

/** `3`, or `1.site2/3` in a forced era, which no plan contains. */
const epochOf = ({ fields }: LabEvent): number => Number(String(fields['epoch']).split('/').at(-1));

const OF_A_STOP = new Set(['database.stopped', 'database.writable', 'database.started', 'release.undone']);

/** A person ordered it, and the old primary was stopped by that order and not started again since. */
function isPlanned(events: readonly LabEvent[], from: SiteName, chosen: LabEvent): boolean {
  if (!String(chosen.fields['reason']).startsWith('ordered by')) return false;
  const last = events.findLast(({ host, event }) => host === `${from}-db` && OF_A_STOP.has(event));
  return last?.event === 'database.stopped' && last.fields['by'] === 'order';
}

/** Each round says what is known then: what one said that it has, the new primary has. */
function saidOf(events: readonly LabEvent[], atOf: (wallMs: number) => number): Said {
  const rounds = events.filter(({ event, fields }) => event === 'round.begun' && fields['intent'] === 'primary');
  let best: (Said & { readonly received: number }) | undefined;
  for (const { at, fields } of rounds) {
    const received = parseLsn(String(fields['received']));
    const [lagBytes, seenAgoMs] = [numberOf(fields['lagBytes']), numberOf(fields['seenAgoMs'])];
    const seenAtMs = seenAgoMs === null ? null : atOf(at - seenAgoMs);
    if (received !== null && received >= (best?.received ?? 0)) best = { received, lagBytes, seenAtMs };
  }
  return best ?? { received: null, lagBytes: null, seenAtMs: null };
}

type Said = Pick<Change, 'received' | 'lagBytes' | 'seenAtMs'>;

const numberOf = (value: unknown): number | null => (typeof value === 'number' ? value : null);
