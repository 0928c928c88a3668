// L7 and V4 told as short stories: crashes, refusals, and what is released.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { epochOf } from '../../../src/core/quorum/record.ts';
import { Pair } from './pair.ts';
import { settings } from './voters.ts';

test('L7: no grant that was under way when it released counts afterwards (C2)', () => {
  const pair = Pair.inService();
  for (const id of ['site1', 'site2', 'witness'] as const) pair.voters[id].mayTakeOver = true;
  pair.delayMs = 300;
  pair.pass(5000);
  pair.primary.db.die();
  assert.notEqual(
    pair.until(() => pair.primary.state?.hold !== null, 3000),
    null,
  );
  const counted = pair.primary.saw('lease.acquired').length;
  for (let waited = 0; waited < 2500; waited += 10) {
    assert.equal(pair.primary.state?.lease, null);
    pair.pass(10);
  }
  assert.equal(pair.primary.saw('lease.acquired').length, counted);
});

test('L7: a crash with a standby that may take over is released at once as gone, fenced first', () => {
  const pair = Pair.inService();
  pair.voters.site2.mayTakeOver = true;
  pair.pass(1000);
  const { site1 } = pair.hosts;
  site1.db.die();
  const waited = pair.until(() => pair.voters.site2.releases.length > 0);
  assert.ok(waited !== null && waited < 1000, `released after ${waited} ms`);
  const release = pair.voters.site2.releases[0];
  assert.equal(release?.gone, true);
  assert.equal(site1.fuse.deadline, null, 'the deadline is gone before the release');
  assert.equal(pair.voters.site2.voter.promise, null);
  assert.equal(pair.moveTo('site2'), 0);
  assert.notEqual(
    pair.until(() => pair.hosts.site2.writable, 2000),
    null,
  );
  assert.notEqual(
    pair.until(() => site1.db.role === 'standby', 8000),
    null,
  );
});

test('L7: gone, but nobody takes over within releaseWait: it goes on in the old epoch with a later round', () => {
  const pair = Pair.inService();
  pair.voters.site2.mayTakeOver = true;
  pair.pass(1000);
  pair.primary.db.die();
  assert.notEqual(
    pair.until(() => pair.voters.site2.releases.length > 0),
    null,
  );
  const released = pair.voters.site2.releases[0]?.round;
  const quietFrom = pair.voters.site2.renewals.length;
  pair.pass(2900);
  assert.equal(pair.voters.site2.renewals.length, quietFrom, 'no round is begun while it waits');
  assert.notEqual(
    pair.until(() => pair.primary.writable, 3000),
    null,
  );
  const later = pair.voters.site2.renewals[quietFrom]?.round;
  assert.ok(
    released !== undefined && later !== undefined && later.start === released.start && later.seq > released.seq,
  );
});

for (const [name, mode, mayTakeOver, onCrash] of [
  ['paused', 'paused', true, 'fastest'],
  ['the standby unfit', 'auto', false, 'fastest'],
  ['policy.onCrash restart', 'auto', true, 'restart'],
] as const) {
  test(`L7: a crash, ${name}: restarted in place under the lease, nothing released`, () => {
    const pair = Pair.inService({ settings: { ...settings, policy: { ...settings.policy, onCrash } } });
    pair.voters.site2.mayTakeOver = mayTakeOver;
    pair.change({ mode });
    pair.pass(1000);
    pair.primary.db.die();
    const waited = pair.until(() => pair.primary.writable, 3000);
    assert.ok(waited !== null && waited < 1500, `writable after ${waited} ms`);
    assert.equal(pair.voters.site2.releases.length, 0);
    assert.equal(pair.primary.db.timeline, 1);
    pair.pass(1000);
    assert.equal(pair.primary.state?.db.crashed, false);
  });
}

test('L7: policy.onCrash restart gives up when the start in place fails', () => {
  const pair = Pair.inService({ settings: { ...settings, policy: { ...settings.policy, onCrash: 'restart' } } });
  pair.voters.site1.mayTakeOver = true;
  pair.pass(1000);
  pair.primary.db.broken = true;
  pair.primary.db.die();
  assert.notEqual(
    pair.until(() => pair.voters.site2.releases.some((release) => release.gone), 5000),
    null,
  );
});

test('a clean stop by somebody else is no crash: it is started again, and verdicts rest', () => {
  const pair = Pair.inService();
  pair.voters.site2.mayTakeOver = true;
  pair.pass(1000);
  pair.primary.db.stop();
  const waited = pair.until(() => pair.primary.writable, 3000);
  assert.ok(waited !== null && waited < 1500);
  assert.equal(pair.voters.site2.releases.length, 0);
  pair.pass(800);
  assert.ok((pair.voters.site1.renewals.at(-1)?.status.restingMs ?? 0) > 25_000);
});

test('"Orders": verdicts rest from the beginning of that stop, whose checkpoint may take long, and once only', () => {
  const pair = Pair.inService();
  const restingMs = () => pair.voters.site1.renewals.at(-1)?.status.restingMs ?? 0;
  pair.pass(2000);
  assert.equal(restingMs(), 0);
  pair.primary.db.controlState = 'shutting down';
  const told = pair.until(() => restingMs() > 0, 1500);
  assert.ok(told !== null && told <= 150, `told after ${told} ms`);
  pair.pass(1500);
  assert.ok(restingMs() > 25_000 && restingMs() < 30_000, `${restingMs()} ms`);
  pair.pass(30_000);
  assert.equal(restingMs(), 0, 'one that never ends is a failure');
});

test('a postmaster that is gone while its backends live on is a crash', () => {
  const pair = Pair.inService();
  pair.voters.site2.mayTakeOver = true;
  pair.pass(1000);
  pair.primary.db.role = 'stopped';
  pair.primary.db.orphans = true;
  assert.notEqual(
    pair.until(() => pair.voters.site2.releases.some((release) => release.gone), 1500),
    null,
  );
  assert.equal(pair.primary.db.orphans, false);
});

test('V4: one agent that refuses moves nothing; both: fenced at once, then gone', () => {
  const pair = Pair.inService();
  pair.voters.site1.refusing = true;
  pair.pass(10_000);
  assert.equal(pair.primary.writable, true);
  assert.equal(pair.primary.saw('fence.begun').length, 0);
  pair.voters.site2.refusing = true;
  const waited = pair.until(() => pair.voters.site2.releases.some((release) => release.gone), 3000);
  assert.ok(waited !== null && waited < 1500, `gone after ${waited} ms`);
  assert.equal(pair.primary.writable, false);
});

test('V4: the push of both agents is enough, between two renewals', () => {
  const pair = Pair.inService();
  const { record } = pair.chosen;
  const push = { type: 'refusing', cluster: record.cluster, epoch: epochOf(record), refusing: true } as const;
  pair.primary.request('site1-agent', push, () => {});
  assert.equal(pair.primary.saw('fence.begun').length, 0);
  pair.primary.request('site2-agent', push, () => {});
  assert.equal(pair.primary.saw('fence.begun').length, 1);
});

test('V4, I6: one agent that refuses is enough where the guard itself saw no write for three seconds', () => {
  const pair = Pair.inService();
  pair.voters.site2.refusing = true;
  pair.primary.db.frozen = true;
  pair.pass(2000);
  assert.equal(pair.primary.saw('fence.begun').length, 0);
  assert.notEqual(
    pair.until(() => pair.primary.db.role === 'stopped', 4000),
    null,
  );
});

test('S10: a frozen database is killed when both agents refuse it', () => {
  const pair = Pair.inService();
  pair.primary.db.frozen = true;
  pair.pass(5000);
  assert.equal(pair.primary.saw('fence.begun').length, 0, 'its own guard does not judge');
  pair.voters.site1.refusing = true;
  pair.voters.site2.refusing = true;
  assert.notEqual(
    pair.until(() => pair.voters.site2.releases.some((release) => release.gone), 3000),
    null,
  );
  assert.equal(pair.primary.db.role, 'stopped');
});
