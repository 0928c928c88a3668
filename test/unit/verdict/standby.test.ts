// V5: one row for each reason why a standby may not take over, and its neighbour that may.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { standbyTestifies } from '../../../src/core/agent/facts.ts';
import { standbyAdvice } from '../../../src/core/verdict/standby.ts';
import { now, type StateBuilder, state } from '../agent-state.ts';
import { epoch } from '../core-builders.ts';

const row = (change: object) => ({ row: { cluster: 'c-1', epoch: epoch(1), beat: 1, ...change } });

const reasons: readonly (readonly [why: RegExp, no: StateBuilder, yes: StateBuilder])[] = [
  [/no cluster record/, state().voter({ durable: { ...state().state.voter.durable, chosen: null } }), state()],
  [/nothing was seen/, state().standby({}, 3001), state().standby({}, 3000)],
  [/nothing was seen/, state().with({ standbySeen: null }), state()],
  [/answers 'timeout'/, state().standby({ class: 'timeout' }), state()],
  [/not a standby/, state().standby({ inRecovery: false }), state()],
  [/not a standby/, state().standby({ inRecovery: null }), state()],
  [/guard was not heard/, state().guard('site2', {}, 3001), state().guard('site2', {}, 3000)],
  [/fuse is not alive/, state().guard('site2', { fuseAlive: false }), state()],
  [/disk is full/, state().guard('site2', { diskFull: true }), state().guard('site1', { diskFull: true })],
  [
    /started a moment ago.*L8/,
    state().guard('site2', { quarantineMs: 101 }),
    state().guard('site2', { quarantineMs: 100 }),
  ],
  [/identifier .* unknown/, state().remembers({ systemId: null }), state()],
  [/identifier .* unknown/, state().standby({ systemId: null }), state()],
  [/another system identifier/, state().standby({ systemId: 'two' }), state()],
  [/not replayed the row/, state().standby({ row: null }), state()],
  [/replayed epoch 0.*made anew/, state().standby(row({ epoch: epoch(0) })), state()],
  [/has to be made anew/, state().standby(row({ cluster: 'c-2' })), state()],
  [
    /has to be made anew/,
    state().standby({ ...row({ epoch: { era: { number: 1, site: 'site2' }, epoch: 1 } }), received: 9e9 }),
    state(),
  ],
  [/received is unknown/, state().standby({ received: null, replayed: null }), state().standby({ received: null })],
  [/last position .* unknown/, state().remembers({ lastPrimary: null }), state()],
  [/last position .* unknown/, state().remembers({ lastPrimary: { position: 1000, epoch: epoch(0) } }), state()],
  [
    /lacks 1001 bytes/,
    state().remembers({ lastPrimary: { position: 2001, epoch: epoch(1) } }),
    state().remembers({ lastPrimary: { position: 2000, epoch: epoch(1) } }),
  ],
];

for (const [why, { state: no }, { state: yes }] of reasons) {
  test(`V5: may not take over: ${why.source}`, () => {
    const advice = standbyAdvice(no, now);
    assert.equal(advice.mayTakeOver, false);
    assert.match(advice.why, why);
    assert.deepEqual([standbyAdvice(yes, now).mayTakeOver, standbyAdvice(yes, now).why], [true, '']);
  });
}

test('V5: --accept-loss overrides the lag and a position that is unknown, nothing else', () => {
  const far = state().remembers({ lastPrimary: { position: 1e9, epoch: epoch(1) } });
  assert.equal(standbyAdvice(far.state, now, 'loss').mayTakeOver, true);
  assert.equal(standbyAdvice(state().remembers({ lastPrimary: null }).state, now, 'loss').mayTakeOver, true);
  assert.equal(standbyAdvice(far.standby(row({ epoch: epoch(0) })).state, now, 'loss').mayTakeOver, false);
  assert.equal(standbyAdvice(far.standby({ received: null, replayed: null }).state, now, 'loss').mayTakeOver, false);
});

test('the advice tells the position received and how old that is', () => {
  const { received, ageMs } = standbyAdvice(state().standby({ received: 77 }, 250).state, now);
  assert.deepEqual([received, ageMs], [77, 250]);
});

const testimony = [
  [
    'it moved within the confirm time',
    state()
      .primaryFailed('timeout')
      .with({ receivedMovedAt: now - 1499 }),
    true,
  ],
  [
    'it moved before that',
    state()
      .primaryFailed('timeout')
      .with({ receivedMovedAt: now - 1500 }),
    false,
  ],
  ['it never moved', state().primaryFailed('unreachable').with({ receivedMovedAt: null }), false],
  ['unreachable may be blindness too', state().primaryFailed('unreachable').with({ receivedMovedAt: now }), true],
  ['a refusal is no blindness', state().primaryFailed('refused').with({ receivedMovedAt: now }), false],
  ['nor is a stalled write', state().primaryFailed('write-stalled').with({ receivedMovedAt: now }), false],
] as const;
for (const [title, { state: given }, yes] of testimony) {
  test(`V2: ${title}: the standby ${yes ? 'testifies' : 'does not testify'}`, () => {
    assert.equal(standbyTestifies(given, now), yes);
  });
}
