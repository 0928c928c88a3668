// The failover policy, row by row: each answer has a state that yields it, and one beside it that just does not.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { decidePrimary } from '../../../src/core/decide/primary.ts';
import { night, now, type StateBuilder, state } from '../agent-state.ts';
import { at, epoch, era0, record, round, view } from '../core-builders.ts';

const failed = () => state().primaryFailed().peerAgrees();
const hidden = () => state().primaryFailed('timeout').peerAgrees();
const forced = { era: { number: 1, site: 'site1' as const }, voters: 'only:site1' };
const order = {
  order: { kind: 'failover', to: null, dryRun: false, acceptLoss: false, force: false, otherSideIsDown: false },
  id: 1,
  to: 'site2',
  from: epoch(1),
  startedAt: now,
  until: now + 10_000,
  phase: 'asking',
  checkpoint: null,
} as const;
const inEpoch2 = () =>
  failed()
    .record({ epoch: 2 })
    .peerAgrees()
    .standby({ row: { cluster: 'c-1', epoch: epoch(2), beat: 1 } })
    .remembers({ lastPrimary: { position: 1000, epoch: epoch(2) } });
const learned = (agoMs: number) => ({ learned: { epoch: epoch(2), wall: night.wall - agoMs } });
/** It fails, and the peer has not made up its mind; at the end of the restart budget it has. */
const booting = (ms: number, everHealthy = false) => {
  const given = state()
    .primaryFailed()
    .with({ startedAt: now - ms });
  const told = ms < 30_000 ? given.peerSays({ primary: 'suspect' }) : given.peerAgrees();
  return told.with({ primary: { ...told.state.primary, everHealthy } });
};
const answering = (successes: number) => failed().with({ primary: { ...failed().state.primary, successes } });
const gone = () => state().gone();

type Row = readonly [rule: string, yields: string, state: StateBuilder, just: string, beside: StateBuilder];

const rows: readonly Row[] = [
  ['Q8: no memory, no word', 'amnesia', failed().voter({ amnesia: true }), 'failover', failed()],
  [
    'Q0: no record is known',
    'no-record',
    failed().voter({ durable: { ...state().state.voter.durable, chosen: null } }),
    'failover',
    failed(),
  ],
  ['Q0: the first lease is not held yet', 'not-founded', failed().remembers({ founded: false }), 'failover', failed()],
  ['Orders: an order is under way here', 'order', failed().with({ order }), 'failover', failed()],
  ['Orders: a forced era has one voter', 'forced', failed().record(forced), 'failover', failed()],
  ['V1: it serves writes', 'healthy', state(), 'failover', failed()],
  [
    'Orders: it is down in a restart, whatever it was before',
    'resting',
    state().primary('healthy', 'starting-up').guard('site1', { restingMs: 9000 }),
    'healthy',
    state().guard('site1', { restingMs: 9000 }),
  ],
  [
    'Orders: nor by what was confirmed before it, whatever the last probe met',
    'resting',
    failed().primary('failed', 'auth').guard('site1', { restingMs: 9000 }),
    'failover',
    failed().primary('failed', 'auth'),
  ],
  [
    'Orders: who restarts it says so with each round; a guard that is silent restarts nothing',
    'resting',
    failed().guard('site1', { restingMs: 9000 }, 5000),
    'failover',
    failed().guard('site1', { restingMs: 9000 }, 5001),
  ],
  ['V1: nothing is known yet', 'unknown', state().primary('unknown'), 'healthy', state()],
  ['V1: hysteresis', 'suspect', failed().primary('suspect', 'refused'), 'failover', failed()],
  [
    'V3, R2: hears nobody, so its view confirms nothing',
    'silent',
    failed().with({ hearingSince: null }),
    'failover',
    failed(),
  ],
  ['I5: one good probe, and it is confirmed no more', 'recovering', answering(1), 'failover', answering(0)],
  ['S12: never seen to work since this agent started', 'booting', booting(29_999), 'failover', booting(30_000)],
  ['S12: a peer that watched longer knows better', 'failover', booting(0).peerAgrees(), 'booting', booting(0)],
  ['S12: seen to work, it boots no more', 'peer-unsure', booting(0, true), 'booting', booting(0)],
  ['Orders: the peer drives an order', 'resting', failed().peerSays({}, { orderMs: 10 }), 'failover', failed()],
  [
    'Orders: its guard restarts it',
    'resting',
    failed().guard('site1', { restingMs: 101 }),
    'failover',
    failed().guard('site1', { restingMs: 100 }),
  ],
  ['V3: the peer sees it healthy', 'peer-objects', failed().peerSays({ primary: 'healthy' }), 'failover', failed()],
  ['V3: the peer has not confirmed it', 'peer-unsure', failed().peerSays({ primary: 'suspect' }), 'failover', failed()],
  [
    "V3: the peer speaks of another epoch's primary",
    'peer-unsure',
    failed().peerSays({}, { view: view({ chosen: at(4, record({ epoch: 0, era: era0 })) }) }),
    'failover',
    failed(),
  ],
  [
    'V3: what the peer said is old, although it answers',
    'peer-unsure',
    failed().peerNoticeAge(2001),
    'failover',
    failed().peerNoticeAge(2000),
  ],
  [
    'V3: a silent peer cannot object',
    'failover',
    failed().peerSays({ primary: 'healthy' }).peerSilentFor(2001),
    'peer-objects',
    failed().peerSays({ primary: 'healthy' }).peerSilentFor(2000),
  ],
  [
    'V2: the standby received something within the confirm time',
    'standby-testifies',
    hidden().with({ receivedMovedAt: now - 1499 }),
    'failover',
    hidden().with({ receivedMovedAt: now - 1500 }),
  ],
  [
    'V2: it testifies only against blindness',
    'failover',
    failed().with({ receivedMovedAt: now }),
    'standby-testifies',
    hidden().with({ receivedMovedAt: now }),
  ],
  ['pause', 'paused', failed().record({ mode: 'paused' }).peerAgrees(), 'failover', failed()],
  ['V5: the standby may not take over', 'standby-unfit', failed().standby({ inRecovery: false }), 'failover', failed()],
  [
    'V6: a cool-down',
    'cool-down',
    inEpoch2().remembers(learned(299_999)),
    'failover',
    inEpoch2().remembers(learned(300_000)),
  ],
  [
    'V6: none in epoch 1',
    'failover',
    failed().remembers({ learned: { epoch: epoch(1), wall: night.wall } }),
    'cool-down',
    inEpoch2().remembers(learned(0)),
  ],
  [
    'L4: its own quarantine',
    'quarantine',
    failed().voter({ quarantinedUntil: now + 1 }),
    'failover',
    failed().voter({ quarantinedUntil: now }),
  ],
  [
    'V3: no voter is heard',
    'no-majority',
    gone().peerSilentFor(2001).registerSilent(),
    'failover',
    gone().peerSilentFor(2001),
  ],
  ['Q6: its own promise to the old primary', 'lease', failed().promised(1), 'failover', failed().promised(0)],
  [
    'Q6: the promise of the only other voter heard',
    'lease',
    failed().registerSilent().peerView({ bindsMs: 5000, bindsTo: 'site1' }),
    'failover',
    failed().peerView({ bindsMs: 5000, bindsTo: 'site1' }),
  ],
  [
    'V6: the agent of the standby acts first',
    'others-turn',
    state('site1')
      .primaryFailed()
      .peerAgrees()
      .with({ readySince: now - 499 }),
    'failover',
    state('site1')
      .primaryFailed()
      .peerAgrees()
      .with({ readySince: now - 500 }),
  ],
  ['L7: gone confirms by itself', 'failover', gone(), 'healthy', state()],
  [
    'L7: gone of another epoch says nothing',
    'healthy',
    state().with({ gone: { epoch: epoch(0), round: round(1), at: now } }),
    'failover',
    gone(),
  ],
];

for (const [rule, yields, { state: given }, just, { state: beside }] of rows) {
  test(`${rule}: ${yields}, else ${just}`, () => {
    assert.equal(decidePrimary(given, night).decision.code, yields);
    assert.equal(decidePrimary(beside, night).decision.code, just, 'the row beside it');
  });
}

test('V4: refuses only while nothing but the lease stands against the change', () => {
  const refusing = rows.filter(([, , { state: given }]) => decidePrimary(given, night).refuse).map((row) => row[1]);
  assert.deepEqual([...new Set(refusing)].sort(), ['failover', 'lease', 'others-turn']);
});

test('V6: the change that is wanted names the epoch it is to replace', () => {
  assert.deepEqual(decidePrimary(failed().state, night).intent, {
    kind: 'primary',
    to: 'site2',
    from: epoch(1),
    entryToo: false,
    order: false,
    needsSync: false,
    onto: null,
    reason: "site1's database is confirmed as failed: refused",
  });
});

test('every hold has one sentence and no intent', () => {
  for (const [, yields, { state: given }] of rows) {
    const { decision, intent } = decidePrimary(given, night);
    assert.equal(intent === null, yields !== 'failover');
    assert.equal(decision.act, yields === 'failover');
    assert.ok(decision.sentence.length > 10 && !decision.sentence.includes('\n'));
  }
});

const whole = () => failed().entry('site1', 'failed', 'unreachable');
const moves = [
  ['the whole site is gone and the peer with it', whole().peerSilentFor(3000), true],
  ['a guard still hears its agent: that is a cut link', whole().peerCutFor(3000), false],
  ['both agents see it so', whole().peerSays({ primary: 'failed', entry: 'failed' }), true],
  ['the peer still sees its HAProxy serve', whole(), false],
  [
    "the other site's HAProxy does not answer either",
    whole().peerSilentFor(3000).entry('site2', 'failed', 'timeout'),
    false,
  ],
  ['the entry is elsewhere already', whole().record({ entry: 'site2' }).peerSilentFor(3000), false],
  ['only the database failed', failed().peerSilentFor(3000), false],
] as const;
for (const [title, { state: given }, entryToo] of moves) {
  test(`V7: together with the primary ${entryToo ? 'moves' : 'does not move'} the entry: ${title}`, () => {
    const { intent } = decidePrimary(given, night);
    assert.equal(intent?.kind === 'primary' && intent.entryToo, entryToo);
  });
}

test('without a witness the change waits for the peer, for ever', () => {
  const alone = state('site2', 'none').gone().peerSilentFor(2001);
  assert.equal(decidePrimary(alone.state, night).decision.code, 'no-majority');
});

test('an agent witness stands in for a missing peer, and its promise counts', () => {
  const alone = () => state('site2', 'agent').primaryFailed().peerSilentFor(2001);
  assert.equal(decidePrimary(alone().state, night).decision.code, 'failover');
  const { witness } = alone().state;
  assert.ok(witness !== null);
  const bound = { ...witness, view: { ...witness.view, bindsMs: 900, bindsTo: 'site1' as const } };
  assert.equal(decidePrimary(alone().with({ witness: bound }).state, night).decision.code, 'lease');
});
