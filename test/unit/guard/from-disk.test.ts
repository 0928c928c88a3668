// L1, L4, L8, L10, V8: what a start finds on its disk, it has, and how long it waits for what it may have promised.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type GuardDurable, startGuard } from '../../../src/core/guard/state.ts';
import { at, deepFreeze, epoch, moved } from '../core-builders.ts';
import { settings, withRegister } from './voters.ts';

const disk: GuardDurable = deepFreeze({
  cluster: 'c-1',
  noted: epoch(2),
  chosen: at(7, moved),
  roundStart: 5_000_000,
  ranIn: epoch(1),
  beatenIn: epoch(1),
  heldFirstLease: true,
  longestTtlMs: 4000,
  waits: true,
  failsafeOf: { epoch: epoch(2), position: 4711 },
});

test('a start forgets nothing, and begins its rounds above all before', () => {
  const state = startGuard('site1', settings, disk, 1000, 4_000_000);
  assert.deepEqual(state.durable, { ...disk, roundStart: 5_000_001 });
  assert.deepEqual(state.failsafeOf, disk.failsafeOf);
  assert.deepEqual(state.covered, { start: 5_000_001, seq: 0 });
  assert.equal(startGuard('site1', settings, disk, 1000, 6_000_000).durable.roundStart, 6_000_000);
});

test('L8: it waits for the longest that it may have promised, by its disk or by its file', () => {
  assert.equal(startGuard('site1', settings, disk, 1000, 0).quarantinedUntil, 1000 + 4210);
  assert.equal(startGuard('site1', settings, null, 1000, 0).quarantinedUntil, 1000 + 3160);
  assert.equal(startGuard('site1', withRegister, disk, 1000, 0).quarantinedUntil, 1000 + 15_760);
});
