import assert from 'node:assert/strict';
import { test } from 'node:test';
import { checkHistory } from '../../chaos/history/check.ts';
import type { History } from '../../chaos/history/history.ts';
import { after, before, failover, get, history, power, put, read, without, write } from './histories.ts';

const found = (h: History) => checkHistory(h).findings.map(({ check }) => check);
const passes = (h: History) => assert.deepEqual(checkHistory(h).findings, []);
const all = [...before, ...after];

test('a good life passes, with its figures', () => {
  passes(history());
  const { figures } = checkHistory(history());
  assert.equal(figures.failovers, 1);
  assert.equal(figures.lostWrites, 0);
  assert.deepEqual(figures.reasons, ['epoch 2: #1 database-power']);
});

test('I1: a write of the old primary that was sent after the new one had answered', () => {
  const late = write('site1', 1, 12_000);
  assert.deepEqual([...new Set(found(history({ sockets: [...all, late] })))], ['overlap']);
});

test('I1: a write that was on its way when the new primary began is not one of two at once', () => {
  passes(history({ sockets: [...all, write('site1', 1, 8_990, { a: 11_000 })] }));
});

test('I3: an epoch that comes back at the same site', () => {
  const back = write('site2', 1, 15_050, { token: [0, 1, 1] });
  assert.ok(found(history({ sockets: [...all, back] })).includes('epochs'));
});

test('I2: an epoch is skipped, or moves nothing', () => {
  assert.deepEqual(found(history({ changes: [failover, { ...failover, epoch: 4, from: 'site2', to: 'site1' }] })), [
    'epochs',
    'needless',
  ]);
  assert.ok(found(history({ changes: [{ ...failover, from: 'site2' }] })).includes('epochs'));
});

test('asynchronous: the tail behind what the new primary was said to have may be lost', () => {
  const tail = before.slice(-5);
  const received = tail[0]?.lsn ?? 0;
  const h = history({ changes: [{ ...failover, received }] }, { keys: without(all, tail) });
  passes(h);
  assert.equal(checkHistory(h).figures.lostWrites, 5);
});

test('zero-loss: no tail may be lost', () => {
  const tail = before.slice(-1);
  for (const replication of ['zero-loss', 'zero-loss-strict'] as const)
    assert.deepEqual(found(history({ replication }, { keys: without(all, tail) })), ['lost']);
});

test('a planned change loses nothing', () => {
  const h = history({ changes: [{ ...failover, planned: true }] }, { keys: without(all, before.slice(-1)) });
  assert.deepEqual(found(h), ['lost']);
});

test('a hole: lost although a later write of the same epoch survived', () => {
  const hole = before.slice(40, 41);
  const changes = [{ ...failover, received: 0 }];
  assert.deepEqual(found(history({ changes }, { keys: without(all, hole) })), ['lost']);
});

test('lost although the new primary was said to have it', () => {
  const tail = before.slice(-5);
  const received = (before.at(-1)?.lsn ?? 0) + 1;
  assert.deepEqual(found(history({ changes: [{ ...failover, received }] }, { keys: without(all, tail) })), ['lost']);
});

test('lost, and the change did not say what it might lose', () => {
  const h = history({ changes: [{ ...failover, received: null }] }, { keys: without(all, before.slice(-1)) });
  assert.deepEqual(found(h), ['lost']);
});

test('lost beyond where the old primary was seen, although answered long before it was seen', () => {
  const tail = before.slice(-50);
  const said = { ...failover, received: tail[0]?.lsn ?? 0, lagBytes: 1_000 };
  const lost = { keys: without(all, tail) };
  passes(history({ changes: [{ ...said, seenAtMs: (tail[0]?.a ?? 0) + 1_000 }] }, lost));
  assert.deepEqual(found(history({ changes: [{ ...said, seenAtMs: 8_900 }] }, lost)), ['lost']);
});

test('a tail of more than maxLagBytes', () => {
  const changes = [{ ...failover, received: before.at(-6)?.lsn ?? 0 }];
  const h = history({ changes, maxLagBytes: 10 }, { keys: without(all, before.slice(-5)) });
  assert.deepEqual(found(h), ['lost']);
});

test('lost after the last change, or without any', () => {
  assert.deepEqual(found(history({}, { keys: without(all, after.slice(-1)) })), ['lost']);
  const h = history({ changes: [], sockets: before }, { keys: without(before, before.slice(-1)) });
  assert.deepEqual(found(h), ['lost']);
});

test("the client's names are held against the same tail", () => {
  const tail = before.slice(-5);
  const changes = [{ ...failover, received: tail[0]?.lsn ?? 0 }];
  const names = [{ name: 'tail', s: 8_800, a: 8_810 }];
  passes(history({ changes, names }, { keys: without(all, tail), names: new Set() }));
  const early = [{ name: 'early', s: 1_000, a: 1_010 }];
  assert.deepEqual(found(history({ changes, names: early }, { keys: without(all, tail), names: new Set() })), ['lost']);
});

test('a read that misses an acknowledged name, and one that finds it again', () => {
  assert.deepEqual(found(history({ nameReads: [read('early', 2_000, false)] })), ['backwards']);
  passes(history({ nameReads: [read('early', 500, false), read('early', 2_000, true)] }));
  const lostAndBack = [read('gone', 11_000, false), read('gone', 12_000, true)];
  assert.deepEqual(found(history({ nameReads: lostAndBack })), ['backwards']);
});

const registers = (value: number | null) => ({ registers: new Map(value === null ? [] : [['reg', value]]) });

test('registers: reads between two writes may show either, not less', () => {
  const registerWrites = [put(1, 1_000), put(2, 2_000), put(3, 3_000)];
  passes(history({ registerWrites, registerReads: [get(1, 1_998), get(2, 2_001), get(3, 3_100)] }, registers(3)));
  const back = [get(2, 2_500), get(1, 2_600)];
  assert.deepEqual(found(history({ registerWrites, registerReads: back }, registers(3))), ['backwards']);
  const stale = [get(2, 3_100)];
  assert.deepEqual(found(history({ registerWrites, registerReads: stale }, registers(3))), ['backwards']);
  assert.deepEqual(found(history({ registerWrites }, registers(2))), ['backwards']);
  assert.deepEqual(found(history({ registerWrites }, registers(null))), ['backwards']);
});

test('registers: a write of unknown end may show late or never, and once shown it stays', () => {
  const registerWrites = [put(1, 1_000), put(2, 2_000, null)];
  passes(history({ registerWrites, registerReads: [get(1, 3_000), get(2, 4_000)] }, registers(2)));
  passes(history({ registerWrites, registerReads: [get(1, 3_000)] }, registers(1)));
  const back = [get(2, 4_000), get(1, 5_000)];
  assert.deepEqual(found(history({ registerWrites, registerReads: back }, registers(2))), ['backwards']);
});

test('registers: a value of the lost tail may go back after the change, not before, and never in zero-loss', () => {
  const tail = before.slice(-5);
  const changes = [{ ...failover, received: tail[0]?.lsn ?? 0 }];
  const registerWrites = [put(1, 1_000), put(2, 8_800)];
  const lost = { keys: without(all, tail), ...registers(1) };
  passes(history({ changes, registerWrites, registerReads: [get(2, 8_900), get(1, 11_000)] }, lost));
  const early = [get(2, 8_900), get(1, 9_000)];
  assert.deepEqual(found(history({ changes, registerWrites, registerReads: early }, lost)), ['backwards']);
  const replication = 'zero-loss' as const;
  assert.ok(found(history({ replication, changes, registerWrites }, lost)).includes('backwards'));
});

test('needless: nothing had happened, or one voter alone, or another host', () => {
  assert.deepEqual(found(history({ impairments: [] })), ['needless']);
  const one = (what: string) => [{ ...power, what }];
  for (const what of ['site1-svc', 'site2-svc', 'witness', 'site2-db', 'site1-app', 'site1-svc>site2-svc'])
    assert.deepEqual(found(history({ impairments: one(what) })), ['needless'], what);
  assert.deepEqual(found(history({ impairments: [{ ...power, fromMs: -40_000, toMs: -30_000 }] })), ['needless']);
});

test('needed: the database struck, or its guard without a majority', () => {
  const both = (a: string, b: string) => [
    { ...power, what: a },
    { ...power, what: b },
  ];
  passes(history({ impairments: both('site1-svc', 'site2-svc') }));
  passes(history({ impairments: both('site2-svc>site1-db', 'witness') }));
  passes(history({ witness: 'agent', impairments: both('site1-db>witness', 'site2-svc') }));
  passes(history({ impairments: both('site2-svc', 'site1-svc>zone') }));
  assert.deepEqual(found(history({ impairments: both('site2-svc>zone', 'site1-db>witness') })), ['needless']);
  const inTurn = [
    { ...power, what: 'site1-svc', fromMs: -10_000, toMs: -9_000 },
    { ...power, what: 'site2-svc', fromMs: 5_000, toMs: 6_000 },
  ];
  assert.deepEqual(found(history({ impairments: inTurn })), ['needless']);
});

test('epochs: whoever says so, an epoch has one primary and a ballot one record', () => {
  const belief = {
    by: 'site1-svc',
    epoch: '2',
    ballot: '7.site1',
    primary: 'site1',
    entry: 'site1',
    mode: 'auto',
  } as const;
  passes(
    history({ beliefs: [belief, { ...belief, by: 'site2-db' }, { ...belief, ballot: '8.site2', mode: 'paused' }] }),
  );
  const fork = { ...belief, by: 'site2-svc', ballot: '9.site2', primary: 'site2' } as const;
  assert.deepEqual(found(history({ beliefs: [belief, fork] })), ['epochs']);
  assert.deepEqual(found(history({ beliefs: [belief, { ...belief, mode: 'paused' }] })), ['epochs']);
});

test('needless: the name moves although nothing touched its site and the primary stayed', () => {
  const move = { from: 'site1', to: 'site2', atMs: 60_000, reason: 'why' } as const;
  assert.deepEqual(found(history({ entryMoves: [move] })), ['needless']);
  passes(history({ entryMoves: [{ ...move, atMs: 12_000 }] }));
  const struck = (what: string) => [power, { fault: '#2', what, fromMs: 50_000, toMs: 55_000 }];
  passes(history({ entryMoves: [move], impairments: struck('site1-haproxy') }));
  assert.deepEqual(found(history({ entryMoves: [move], impairments: struck('site2-svc') })), ['needless']);
});

test('unavailable: no write for long although nothing is struck any more', () => {
  const names = (...answers: readonly number[]) => answers.map((a) => ({ name: `n${a}`, s: a - 5, a }));
  passes(history({ names: names(1_000, 9_000, 45_000) }));
  assert.deepEqual(found(history({ names: names(1_000, 9_000, 60_000) })), ['unavailable']);
  const long = [power, { fault: '#2', what: 'site2-db', fromMs: 30_000, toMs: 30_000 }];
  passes(history({ names: names(1_000, 9_000, 60_000), impairments: long }));
});
