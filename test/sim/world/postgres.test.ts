// The model of PostgreSQL held against what was seen of real ones (lab-notes.md, test/contract/database-*.test.ts).

import assert from 'node:assert/strict';
import { always, Pair, row, test } from './postgres.kit.ts';
import { isPrefix } from './wal.ts';

test('a primary acknowledges, its standby receives and replays', () => {
  const pair = new Pair();
  const { write, end } = pair.commit(pair.site1);
  assert.equal(end, 'acknowledged');
  pair.run(100);
  assert.equal(pair.site2.contains(write), true);
  assert.equal(pair.site2.receiver.replayed(), pair.site1.data.flushed);
  assert.equal(pair.commit(pair.site2).end, 'failed');
});

test('with the signal file in place a crashed backend brings the server back read-only', () => {
  const pair = new Pair();
  const { db } = pair.guard(pair.site1);
  assert.equal(pair.site1.data.signalFile, false);
  pair.value(1000, db.beat(row(1, 1), 700));
  assert.equal(pair.site1.data.signalFile, true, 'a beat puts it back');
  pair.site1.faults.crashBackend();
  pair.run(5000);
  assert.equal(pair.site1.phase, 'standby');
  assert.equal(pair.value(1000, db.look()).controlState, 'in archive recovery');
  const refused = pair.within(1000, db.startPrimary(false, 5000, always));
  assert.equal(refused?.kind, 'rejected');
  pair.value(6000, db.stop(5000));
  pair.value(6000, db.startPrimary(false, 5000, always));
  assert.deepEqual(
    [pair.site1.phase, pair.site1.data.flushed.timeline, pair.site1.data.signalFile],
    ['primary', 1, true],
  );
});

test('without the file whoever starts it gets a primary, with it a standby', () => {
  const pair = new Pair();
  pair.site1.faults.crash();
  assert.equal(pair.site1.data.controlState, 'in production', 'it does not tell whether a database runs');
  pair.site1.faults.startedBySomebodyElse();
  pair.run(5000);
  assert.equal(pair.site1.phase, 'primary');
  pair.site1.faults.crash();
  pair.site1.data.putSignalFile();
  pair.site1.faults.startedBySomebodyElse();
  pair.run(5000);
  assert.equal(pair.site1.phase, 'standby');
});

test('kill: within its time, the file is there, and nothing is left that acknowledges', () => {
  for (let seed = 0; seed < 40; seed += 1) {
    const pair = new Pair(`kill ${seed}`);
    const { db } = pair.guard(pair.site1);
    const began = pair.scheduler.now;
    pair.value(400, db.kill());
    assert.ok(pair.scheduler.now - began < 260_000, 'well before the fuse');
    assert.deepEqual([pair.site1.phase, pair.site1.data.signalFile, pair.site1.isWritable()], ['none', true, false]);
    assert.notEqual(pair.commit(pair.site1).end, 'acknowledged');
  }
});

test('a guard that is stopped right after it began to fence has killed nothing by SIGKILL', () => {
  const pair = new Pair();
  pair.site1.faults.freeze();
  const { db, process } = pair.guard(pair.site1);
  void db.kill();
  process.freeze();
  pair.run(5000);
  assert.equal(pair.site1.processesLeft(), true);
  process.thaw();
  pair.run(100);
  assert.equal(pair.site1.processesLeft(), false);
});

test('on a disk that hangs, killed processes stay until it moves and answer nobody', () => {
  const pair = new Pair();
  const { db } = pair.guard(pair.site1);
  pair.value(1000, db.beat(row(1, 1), 700));
  pair.site1.faults.hangDisk();
  const waiting = pair.commit(pair.site1, 500);
  assert.equal(waiting.end, null);
  assert.equal(pair.within(700, db.kill()), null);
  const looked = pair.value(1000, db.look());
  assert.deepEqual([looked.running, looked.postmaster], [true, false]);
  assert.equal(pair.within(100, db.startPrimary(false, 5000, always))?.kind, 'rejected');
  pair.site1.faults.thawDisk();
  pair.run(200);
  assert.equal(pair.value(1000, db.look()).running, false);
});

test('promotion: another timeline, file gone and put back; a diverged primary cannot follow until it is rewound', () => {
  const pair = new Pair();
  const { db: db2 } = pair.guard(pair.site2);
  pair.cut(true);
  const lost = pair.commit(pair.site1);
  assert.equal(lost.end, 'acknowledged');
  pair.value(6000, db2.promote(false, 5000, always));
  assert.deepEqual([pair.site2.data.flushed.timeline, pair.site2.data.signalFile], [2, true]);
  assert.equal(pair.site2.contains(lost.write), false, 'asynchronous: the tail is missing');
  assert.equal(pair.site1.isWritable() && pair.site2.isWritable(), true, 'two primaries, were there no guards');
  pair.site1.faults.crash();
  pair.site1.data.putSignalFile();
  pair.cut(false);
  pair.site1.faults.startedBySomebodyElse();
  pair.run(10_000);
  assert.equal(pair.site1.phase, 'standby');
  assert.equal(pair.site1.receiver.streaming(), false);
  assert.equal(isPrefix(pair.site1.data.flushed, pair.site2.data.flushed), false);
  pair.site1.faults.crash();
  assert.equal(pair.site1.faults.rewind(), true);
  pair.site1.faults.startedBySomebodyElse();
  pair.run(10_000);
  assert.equal(pair.site1.receiver.streaming(), true);
  assert.equal(pair.site1.data.flushed, pair.site2.data.flushed);
});

test('switchover: the standby has received beyond the shutdown checkpoint, and the old primary follows the new one', () => {
  for (let seed = 0; seed < 20; seed += 1) {
    const pair = new Pair(`switchover ${seed}`);
    const [one, two] = [pair.guard(pair.site1), pair.guard(pair.site2)];
    pair.commit(pair.site1);
    const { checkpoint } = pair.value(9000, one.db.stopFast(8000));
    assert.ok(pair.value(1000, two.db.ask(700)).position > checkpoint);
    pair.value(6000, two.db.promote(false, 5000, always));
    pair.value(6000, one.db.startStandby(5000));
    pair.value(1000, two.db.beat(row(2, 1), 700));
    pair.run(5000);
    assert.equal(pair.site1.receiver.streaming(), true);
    assert.equal(pair.site1.receiver.replayed().row?.epoch.epoch, 2);
    assert.equal(pair.value(1000, one.db.ask(700)).sync, null);
  }
});

test('frozen: every question ends at its deadline as unknown, and what was sent is done after the thaw', () => {
  const pair = new Pair();
  const { db } = pair.guard(pair.site1);
  pair.site1.faults.freeze();
  assert.equal(pair.within(210, db.beat(row(3, 1), 200))?.kind, 'unknown');
  assert.equal(pair.within(210, db.ask(200))?.kind, 'unknown');
  assert.equal(pair.value(1000, db.look()).running, true);
  pair.site1.faults.thaw();
  pair.run(10);
  assert.equal(pair.site1.visible().row?.epoch.epoch, 3);
});

test('without leave nothing is started; a guard that dies in between leaves the file away', () => {
  const pair = new Pair();
  const { db } = pair.guard(pair.site1);
  pair.value(400, db.kill());
  for (const leaves of [0, 1]) {
    let asked = 0;
    const outcome = pair.within(
      1000,
      db.startPrimary(false, 3000, () => asked++ < leaves),
    );
    assert.deepEqual([outcome?.kind, asked], ['rejected', leaves + 1]);
    assert.deepEqual([pair.site1.data.signalFile, pair.site1.processesLeft()], [true, false]);
  }
  const dying = pair.guard(pair.site1);
  // Its own call, then the removal of the file, then the start.
  dying.process.dieAtEffect(2);
  void dying.db.startPrimary(false, 3000, always);
  pair.run(1000);
  assert.deepEqual([pair.site1.data.signalFile, pair.site1.processesLeft()], [false, false]);
});

test('a promotion that reports failure but works, that is late, that fails, that kills its server', () => {
  const outcomes = (['reports-failure-but-works', 'late', 'fails', 'dies'] as const).map((mode) => {
    const pair = new Pair(mode);
    const { db } = pair.guard(pair.site2);
    pair.site2.faults.nextPromote = mode;
    const outcome = pair.within(1200, db.promote(false, 1000, always));
    pair.run(20_000);
    return [mode, outcome?.kind, pair.site2.phase];
  });
  assert.deepEqual(outcomes, [
    ['reports-failure-but-works', 'rejected', 'primary'],
    ['late', 'unknown', 'primary'],
    ['fails', 'unknown', 'standby'],
    ['dies', 'rejected', 'none'],
  ]);
});

test('a power loss ends everything at once; a boot starts it read-only', () => {
  const pair = new Pair();
  const { db } = pair.guard(pair.site1);
  pair.value(1000, db.beat(row(1, 1), 700));
  const { machine } = pair.site1;
  machine.up = false;
  for (const process of [...machine.processes]) process.die('power loss');
  assert.equal(pair.site1.processesLeft(), false);
  assert.equal(pair.site1.faults.startedBySomebodyElse(), false);
  machine.boot();
  pair.site1.faults.startedBySomebodyElse();
  pair.run(5000);
  assert.equal(pair.site1.phase, 'standby');
});

test('every change is told with its reason', () => {
  const pair = new Pair();
  const told: string[] = [];
  pair.site1.onChange = (reason) => told.push(`${pair.site1.isWritable()} ${reason}`);
  pair.site1.faults.freeze();
  pair.site1.faults.thaw();
  pair.site1.faults.set({ readOnly: true }, 'read-only');
  pair.site1.faults.set({ readOnly: false }, 'writes again');
  pair.site1.faults.crash();
  assert.deepEqual(told, ['false frozen', 'true thawed', 'false read-only', 'true writes again', 'false crashed']);
});

test('one seed is one run', () => {
  const hash = () => {
    const pair = new Pair('same');
    for (let n = 0; n < 50; n += 1) pair.commit(pair.site1);
    pair.site1.faults.crashBackend();
    pair.run(8000);
    return pair.trace.hash();
  };
  assert.equal(hash(), hash());
});
