// Replication and zero-loss mode held against the facts (V8, docs/decisions/0007-zero-loss.md).

import assert from 'node:assert/strict';
import { always, Pair, row, test } from './postgres.kit.ts';

test('asynchronous: what was acknowledged may be missing on the standby, within what the link took', () => {
  const pair = new Pair();
  pair.cut(true);
  const { write, end } = pair.commit(pair.site1);
  assert.deepEqual([end, pair.site2.contains(write)], ['acknowledged', false]);
  pair.cut(false);
  pair.run(10_000);
  assert.equal(pair.site2.contains(write), true, 'it is sent again once the link is back');
});

test('synchronous: nothing is acknowledged that the standby has not on its disk, whatever is cut when', () => {
  let acknowledged = 0;
  for (let seed = 0; seed < 60; seed += 1) {
    const pair = new Pair(`sync ${seed}`);
    const { db } = pair.guard(pair.site1);
    pair.value(4000, db.setWaits(true, 3000));
    assert.equal(pair.value(1000, db.ask(700)).sync?.standby, 'sync');
    pair.site1.sessions.onAcknowledge = ({ write }) => {
      acknowledged += 1;
      assert.equal(pair.site2.contains(write), true);
    };
    for (let n = 0; n < 30; n += 1) {
      if (n % 5 === 0) pair.cut(pair.random.ratio(1, 2));
      if (n % 7 === 0) pair.site2.receiver.stall(pair.random.ratio(1, 2));
      if (n === 15) pair.site2.faults.crashBackend();
      if (n === 20) pair.site2.faults.hangDisk();
      if (n === 23) pair.site2.faults.thawDisk();
      pair.commit(pair.site1, pair.random.range(5, 300));
    }
  }
  assert.ok(acknowledged > 300, `${acknowledged}`);
});

test('synchronous: a wait that is cut off is in doubt, stays on disk, and comes to light after a restart', () => {
  const pair = new Pair();
  const { db } = pair.guard(pair.site1);
  pair.value(4000, db.setWaits(true, 3000));
  pair.cut(true);
  const waiting = pair.commit(pair.site1, 300);
  assert.deepEqual([waiting.end, pair.site1.sessions.waiting, pair.site1.contains(waiting.write)], [null, 1, true]);
  pair.site1.faults.crash();
  pair.run(1);
  assert.equal(pair.site1.contains(waiting.write), true);
  pair.value(6000, db.startPrimary(true, 5000, always));
  let highest: number | null = null;
  pair.site1.sessions.highest(pair.client, pair.site1.sessions.greet().session, (id) => {
    highest = id;
  });
  pair.run(10);
  assert.equal(highest, waiting.write);
  assert.equal(pair.commit(pair.site1, 1000).end, null, 'it waits again');
});

test('turning the waiting off tells those who waited that they are done', () => {
  const pair = new Pair();
  const { db } = pair.guard(pair.site1);
  pair.value(4000, db.setWaits(true, 3000));
  pair.cut(true);
  const told: number[] = [];
  pair.site1.sessions.onAcknowledge = ({ write }) => told.push(write);
  const { write, end } = pair.commit(pair.site1, 300);
  assert.equal(end, null);
  pair.value(1000, db.beat(row(1, 1), 700));
  pair.value(1000, db.setWaits(false, 700));
  pair.run(3000);
  assert.deepEqual(told, [write]);
});

test('turning it on is not done while the standby confirms nothing', () => {
  const pair = new Pair();
  const { db } = pair.guard(pair.site1);
  pair.cut(true);
  assert.notEqual(pair.within(3500, db.setWaits(true, 3000))?.kind, 'done');
});

test('a stalled receiver does not move; one that lags has received and not replayed', () => {
  const pair = new Pair();
  const { db } = pair.guard(pair.site1);
  const before = pair.site2.data.flushed;
  pair.site2.receiver.stall(true);
  pair.value(1000, db.beat(row(1, 1), 700));
  pair.run(1000);
  assert.equal(pair.site2.data.flushed, before);
  pair.site2.receiver.lagMs = 500;
  pair.site2.receiver.stall(false);
  pair.run(200);
  assert.equal(pair.site2.data.flushed, pair.site1.data.flushed);
  assert.equal(pair.site2.receiver.replayed().row, null);
  pair.run(500);
  assert.equal(pair.site2.receiver.replayed().row?.beat, 1);
});

test('a fast stop waits for its standby; a promotion replays what was received first', () => {
  const pair = new Pair();
  const [one, two] = [pair.guard(pair.site1), pair.guard(pair.site2)];
  pair.site2.receiver.stall(true);
  pair.commit(pair.site1);
  const stopped = pair.within(3100, one.db.stopFast(3000));
  assert.deepEqual([stopped?.kind, pair.site1.isWritable()], ['unknown', false]);
  pair.site2.receiver.lagMs = 900;
  pair.site2.receiver.stall(false);
  pair.run(300);
  assert.equal(pair.site1.processesLeft(), false);
  const { write } = { write: pair.site1.data.flushed.highest };
  pair.value(6000, two.db.promote(false, 5000, always));
  assert.equal(pair.site2.visible().highest, write);
});

test('the standby says that it streams, and that it does not', () => {
  const pair = new Pair();
  const probes = pair.probes();
  const streams = () => pair.within(900, probes.standby('site2', 800))?.streaming;
  assert.equal(streams(), true);
  pair.run(30_000);
  assert.equal(streams(), true, 'nobody writes, and it streams');
  pair.cut(true);
  pair.network.path('site1', 'site2').cut = false;
  pair.run(10_000);
  assert.equal(streams(), null, 'the probe itself does not get through');
  pair.cut(false);
  pair.site1.faults.crash();
  pair.run(3000);
  assert.equal(streams(), false);
});

test('nothing ticks while nobody writes', () => {
  const pair = new Pair();
  pair.run(5000);
  const before = pair.scheduler.events;
  pair.run(600_000);
  assert.ok(pair.scheduler.events - before < 10, `${pair.scheduler.events - before} events`);
});
