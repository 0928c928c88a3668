/** When things happened, out of the daemons' own logs. */
import type { LabEvent } from '../../src/events.ts';
import { readEvents } from '../../src/events.ts';
import type { Round } from './scenario.ts';
import { wallOf } from './scenario.ts';

export interface Phase {
  readonly name: string;
  readonly atMs: number;
}

const is =
  (event: string, fields: Readonly<Record<string, unknown>> = {}) =>
  (each: LabEvent): boolean =>
    each.event === event && Object.entries(fields).every(([key, value]) => each.fields[key] === value);

const STEPS: readonly { readonly name: string; readonly found: (event: LabEvent) => boolean }[] = [
  { name: 'detected', found: (e) => is('verdict.changed', { part: 'primary' })(e) || is('database.crashed')(e) },
  {
    name: 'confirmed',
    found: (e) => is('verdict.changed', { part: 'primary', to: 'failed' })(e) || is('decide.act')(e),
  },
  { name: 'fenced', found: is('fence.done') },
  { name: 'agreed', found: is('record.chosen') },
  { name: 'lease', found: is('lease.acquired') },
  { name: 'promoted', found: is('database.promoted') },
  { name: 'switched', found: is('env.switched') },
  { name: 'dns', found: is('dns.moved') },
];

/** The first of each step after the fault, as ms since it. */
export function phasesSince(round: Pick<Round, 'lab'>, faultMs: number): readonly Phase[] {
  const from = wallOf(faultMs);
  const events = readEvents(round.lab.paths, from);
  return STEPS.flatMap(({ name, found }) => {
    const first = events.find(found);
    return first === undefined ? [] : [{ name, atMs: Math.max(0, first.at - from) }];
  });
}

/** One figure for the table: `detected 0.1, agreed 1.0, ...` in seconds. */
export function notePhases(round: Round, faultMs: number): void {
  const text = phasesSince(round, faultMs).map(({ name, atMs }) => `${name} ${(atMs / 1000).toFixed(2)}`);
  if (text.length > 0) round.say(`after s: ${text.join(', ')}`);
}
