// V5: what is known of the primary's position, and from whom: what was granted without this agent is known to whoever
// granted it.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { hearStandbysPosition, unnoticedMs } from '../../../src/core/agent/positions.ts';
import { furthest } from '../../../src/core/observe/position.ts';
import { done } from '../../../src/core/outcome.ts';
import { standbyAdvice } from '../../../src/core/verdict/standby.ts';
import { formatRegisterState } from '../../../src/wire/register-codec.ts';
import { Session } from '../agent/session.ts';
import { now, oldNonce, standbyReport, state } from '../agent-state.ts';
import { at, ballot, epoch, guardStatus, moment, notice, record, renew, view } from '../core-builders.ts';

const far = 50_000_000;
const positionOf = (session: Session) => session.state.lastPrimary?.position;
const advice = (session: Session) => standbyAdvice(session.state, session.now);
const inquire = (status = guardStatus('site1')) =>
  ({ type: 'inquire', cluster: 'c-1', voters: 'three', status }) as const;
test('V5: a renewal of the primary tells its position', () => {
  const session = new Session(state()).request(
    'site1-guard',
    renew({ status: guardStatus('site1', { position: far }) }),
  );
  assert.equal(positionOf(session), far);
  assert.equal(session.state.positionAt, state().state.positionAt, 'told: of when, it does not say');
  assert.match(advice(session).why, /lacks \d+ bytes/);
});

test('V5: a probe saw it at its beginning: what was acknowledged until its end may lie beyond what it met', () => {
  const session = new Session(state()).tick(500);
  const began = session.now;
  const row = { cluster: 'c-1', epoch: epoch(1), beat: 1 };
  const report = { class: 'ok' as const, detail: '', position: far, row, systemId: null, timeline: null };
  session.acted('probe-primary', done({ kind: 'primary', report }), 300);
  assert.deepEqual([positionOf(session), session.state.positionAt], [far, began]);
});

test('V5: a guard whose database is no primary tells of no position in this epoch', () => {
  for (const database of ['stopped', 'unknown', 'starting', 'standby'] as const) {
    const status = guardStatus('site1', { position: far, database });
    assert.equal(positionOf(new Session(state()).request('site1-guard', inquire(status))), 1000);
  }
});

test('V5: the peer tells what it knows, with its notice and its answers; of another epoch it means nothing', () => {
  const told = (lastPrimary: { position: number; epoch: ReturnType<typeof epoch> }) => {
    const noticed = new Session(state()).request('site1-agent', notice({ lastPrimary }));
    const answered = new Session(state()).tick();
    answered.answered('state', { type: 'view', view: view(), lastPrimary });
    assert.equal(positionOf(noticed), positionOf(answered));
    assert.equal(noticed.state.positionAt, state().state.positionAt, 'it was not seen now');
    return positionOf(noticed);
  };
  assert.equal(told({ position: far, epoch: epoch(1) }), far);
  assert.equal(told({ position: far, epoch: epoch(0) }), 1000);
  assert.equal(told({ position: 900, epoch: epoch(1) }), 1000, 'it never goes back');
});

test('V5: the register tells what the grants of others left there', () => {
  const session = new Session(state().peerSilentFor(60_000)).tick(2000);
  const value = {
    cluster: 'c-1',
    serial: 9,
    promised: ballot(1),
    accepted: at(1),
    nonce: oldNonce,
    position: far,
  };
  const text = formatRegisterState(value);
  const [read] = session.send.filter((send) => send.kind === 'register-read');
  assert.ok(read?.kind === 'register-read', 'it does not look');
  session.step({ type: 'register-read', id: read.id, outcome: done({ text, state: value }) });
  assert.equal(positionOf(session), far);
  assert.match(advice(session).why, /lacks \d+ bytes/);
});

test('V5: the guard of the standby tells what it was told with a failsafe (L8)', () => {
  const status = guardStatus('site2', { failsafeOf: { position: far, epoch: epoch(1) } });
  assert.equal(positionOf(new Session(state()).request('site2-guard', inquire(status))), far);
});

for (const [what, change, heard] of [
  ['tells how far the primary has written', { primaryPosition: far }, true],
  ['that does not stream tells nothing', { primaryPosition: far, streaming: false }, false],
  ['that never heard of it tells nothing', { primaryPosition: null }, false],
] as const) {
  test(`V5: a standby ${what}`, () => {
    const draft = { s: state().state, at: moment(now), send: [], act: [], trace: [] };
    hearStandbysPosition(draft, { ...standbyReport, ...change });
    assert.equal(draft.s.positionAt, now - 500, 'it is not told when');
    assert.equal(draft.s.lastPrimary?.position, heard ? far : 1000);
  });
}

test('V5: who hears a voter knows what it let go on, however long ago it saw the primary itself', () => {
  const long = { positionAt: now - 3_600_000 };
  assert.equal(standbyAdvice(state().with(long).state, now).mayTakeOver, true, 'the peer');
  assert.equal(standbyAdvice(state().peerSilentFor(60_000).with(long).state, now).mayTakeOver, true, 'the register');
});

const limitMs = unnoticedMs(state('site2', 'none').state);
for (const [what, positionAt, may] of [
  ['a moment ago', now - limitMs, true],
  ['an hour ago', now - 3_600_000, false],
  ['never since its start', null, false],
] as const) {
  test(`V5: an agent that hears nobody and saw the primary ${what}: ${may ? 'may force' : 'has to be told that it may lose'}`, () => {
    const { state: s } = state('site2', 'none').peerSilentFor(60_000).with({ positionAt });
    const { mayTakeOver, why } = standbyAdvice(s, now);
    assert.equal(mayTakeOver, may, why);
    if (!may) assert.match(why, /nobody who is heard.*lacked 0 bytes of WAL then.*--accept-loss/);
    assert.equal(standbyAdvice(s, now, 'loss').mayTakeOver, true);
  });
}

// Whether two others may have chosen `sync: false`, and let the primary go on, after the `sync: true` that is known here.
for (const [replication, witness, hears, may] of [
  ['zero-loss', 'agent', false, false],
  ['zero-loss', 'route53', false, false],
  ['zero-loss', 'none', false, true],
  ['zero-loss', 'agent', true, true],
  // It may have been another mode until a moment ago, where this agent could not be reached.
  ['zero-loss-strict', 'agent', false, false],
] as const) {
  test(`V8: ${replication}, ${witness}: who hears ${hears ? 'the witness' : 'nobody'} and knows sync: true ${may ? 'may' : 'may not'} take over`, () => {
    const seen = state('site2', witness)
      .peerSilentFor(60_000)
      .with({ positionAt: now - 1000 });
    const alone = hears ? seen : seen.with({ witness: null, register: { ...seen.state.register, heardAt: null } });
    const builder = alone.with({ settings: { ...alone.state.settings, replication } });
    const chosen = at(1, record({ sync: true }));
    const { durable } = builder.state.voter;
    const { state: s } = builder.voter({ durable: { ...durable, accepted: chosen, chosen } });
    const { mayTakeOver, why } = standbyAdvice(s, now);
    assert.equal(mayTakeOver, may, why);
    if (!may) assert.match(why, /may be an old one.*--accept-loss/);
    assert.equal(standbyAdvice(s, now, 'loss').mayTakeOver, true);
    const half = at(2, record({ sync: false }));
    const doubted = builder.voter({ durable: { ...durable, accepted: half, chosen } }).state;
    if (witness === 'none') assert.equal(standbyAdvice(doubted, now).mayTakeOver, false, 'perhaps it was chosen');
  });
}

test('V5: a witness of the older release does not know what it let go on; the peer does', () => {
  const long = { positionAt: now - 3_600_000 };
  for (const [lastPrimary, may] of [
    ['unsaid', false],
    [null, true],
  ] as const) {
    const session = new Session(state('site2', 'agent').peerSilentFor(60_000).with(long)).tick();
    const asked = session.asked('state').find(({ to }) => to === 'witness');
    assert.ok(asked !== undefined);
    const value = { type: 'view', view: view(), lastPrimary } as const;
    session.step({ type: 'answer', id: asked.id, outcome: done(value) });
    assert.equal(standbyAdvice(session.state, session.now).mayTakeOver, may);
  }
  const peer = state('site2', 'route53').with(long);
  assert.equal(standbyAdvice(peer.state, now).mayTakeOver, true);
  const silent = state('site2', 'route53').peerSilentFor(60_000).with(long).state;
  const untold = { ...silent, peer: silent.peer && { ...silent.peer, tells: false } };
  assert.equal(standbyAdvice(untold, now).mayTakeOver, false, 'the peer wrote what the register holds');
});

test('V5: of two positions the later epoch counts, and within one the further', () => {
  const position = (number: number, bytes: number) => ({ epoch: epoch(number), position: bytes });
  assert.deepEqual(furthest(position(1, 900), position(2, 10)), position(2, 10));
  assert.deepEqual(furthest(position(2, 10), position(1, 900)), position(2, 10));
  assert.deepEqual(furthest(position(2, 10), position(2, 11)), position(2, 11));
  assert.deepEqual(furthest(null, position(1, 1)), position(1, 1));
  assert.deepEqual(furthest(position(1, 1), null), position(1, 1));
});
