// `siteward agent rejoin`, `siteward witness rejoin` (Q8, W4, docs/decisions/0011) as conversations of the agent that drives
// them, and of the agent that lost its memory.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { emptyAgentDurable, startAgent } from '../../../src/core/agent/state.ts';
import type { RejoinAnswer, Rejoined, VoterView } from '../../../src/core/messages.ts';
import { done, rejected, unknown } from '../../../src/core/outcome.ts';
import { type Ballot, noBallot } from '../../../src/core/quorum/ballot.ts';
import type { RegisterRead, RegisterState } from '../../../src/core/quorum/register-state.ts';
import type { WitnessKind } from '../../../src/core/settings.ts';
import { now, oldNonce, type StateBuilder, state } from '../agent-state.ts';
import { at, ballot, epoch, moved, notice, record, settings, view } from '../core-builders.ts';
import { Session } from './session.ts';

const addressed = { cluster: 'c-1', voters: 'three' };
const nothing: VoterView = view({ promised: noBallot, accepted: null, chosen: null, amnesia: true });
const ticket = (change: Partial<RejoinAnswer> = {}): RejoinAnswer => ({
  type: 'rejoin-answer',
  ok: true,
  why: '',
  ticket: 'one',
  promised: noBallot,
  waitMs: 0,
  longestTtlMs: 15_000,
  registerSerial: 0,
  ...change,
});
const taken = { type: 'ack', ok: true, why: '', steps: [] } as const;
const orderOf = (voter: 'site1' | 'site2' | 'witness', acceptLoss = false) =>
  ({ kind: 'rejoin', voter, acceptLoss }) as const;

function why(session: Session): string {
  const answer = session.reply();
  assert.ok(answer.type === 'ack');
  return answer.ok ? 'done' : answer.why;
}

/** site2's agent, whose peer has lost everything. */
const peerForgot = (kind: WitnessKind): StateBuilder => state('site2', kind).peerView(nothing);
const registerOut = (found: RegisterRead, me: 'site1' | 'site2' = 'site2'): StateBuilder => {
  const builder = state(me);
  const { register } = builder.state;
  return builder.with({ register: { ...register, held: null, out: 'its record does not exist', found } });
};
const absent: RegisterRead = { text: null, state: 'absent' };
const value = (change: Partial<RegisterState> = {}): RegisterState => ({
  cluster: 'c-1',
  serial: 4,
  promised: ballot(1),
  accepted: at(1),
  nonce: oldNonce,
  position: null,
  ...change,
});

test('an agent, with a register: ticket, one CAS at a fresh ballot and its own vote after it, then the word', () => {
  const session = new Session(peerForgot('route53')).order(orderOf('site1'));
  assert.equal(why(session), 'done');
  assert.deepEqual(
    session.asked('rejoin').map(({ to, request }) => [to, request.voter, request.longestTtlMs]),
    [['site1-agent', 'site1', 15_000]],
  );
  assert.equal(session.swap(), undefined, 'no round before the ticket');
  session.answered('rejoin', ticket({ promised: ballot(8) }));
  assert.deepEqual(session.asked('prepare'), [], 'whom it is for is not asked for its vote');
  const swap = session.swap();
  const fresh: Ballot = { counter: 1_000_008, voter: 'site2' };
  assert.deepEqual([swap?.expected, swap?.next.promised, swap?.next.accepted.ballot], ['v4', fresh, fresh]);
  assert.deepEqual(swap?.next.nonce, oldNonce);
  assert.deepEqual(session.state.voter.durable.promised, fresh);
  assert.deepEqual(session.state.voter.durable.accepted?.ballot, ballot(1), 'its own vote follows');
  session.step({ type: 'register-swapped', id: swap?.id ?? 0, outcome: done({ text: 'v5' }) });
  assert.deepEqual(session.state.voter.durable.accepted?.ballot, fresh);
  session.tick(10);
  const [word] = session.asked('rejoined');
  assert.deepEqual(word?.request, {
    type: 'rejoined',
    ...addressed,
    ticket: 'one',
    accepted: { ballot: fresh, record: record() },
    chosen: true,
    registerSerial: 5,
  });
  session.answered('rejoined', taken);
  assert.deepEqual([session.state.rejoin, session.state.lastOrder?.outcome], [null, 'done']);
});

test('an agent, with an agent witness: only the witness is asked for its vote', () => {
  const session = new Session(peerForgot('agent')).order(orderOf('site1'));
  session.answered('rejoin', ticket());
  const fresh: Ballot = { counter: 1_000_001, voter: 'site2' };
  assert.deepEqual(
    session.asked('prepare').map(({ to, request }) => [to, request.ballot]),
    [['witness', fresh]],
  );
  session.answered('prepare', { type: 'promise', promised: true, refusal: null, view: view() });
  assert.deepEqual(
    session.asked('accept').map(({ to }) => to),
    ['witness'],
  );
  assert.deepEqual(session.asked('rejoined'), []);
  const accepted = view({ promised: fresh, accepted: { ballot: fresh, record: record() } });
  session.answered('accept', { type: 'accepted', accepted: true, refusal: null, view: accepted });
  session.tick(10);
  assert.deepEqual(
    session.asked('rejoined').map(({ to, request }) => [to, request.accepted.ballot, request.chosen]),
    [['site1-agent', fresh, true]],
  );
});

test('an agent, without a witness: its own vote again, once the other one may be bound by nothing', () => {
  const session = new Session(peerForgot('none')).order(orderOf('site1'));
  session.answered('rejoin', ticket({ waitMs: 900 }));
  assert.deepEqual([session.asked('rejoined'), session.state.voter.durable.promised], [[], ballot(1)]);
  session.tick(500).answered('rejoin', ticket({ ticket: 'two' }));
  const fresh: Ballot = { counter: 1_000_001, voter: 'site2' };
  assert.deepEqual(
    session.asked('rejoined').map(({ request }) => [request.ticket, request.accepted.ballot, request.chosen]),
    [['two', fresh, false]],
  );
  assert.deepEqual(session.state.voter.durable.chosen, at(1), 'nothing was chosen yet');
  assert.match(session.tick(60_000).state.lastOrder?.why ?? '', /may have its memory again/, 'its answer may be lost');
});

test('V5: without a witness a half-done change of primary is repeated only where nothing is lost, or a person accepts it', () => {
  const halfDone = at(6, record({ epoch: 2, primary: 'site2' }), 'site2');
  const builder = peerForgot('none').remembers({ lastPrimary: { position: 200_000_000, epoch: epoch(1) } });
  const { durable } = builder.state.voter;
  const holding = builder.voter({ durable: { ...durable, promised: halfDone.ballot, accepted: halfDone } });
  const refused = new Session(holding).order(orderOf('site1'));
  refused.answered('rejoin', ticket());
  assert.deepEqual(refused.asked('rejoined'), []);
  assert.match(refused.state.lastOrder?.why ?? '', /half-done change.*lacks/);

  const session = new Session(holding).order(orderOf('site1', true));
  session.answered('rejoin', ticket());
  assert.deepEqual(
    session.asked('rejoined').map(({ request }) => request.accepted.record),
    [halfDone.record],
  );
});

test('V5: with a witness its round gives a half-done change of primary up, and the order says so when its time is over', () => {
  const halfDone = at(6, record({ epoch: 2, primary: 'site2' }), 'site2');
  const builder = peerForgot('agent').remembers({ lastPrimary: { position: 200_000_000, epoch: epoch(1) } });
  const { durable } = builder.state.voter;
  const session = new Session(
    builder.voter({ durable: { ...durable, promised: halfDone.ballot, accepted: halfDone } }),
  );
  session.order(orderOf('site1')).answered('rejoin', ticket());
  session.answered('prepare', { type: 'promise', promised: true, refusal: null, view: view() });
  assert.match(session.state.rejoin?.why ?? '', /half-done change of primary/);
  session.tick(60_000);
  assert.match(session.state.lastOrder?.why ?? '', /half-done change of primary/);
});

test('a loss is accepted by a rejoin only where no other order can end a half-done change', () => {
  for (const builder of [peerForgot('route53'), peerForgot('agent')]) {
    const session = new Session(builder).order(orderOf('site1', true));
    assert.match(why(session), /not needed with a witness/);
    assert.equal(session.state.rejoin, null);
  }
});

test('a word that is not taken begins anew with a ticket; one whose answer is lost is said again', () => {
  const session = new Session(peerForgot('none')).order(orderOf('site1'));
  session.answered('rejoin', ticket());
  const [said] = session.asked('rejoined');
  session.step({ type: 'answer', id: said?.id ?? 0, outcome: unknown('time-out') }).tick(600);
  const [again] = session.asked('rejoined');
  assert.deepEqual(again?.request, said?.request);
  session
    .step({ type: 'answer', id: again?.id ?? 0, outcome: done({ ...taken, ok: false, why: 'the ticket' }) })
    .tick(600);
  assert.deepEqual([session.asked('rejoined').length, session.asked('rejoin').length], [0, 1]);
});

test('an agent witness: both agents vote, then it is told', () => {
  const lost = state('site2', 'agent');
  const { witness } = lost.state;
  assert.ok(witness !== null);
  const session = new Session(lost.with({ witness: { ...witness, view: nothing } })).order(orderOf('witness'));
  session.answered('rejoin', ticket());
  assert.deepEqual(
    session.asked('prepare').map(({ to }) => to),
    ['site1-agent'],
  );
  session.answered('prepare', { type: 'promise', promised: true, refusal: null, view: view() });
  const fresh: Ballot = { counter: 1_000_001, voter: 'site2' };
  const accepted = view({ promised: fresh, accepted: { ballot: fresh, record: record() } });
  session.answered('accept', { type: 'accepted', accepted: true, refusal: null, view: accepted }).tick(10);
  assert.deepEqual(
    session.asked('rejoined').map(({ to, request }) => [to, request.accepted.ballot]),
    [['witness', fresh]],
  );
});

/** Up to the moment at which both agents hold one record at one fresh ballot. */
function bothAgree(builder: StateBuilder, told: Partial<RejoinAnswer> = {}): Session {
  const session = new Session(builder).order(orderOf('witness'));
  assert.deepEqual(
    session.asked('rejoin').map(({ to }) => to),
    ['site1-agent'],
    'W4: both agents are needed',
  );
  session.answered('rejoin', ticket({ ticket: '', promised: ballot(1), ...told }));
  assert.equal(session.swap(), undefined, 'nothing is written before both hold it');
  session.answered('prepare', { type: 'promise', promised: true, refusal: null, view: view() });
  assert.equal(session.swap(), undefined, 'nothing is written before both hold it');
  const fresh: Ballot = { counter: 1_000_001, voter: 'site2' };
  const accepted = view({ promised: fresh, accepted: { ballot: fresh, record: record() } });
  return session.answered('accept', { type: 'accepted', accepted: true, refusal: null, view: accepted });
}

/** A read that is under way, if any, shows this; then whatever is due. */
function reads(session: Session, read: RegisterRead): Session {
  for (const send of session.send) {
    if (send.kind === 'register-read') session.step({ type: 'register-read', id: send.id, outcome: done(read) });
  }
  return session.swap() === undefined ? session.tick(10) : session;
}

test('W4: a register that was deleted is created with what both agents hold, a higher serial and a fresh nonce', () => {
  const session = reads(bothAgree(registerOut(absent), { longestTtlMs: 20_000, registerSerial: 9 }), absent);
  const swap = session.swap();
  assert.deepEqual(swap?.expected, null);
  const fresh: Ballot = { counter: 1_000_001, voter: 'site2' };
  assert.deepEqual([swap?.next.promised, swap?.next.accepted], [fresh, { ballot: fresh, record: record() }]);
  assert.equal(swap?.next.serial, 1009);
  const nonce = swap?.next.nonce;
  assert.ok(nonce !== undefined && nonce !== 'released', 'never released');
  assert.deepEqual([nonce.ttlMs, nonce.site, nonce.round], [20_000, 'site1', { start: 0, seq: 0 }]);
  session.step({ type: 'register-swapped', id: swap?.id ?? 0, outcome: done({ text: 'v1009' }) }).tick(10);
  assert.deepEqual([session.state.register.out, session.state.rejoin], [null, null]);
  assert.equal(session.state.lastOrder?.outcome, 'done');
});

test('W2, W4: after an answer that was lost it is read first; what lies there is replaced only from its exact text', () => {
  const session = reads(bothAgree(registerOut({ text: 'odd', state: 'unreadable' })), {
    text: 'odd',
    state: 'unreadable',
  });
  const swap = session.swap();
  assert.equal(swap?.expected, 'odd');
  session.step({ type: 'register-swapped', id: swap?.id ?? 0, outcome: unknown('time-out') });
  assert.equal(session.swap(), undefined);
  assert.equal(session.reads(), 1);
  reads(session, { text: 'odder', state: 'unreadable' });
  assert.equal(session.swap()?.expected, 'odder');
});

test('W4: a vote that was counted in the value found is not written over: both agents agree above it', () => {
  const newer = value({ serial: 3, promised: ballot(2_000_000), accepted: at(2_000_000) });
  const found: RegisterRead = { text: 'v3', state: newer };
  const builder = registerOut(found);
  const session = reads(bothAgree(builder.with({ register: { ...builder.state.register, lowReads: 2 } })), found);
  assert.equal(session.swap(), undefined);
  session.tick(10);
  session.answered('rejoin', ticket({ ticket: '', promised: ballot(1) }));
  assert.deepEqual(
    session.asked('prepare').map(({ request }) => request.ballot.counter),
    [3_000_000],
  );
});

test('W4, in an era that it forced: it chooses alone, and writes once the other agent holds the same record', () => {
  const forced = registerOut(absent).record({ voters: 'only:site2', primary: 'site2', epoch: 2 });
  const session = new Session(forced.peerView({ accepted: at(1) })).order(orderOf('witness'));
  session.answered('rejoin', ticket({ ticket: '' })).tick(10);
  const { accepted } = session.state.voter.durable;
  assert.equal(accepted?.ballot.counter, 1_000_005);
  reads(session, absent);
  assert.equal(session.swap(), undefined);
  assert.ok(accepted !== null);
  const theirs = view({ promised: accepted.ballot, accepted, chosen: accepted });
  session.request('site1-agent', notice({ view: theirs }));
  const swap = session.swap() ?? reads(session, absent).swap();
  assert.deepEqual(swap?.next.accepted, accepted);
});

const forgotten = state('site2').voter({ amnesia: true });
const refusals: readonly (readonly [string, StateBuilder, 'site1' | 'site2' | 'witness', RegExp])[] = [
  ['it lost its own memory', forgotten, 'site1', /two at once/],
  ['the order came to the one that lost it', forgotten, 'site2', /given to the other agent/],
  ['it has its memory', state('site2'), 'site2', /nothing to rejoin/],
  ['the other one has its memory', state('site2'), 'site1', /site1's agent has its memory/],
  ['the other one is silent', peerForgot('route53').peerSilentFor(2001), 'site1', /does not answer/],
  ['the register is out too', registerOut(absent).peerView(nothing), 'site1', /two memories at once/],
  ['the witness has its memory', state('site2', 'agent'), 'witness', /has its memory/],
  ['the register is in', state('site2'), 'witness', /in use/],
  ['there is no witness', state('site2', 'none'), 'witness', /no witness/],
  ['W4 needs both agents', registerOut(absent).peerSilentFor(2001), 'witness', /both agents are needed/],
  ['W4 needs the memory of both', registerOut(absent).peerView(nothing), 'witness', /lost its memory too/],
  [
    'the record is of another cluster',
    registerOut({ text: 'other', state: value({ cluster: 'c-2' }) }),
    'witness',
    /belongs to cluster c-2/,
  ],
  ['the cluster is new', peerForgot('route53').remembers({ founded: false }), 'site1', /init/],
  [
    'another agent is the only voter',
    peerForgot('none').record({ voters: 'only:site1' }).peerView(nothing),
    'site1',
    /only voter/,
  ],
];
for (const [title, builder, voter, sentence] of refusals) {
  test(`refused: ${title}`, () => {
    const session = new Session(builder).order(orderOf(voter));
    assert.match(why(session), sentence);
    assert.equal(session.state.rejoin, null);
  });
}

test('what waiting does not change ends it at once', () => {
  const session = new Session(peerForgot('agent')).order(orderOf('site1'));
  session.answered('rejoin', ticket({ ok: false, ticket: '', why: 'it has its memory' }));
  const { lastOrder, rejoin: left } = session.state;
  assert.deepEqual([left, lastOrder?.outcome, lastOrder?.why], [null, 'undone', 'it has its memory']);
});

test('an order ends by itself, and says what stood in the way', () => {
  const session = new Session(peerForgot('agent')).order(orderOf('site1'));
  const [ask] = session.asked('rejoin');
  session.step({ type: 'answer', id: ask?.id ?? 0, outcome: rejected('version', 'does not exist in version 1') });
  session.tick(60_000);
  const { lastOrder } = session.state;
  assert.equal(lastOrder?.outcome, 'undone');
  assert.match(lastOrder?.why ?? '', /version 1/);
});

// ---------------------------------------------------------------------------------- the agent that lost its memory

function lost(): Session {
  const started = startAgent('site1', settings('route53'), emptyAgentDurable, true, now);
  return new Session(state('site1').with(started));
}

const rejoin = { type: 'rejoin', ...addressed, voter: 'site1', longestTtlMs: 15_000 } as const;
const fresh: Ballot = { counter: 1_000_001, voter: 'site2' };
const wordFor = (given: string, change: Partial<Rejoined> = {}): Rejoined => ({
  type: 'rejoined',
  ...addressed,
  ticket: given,
  accepted: { ballot: fresh, record: moved },
  chosen: true,
  registerSerial: 44,
  ...change,
});

test('it gives a ticket, takes the word for it, and has its vote, the serial and the epoch again in one persist', () => {
  const session = lost().request('site2-agent', rejoin);
  const answer = session.reply();
  assert.ok(answer.type === 'rejoin-answer' && answer.ok && answer.ticket !== '');
  session.request('site2-agent', wordFor(answer.ticket));
  assert.equal(why(session), 'done');
  const { persist } = session;
  assert.deepEqual(
    [persist?.voter.cluster, persist?.voter.promised, persist?.voter.accepted?.ballot, persist?.voter.chosen?.ballot],
    ['c-1', fresh, fresh, fresh],
  );
  assert.deepEqual(
    [
      persist?.voter.forgot,
      persist?.registerSerial,
      persist?.founded,
      persist?.seen.site2,
      persist?.learned?.epoch.epoch,
    ],
    [false, 44, true, fresh, 2],
  );
  assert.equal(session.state.voter.quarantinedUntil, now + 15_760);
  session.request('site2-agent', wordFor(answer.ticket));
  assert.deepEqual([why(session), session.persist], ['done', null]);
});

test('after a restart the ticket is worth nothing', () => {
  const answer = lost().request('site2-agent', rejoin).reply();
  assert.ok(answer.type === 'rejoin-answer');
  assert.match(why(lost().request('site2-agent', wordFor(answer.ticket))), /ticket/);
});

test('Q0: who has no state file, but is remembered by another agent, is no new voter: init is refused, also later', () => {
  const started = startAgent('site1', settings('route53'), emptyAgentDurable, false, now);
  const session = new Session(state('site1').with(started));
  session.request('site2-agent', notice({ seenOfYou: ballot(3) }));
  assert.ok(session.persist?.voter.forgot);
  session.request('operator:ann', { type: 'init', accepted: at(1), createRegister: false });
  assert.match(why(session), /siteward agent rejoin/);
});

test('W4: it assents to a rejoin of the register only with its memory', () => {
  const ask = { ...rejoin, voter: 'witness' } as const;
  const asked = (session: Session) => session.request('site2-agent', ask).reply();
  assert.deepEqual(asked(new Session(state('site1'))), ticket({ ticket: '', promised: ballot(1), registerSerial: 4 }));
  const refused = asked(lost());
  assert.ok(refused.type === 'rejoin-answer' && !refused.ok);
});
