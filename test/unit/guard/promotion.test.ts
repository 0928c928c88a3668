// What was asked for of a database and has not come about yet: a promotion that takes its time, a start that a guard left
// behind, a database that somebody starts while it is being given up (L7, L9, L11, I7).

import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { GuardState } from '../../../src/core/guard/state.ts';
import { guardStep } from '../../../src/core/guard/step.ts';
import { unknown } from '../../../src/core/outcome.ts';
import type { Host } from './host.ts';
import { Pair } from './pair.ts';

/** Every promotion is asked for, and takes longer than any deadline: site2 is the new primary but for that. */
function withSlowPromotion(): { readonly pair: Pair; readonly site2: Host } {
  const pair = Pair.inService();
  const { site1, site2 } = pair.hosts;
  const perform = site2.db.perform.bind(site2.db);
  site2.db.perform = (deed, mayGoOn, epoch) =>
    deed.kind === 'promote' ? unknown('not promoted yet') : perform(deed, mayGoOn, epoch);
  site1.loseHost();
  assert.notEqual(pair.moveTo('site2'), null);
  assert.notEqual(
    pair.until(() => site2.deeds.includes('promote')),
    null,
  );
  pair.pass(1000);
  assert.equal(site2.state?.db.role, 'standby');
  return { pair, site2 };
}

/** The server deletes the signal file, then accepts writes. */
function endPromotion(host: Host): void {
  host.db.role = 'primary';
  host.db.signalFile = false;
  host.db.controlState = 'in production';
  host.db.timeline += 1;
  host.db.epoch = host.state?.durable.noted ?? null;
}

test('L9: a promotion that outlasts its deed stays under the deadline of the lease, and is left alone when it ends', () => {
  const { pair, site2 } = withSlowPromotion();
  for (let waited = 0; waited < 8000; waited += 10) {
    pair.pass(10);
    assert.ok((site2.fuse.deadline ?? 0) > site2.clock.now(), 'no deadline ahead');
  }
  endPromotion(site2);
  pair.pass(3000);
  assert.equal(site2.writable, true);
  assert.equal(site2.db.signalFile, true);
  assert.equal(site2.fuse.kills, 0);
  assert.equal(site2.deeds.includes('fence'), false);
});

test('L9: a promotion under way is fenced at the end of its lease', () => {
  const { pair, site2 } = withSlowPromotion();
  site2.fuse.alive = false;
  pair.cut('site2-guard', '*');
  assert.notEqual(
    pair.until(() => site2.db.role === 'stopped', 4000),
    null,
  );
  assert.equal(site2.fuse.kills, 0);
});

test('L10: a promotion under way is killed when a later epoch is known', () => {
  const { pair, site2 } = withSlowPromotion();
  for (const id of ['site1', 'site2', 'witness'] as const)
    pair.voters[id].voter = { ...pair.voters[id].voter, promise: null };
  assert.equal(pair.change({ primary: 'site1', epoch: 3 }), true);
  assert.notEqual(
    pair.until(() => site2.db.role === 'stopped', 500),
    null,
  );
});

test('L11: a guard killed in the midst of a promotion: the next one takes it over and releases nothing', () => {
  const { pair, site2 } = withSlowPromotion();
  site2.killGuard();
  const before = pair.voters.site2.releases.length;
  pair.pass(600);
  site2.startGuard();
  pair.pass(100);
  endPromotion(site2);
  pair.pass(3000);
  assert.equal(site2.writable, true);
  assert.equal(site2.fuse.kills, 0);
  assert.equal(site2.deeds.includes('fence'), false);
  assert.equal(pair.voters.site2.releases.length, before);
});

/** The next guard's step after it was told "standby", with the fuse's file as it has it. */
function startedInPromotion(found: Pick<GuardState, 'deadline' | 'fuse'>, beaten = false) {
  const { site2 } = withSlowPromotion();
  const { state, clock } = site2;
  assert.ok(state);
  const { durable, db } = state;
  const started: GuardState = {
    ...state,
    ...found,
    startup: 'looking',
    startedAt: clock.now(),
    lease: null,
    durable: { ...durable, beatenIn: beaten ? durable.ranIn : durable.beatenIn },
    db: { ...db, role: 'standby', promoting: false },
    pending: [],
    due: { look: 0, ask: 0, beat: 0, fuse: 0, deadline: 0 },
  };
  const { effects } = guardStep(started, { type: 'tick' }, { now: clock.now(), wall: 0, random: '0'.repeat(32) });
  const deeds = effects.act.map(({ deed }) => deed.kind);
  const releases = effects.send.filter((send) => send.kind === 'ask' && send.request.type === 'release').length;
  return { fence: effects.fence, clears: deeds.includes('clear-deadline'), releases };
}

const seenFuse = { at: 0, value: { armed: true, lastLook: null, deadline: null } };

test('L11: what the server says before the fuse was read clears no deadline of a promotion', () => {
  assert.deepEqual(startedInPromotion({ deadline: 'unknown', fuse: null }), {
    fence: false,
    clears: false,
    releases: 0,
  });
});

test('L11: a promotion whose deadline has passed under a fuse that did nothing is killed before anything is released', () => {
  assert.deepEqual(startedInPromotion({ deadline: 1, fuse: seenFuse }), { fence: true, clears: false, releases: 0 });
});

test('L11: what was seen to write in its epoch is not being promoted in it: its deadline goes, then all is released', () => {
  assert.deepEqual(startedInPromotion({ deadline: 1, fuse: seenFuse }, true), {
    fence: false,
    clears: true,
    releases: 0,
  });
  assert.deepEqual(startedInPromotion({ deadline: null, fuse: seenFuse }), {
    fence: false,
    clears: false,
    releases: 3,
  });
});

test('L11: a guard killed in the midst of a long crash recovery: the next one renews until it answers', () => {
  const pair = Pair.inService();
  const { site1 } = pair.hosts;
  site1.db.frozen = true;
  site1.killGuard();
  pair.pass(600);
  site1.startGuard();
  pair.pass(8000);
  site1.db.frozen = false;
  pair.pass(1000);
  assert.equal(site1.writable, true);
  assert.equal(site1.fuse.kills, 0);
  assert.equal(site1.deeds.includes('fence'), false);
});

test('L7, L11: found stopped without its signal file, its start is inhibited before anything is released', () => {
  const pair = Pair.inService();
  const { site1 } = pair.hosts;
  site1.killGuard();
  site1.db.die();
  site1.db.signalFile = false;
  site1.startGuard();
  assert.notEqual(
    pair.until(() => site1.asked.some((request) => request.type === 'release'), 2000),
    null,
  );
  assert.equal(site1.db.signalFile, true);
});

test('L11: a deadline further ahead than any lease is of another boot', () => {
  const pair = Pair.inService();
  const { site1 } = pair.hosts;
  site1.killGuard();
  site1.fuse.deadline = site1.clock.now() + 60_000;
  site1.startGuard();
  pair.pass(500);
  assert.equal(site1.saw('guard.takeover').length, 1);
  assert.equal(site1.deeds.includes('fence'), true);
});

function givingUp(db: Partial<GuardState['db']>) {
  const pair = Pair.inService();
  const { state, clock } = pair.primary;
  assert.ok(state);
  const leaving = { cause: 'crash', gone: true, position: null, holdMs: 3000, orderUntil: null };
  const started: GuardState = { ...state, leaving, deadline: null, db: { ...state.db, ...db } };
  return guardStep(started, { type: 'tick' }, { now: clock.now(), wall: 0, random: '0'.repeat(32) });
}

test('I7: a database that somebody starts while it is given up is a standby, and no trap', () => {
  const { state, effects } = givingUp({ role: 'standby' });
  assert.equal(state.leaving, null);
  assert.equal(effects.send.filter((send) => send.kind === 'ask' && send.request.type === 'release').length, 3);
});

test('I7: started while it is given up, and silent: killed once more', () => {
  const { state, effects } = givingUp({ role: 'unknown', unknownSince: 0 });
  assert.equal(effects.fence, true);
  assert.notEqual(state.leaving, null);
});

for (const epoch of [1, 2]) {
  test(`L10: a guard whose state was put aside while its database was down begins anew in epoch ${epoch} (runbook)`, () => {
    const pair = Pair.inService();
    if (epoch === 2) {
      pair.hosts.site1.loseHost();
      assert.notEqual(pair.moveTo('site2'), null);
    }
    assert.notEqual(
      pair.until(() => pair.primary.writable && pair.primary.rows.at(-1)?.epoch.epoch === epoch),
      null,
    );
    const host = pair.primary;
    host.killGuard();
    assert.notEqual(
      pair.until(() => !host.writable),
      null,
    );
    host.db.signalFile = true;
    host.disk = null;
    host.startGuard();
    const waited = pair.until(() => host.writable, 30_000);
    assert.ok(waited !== null && waited < 20_000, `writable after ${waited} ms`);
    assert.equal(host.state?.durable.noted?.epoch, epoch);
  });
}
