import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Track, untracked } from '../../../src/core/agent/state.ts';
import type { Bearing } from '../../../src/core/verdict/classes.ts';
import { beginAnew, fold } from '../../../src/core/verdict/track.ts';
import { deepFreeze } from '../core-builders.ts';

const settings = { everyMs: 500, deadlineMs: 800, confirm: 3, recover: 2 };

/** `good`, `bad` or `neutral` at a time in ms; a probe that began `took` ms before. */
function see(track: Track, findings: string, took = 0): Track {
  let next = deepFreeze(track);
  for (const finding of findings.split(' ').filter(Boolean)) {
    const [bearing, at] = finding.split('@');
    const now = Number(at);
    const what = { bearing: bearing as Bearing, class: `class-${now}`, detail: '', startedAt: now - took };
    next = deepFreeze(fold(next, what, settings, now));
  }
  return next;
}

const rows = [
  ['nothing seen yet', '', 'unknown'],
  ['one good probe is enough at the start', 'good@0', 'healthy'],
  ['one failure raises suspicion', 'good@0 bad@500', 'suspect'],
  ['two of three failures', 'good@0 bad@500 bad@1000', 'suspect'],
  ['three failures over the minimum time', 'good@0 bad@500 bad@1000 bad@1500', 'failed'],
  ['three quick failures are too quick', 'good@0 bad@500 bad@600 bad@1499', 'suspect'],
  ['a fourth one after the minimum time', 'good@0 bad@500 bad@600 bad@700 bad@1500', 'failed'],
  ['a good probe in between begins the count anew', 'bad@0 bad@500 good@900 bad@1000 bad@1500', 'suspect'],
  ['one good probe does not end a failure', 'bad@0 bad@500 bad@1000 good@1500', 'failed'],
  ['two in a row do', 'bad@0 bad@500 bad@1000 good@1500 good@2000', 'healthy'],
  ['a failure between them does not', 'bad@0 bad@500 bad@1000 good@1500 bad@2000 good@2500', 'failed'],
  ['a failed part that fails again stays failed', 'bad@0 bad@500 bad@1000 good@1500 bad@2000', 'failed'],
  ['what is neutral neither counts nor interrupts', 'bad@0 neutral@400 bad@500 neutral@900 bad@1000', 'failed'],
  ['what is neutral alone says nothing', 'neutral@0 neutral@500 neutral@1000', 'unknown'],
  ['what is neutral mends nothing', 'bad@0 bad@500 bad@1000 neutral@1500 neutral@2000', 'failed'],
] as const;
for (const [title, findings, verdict] of rows) {
  test(`V1: ${title}: ${verdict}`, () => assert.equal(see(untracked, findings).verdict, verdict));
}

test('a failure is as old as the beginning of its first probe: three time-outs under way at once confirm', () => {
  assert.equal(see(untracked, 'bad@800 bad@1300 bad@1800', 800).verdict, 'failed');
});

test('the class of the last probe is kept whatever it means, and when the verdict changed', () => {
  const track = see(untracked, 'good@0 bad@500 neutral@700');
  assert.deepEqual([track.lastClass, track.changedAt], ['class-700', 500]);
});

test('V3: after silence the count begins anew; what was healthy stays so', () => {
  assert.equal(beginAnew(see(untracked, 'bad@0 bad@500 bad@1000')).verdict, 'unknown');
  assert.equal(see(beginAnew(see(untracked, 'bad@0 bad@500')), 'bad@1000').verdict, 'suspect');
  const healthy = see(untracked, 'good@0');
  assert.equal(beginAnew(healthy), healthy);
});
