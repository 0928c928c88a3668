// L10, L11 and the orders of a person.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Answer } from '../../../src/core/messages.ts';
import { epochOf } from '../../../src/core/quorum/record.ts';
import { Pair } from './pair.ts';
import { settings } from './voters.ts';

test('L11: a guard that restarts takes the running primary over: nothing released, nothing killed', () => {
  const pair = Pair.inService();
  const { site1 } = pair.hosts;
  const rounds = site1.state?.durable.roundStart ?? 0;
  site1.killGuard();
  pair.pass(800);
  site1.startGuard();
  pair.pass(5000);
  assert.equal(site1.writable, true);
  assert.equal(site1.saw('guard.takeover').length, 2);
  assert.equal(site1.deeds.includes('fence'), false);
  assert.equal(pair.voters.site1.releases.length, 0);
  assert.ok((site1.state?.durable.roundStart ?? 0) > rounds);
  assert.equal(site1.fuse.kills, 0);
});

test('L11: without a deadline that lies ahead a running primary is killed first, then all before is released, never gone', () => {
  const pair = Pair.inService();
  const { site1 } = pair.hosts;
  site1.killGuard();
  assert.notEqual(
    pair.until(() => !site1.writable),
    null,
  );
  // Somebody starts it as a primary while the fuse is not there to see.
  site1.fuse.alive = false;
  site1.db.signalFile = false;
  site1.db.boot();
  assert.equal(site1.writable, true);
  site1.startGuard();
  assert.notEqual(
    pair.until(() => pair.voters.site1.releases.length > 0, 2000),
    null,
  );
  assert.equal(site1.db.role, 'stopped');
  const release = pair.voters.site1.releases[0];
  assert.equal(release?.gone, false);
  assert.equal(release?.round.seq, 0);
  assert.equal(release?.round.start, site1.state?.durable.roundStart);
});

test('L1: a guard that lost its state while its wall clock was put back is told of its later rounds, and goes on above them', () => {
  const pair = Pair.inService();
  const { site1 } = pair.hosts;
  const before = site1.disk?.roundStart ?? 0;
  site1.killGuard();
  site1.db.die();
  site1.db.signalFile = true;
  site1.disk = null;
  site1.wallOffMs = -47_000_000;
  site1.startGuard();
  assert.ok((site1.state?.durable.roundStart ?? 0) < before);
  assert.notEqual(
    pair.until(() => site1.writable, 40_000),
    null,
  );
  assert.equal(site1.state?.durable.roundStart, before + 1_000_000);
  assert.equal(site1.saw('rounds.raised').length, 1);
});

test('L11: started by the boot before its guard it is a standby, and goes back to work under a lease without a promotion', () => {
  const pair = Pair.inService();
  const { site1 } = pair.hosts;
  site1.loseHost();
  pair.pass(4000);
  site1.fuse.alive = true;
  site1.db.boot();
  assert.equal(site1.db.role, 'standby');
  site1.startGuard();
  const waited = pair.until(() => site1.writable, 10_000);
  assert.ok(waited !== null && waited < 3000, `writable after ${waited} ms`);
  assert.equal(site1.db.timeline, 1);
  assert.deepEqual(
    site1.deeds.filter((deed) => deed === 'promote'),
    [],
  );
});

test('L11, S9: the old primary comes back after a failover: never writable, and it follows', () => {
  const pair = Pair.inService();
  const { site1, site2 } = pair.hosts;
  site1.loseHost();
  assert.notEqual(pair.moveTo('site2'), null);
  assert.notEqual(
    pair.until(() => site2.writable),
    null,
  );
  site1.fuse.alive = true;
  site1.db.boot();
  site1.startGuard();
  for (let waited = 0; waited < 20_000; waited += 10) {
    assert.equal(site1.writable, false);
    pair.pass(10);
  }
  assert.equal(site1.db.role, 'standby');
});

test('L10: a standby that somebody promotes is killed at once', () => {
  const pair = Pair.inService();
  const { site2 } = pair.hosts;
  site2.db.role = 'primary';
  site2.db.signalFile = false;
  site2.db.controlState = 'in production';
  const waited = pair.until(() => !site2.writable, 2000);
  assert.ok(waited !== null && waited < 600, `dead after ${waited} ms`);
  assert.notEqual(
    pair.until(() => site2.db.role === 'standby', 8000),
    null,
  );
});

test('L10: a higher epoch known to be chosen fences at once, and the database follows the new primary', () => {
  const pair = Pair.inService();
  const { site1, site2 } = pair.hosts;
  // Chosen behind its back: the promises of two voters are put aside by hand.
  for (const id of ['site2', 'witness'] as const) pair.voters[id].voter = { ...pair.voters[id].voter, promise: null };
  pair.cut('site2-guard', '*');
  assert.equal(pair.change({ primary: 'site2', epoch: 2 }, ['site2', 'witness']), true);
  const waited = pair.until(() => !site1.writable, 2000);
  assert.ok(waited !== null && waited < 500, `fenced after ${waited} ms`);
  assert.notEqual(
    pair.until(() => site1.db.role === 'standby', 6000),
    null,
  );
  assert.equal(site2.writable, false);
});

test('L7: a host whose database lies stopped without the signal file is inhibited again', () => {
  const pair = Pair.inService();
  const { site2 } = pair.hosts;
  site2.db.broken = true;
  site2.db.die();
  site2.db.signalFile = false;
  assert.notEqual(
    pair.until(() => site2.db.signalFile, 2000),
    null,
  );
});

test('a backend crash that brings the primary back read-only: stopped and started, not promoted', () => {
  const pair = Pair.inService();
  const { db } = pair.primary;
  db.role = 'standby';
  db.controlState = 'in archive recovery';
  const waited = pair.until(() => pair.primary.writable, 5000);
  assert.ok(waited !== null && waited < 2500, `writable after ${waited} ms`);
  assert.equal(db.timeline, 1);
});

test('a start that fails is tried again, but not in a spin', () => {
  const pair = Pair.inService();
  const { site1 } = pair.hosts;
  site1.db.broken = true;
  site1.db.die();
  const before = site1.deeds.length;
  pair.pass(20_000);
  const starts = site1.deeds.slice(before).filter((deed) => deed === 'start-primary').length;
  assert.ok(starts >= 3 && starts <= 6, `${starts} starts in 20 s`);
  site1.db.broken = false;
  assert.notEqual(
    pair.until(() => site1.writable, 6000),
    null,
  );
});

function order(pair: Pair, kind: 'switchover' | 'restart', timeoutMs = 10_000): Answer | null {
  const { record } = pair.chosen;
  let said: Answer | null = null;
  const request = {
    type: 'guard-order',
    cluster: record.cluster,
    epoch: epochOf(record),
    order: kind,
    timeoutMs,
  } as const;
  pair.primary.request('site1-agent', request, (answer) => {
    said = answer;
  });
  return said;
}

test('switchover: stopped fast, released with the position of its checkpoint, silent until the change is chosen', () => {
  const pair = Pair.inService();
  const { site1, site2 } = pair.hosts;
  assert.equal((order(pair, 'switchover') as Extract<Answer, { type: 'ack' }>).ok, true);
  assert.notEqual(
    pair.until(() => pair.voters.site2.releases.length > 0, 2000),
    null,
  );
  const release = pair.voters.site2.releases[0];
  assert.equal(release?.gone, false);
  assert.equal(release?.position, site1.db.position);
  const rounds = pair.voters.site1.renewals.length;
  pair.pass(3000);
  assert.equal(pair.voters.site1.renewals.length, rounds);
  assert.equal(pair.moveTo('site2'), 0);
  assert.notEqual(
    pair.until(() => site2.writable, 2000),
    null,
  );
  assert.notEqual(
    pair.until(() => site1.db.role === 'standby', 6000),
    null,
  );
});

test('switchover: no change within its time: it goes on in the old epoch', () => {
  const pair = Pair.inService();
  order(pair, 'switchover', 4000);
  assert.notEqual(
    pair.until(() => pair.voters.site2.releases.length > 0, 2000),
    null,
  );
  const waited = pair.until(() => pair.primary.writable, 8000);
  assert.ok(waited !== null && waited > 3000 && waited < 5500, `writable again after ${waited} ms`);
  assert.equal(pair.primary.db.timeline, 1);
});

test('switchover: a stop that does not end is undone by a kill and a start in place, the lease renewed throughout', () => {
  const pair = Pair.inService();
  pair.primary.db.frozen = true;
  order(pair, 'switchover', 4000);
  pair.pass(200);
  assert.equal(pair.primary.state?.order?.phase, 'stopping');
  const waited = pair.until(() => pair.primary.writable, 12_000);
  assert.notEqual(waited, null);
  assert.equal(pair.voters.site2.releases.length, 0);
});

for (const [kind, name, replication, sync, mayTakeOver, gives] of [
  ['switchover', 'zero-loss and the standby has all: given up', 'zero-loss', true, true, true],
  ['switchover', 'the record does not say so: started again', 'zero-loss', false, true, false],
  ['switchover', 'the standby is unfit: started again', 'zero-loss', true, false, false],
  ['switchover', 'asynchronous, where it would lose: started again', 'async', false, true, false],
  ['restart', 'nobody asked for a move: started again', 'zero-loss', true, true, false],
] as const) {
  test(`${kind}: a stop that does not end, ${name}`, () => {
    const pair = Pair.inService({ settings: { ...settings, replication } });
    pair.change({ sync });
    pair.voters.site2.mayTakeOver = mayTakeOver;
    pair.pass(2000);
    pair.primary.db.frozen = true;
    order(pair, kind, 4000);
    const isGone = () => pair.voters.site2.releases.some((release) => release.gone);
    pair.until(() => isGone() || pair.primary.writable, 12_000);
    assert.equal(isGone(), gives);
  });
}

test('restart: stopped and started under the lease, verdicts at rest', () => {
  const pair = Pair.inService();
  order(pair, 'restart', 30_000);
  assert.notEqual(
    pair.until(() => !pair.primary.writable, 1000),
    null,
  );
  const waited = pair.until(() => pair.primary.writable, 3000);
  assert.ok(waited !== null && waited < 1500);
  assert.equal(pair.voters.site2.releases.length, 0);
  pair.pass(1000);
  assert.equal(pair.primary.state?.order, null);
});

const refusals: readonly (readonly [string, (pair: Pair) => void])[] = [
  [
    'another order is under way',
    (pair) => {
      order(pair, 'restart');
    },
  ],
  ['the lease is gone', (pair) => pair.cut('site1-guard', '*')],
  [
    'it names another epoch',
    (pair) => {
      pair.chosen = { ...pair.chosen, record: { ...pair.chosen.record, epoch: 9 } };
    },
  ],
  [
    'the guard has just started',
    (pair) => {
      pair.primary.killGuard();
      pair.primary.startGuard();
    },
  ],
];

for (const [name, spoil] of refusals) {
  test(`an order is refused at once when ${name}`, () => {
    const pair = Pair.inService();
    spoil(pair);
    if (name === 'the lease is gone') pair.pass(6000);
    const said = order(pair, 'switchover');
    assert.equal(said?.type, 'ack');
    assert.equal((said as Extract<Answer, { type: 'ack' }>).ok, false);
    assert.notEqual((said as Extract<Answer, { type: 'ack' }>).why, '');
  });
}

test('a request that a guard does not take is answered with a no and a reason', () => {
  const pair = Pair.inService();
  const answers: Answer[] = [];
  const said = (answer: Answer): void => void answers.push(answer);
  pair.primary.request('site2-agent', { type: 'status' }, said);
  pair.primary.request(
    'site1-guard',
    {
      type: 'failsafe',
      cluster: 'test-1',
      voters: 'abc',
      epoch: epochOf(pair.chosen.record),
      site: 'site2',
      round: { start: 1, seq: 1 },
      ttlMs: 3000,
      position: null,
    },
    said,
  );
  pair.primary.request(
    'operator:anna',
    { type: 'refusing', cluster: 'test-1', epoch: epochOf(pair.chosen.record), refusing: true },
    said,
  );
  pair.primary.request(
    'site2-agent',
    {
      type: 'chosen',
      cluster: 'other',
      chosen: { ...pair.chosen, record: { ...pair.chosen.record, cluster: 'other', epoch: 7 } },
    },
    said,
  );
  assert.deepEqual(
    answers.map((answer) => answer.type),
    ['status-answer', 'ack', 'ack', 'ack'],
  );
  assert.equal(answers.filter((answer) => answer.type === 'ack' && answer.ok).length, 0);
  assert.equal(pair.primary.state?.durable.noted?.epoch, 1);
});

test('S12: all hosts killed and started again: the same primary writes, without a promotion', () => {
  const pair = Pair.inService();
  for (const site of ['site1', 'site2'] as const) pair.hosts[site].loseHost();
  for (const id of ['site1', 'site2', 'witness'] as const) pair.voters[id].down = true;
  pair.pass(5000);
  for (const id of ['site1', 'site2', 'witness'] as const) {
    pair.voters[id].down = false;
    pair.voters[id].restart();
  }
  for (const site of ['site2', 'site1'] as const) {
    pair.hosts[site].fuse.alive = true;
    pair.hosts[site].db.boot();
    pair.hosts[site].startGuard();
    pair.pass(700);
  }
  assert.notEqual(
    pair.until(() => pair.primary.writable, 10_000),
    null,
  );
  assert.equal(pair.primary.db.timeline, 1);
  assert.equal(settings.lease.ttlMs, 3000);
});
