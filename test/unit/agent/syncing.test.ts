// V8 and V5 at the agent: `sync: false` for a question, by a change begun after it; `sync: true` onto exactly the record
// that was named; and no failover in zero-loss mode but from a record found that says `sync: true`.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { SyncOff, VoterView } from '../../../src/core/messages.ts';
import type { Accepted, ClusterRecord } from '../../../src/core/quorum/record.ts';
import type { Site } from '../../../src/core/site.ts';
import { type StateBuilder, state } from '../agent-state.ts';
import { at, ballot, but, epoch, record, round, view } from '../core-builders.ts';
import { Session } from './session.ts';

const question = (seq = 7, change: Partial<SyncOff> = {}): SyncOff => ({
  type: 'sync-off',
  cluster: 'c-1',
  voters: 'three',
  epoch: epoch(1),
  site: 'site1',
  ask: round(seq),
  ...change,
});

function zeroLoss(builder: StateBuilder): StateBuilder {
  return builder.with({ settings: but(builder.state.settings, { replication: 'zero-loss' }) });
}

const holds = (accepted: Accepted): VoterView => view({ promised: accepted.ballot, accepted, chosen: at(1) });

/** The other agent promises, holding this, and accepts what it is given; what that was. */
function chosenWith(session: Session, theirs: Accepted): ClusterRecord | null {
  const answer = { promised: true, refusal: null, view: { ...holds(theirs), bindsMs: 0, bindsTo: null } } as const;
  const asked = session.asked('prepare');
  assert.equal(asked.length > 0, true, 'no round was begun');
  for (const { id } of asked) {
    session.step({ type: 'answer', id, outcome: { kind: 'done', value: { type: 'promise', ...answer } } });
    const [accept] = session.asked('accept');
    if (accept === undefined) continue;
    const value = { ballot: accept.request.ballot, record: accept.request.record };
    const accepted = { type: 'accepted', accepted: true, refusal: null, view: holds(value) } as const;
    session.step({ type: 'answer', id: accept.id, outcome: { kind: 'done', value: accepted } });
    return accept.request.record;
  }
  return null;
}

function verdict(session: Session): readonly [ok: boolean, why: string, sync: boolean | null] {
  const answer = session.reply();
  assert.ok(answer.type === 'sync-answer');
  return [answer.ok, answer.why, answer.chosen?.record.sync ?? null];
}

for (const before of [true, false]) {
  test(`V8: a question begins a change to sync: false, also where the record says sync: ${before}; then it is answered`, () => {
    const known = at(5, record({ sync: before }));
    const session = new Session(state('site1', 'agent').record({ sync: before })).request('site1-guard', question());
    const change = chosenWith(session, known);
    assert.equal(change?.sync, false);
    assert.deepEqual(verdict(session), [true, '', false]);
    const { chosen } = session.state.voter.durable;
    assert.ok(chosen !== null && chosen.ballot.counter > known.ballot.counter, 'a ballot of its own');
  });
}

test('V8: asked again after it was chosen, it answers at once, without another change', () => {
  const session = new Session(state('site1', 'agent')).request('site1-guard', question());
  chosenWith(session, at(1));
  session.tick(600).request('site1-guard', question());
  assert.deepEqual(verdict(session), [true, '', false]);
  assert.equal(session.asked('prepare').length, 0);
});

test('V8: another question begins another change', () => {
  const session = new Session(state('site1', 'agent')).request('site1-guard', question());
  chosenWith(session, at(1));
  const first = session.state.voter.durable.chosen?.ballot.counter ?? 0;
  session.tick(600).request('site1-guard', question(8));
  assert.equal(chosenWith(session, session.state.voter.durable.chosen ?? at(1))?.sync, false);
  assert.ok((session.state.voter.durable.chosen?.ballot.counter ?? 0) > first);
});

test('V8: a change that was under way when the question came is no answer to it', () => {
  const builder = state('site1', 'agent').record({ sync: true });
  const session = new Session(builder).order({ kind: 'pause', reason: '' }).tick();
  const round1 = session.asked('prepare').length > 0 ? session : session.tick(50);
  round1.request('site1-guard', question());
  assert.equal(
    round1.send.some((send) => send.kind === 'reply'),
    false,
  );
});

type Refused = readonly [why: RegExp, from: 'site1-guard' | 'site2-guard', message: SyncOff, given: StateBuilder];
const refused: readonly Refused[] = [
  [/own site/, 'site2-guard', question(), state('site1')],
  [/another cluster/, 'site1-guard', question(7, { cluster: 'c-2' }), state('site1')],
  [/another voter set/, 'site1-guard', question(7, { voters: 'two' }), state('site1')],
  [/lost its state/, 'site1-guard', question(), state('site1').voter({ amnesia: true })],
  [/epoch is over/, 'site1-guard', question(), state('site1').record({ epoch: 2, primary: 'site2' })],
  [/epoch is over/, 'site2-guard', question(7, { site: 'site2' }), state('site1')],
];
for (const [why, from, message, given] of refused) {
  test(`V8: a question is refused: ${why.source} (${from})`, () => {
    const session = new Session(given).request(from, message);
    const [ok, said] = verdict(session);
    assert.equal(ok, false);
    assert.match(said, why);
    assert.equal(session.state.syncQuestion, null);
  });
}

test('V8: the agent of the other site leaves it to the first, and acts when it is asked again', () => {
  const session = new Session(state('site2', 'agent')).request('site1-guard', question());
  assert.equal(session.asked('prepare').length, 0);
  session.tick(499);
  assert.equal(session.asked('prepare').length, 0);
  session.request('site1-guard', question(), 1);
  assert.equal(session.asked('prepare').length > 0, true);
});

test('V8: a question that is not asked again is let go', () => {
  const session = new Session(state('site2', 'agent')).request('site1-guard', question());
  session.tick(2001);
  assert.deepEqual(verdict(session).slice(0, 1), [false]);
  assert.equal(session.state.syncQuestion, null);
});

const named = (me: Site, counter: number, builder = state(me, 'agent')): StateBuilder =>
  builder.guard('site1', { syncAt: ballot(counter) });

test('V8: sync: true is put onto the record that the guard named, by the agent of its site', () => {
  const session = new Session(named('site1', 1)).tick();
  assert.equal(chosenWith(session, at(1))?.sync, true);
});

test('V8: the other agent waits for the first', () => {
  const session = new Session(named('site2', 1)).tick();
  assert.equal(session.asked('prepare').length, 0);
  session.tick(400);
  assert.equal(session.asked('prepare').length, 0);
  session.tick(100);
  assert.equal(session.asked('prepare').length > 0, true);
});

test('V8: nothing is put onto a record that was not named, is named no more, or says so already', () => {
  for (const given of [
    named('site1', 4),
    state('site1', 'agent'),
    named('site1', 5, state('site1', 'agent').record({ sync: true })),
    state('site1', 'agent').guard('site1', { syncAt: ballot(1) }, 2500),
  ]) {
    assert.equal(new Session(given).tick().asked('prepare').length, 0);
  }
});

test('V8: a half-done sync: false found by the prepare has another ballot than the one named: given up', () => {
  const session = new Session(named('site1', 1)).tick();
  const found = { ballot: ballot(3, 'site2'), record: record({ reason: 'half done' }) };
  assert.equal(chosenWith(session, found), null);
  assert.ok(session.traces.includes('round.given-up'));
});

test('Q5, V8: a half-done record is ended before sync: true is tried again, which would be given up for ever', () => {
  const builder = named('site1', 1);
  const { durable } = builder.state.voter;
  const found = { ballot: ballot(3), record: record({ reason: 'half done' }) };
  const session = new Session(builder.voter({ durable: { ...durable, promised: found.ballot, accepted: found } }));
  for (let ticks = 0; ticks < 20 && session.asked('prepare').length === 0; ticks += 1) session.tick(100);
  const ended = chosenWith(session, at(1));
  assert.equal(ended?.reason, 'half done');
  assert.equal(ended.sync, false);
});

const failing = (change: Partial<ClusterRecord>): StateBuilder =>
  zeroLoss(state('site2', 'agent').record(change).primaryFailed().gone()).guard('site2', { database: 'standby' });

test('V5: in zero-loss mode a standby takes over only by a record that says sync: true', () => {
  const held = new Session(failing({ sync: false })).tick();
  assert.equal(held.state.decision.code, 'standby-unfit');
  assert.match(held.state.decision.sentence, /zero-loss/);
  const moved = new Session(failing({ sync: true })).tick();
  assert.equal(chosenWith(moved, at(5, record({ sync: true })))?.primary, 'site2');
});

test('V5: a half-done sync: false that the prepare finds is ended as it is, not passed over and not left', () => {
  const session = new Session(failing({ sync: true })).tick();
  const found = { ballot: ballot(6, 'site1'), record: record({ sync: false, reason: 'half done' }) };
  const change = chosenWith(session, found);
  assert.deepEqual([change?.primary, change?.sync], ['site1', false]);
  session.tick(400);
  assert.equal(session.state.decision.code, 'standby-unfit');
});

test('V5: --accept-loss goes past it, a switchover needs none', () => {
  const order = (acceptLoss: boolean) =>
    ({ kind: 'failover', to: null, dryRun: true, acceptLoss, force: false, otherSideIsDown: false }) as const;
  const ok = (builder: StateBuilder, acceptLoss: boolean): boolean => {
    const answer = new Session(builder).order(order(acceptLoss)).reply();
    return answer.type === 'ack' && answer.ok;
  };
  const silent = zeroLoss(state('site2', 'agent').record({ sync: false })).guard('site1', { database: 'unknown' });
  assert.deepEqual([ok(silent, false), ok(silent, true)], [false, true]);
  assert.equal(ok(zeroLoss(state('site2', 'agent').record({ sync: false })), false), true);
});
