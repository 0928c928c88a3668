// Q0, L1, L5, L8 and L9 told as short stories about a pair of guards and their voters.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { showRound } from '../../../src/core/quorum/round.ts';
import { Pair } from './pair.ts';
import { settings, withRegister } from './voters.ts';

const leaseLeft = (pair: Pair): number => (pair.primary.state?.lease?.until ?? 0) - pair.primary.clock.now();

test('Q0: the running primary is taken over without a restart, and the fuse is armed only under its first lease', () => {
  const pair = new Pair();
  const { site1, site2 } = pair.hosts;
  site1.db.role = 'primary';
  for (const id of ['site1', 'site2', 'witness'] as const) pair.voters[id].down = true;
  site1.startGuard();
  pair.pass(30_000);
  assert.deepEqual(site1.deeds, []);
  assert.equal(site1.fuse.armed, false);
  assert.equal(site1.writable, true);
  for (const id of ['site1', 'site2', 'witness'] as const) pair.voters[id].down = false;
  pair.pass(3000);
  assert.equal(site1.fuse.armed, true);
  assert.equal(site1.db.signalFile, true, 'the first beat puts the signal file in place');
  assert.deepEqual([...new Set(site1.deeds)], ['set-deadline']);
  assert.equal(site1.disk?.heldFirstLease, true);
  assert.equal(site2.writable, false);
});

test('V1, V7: its status says that its volume is full, and for how long it has heard nothing of each agent', () => {
  const pair = Pair.inService();
  pair.primary.db.full = true;
  pair.voters.site2.down = true;
  pair.pass(3000);
  const status = pair.voters.site1.renewals.at(-1)?.status;
  assert.equal(status?.diskFull, true);
  assert.ok((status?.unheardMs.site1 ?? 9999) <= 800, `${status?.unheardMs.site1}`);
  assert.ok((status?.unheardMs.site2 ?? 0) >= 2200, `${status?.unheardMs.site2}`);
});

test('L1: every P a round to both agents, to the witness once one of them granted it, and the lease is t0 + ttl', () => {
  const pair = Pair.inService();
  const before = pair.voters.site1.renewals.length;
  pair.pass(7500);
  assert.equal(pair.voters.site1.renewals.length - before, 10);
  assert.ok(pair.voters.witness.renewals.length > 0 || pair.voters.site2.granted > 0);
  assert.ok(leaseLeft(pair) > 3000 - 750 - 100 && leaseLeft(pair) <= 3000);
  const rounds = pair.voters.site1.renewals.map((renewal) => showRound(renewal.round));
  assert.equal(new Set(rounds).size, rounds.length, 'no round is used twice');
});

test('L1: a guard that starts again uses rounds above all it ever used, also when its disk was put back', () => {
  const pair = Pair.inService();
  const { site1 } = pair.hosts;
  const old = site1.disk;
  for (let start = 0; start < 3; start++) {
    site1.killGuard();
    site1.disk = start === 2 ? null : old;
    pair.pass(100);
    site1.startGuard();
    pair.pass(2000);
  }
  const starts = pair.voters.site1.renewals.map((renewal) => renewal.round.start);
  assert.deepEqual(
    starts,
    [...starts].sort((a, b) => a - b),
  );
  assert.equal(new Set(starts).size, 4);
});

test('L1: one agent alone, with an agent as witness, keeps the lease', () => {
  const pair = Pair.inService();
  pair.voters.site2.down = true;
  pair.pass(20_000);
  assert.equal(pair.primary.writable, true);
  assert.equal(pair.primary.saw('fence.begun').length, 0);
});

test('L5: a grant that is missing begins one long round with the register, then one every witnessEvery', () => {
  const pair = Pair.inService({ settings: withRegister });
  assert.equal(pair.register.grants, 0, 'quiet rounds do without the register');
  pair.voters.site2.down = true;
  const waited = pair.until(() => pair.register.grants === 1);
  assert.ok(waited !== null && waited <= 750 + 400 + 600, `the first after ${waited} ms`);
  pair.pass(50);
  assert.ok(leaseLeft(pair) > 13_000);
  pair.pass(30_000);
  assert.ok(pair.register.grants >= 5 && pair.register.grants <= 7, `${pair.register.grants} in 30 s`);
  assert.equal(pair.primary.saw('fence.begun').length, 0);
  const quiet = pair.voters.site1.renewals.filter((renewal) => renewal.ttlMs === 6000);
  assert.ok(quiet.length >= 60, 'quiet rounds go on between');
});

test('L5: a register that refuses is asked again only after one write and jitter (Q7)', () => {
  const pair = Pair.inService({ settings: withRegister });
  pair.register.down = true;
  pair.voters.site2.down = true;
  pair.pass(6000);
  const long = pair.voters.site1.renewals.filter((renewal) => renewal.ttlMs === 15_000);
  assert.ok(long.length >= 2 && long.length <= 4, `${long.length} long rounds in 6 s`);
});

test('L5: a new primary whose agent misses the peer begins with a long round', () => {
  const pair = Pair.inService({ settings: withRegister });
  pair.hosts.site1.loseHost();
  pair.voters.site1.down = true;
  pair.voters.site2.hearsPeer = false;
  pair.voters.witness.learn(pair.chosen);
  pair.pass(20_000);
  assert.equal(pair.change({ primary: 'site2', epoch: 2 }, ['site2', 'witness']), true);
  const waited = pair.until(() => pair.hosts.site2.writable);
  assert.ok(waited !== null && waited < 1500, `writable after ${waited} ms`);
  const first = pair.voters.site2.renewals.find((renewal) => renewal.site === 'site2');
  assert.equal(first?.ttlMs, 15_000);
});

test('without a witness one grant of either agent is a lease', () => {
  const pair = Pair.inService({ settings: { ...settings, witness: 'none' } });
  pair.voters.site2.down = true;
  pair.pass(10_000);
  assert.equal(pair.primary.writable, true);
  pair.voters.site1.down = true;
  pair.cut('site1-guard', 'site2-guard');
  assert.notEqual(
    pair.until(() => !pair.primary.writable, 5000),
    null,
  );
});

test('L9: cut off from everything it is dead before the lease ends, and restarts in place when it heals', () => {
  const pair = Pair.inService();
  const { site1 } = pair.hosts;
  pair.cut('site1-guard', '*');
  const end = site1.state?.lease?.until ?? 0;
  assert.notEqual(
    pair.until(() => !site1.writable, 5000),
    null,
  );
  assert.ok(site1.clock.now() < end);
  assert.equal(site1.fuse.kills, 0, 'the guard is quicker than the fuse');
  pair.pass(10_000);
  assert.equal(site1.db.role, 'stopped', 'without a lease it is not started');
  pair.heal();
  assert.notEqual(
    pair.until(() => site1.writable, 5000),
    null,
  );
  assert.equal(site1.db.timeline, 1, 'a restart in place is no promotion');
});

test('L9: a guard that is killed for good, or frozen, is outlived by its fuse, not by its database', () => {
  for (const fate of ['killed', 'frozen']) {
    const pair = Pair.inService();
    const { site1 } = pair.hosts;
    const end = site1.state?.lease?.until ?? 0;
    if (fate === 'killed') site1.killGuard();
    else site1.freezeGuard(60_000);
    assert.notEqual(
      pair.until(() => !site1.writable, 5000),
      null,
      fate,
    );
    assert.ok(site1.clock.now() < end, fate);
    assert.equal(site1.fuse.kills, 1, fate);
  }
});

test('L9: a guard whose fuse is dead renews nothing', () => {
  const pair = Pair.inService();
  pair.primary.fuse.alive = false;
  pair.pass(1500);
  const before = pair.voters.site1.renewals.length;
  pair.pass(3000);
  assert.equal(pair.voters.site1.renewals.length, before);
  assert.equal(pair.primary.writable, false);
  pair.primary.fuse.alive = true;
  assert.notEqual(
    pair.until(() => pair.primary.writable, 5000),
    null,
  );
});

test('L9: a persist that hangs does not hold up the fence', () => {
  const pair = Pair.inService();
  const { site1 } = pair.hosts;
  site1.persistMs = 60_000;
  // A record of the same epoch is put on disk: the loop hangs there, and only the alarm can ring.
  pair.change({ mode: 'paused' });
  pair.pass(20);
  const steps = site1.steps;
  const waited = pair.until(() => !site1.writable, 4000);
  assert.ok(waited !== null && waited > 1000, `dead after ${waited} ms`);
  assert.ok(site1.clock.now() < (site1.state?.lease?.until ?? 0));
  assert.equal(site1.steps, steps, 'no step is taken meanwhile');
  assert.equal(site1.fuse.kills, 0, 'the guard is quicker than the fuse');
});

test('L8: both agents and the witness down: the pair keeps writing by the promise of the other guard', () => {
  const pair = Pair.inService();
  for (const id of ['site1', 'site2', 'witness'] as const) pair.voters[id].down = true;
  pair.pass(60_000);
  assert.equal(pair.primary.writable, true);
  assert.equal(pair.primary.saw('fence.begun').length, 0);
  assert.ok(pair.primary.saw('failsafe.renewed').length > 10);
  assert.ok(pair.standby.saw('failsafe.promised').length > 10);
});

test('L8: an agent that cannot say yet whether it grants has not answered: the promise still holds', () => {
  // The register does not answer, and one agent is started again: it is away, then it waits for the register.
  const pair = Pair.inService({ settings: withRegister });
  pair.register.down = true;
  for (let start = 0; start < 20; start += 1) {
    pair.voters.site2.down = true;
    pair.pass(2000 + 60 * start);
    pair.voters.site2.down = false;
    pair.voters.site2.busy = true;
    pair.pass(2000);
    pair.voters.site2.busy = false;
    pair.pass(20_000 + 137 * start);
  }
  assert.equal(pair.primary.saw('fence.begun').length, 0);
});

test('L8, I6: without a witness one agent is enough for a lease, and the other guard is not asked to promise anything', () => {
  for (const away of ['site1', 'site2'] as const) {
    const pair = Pair.inService({ settings: { ...settings, witness: 'none' } });
    pair.voters[away].down = true;
    pair.pass(20_000);
    assert.equal(pair.primary.saw('fence.begun').length, 0);
    assert.equal(pair.standby.saw('failsafe.promised').length, 0);
  }
});

test('L8: nor is it where an agent refuses for an order past this guard', () => {
  const pair = Pair.inService();
  pair.voters.site1.down = true;
  pair.voters.witness.down = true;
  pair.voters.site2.orders = true;
  pair.pass(20_000);
  assert.equal(pair.standby.saw('failsafe.promised').length, 0);
  assert.equal(pair.primary.writable, false);
});

test('L8: the promise keeps the other guard from promoting until it has run out', () => {
  const pair = Pair.inService();
  for (const id of ['site1', 'site2', 'witness'] as const) pair.voters[id].down = true;
  assert.notEqual(
    pair.until(() => pair.standby.saw('failsafe.promised').length > 0),
    null,
  );
  const promisedUntil = pair.standby.state?.promisedUntil ?? 0;
  for (const id of ['site1', 'site2', 'witness'] as const) {
    pair.voters[id].down = false;
    // As if their promises had been released: only the failsafe promise is left.
    pair.voters[id].voter = { ...pair.voters[id].voter, promise: null };
  }
  pair.cut('site1-guard', '*');
  assert.equal(pair.change({ primary: 'site2', epoch: 2 }), true);
  assert.notEqual(
    pair.until(() => pair.hosts.site2.writable),
    null,
  );
  assert.ok(pair.hosts.site2.clock.now() >= promisedUntil);
  assert.equal(pair.hosts.site1.writable, false);
});

test('L8, C4: a guard without a lease in force gets none by failsafe', () => {
  const pair = Pair.inService();
  for (const id of ['site1', 'site2', 'witness'] as const) pair.voters[id].down = true;
  pair.cut('site1-guard', 'site2-guard');
  assert.notEqual(
    pair.until(() => !pair.primary.writable),
    null,
  );
  pair.pass(5000);
  pair.heal();
  pair.pass(30_000);
  assert.equal(pair.primary.writable, false);
});

test('L8, I6: nor is a database kept so that serves nobody: its guard asks for no promise any more', () => {
  const pair = Pair.inService();
  pair.voters.site1.down = true;
  pair.voters.site2.down = true;
  pair.voters.witness.down = true;
  pair.pass(10_000);
  assert.equal(pair.primary.writable, true);
  pair.primary.db.frozen = true;
  pair.pass(15_000);
  const promised = pair.standby.saw('failsafe.promised').length;
  pair.pass(15_000);
  assert.equal(pair.standby.saw('failsafe.promised').length, promised);
});

test('L8: an agent that refuses (V4) is an objection that no promise overrides', () => {
  const pair = Pair.inService();
  pair.voters.site1.refusing = true;
  pair.voters.site2.down = true;
  pair.voters.witness.down = true;
  assert.notEqual(
    pair.until(() => !pair.primary.writable),
    null,
  );
  assert.equal(pair.standby.saw('failsafe.promised').length, 0);
});
