import assert from 'node:assert/strict';
import { test } from 'node:test';
import { beliefsIn, changesIn, entryMovesIn } from '../../chaos/collect/changes.ts';
import type { LabEvent } from '../../lab/src/events.ts';

const event = (at: number, host: LabEvent['host'], name: string, fields: LabEvent['fields']): LabEvent => {
  const role = host.endsWith('-db') ? 'guard' : 'agent';
  return { at, host, role, level: 'info', event: name, message: '', fields };
};
const chosen = (at: number, epoch: number, primary: string, reason = 'why') =>
  event(at, 'site1-svc', 'record.chosen', { epoch: String(epoch), primary, reason });
const round = (at: number, received: string | null, lagBytes: number | null = 0) =>
  event(at, 'site2-svc', 'round.begun', { intent: 'primary', received, lagBytes, seenAgoMs: 200 });
const inOrder = (ms: number) => ms - 1000;

test('a change is the first word of a higher epoch; what is told again is none', () => {
  const events = [
    chosen(1000, 1, 'site1'),
    chosen(2000, 2, 'site2'),
    chosen(2100, 2, 'site2'),
    chosen(2200, 1, 'site1'),
  ];
  const found = changesIn(events, inOrder);
  assert.equal(found.length, 1);
  assert.deepEqual(found[0], {
    epoch: 2,
    from: 'site1',
    to: 'site2',
    atMs: 1000,
    planned: false,
    reason: 'why',
    received: null,
    lagBytes: null,
    seenAtMs: null,
  });
});

test('the furthest of what its rounds said to have been received, of this change alone', () => {
  const events = [
    chosen(1000, 1, 'site1'),
    round(1500, '0/A0', 7),
    round(1600, '0/B0', 5),
    round(1700, null, null),
    chosen(2000, 2, 'site2'),
    round(2500, '0/20', 1),
    chosen(3000, 3, 'site1'),
  ];
  const found = changesIn(events, inOrder);
  assert.deepEqual(
    found.map(({ received, lagBytes, seenAtMs }) => [received, lagBytes, seenAtMs]),
    [
      [0xb0, 5, 400],
      [0x20, 1, 1300],
    ],
  );
});

test('planned: ordered, and the old primary stopped by that order and not going on since', () => {
  const order = 'ordered by a person';
  const stopped = event(1500, 'site1-db', 'database.stopped', { by: 'order' });
  const begin = chosen(1000, 1, 'site1');
  const planned = (events: readonly LabEvent[]) => changesIn(events, inOrder)[0]?.planned;
  assert.equal(planned([begin, stopped, chosen(2000, 2, 'site2', order)]), true);
  assert.equal(planned([begin, chosen(2000, 2, 'site2', order)]), false);
  assert.equal(planned([begin, stopped, chosen(2000, 2, 'site2', 'its guard gave it up')]), false);
  const wentOn = event(1700, 'site1-db', 'database.writable', {});
  assert.equal(planned([begin, stopped, wentOn, chosen(2000, 2, 'site2', order)]), false);
  const other = event(1500, 'site1-db', 'database.stopped', { by: 'somebody' });
  assert.equal(planned([begin, other, chosen(2000, 2, 'site2', order)]), false);
});

test('a move of the name is one of the same primary, told once', () => {
  const entry = (at: number, ballot: string, epoch: number, name: string) =>
    event(at, 'site1-svc', 'record.chosen', {
      ballot,
      epoch: String(epoch),
      primary: 'site1',
      entry: name,
      reason: 'why',
    });
  const events = [
    entry(1000, '1.site1', 1, 'site1'),
    entry(2000, '2.site2', 1, 'site2'),
    entry(2100, '1.site1', 1, 'site1'),
    entry(2200, '2.site2', 1, 'site2'),
    entry(3000, '10.site1', 2, 'site1'),
  ];
  assert.deepEqual(entryMovesIn(events, inOrder), [{ from: 'site1', to: 'site2', atMs: 1000, reason: 'why' }]);
});

test('all that anybody took for chosen is kept, told again or not', () => {
  const found = beliefsIn([
    chosen(1000, 1, 'site1'),
    chosen(2000, 2, 'site2'),
    chosen(2100, 2, 'site1'),
    round(2200, null),
  ]);
  assert.deepEqual(
    found.map(({ epoch, primary }) => `${epoch} ${primary}`),
    ['1 site1', '2 site2', '2 site1'],
  );
});
