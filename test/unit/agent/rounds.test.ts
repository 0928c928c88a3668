// Rounds that meet what others left half done (Q2, Q5): which record they go on from, and that they come to an end.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { VoterView } from '../../../src/core/messages.ts';
import type { Accepted } from '../../../src/core/quorum/record.ts';
import { absorbRead, unseenRegister } from '../../../src/core/quorum/register.ts';
import type { RegisterState } from '../../../src/core/quorum/register-state.ts';
import { otherSite } from '../../../src/core/site.ts';
import { formatRegisterState } from '../../../src/wire/register-codec.ts';
import { now, oldNonce, type StateBuilder, standbyReport, state } from '../agent-state.ts';
import { at, but, epoch, guardStatus, record, round, view } from '../core-builders.ts';
import { Session } from './session.ts';

const registerOf = (accepted: Accepted): RegisterState => ({
  cluster: 'c-1',
  serial: 9,
  promised: accepted.ballot,
  accepted,
  nonce: oldNonce,
  position: null,
});

const zeroLoss = (builder: StateBuilder): StateBuilder =>
  builder.with({ settings: but(builder.state.settings, { replication: 'zero-loss' }) });

const holding = (builder: StateBuilder, accepted: Accepted): StateBuilder =>
  builder.voter({ durable: { ...builder.state.voter.durable, promised: accepted.ballot, accepted } });

/** Answers what the agent asks of the register and, where it has a view, of its peer; everybody else is silent. */
class Surroundings {
  readonly session: Session;
  register: RegisterState;
  peer: VoterView | null;
  swaps = 0;

  constructor(builder: StateBuilder, register: RegisterState, peer: VoterView | null = null) {
    this.session = new Session(builder);
    this.register = register;
    this.peer = peer;
  }

  /** The standby and its guard are seen all the time. */
  wait(ms: number): void {
    const { session } = this;
    const seen = { at: session.now - 50, value: standbyReport };
    const guards = { ...session.state.guards, site2: { at: session.now - 50, value: guardStatus('site2') } };
    session.state = but(session.state, { standbySeen: seen, guards });
    session.tick(ms);
    this.answer();
  }

  answer(): void {
    const { session } = this;
    for (const sent of session.send) {
      if (sent.kind === 'register-read') {
        const value = { text: formatRegisterState(this.register), state: this.register };
        session.step({ type: 'register-read', id: sent.id, outcome: { kind: 'done', value } });
      } else if (sent.kind === 'register-swap') {
        this.swaps += 1;
        this.register = sent.next;
        const value = { text: formatRegisterState(sent.next) };
        session.step({ type: 'register-swapped', id: sent.id, outcome: { kind: 'done', value } });
      } else if (sent.kind === 'ask' && this.peer !== null && sent.to === `${otherSite(session.state.me)}-agent`) {
        this.#ofPeer(sent.id, sent.request.type);
      } else if (sent.kind === 'ask') {
        session.step({ type: 'answer', id: sent.id, outcome: { kind: 'unknown', detail: 'silence' } });
      } else continue;
      this.answer();
    }
  }

  #ofPeer(id: number, asked: string): void {
    const held = this.peer as VoterView;
    const value =
      asked === 'prepare'
        ? ({ type: 'promise', promised: true, refusal: null, view: held } as const)
        : asked === 'state'
          ? ({ type: 'view', view: held, lastPrimary: null } as const)
          : ({ type: 'accepted', accepted: false, refusal: 'not-free', view: held } as const);
    this.session.step({ type: 'answer', id, outcome: { kind: 'done', value } });
  }
}

for (const [what, later] of [
  ['fell back', record({ sync: false, reason: 'fell back' })],
  ['was paused', record({ sync: true, mode: 'paused', reason: 'paused' })],
] as const) {
  test(`Q2: the higher ballot counts though its epoch is the lower one: the primary ${what} after a change had failed`, () => {
    const founded = at(5, record({ sync: true }));
    const halfDone = at(6, record({ epoch: 2, primary: 'site2', reason: 'half done' }), 'site2');
    const chosen = at(7, later);
    const lost = zeroLoss(state('site2').record({ sync: true }).peerSilentFor(30_000).primaryFailed('timeout'));
    const builder = holding(lost, halfDone).guard('site1', {}, 30_000);
    const mind = absorbRead(unseenRegister, { text: 'v9', state: registerOf(chosen) }, 0, 'c-1', now - 40_000);
    const world = new Surroundings(
      builder.with({
        voter: { ...builder.state.voter, durable: { ...builder.state.voter.durable, chosen: founded } },
        register: { ...mind, heardAt: now - 300 },
        registerReadAt: now - 300,
      }),
      registerOf(chosen),
    );
    for (let ms = 0; ms < 20_000; ms += 100) world.wait(100);
    const record1 = world.session.state.voter.durable.chosen?.record;
    assert.deepEqual([record1?.epoch, record1?.primary, record1?.reason], [1, 'site1', later.reason]);
  });
}

test('I7: a failover that finds a half-done pause ends it as it is, instead of giving up for ever', () => {
  const halfDone = at(6, record({ mode: 'paused', reason: 'paused by ann' }), 'site2');
  const lost = state('site2').peerSilentFor(30_000).primaryFailed('timeout').guard('site1', {}, 30_000);
  const world = new Surroundings(holding(lost, halfDone), registerOf(at(1)));
  for (let ms = 0; ms < 20_000; ms += 100) world.wait(100);
  assert.equal(world.session.state.voter.durable.chosen?.record.mode, 'paused');
  assert.equal(world.session.state.decision.code, 'paused');
});

test('I7: commits stop waiting though the peer holds a half-done change of primary: another pair serves (Q2)', () => {
  const halfDone = at(6, record({ epoch: 2, primary: 'site2' }), 'site2');
  const chosen = at(5, record({ sync: true }));
  const builder = zeroLoss(state('site1').record({ sync: true }));
  const held = view({ promised: halfDone.ballot, accepted: halfDone, chosen });
  const world = new Surroundings(builder, registerOf(chosen), held);
  const { session } = world;
  const addressed = { cluster: 'c-1', voters: 'three', epoch: epoch(1), site: 'site1' } as const;
  for (let ms = 0; ms < 30_000 && session.state.voter.durable.chosen?.record.sync !== false; ms += 500) {
    session.request('site1-guard', { type: 'sync-off', ...addressed, ask: round(7) });
    world.answer();
    // Grants have been missing for longer than a lease, so the register may be written (Q9).
    const status = guardStatus('site1', { missingMs: 7000 + ms });
    session.request('site1-guard', { type: 'renew', ...addressed, round: round(10 + ms), ttlMs: 6000, status });
    world.answer();
    for (let step = 0; step < 5; step += 1) world.wait(100);
  }
  assert.equal(session.state.voter.durable.chosen?.record.sync, false);
  assert.equal(session.state.voter.durable.chosen?.record.primary, 'site1');
});

test('V5: a half-done change of primary is not ended by a repair while the standby may not take over', () => {
  const halfDone = at(6, record({ epoch: 2, primary: 'site2' }), 'site2');
  const lags = { lastPrimary: { position: 200_000_000, epoch: epoch(1) } };
  for (const [builder, primary] of [
    [holding(state('site2').remembers(lags), halfDone), 'site1'],
    [holding(state('site2'), halfDone), 'site2'],
  ] as const) {
    // The primary's site is lost; the register holds what was chosen before, and nobody's lease.
    const world = new Surroundings(builder.peerSilentFor(30_000).guard('site1', {}, 30_000), registerOf(at(1)));
    for (let ms = 0; ms < 60_000; ms += 100) world.wait(100);
    assert.equal(world.session.state.voter.durable.chosen?.record.primary, primary);
  }
});

test('V5, L10: what a guard of another cluster has noted does not make a half-done change a chosen one', () => {
  const halfDone = at(6, record({ epoch: 2, primary: 'site2' }), 'site2');
  const lags = { lastPrimary: { position: 200_000_000, epoch: epoch(1) } };
  for (const [cluster, noted, primary] of [
    ['c-9', 57, 'site1'],
    ['c-1', 1, 'site1'],
    ['c-1', 2, 'site2'],
  ] as const) {
    const lost = holding(state('site2').remembers(lags), halfDone).peerSilentFor(30_000).guard('site1', {}, 30_000);
    const world = new Surroundings(lost, registerOf(at(1)));
    const status = guardStatus('site1', { noted: epoch(noted), leaseLeftMs: 0, database: 'stopped' });
    world.session.request('site1-guard', { type: 'inquire', cluster, voters: 'three', status });
    world.answer();
    for (let ms = 0; ms < 60_000; ms += 100) world.wait(100);
    assert.equal(world.session.state.voter.durable.chosen?.record.primary, primary, `${cluster} ${noted}`);
  }
});

test('Q5, I5: its own half-done vote, which the register has overtaken, is put right though the standby may not take over', () => {
  const chosen = at(5, record());
  const halfDone = at(6, record({ epoch: 2, primary: 'site2' }), 'site2');
  const later = registerOf(at(7, record({ mode: 'paused', reason: 'paused' })));
  const builder = holding(state('site2').peerSilentFor(30_000), halfDone);
  const mind = absorbRead(unseenRegister, { text: 'v9', state: later }, 0, 'c-1', now - 40_000);
  const { voter } = builder.state;
  const world = new Surroundings(
    builder
      .with({ voter: { ...voter, durable: { ...voter.durable, chosen } } })
      .with({ register: { ...mind, heardAt: now - 300 }, registerReadAt: now - 300 })
      .remembers({ lastPrimary: { position: 200_000_000, epoch: epoch(1) } }),
    later,
  );
  for (let ms = 0; ms < 60_000; ms += 100) {
    // The old primary lives, and lacks a lease: so the register may be written (Q9).
    const { session } = world;
    const site1 = { at: session.now - 50, value: guardStatus('site1', { missingMs: 7000 + ms }) };
    session.state = but(session.state, { guards: { ...session.state.guards, site1 } });
    world.wait(100);
  }
  const own = world.session.state.voter.durable.accepted?.record;
  assert.deepEqual([own?.epoch, own?.primary, own?.mode], [1, 'site1', 'paused']);
});

/** The primary's agent, bound to its own guard, meets a change of primary that only the peer voted for. */
function passesOver(witness: 'none' | 'agent', lone: Accepted, chosen: Accepted | null = null): readonly unknown[] {
  const builder = state('site1', witness).promised(60_000);
  const held = view({ promised: lone.ballot, accepted: lone, ...(chosen === null ? {} : { chosen }) });
  const heard = { at: now - 100, view: held, notice: null, noticeAt: null, tells: true };
  const session = new Session(builder.with({ peer: heard }));
  for (let ms = 0; ms < 20_000 && session.asked('prepare').length === 0; ms += 100) {
    session.state = but(session.state, { peer: { ...heard, at: session.now } });
    session.tick(100);
  }
  const [prepare] = session.asked('prepare').filter(({ to }) => to === 'site2-agent');
  assert.ok(prepare !== undefined, 'no round began');
  const value = { type: 'promise', promised: true, refusal: null, view: held } as const;
  session.step({ type: 'answer', id: prepare.id, outcome: { kind: 'done', value } });
  return session.asked('accept').map(({ request }) => [request.record.epoch, request.record.primary]);
}

const lone = at(6, record({ epoch: 2, primary: 'site2' }), 'site2');

test('I7: without a witness a change of primary that only one agent holds is passed over while the lease goes on (Q2)', () => {
  assert.deepEqual(passesOver('none', lone), [[1, 'site1']]);
});

test('Q2: with a witness it may have been chosen with that, and without one it may in an era that was forced', () => {
  assert.deepEqual(passesOver('agent', lone), []);
  const forced = at(
    6,
    record({ era: { number: 1, site: 'site2' }, epoch: 2, primary: 'site2', voters: 'only:site2' }),
    'site2',
  );
  assert.deepEqual(passesOver('none', forced), []);
});

test('Q1, Q2, Q8: a vote for a change that the other agent proposed is not passed over: its proposer voted first, and forgot', () => {
  const made = at(6, record({ epoch: 2, primary: 'site2' }), 'site1');
  const builder = state('site2', 'none');
  const voted = { ...builder.state.voter.durable, promised: made.ballot, accepted: made };
  // Put back a moment ago, it may not vote for another primary; for the old one it may.
  const booted = view({ quarantineMs: 15_700, bindsMs: 15_700 });
  const old = { at: now - 60_000, view: view(), notice: null, noticeAt: null, tells: true };
  const session = new Session(builder.voter({ durable: voted }).with({ peer: old }));
  for (let ms = 0; ms < 30_000 && session.asked('prepare').length === 0; ms += 100) session.tick(100);
  const [prepare] = session.asked('prepare');
  assert.ok(prepare !== undefined, 'no round began');
  const value = { type: 'promise', promised: true, refusal: null, view: booted } as const;
  session.step({ type: 'answer', id: prepare.id, outcome: { kind: 'done', value } });
  assert.deepEqual(session.asked('accept'), []);
});

test('Q8: what is known to be chosen is not passed over, though this agent lost its vote for it', () => {
  assert.deepEqual(passesOver('none', lone, lone), []);
});
