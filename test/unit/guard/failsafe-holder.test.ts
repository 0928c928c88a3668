// L8, the holder's side, as tables: when a guard asks the other one to promise, and which promises renew its lease.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { GuardEvent } from '../../../src/core/guard/deeds.ts';
import {
  type AgentWord,
  type DatabaseBelief,
  emptyGuardDurable,
  type GuardState,
  startGuard,
} from '../../../src/core/guard/state.ts';
import { guardStep } from '../../../src/core/guard/step.ts';
import type { FailsafeAnswer } from '../../../src/core/messages.ts';
import { done } from '../../../src/core/outcome.ts';
import { openTally, type Tally } from '../../../src/core/quorum/holder.ts';
import type { Settings } from '../../../src/core/settings.ts';
import type { VoterId } from '../../../src/core/site.ts';
import { deepFreeze } from '../core-builders.ts';
import { chosenAt, settings } from './voters.ts';

const now = 500_000;
const epoch = (number: number) => ({ era: { number: 0, site: 'site1' as const }, epoch: number });
const round = (seq: number) => ({ start: 2, seq });
const look = { armed: true, deadline: now + 1000, lastLook: now - 100 };
/** F + 2P. */
const little = 900 + 2 * 750;

function tally(seq: number, agoMs: number, change: Partial<Tally> = {}): Tally {
  return { ...openTally(round(seq), epoch(3), 3000, now - agoMs), ...change };
}

/** site1's guard, whose lease of epoch 3 is about to end; the round that began 500 ms ago was answered by nobody. */
function holder(change: Partial<GuardState> = {}, db: Partial<DatabaseBelief> = {}, used: Settings = settings) {
  const disk = {
    ...emptyGuardDurable,
    cluster: 'test-1',
    noted: epoch(3),
    chosen: chosenAt(5, { epoch: 3 }),
    roundStart: 1,
    ranIn: epoch(3),
    beatenIn: epoch(3),
    heldFirstLease: true,
  };
  const fresh = startGuard('site1', used, disk, now - 60_000, 1);
  return deepFreeze<GuardState>({
    ...fresh,
    startup: 'over',
    lease: { epoch: epoch(3), until: now + 1500, round: round(3) },
    seq: 4,
    tallies: [tally(4, 500)],
    nextRoundAt: now + 250,
    fuse: { at: now - 100, value: look },
    deadline: now + 1000,
    db: { ...fresh.db, role: 'primary', beatAt: now - 500, position: 4711, ...db },
    ...change,
  });
}

const moment = { now, wall: 2, random: '0'.repeat(32) };
const step = (state: GuardState, event: GuardEvent) => guardStep(state, deepFreeze(event), moment);

const answered = (...answers: readonly VoterId[]) => tally(4, 500, { answered: answers });
const granted = (...grants: readonly VoterId[]) => tally(4, 500, { answered: grants, granted: grants });
const lease = (leftMs: number) => ({ epoch: epoch(3), until: now + leftMs, round: round(3) });
const word: AgentWord = { at: now, mayTakeOver: false, why: '', hearsPeer: true, refuses: null, orderedAt: null };
const says = (change: Partial<AgentWord>) => ({ agents: { site1: null, site2: { ...word, ...change } } });
const forced = chosenAt(5, { epoch: 3, voters: 'only:site1' });
const alone: Settings = { ...settings, witness: 'none' };

const asks: readonly (readonly [string, boolean, GuardState])[] = [
  ['nobody answered the round, and the lease is about to end', true, holder()],
  ['just less than F + 2P is left', true, holder({ lease: lease(little - 1) })],
  ['F + 2P is left', false, holder({ lease: lease(little) })],
  ['there is no lease: failsafe acquires none', false, holder({ lease: null }, { role: 'none' })],
  ['the lease is over', false, holder({ lease: lease(10) })],
  ['the database does not run as a primary', false, holder({}, { role: 'none', retryAt: now + 1000 })],
  ['it is being fenced', false, holder({ fencing: { cause: 'x', since: now, retryAt: null } })],
  ['one voter answered', true, holder({ tallies: [answered('site1')] })],
  ['a majority answered, if only to refuse', false, holder({ tallies: [answered('site1', 'witness')] })],
  [
    'a majority answered, but an earlier round than the last that has had its time',
    true,
    holder({ tallies: [tally(3, 1250, { answered: ['site1', 'site2'] }), tally(4, 500)] }),
  ],
  [
    'a majority answered that round and a later one together',
    false,
    holder({ seq: 5, tallies: [answered('site1'), tally(5, 100, { answered: ['site2'] })] }),
  ],
  ['no round has had its time', false, holder({ tallies: [tally(4, 399)] })],
  ['with a witness one grant is no lease', true, holder({ tallies: [granted('site1')] })],
  ['without a witness one grant is a lease (I6)', false, holder({ tallies: [granted('site1')] }, {}, alone)],
  ['an agent refused it a moment ago (V4)', false, holder(says({ refuses: { epoch: epoch(3), at: now - 2000 } }))],
  ['an agent refused it too long ago', true, holder(says({ refuses: { epoch: epoch(3), at: now - 2001 } }))],
  ['an agent has an order past it', false, holder(says({ orderedAt: now - 2000 }))],
  ['it serves nobody (I6)', false, holder({}, { beatAt: now - 3001 })],
  [
    'a forced era: the other side counts for nothing',
    false,
    holder({ durable: { ...holder().durable, chosen: forced } }),
  ],
  ['L9: its fuse is not alive', false, holder({ fuse: { at: now - 100, value: { ...look, lastLook: now - 1001 } } })],
  ['it asked a moment ago', false, holder({ nextFailsafeAt: now + 1 })],
];

for (const [name, expected, state] of asks) {
  test(`L8: ${name}: ${expected ? 'the other guard is asked' : 'not asked'}`, () => {
    const { effects, state: after } = step(state, { type: 'tick' });
    const requests = effects.send.flatMap((send) =>
      send.kind === 'ask' && send.request.type === 'failsafe' ? [send] : [],
    );
    assert.equal(requests.length, expected ? 1 : 0);
    if (!expected) return;
    assert.equal(requests[0]?.to, 'site2-guard');
    assert.deepEqual(requests[0]?.request, {
      type: 'failsafe',
      cluster: 'test-1',
      voters: 'abc',
      epoch: epoch(3),
      site: 'site1',
      round: { start: 2, seq: state.seq + 1 },
      ttlMs: 3000,
      position: 4711,
    });
    assert.equal(after.nextFailsafeAt, now + 750, 'not again before the next round');
  });
}

/** As `holder`, having asked 200 ms ago with round 5. */
function asked(change: Partial<GuardState> = {}): GuardState {
  const pending = { kind: 'failsafe', id: 7, at: now - 200, round: round(5), epoch: epoch(3), ttlMs: 3000 } as const;
  return holder({ seq: 5, pending: [pending], nextId: 8, nextFailsafeAt: now + 550, ...change });
}

const moved = { ...asked().durable, chosen: chosenAt(6, { epoch: 4 }), noted: epoch(4) };
const leaving = { cause: 'crash', gone: true, position: null, holdMs: 3000, orderUntil: null };
const promises: readonly (readonly [string, boolean, GuardState, Partial<FailsafeAnswer>])[] = [
  ['a promise', true, asked(), {}],
  ['a refusal', false, asked(), { promised: false, why: 'this guard holds a lease' }],
  ['a refusal by one that has noted nothing', false, asked(), { promised: false, noted: null, why: 'another cluster' }],
  ['a promise of another round', false, asked(), { round: round(4) }],
  ['L7: the round was released since', false, asked({ covered: round(5) }), {}],
  ['an earlier round was released', true, asked({ covered: round(4) }), {}],
  ['C4: the lease is over', false, asked({ lease: lease(10) }), {}],
  ['C4: there is no lease any more', false, asked({ lease: null }), {}],
  ['L7: the database is given up', false, asked({ leaving }), {}],
  [
    'its own database is of a later epoch by now',
    false,
    asked({ durable: moved, lease: { ...lease(1500), epoch: epoch(4) } }),
    {},
  ],
];

for (const [name, counts, state, change] of promises) {
  test(`L8: ${name}: ${counts ? 'renews from t0' : 'renews nothing'}`, () => {
    const value = {
      type: 'failsafe-answer',
      promised: true,
      round: round(5),
      noted: epoch(3),
      why: '',
      ...change,
    } as const;
    const { state: after } = step(state, { type: 'answer', id: 7, outcome: done(value) });
    const before = state.lease !== null && state.lease.until > now + 10 ? state.lease.until : undefined;
    assert.equal(after.lease?.until, counts ? now - 200 + 3000 : before);
  });
}

test('L8, L10: a guard that has noted a higher epoch says so: it is noted here, on disk, and the lease is over', () => {
  const value = { type: 'failsafe-answer', promised: false, round: round(5), noted: epoch(4), why: 'later' } as const;
  const { state: after, effects } = step(asked(), { type: 'answer', id: 7, outcome: done(value) });
  assert.deepEqual(effects.persist?.noted, epoch(4));
  assert.equal(after.lease, null);
  assert.equal(effects.fence, true);
});
