// The fuse held against systemd/siteward-fuse and its contract test (L9).

import assert from 'node:assert/strict';
import { milli } from '../engine/scheduler.ts';
import { fusePort } from './fuse.ts';
import { Pair, row, test } from './postgres.kit.ts';

function armed(seed: string) {
  const pair = new Pair(seed);
  const { process, db } = pair.guard(pair.site1);
  const fuse = fusePort(pair.fuse, process);
  pair.value(1000, db.beat(row(1, 1), 700));
  pair.fuse.start();
  pair.run(pair.random.range(0, 500));
  return { pair, process, fuse, now: () => pair.site1.machine.now() };
}

test('kills at the deadline when the guard is dead, one look and one kill later at most', () => {
  for (let seed = 0; seed < 40; seed += 1) {
    const { pair, process, fuse, now } = armed(`deadline ${seed}`);
    const deadline = now() + 3000;
    fuse.setDeadline(deadline);
    fuse.arm();
    process.die('killed');
    while (pair.site1.processesLeft() && now() < deadline + 1000) pair.run(1);
    assert.ok(now() >= deadline, `${now() - deadline} ms early`);
    assert.ok(now() <= deadline + 230, `${now() - deadline} ms late`);
  }
});

test('a deadline that moves on kills nobody; unarmed it kills nothing at all', () => {
  const { pair, fuse, now } = armed('moves');
  fuse.setDeadline(now() + 1000);
  fuse.arm();
  for (let n = 0; n < 20; n += 1) {
    pair.run(700);
    fuse.setDeadline(now() + 1000);
  }
  assert.equal(pair.site1.isWritable(), true);
  pair.fuse.disarm();
  pair.run(5000);
  assert.equal(pair.site1.isWritable(), true);
});

test('neither a deadline nor the signal file: a primary is killed, a standby with its file lives', () => {
  const { pair, fuse } = armed('unguarded');
  fuse.arm();
  pair.run(1000);
  assert.equal(pair.site1.isWritable(), true);
  pair.site1.removeSignalFile();
  pair.run(230);
  assert.equal(pair.site1.processesLeft(), false);
  pair.site1.faults.startedBySomebodyElse();
  pair.run(230);
  assert.equal(pair.site1.processesLeft(), false);
  pair.site1.data.putSignalFile();
  pair.site1.faults.startedBySomebodyElse();
  pair.run(10_000);
  assert.equal(pair.site1.phase, 'standby');
});

test('a boot finds a signal file again, where the power was lost in the middle of a start', () => {
  const { pair, fuse } = armed('lost start');
  fuse.arm();
  pair.run(1000);
  pair.site1.removeSignalFile();
  pair.site1.killAll('power loss');
  pair.fuse.process?.die('power loss');
  pair.fuse.boot();
  pair.fuse.inhibit();
  pair.site1.faults.startedBySomebodyElse();
  pair.run(10_000);
  assert.equal(pair.site1.phase, 'standby');
});

test('the last look is fresh while it runs, and stays where it was when it is stopped or dead', () => {
  const { pair, fuse, now } = armed('looks');
  for (let n = 0; n < 200; n += 1) {
    pair.run(pair.random.range(1, 400));
    const age = now() - (fuse.lastLook() ?? 0);
    assert.ok(age >= 0 && age <= 190, `${age}`);
  }
  const stopped = pair.fuse.process;
  stopped?.freeze();
  pair.run(3000);
  assert.ok(now() - (fuse.lastLook() ?? 0) > 1000);
  stopped?.thaw();
  pair.run(20);
  assert.ok(now() - (fuse.lastLook() ?? 0) < 190);
  pair.fuse.process?.die('killed');
  pair.run(300);
  const seen = fuse.lastLook();
  assert.ok(now() - (seen ?? 0) >= 300);
  pair.run(1000);
  assert.ok((fuse.lastLook() ?? 0) > (seen ?? 0), 'systemd starts it again');
});

test('one that was stopped over the deadline kills as soon as it goes on', () => {
  const { pair, fuse, now } = armed('stopped');
  fuse.setDeadline(now() + 500);
  fuse.arm();
  const stopped = pair.fuse.process;
  stopped?.freeze();
  pair.run(5000);
  assert.equal(pair.site1.isWritable(), true);
  stopped?.thaw();
  pair.run(40);
  assert.equal(pair.site1.processesLeft(), false);
});

test('armed outlives a boot, the deadline does not', () => {
  const { pair, fuse, now } = armed('boot');
  fuse.setDeadline(now() + 60_000);
  fuse.arm();
  const { machine } = pair.site1;
  machine.up = false;
  for (const process of [...machine.processes]) process.die('power loss');
  pair.run(1000);
  machine.boot();
  pair.fuse.boot();
  assert.deepEqual([fuse.armed(), fuse.deadline()], [true, null]);
  pair.run(10);
  assert.ok((fuse.lastLook() ?? 0) <= now());
});

test('looks are few events', () => {
  const { pair, fuse, now } = armed('cheap');
  fuse.arm();
  const before = pair.scheduler.events;
  for (let n = 0; n < 100; n += 1) {
    fuse.setDeadline(now() + 5000);
    pair.run(750);
  }
  const perSecond = (pair.scheduler.events - before) / ((100 * 750) / milli);
  assert.ok(perSecond < 6, `${perSecond} a second, this test's own included`);
});
