// Q4, Q8, V5, V6, W3: what a start finds on its disk, it has, and where it is used.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { AgentDraft } from '../../../src/core/agent/draft.ts';
import { coolDownLeftMs, entryCoolDownLeftMs, memoryOf } from '../../../src/core/agent/facts.ts';
import { freshNonce } from '../../../src/core/agent/register-io.ts';
import { type AgentDurable, durableOf, startAgent } from '../../../src/core/agent/state.ts';
import { at, ballot, deepFreeze, durable, epoch, moved, settings } from '../core-builders.ts';

const wall = 1_790_000_000_000;

const disk: AgentDurable = deepFreeze({
  voter: durable({ promised: ballot(9), accepted: at(7, moved), chosen: at(7, moved), longestTtlMs: 20_000 }),
  seen: { site1: ballot(8), witness: ballot(7, 'site2') },
  votes: { site1: ballot(7), witness: ballot(6, 'site2') },
  registerSerial: 41,
  lastPrimary: { epoch: epoch(2), position: 4711 },
  standbyPeak: { epoch: epoch(2), position: 4700 },
  learned: { epoch: epoch(2), wall: wall - 60_000 },
  entryMoved: wall - 30_000,
  systemId: '7300000000000000001',
  founded: true,
});

for (const witness of ['agent', 'route53', 'none'] as const) {
  test(`a start forgets nothing, witness ${witness}`, () => {
    const state = startAgent('site2', settings(witness), disk, false, 5000);
    assert.deepEqual(durableOf(state), disk);
    assert.deepEqual(memoryOf(state, 'site1'), { promised: ballot(8), voted: ballot(7) });
    assert.deepEqual(memoryOf(state, 'witness'), { promised: ballot(7, 'site2'), voted: ballot(6, 'site2') });
    assert.equal(state.register.serial, 41, 'W3');
    assert.deepEqual(state.lastPrimary, disk.lastPrimary, 'V5');
    assert.deepEqual(state.standbyPeak, disk.standbyPeak, 'V8');
    assert.equal(state.voter.quarantinedUntil, 5000 + 21_010, 'L4');
    assert.equal(freshNonce({ s: state, at: { now: 5000, wall, random: 'f'.repeat(32) } } as AgentDraft).ttlMs, 20_000);
    assert.deepEqual(state.voter.grantedUnder, ballot(9), 'V5');
    const { coolDownMs, entryCoolDownMs } = state.settings.policy;
    assert.equal(coolDownLeftMs(state, wall), coolDownMs - 60_000, 'V6');
    assert.equal(entryCoolDownLeftMs(state, wall), entryCoolDownMs - 30_000, 'V7');
  });
}
