// L8, the other side, as a table: when a guard promises not to promote its database, and when it must not.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type DatabaseBelief, emptyGuardDurable, type GuardState, startGuard } from '../../../src/core/guard/state.ts';
import { guardStatus } from '../../../src/core/guard/status.ts';
import { guardStep } from '../../../src/core/guard/step.ts';
import type { Failsafe, FailsafeAnswer } from '../../../src/core/messages.ts';
import type { ProcessReport } from '../../../src/core/observe/observation.ts';
import { bindingMs } from '../../../src/core/time.ts';
import { chosenAt, settings } from './voters.ts';

const now = 500_000;
const epoch = (number: number) => ({ era: { number: 0, site: 'site1' as const }, epoch: number });
const process: ProcessReport = {
  running: true,
  postmaster: true,
  signalFile: true,
  controlState: 'in archive recovery',
  systemId: '7',
  timeline: 1,
  full: false,
};

/** site2's guard, its database a standby of site1 in epoch 3. */
function standby(change: Partial<GuardState> = {}, db: Partial<DatabaseBelief> = {}): GuardState {
  const disk = {
    ...emptyGuardDurable,
    cluster: 'test-1',
    noted: epoch(3),
    chosen: chosenAt(5, { epoch: 3 }),
    heldFirstLease: true,
  };
  const fresh = startGuard('site2', settings, disk, now - 60_000, 1);
  const seen = { at: now, value: process };
  return { ...fresh, startup: 'over', db: { ...fresh.db, role: 'standby', process: seen, ...db }, ...change };
}

const later = { ...standby().durable, noted: epoch(4) };
const ours = { ...standby().durable, chosen: chosenAt(6, { epoch: 3, primary: 'site2' }) };
const promoting = { id: 1, deed: 'promote', since: now } as const;

const starting = { id: 1, deed: 'start-primary', since: now } as const;
const held = (leftMs: number) => ({ epoch: epoch(3), until: now + leftMs, round: { start: 1, seq: 1 } });

const rows: readonly (readonly [string, boolean, GuardState, number])[] = [
  ['a standby, the same epoch', true, standby(), 3],
  ['a stopped database', true, standby({}, { role: 'none' }), 3],
  ['a higher epoch than the one known here', true, standby(), 4],
  ['a guard that does not know of the epoch at all', true, standby(), 9],
  ['its database runs as a primary', false, standby({}, { role: 'primary' }), 3],
  ['its database is being promoted', false, standby({}, { role: 'primary', work: promoting }), 3],
  ['what runs has not said what it is', false, standby({}, { role: 'unknown' }), 3],
  ['nothing was looked at yet', false, standby({}, { role: 'unknown', process: null }), 3],
  ['it is being started as a primary', false, standby({}, { role: 'none', work: starting }), 3],
  ['a promotion was asked for and may still come about', false, standby({}, { promoting: true }), 3],
  ['stopped, as far as was heard, but never looked at', false, standby({}, { role: 'none', process: null }), 3],
  ['a lease in force', false, standby({ lease: held(50) }), 4],
  ['a lease that is over', true, standby({ lease: held(10) }), 4],
  ['a higher epoch is noted here', false, standby({ durable: later }), 3],
  ['the epoch is of this site', false, standby({ durable: ours }), 3],
  ['a higher epoch than the last one of this site', true, standby({ durable: ours }), 4],
];

const random = '0'.repeat(32);

for (const [name, promised, state, asked] of rows) {
  test(`${name}: ${promised ? 'promised' : 'refused'}`, () => {
    const request = {
      type: 'failsafe',
      cluster: 'test-1',
      voters: 'abc',
      epoch: epoch(asked),
      site: 'site1',
      round: { start: 7, seq: 2 },
      ttlMs: 8000,
      position: 4711,
    } as const;
    const result = guardStep(
      state,
      { type: 'request', from: 'site1-guard', request, replyTo: 3 },
      { now, wall: 2, random },
    );
    const reply = result.effects.send.find((send) => send.kind === 'reply');
    const answer = reply?.answer as FailsafeAnswer;
    assert.equal(answer.promised, promised, answer.why);
    assert.equal(answer.why === '', promised);
    assert.deepEqual(answer.round, request.round);
    if (!promised) return assert.equal(result.state.promisedUntil, state.promisedUntil);
    // Noted and the longest ttl remembered, on disk before the answer leaves.
    assert.equal(result.effects.persist?.noted?.epoch, Math.max(3, asked));
    assert.equal(result.effects.persist?.longestTtlMs, 8000);
    assert.equal(result.state.promisedUntil, now + bindingMs(8000, 0.05));
    // V5: and how far that primary had written, which a restart of this guard must not forget.
    assert.deepEqual(result.effects.persist?.failsafeOf, { epoch: epoch(asked), position: 4711 });
    const restarted = startGuard('site2', settings, result.effects.persist ?? null, now + 100, 1);
    assert.equal(guardStatus(restarted, now + 100).failsafeOf?.position, 4711);
  });
}

function asked(state: GuardState, change: Partial<Failsafe>) {
  const request: Failsafe = {
    type: 'failsafe',
    cluster: 'test-1',
    voters: 'abc',
    epoch: epoch(3),
    site: 'site1',
    round: { start: 7, seq: 2 },
    ttlMs: 3000,
    position: null,
    ...change,
  };
  const result = guardStep(
    state,
    { type: 'request', from: `${request.site}-guard`, request, replyTo: 3 },
    { now, wall: 2, random },
  );
  const reply = result.effects.send.find((send) => send.kind === 'reply');
  const answer = reply?.answer as FailsafeAnswer;
  return { promised: answer.promised, state: result.state };
}

test('a guard of another cluster, or one that belongs to none yet, promises nothing, and notes nothing', () => {
  for (const state of [standby(), standby({ durable: { ...standby().durable, cluster: null } })]) {
    const { promised, state: after } = asked(state, { cluster: 'test-2', epoch: epoch(9) });
    assert.equal(promised, false);
    assert.deepEqual(after.durable.noted, epoch(3));
  }
});

test('V5: a failsafe that does not say how far its primary has written takes nothing back', () => {
  const known = { epoch: epoch(3), position: 4711 };
  const { promised, state: after } = asked(standby({ failsafeOf: known }), {});
  assert.equal(promised, true);
  assert.deepEqual(after.failsafeOf, known);
  assert.equal(asked(standby(), {}).state.failsafeOf, null);
});

test('nor is its own site promised anything', () => {
  assert.equal(asked(standby(), { site: 'site2' }).promised, false);
});

test('a shorter promise brings an earlier one down neither here nor on disk', () => {
  const before = standby({ promisedUntil: now + 9000, durable: { ...standby().durable, longestTtlMs: 8000 } });
  const { promised, state: after } = asked(before, { ttlMs: 3000 });
  assert.equal(promised, true);
  assert.equal(after.promisedUntil, now + 9000);
  assert.equal(after.durable.longestTtlMs, 8000);
});
