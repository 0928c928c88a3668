// Orders of a person, step by step.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Order } from '../../../src/core/messages.ts';
import { done, rejected, unknown } from '../../../src/core/outcome.ts';
import { now, StateBuilder, state } from '../agent-state.ts';
import { at, ballot, but, epoch, guardStatus, moved, notice, record, round, view } from '../core-builders.ts';
import { Session } from './session.ts';

const failover = (change: Partial<Extract<Order, { kind: 'failover' }>> = {}): Order => ({
  kind: 'failover',
  to: null,
  dryRun: false,
  acceptLoss: false,
  force: false,
  otherSideIsDown: false,
  ...change,
});
const ack = (ok: boolean, why = '') => ({ type: 'ack', ok, why, steps: [] }) as const;
const release = (position: number) =>
  ({
    type: 'release',
    cluster: 'c-1',
    voters: 'three',
    epoch: epoch(1),
    site: 'site1',
    round: round(9),
    gone: false,
    position,
  }) as const;

function answer(session: Session): { ok: boolean; why: string; steps: readonly string[] } {
  const reply = session.reply();
  assert.ok(reply.type === 'ack');
  return reply;
}

test('a dry run lists each step and changes nothing at all', () => {
  const before = new Session(state()).tick();
  const session = new Session(state()).tick().order(failover({ dryRun: true }));
  const { ok, why, steps } = answer(session);
  assert.ok(ok);
  assert.match(why, /would move the primary from site1 to site2/);
  assert.equal(steps.length, 6);
  assert.match(
    steps.join('\n'),
    /checkpoint, stop.*received all WAL.*epoch 2, primary site2.*promote.*\.env.*standby/s,
  );
  assert.deepEqual(session.state, before.state);
  assert.deepEqual([session.persist, session.act, session.send.length, session.traces], [null, [], 1, []]);
});

test('a dry run says what it would be refused for', () => {
  const { ok, why } = answer(new Session(state().standby({ inRecovery: false })).order(failover({ dryRun: true })));
  assert.deepEqual([ok, why], [false, "site2 may not take over: site2's database is not a standby"]);
});

const refused: readonly (readonly [string, StateBuilder, Order, RegExp])[] = [
  [
    'nothing is founded',
    state().voter({ durable: { ...state().state.voter.durable, chosen: null } }),
    failover(),
    /siteward init/,
  ],
  ['no memory', state().voter({ amnesia: true }), failover(), /rejoin/],
  ['the first lease is not held yet', state().remembers({ founded: false }), { kind: 'resume' }, /first lease/],
  ['no voter is heard', state().peerSilentFor(2001).registerSilent(), { kind: 'resume' }, /no other voter/],
  ['the peer drives one', state().peerSays({}, { orderMs: 500 }), { kind: 'restart' }, /another order/],
  ['that site is the primary already', state(), failover({ to: 'site1' }), /already/],
  ['V5', state().standby({ row: null }), failover(), /may not take over/],
  ['L4, until when', state().voter({ quarantinedUntil: 1_000_000 + 12_345 }), failover(), /for 13 s \(L4\)/],
  ['L4 at the peer', state().peerView({ quarantineMs: 10_101 }), failover(), /L4/],
  ['L8, until when', state().guard('site2', { quarantineMs: 5100 }), failover(), /for 5 s: .*\(L8\)/],
];
for (const [title, given, order, why] of refused) {
  test(`an order is refused at once: ${title}`, () => {
    const session = new Session(given).order(order);
    assert.equal(answer(session).ok, false);
    assert.match(answer(session).why, why);
    assert.equal(session.state.order, null);
    assert.equal(session.state.modeOrder, null);
  });
}

test('an order that the peer once drove binds nobody when the peer is gone', () => {
  const session = new Session(state().peerSays({}, { orderMs: 500 }).peerSilentFor(2001)).order({
    kind: 'pause',
    reason: '',
  });
  assert.ok(answer(session).ok);
});

test('two orders at a time are one too many, a dry run is none', () => {
  const session = new Session(state()).order(failover());
  assert.match(answer(session.order({ kind: 'resume' })).why, /another order/);
  assert.equal(answer(session.order(failover({ dryRun: true }))).ok, true);
});

// ------------------------------------------------------------------------------------ switchover

const ordered = () => new Session(state().promised(4000)).order(failover());

test("switchover: the primary's guard is asked, and verdicts rest at both agents", () => {
  const session = ordered();
  assert.deepEqual(
    session.asked('guard-order').map((ask) => [ask.to, ask.request.order, ask.request.timeoutMs]),
    [['site1-guard', 'switchover', 10_000]],
  );
  assert.equal(session.asked('state').at(-1)?.request.orderMs, 10_000);
  assert.equal(session.tick().state.decision.code, 'order');
});

function stopped(position: number): Session {
  return ordered().answered('guard-order', ack(true)).request('site1-guard', release(position));
}

test('the change is proposed only when the standby has received beyond the checkpoint', () => {
  const session = stopped(1000);
  assert.equal(session.state.order?.phase, 'stopping');
  assert.equal(session.state.proposal, null, 'up to it is not beyond it');
  session.request('site2-guard', {
    type: 'inquire',
    cluster: 'c-1',
    voters: 'three',
    status: guardStatus('site2', { position: 1001 }),
  });
  assert.equal(session.state.order?.phase, 'proposing');
  assert.deepEqual(
    session.asked('prepare').map((ask) => ask.to),
    ['site1-agent'],
  );
});

test('done when the change is chosen', () => {
  const session = stopped(999);
  const promise = view({ promised: ballot(1) });
  session.answered('prepare', { type: 'promise', promised: true, refusal: null, view: promise });
  const [accept] = session.asked('accept');
  assert.deepEqual([accept?.request.record.epoch, accept?.request.record.primary], [2, 'site2']);
  assert.equal(session.persist?.voter.accepted?.record.epoch, 2, 'Q2: the proposer votes for its own record first');
  session.answered('accept', { type: 'accepted', accepted: true, refusal: null, view: view() });
  assert.equal(session.tick().state.lastOrder?.outcome, 'done');
  assert.equal(session.state.order, null);
});

test('a guard that will not do it ends the order', () => {
  const session = ordered().answered('guard-order', ack(false, 'it is just starting'));
  assert.deepEqual([session.state.lastOrder?.outcome, session.state.lastOrder?.why], ['undone', 'it is just starting']);
});

test('no answer is no refusal: its release tells', () => {
  const session = ordered();
  const [ask] = session.asked('guard-order');
  session.step({ type: 'answer', id: ask?.id ?? 0, outcome: unknown('time-out') });
  assert.equal(session.state.order?.phase, 'stopping');
});

test('the time-out says what was waited for', () => {
  const late = (session: Session) => session.tick(10_001).state.lastOrder?.why ?? '';
  assert.match(late(ordered()), /its guard told of no stopped database/);
  const stopped = ordered();
  stopped.state = but(stopped.state, {
    stopped: { epoch: epoch(1), round: round(9), position: 9_000_000, under: ballot(1), at: stopped.now },
  });
  assert.match(late(stopped), /site2 has not received the shutdown checkpoint; the old primary goes on/);
});

test('the time-out undoes it', () => {
  const session = ordered().tick(9999);
  assert.notEqual(session.state.order, null);
  session.tick(1);
  assert.deepEqual([session.state.order, session.state.lastOrder?.outcome], [null, 'undone']);
});

test("the primary's guard gives its database up meanwhile: that confirms by itself, and the order ends", () => {
  const session = ordered().request('site1-guard', { ...release(0), gone: true });
  assert.equal(session.state.order, null);
  assert.equal(session.state.lastOrder?.outcome, 'undone');
});

// ------------------------------------------------------------------------------------ past a silent guard

const silent = () => state().guard('site1', {}, 2001);

test('failover past a silent guard refuses its renewals, for as long as the longest promise more', () => {
  const session = new Session(silent().promised(6000)).order(failover());
  assert.deepEqual(session.asked('guard-order'), []);
  assert.equal(session.state.order?.phase, 'refusing');
  assert.equal((session.state.order?.until ?? 0) - session.now, 10_000 + 15_760);
  assert.equal(session.asked('state').at(-1)?.request.orderRefuses, true);
  const { lastOrder } = session.tick(5999).state;
  assert.deepEqual([session.state.order?.phase, lastOrder], ['refusing', null]);
});

test('a guard that cannot be asked is a silent one, and the time-out is the longer one', () => {
  const session = ordered();
  const [ask] = session.asked('guard-order');
  session.step({ type: 'answer', id: ask?.id ?? 0, outcome: rejected('refused', '') });
  assert.equal(session.state.order?.phase, 'refusing');
  assert.equal((session.state.order?.until ?? 0) - session.now, 10_000 + 15_760);
});

// ------------------------------------------------------------------------------------ pause, resume, entry

function choose(session: Session, ms = 0): Session {
  session.now += ms;
  const held = session.state.peer?.view ?? view();
  session.answered('prepare', { type: 'promise', promised: true, refusal: null, view: held });
  return session.answered('accept', { type: 'accepted', accepted: true, refusal: null, view: held }).tick();
}

test('pause is a change of the record, done when it is chosen', () => {
  const session = new Session(state()).order({ kind: 'pause', reason: 'a test' });
  assert.ok(answer(session).ok);
  choose(session);
  assert.equal(session.state.voter.durable.chosen?.record.mode, 'paused');
  assert.equal(session.state.voter.durable.chosen?.record.reason, 'paused by operator:ann: a test');
  assert.equal(session.state.lastOrder?.outcome, 'done');
});

test('Q4: what this agent knows may be old: paused already is said after a chosen change that alters nothing', () => {
  const session = new Session(state().record({ mode: 'paused' })).order({ kind: 'pause', reason: '' });
  const { lastOrder, voter } = session.state;
  assert.equal(lastOrder, null);
  const before = voter.durable.chosen;
  assert.equal(choose(session).state.lastOrder?.outcome, 'done');
  assert.deepEqual(session.state.voter.durable.chosen?.record, before?.record);
  assert.ok((session.state.voter.durable.chosen?.ballot.counter ?? 0) > 5);
});

test('a resume that no majority accepts is undone after order.timeout', () => {
  const session = new Session(state().record({ mode: 'paused' }).peerSilentFor(1900)).order({ kind: 'resume' });
  session.tick(10_000);
  assert.equal(session.state.lastOrder?.outcome, 'undone');
});

test("entry moves by order, paused or not; a verdict's move ends a half-done pause that it finds (Q5)", () => {
  const session = new Session(state().record({ mode: 'paused' })).order({ kind: 'entry', to: 'site2' });
  choose(session);
  assert.equal(session.state.voter.durable.chosen?.record.entry, 'site2');
  const judged = new Session(state().entry('site1', 'failed', 'unreachable').peerSays({ entry: 'failed' })).tick();
  const [prepare] = judged.asked('prepare');
  const found = view({ accepted: at(4, record({ mode: 'paused' })), promised: ballot(4) });
  judged.step({
    type: 'answer',
    id: prepare?.id ?? 0,
    outcome: done({ type: 'promise', promised: true, refusal: null, view: found }),
  });
  assert.deepEqual(judged.state.proposal?.record, record({ mode: 'paused' }));
});

test('restart asks the guard, and nothing of the record', () => {
  const session = new Session(state()).order({ kind: 'restart' });
  assert.deepEqual(
    session.asked('guard-order').map((ask) => [ask.to, ask.request.order]),
    [['site1-guard', 'restart']],
  );
  assert.equal(session.state.proposal, null);
});

for (const [name, outcome, said] of [
  ['takes it', done(ack(true)), [true, /^site1's guard restarts its database/]],
  ['refuses it', done(ack(false, 'this guard holds no lease')), [false, /^site1's guard: this guard holds no lease$/]],
  ['is not there', rejected('unreachable', 'connection refused'), [false, /cannot be asked: connection refused/]],
] as const)
  test(`a person who orders a restart is told that the guard ${name}`, () => {
    const session = new Session(state()).order({ kind: 'restart' });
    assert.equal(
      session.send.some(({ kind }) => kind === 'reply'),
      false,
    );
    const [asked] = session.asked('guard-order');
    const answer = session.step({ type: 'answer', id: asked?.id ?? 0, outcome }).reply();
    assert.ok(answer.type === 'ack');
    assert.equal(answer.ok, said[0]);
    assert.match(answer.why, said[1]);
  });

test('of a restart whose guard did not say anything a person is told nothing, which is no refusal', () => {
  const session = new Session(state()).order({ kind: 'restart' });
  const [asked] = session.asked('guard-order');
  session.step({ type: 'answer', id: asked?.id ?? 0, outcome: unknown('no answer within 700 ms') });
  assert.deepEqual(session.send, []);
});

test('an order of which the peer told comes to rest at this agent', () => {
  const session = new Session(state().primaryFailed().peerAgrees());
  session.request('site1-agent', notice({ orderMs: 3000, verdicts: { ...notice().verdicts, primary: 'failed' } }));
  assert.equal(session.state.decision.code, 'resting');
});

test('another primary by other hands ends a switchover as undone', () => {
  const session = new Session(state('site1')).order(failover());
  const other = { ...moved, primary: 'site1' as const };
  session.request('site2-agent', { type: 'chosen', cluster: 'c-1', chosen: at(9, other) });
  assert.match(session.state.lastOrder?.why ?? '', /made site1 the primary/);
});

// ------------------------------------------------------------------------------------ what happens meanwhile

/** Driven by site2's agent, in a zero-loss cluster; it waits for a lost race when the guard has released. */
function switchingOver(): Session {
  const base = state('site2').record({ sync: true });
  const session = new Session(
    base.with({
      settings: but(base.state.settings, { replication: 'zero-loss', orderTimeoutMs: 60_000 }),
      proposeAfter: now + 1000,
    }),
  ).order(failover());
  session.answered('guard-order', ack(true));
  session.request('site1-guard', release(900)).tick();
  assert.equal(session.state.order?.phase, 'proposing');
  return session;
}

const goesOn = {
  type: 'renew',
  cluster: 'c-1',
  voters: 'three',
  epoch: epoch(1),
  site: 'site1',
  round: round(1, 2),
  ttlMs: 6000,
  status: guardStatus('site1'),
} as const;

test('L7: a guard that goes on before its switchover was chosen ends the order: its checkpoint proves nothing any more', () => {
  const session = switchingOver().request('site1-guard', goesOn, 500).tick();
  assert.deepEqual([session.state.order, session.state.lastOrder?.outcome], [null, 'undone']);
  assert.match(session.state.lastOrder?.why ?? '', /guard went on/);
});

test('V8: a switchover goes onto the record under which the old primary stopped, and onto no later one', () => {
  const session = switchingOver();
  const fellBack = at(8, record({ sync: false, reason: 'fell back' }));
  session.request('site1-agent', { type: 'chosen', cluster: 'c-1', chosen: fellBack }, 500).tick();
  assert.equal(session.state.lastOrder?.outcome, 'undone');
  // This agent was not told: it finds the record in its round.
  const unaware = switchingOver().tick(1000);
  assert.equal(unaware.asked('prepare').length, 1);
  const found = view({ accepted: fellBack, promised: fellBack.ballot, chosen: at(5, record({ sync: true })) });
  unaware.answered('prepare', { type: 'promise', promised: true, refusal: null, view: found });
  assert.equal(unaware.asked('accept').length, 0);
});

for (const [what, standby] of [
  ['answers no more', { class: 'refused', inRecovery: null, received: null, row: null }],
  ['is too far behind', { received: 1 }],
] as const) {
  test(`V5 is judged again when the lease has run out: the standby ${what}`, () => {
    const lost = silent()
      .standby(standby)
      .remembers({ lastPrimary: { position: 50_000_000, epoch: epoch(1) } });
    const order = new Session(silent()).order(failover()).state.order;
    const session = new Session(lost.with({ order }));
    for (let tick = 0; tick < 10; tick += 1) session.tick(100);
    assert.equal(session.state.order?.phase, 'proposing');
    assert.deepEqual([session.state.proposal, session.swap()], [null, undefined]);
    session.tick(60_000);
    assert.match(session.state.lastOrder?.why ?? '', /site2 may not take over/);
  });
}

test('V5: a switchover that had to wait goes to no standby that died meanwhile', () => {
  const session = switchingOver();
  const dead = { class: 'unreachable', inRecovery: null, received: null, row: null } as const;
  session.state = new StateBuilder(session.state).standby(dead).state;
  for (let ms = 0; ms < 8000; ms += 100) session.tick(100);
  assert.equal(session.state.proposal, null);
  session.tick(60_000);
  assert.match(session.state.lastOrder?.why ?? '', /site2 may not take over/);
});

test('in an era that this agent forced, a pause is chosen once, and is done', () => {
  const builder = state().record({
    era: { number: 1, site: 'site2' },
    epoch: 2,
    primary: 'site2',
    voters: 'only:site2',
  });
  const session = new Session(builder.peerSilentFor(60_000)).tick().order({ kind: 'pause', reason: 'tea' });
  let ballots = 0;
  for (let ms = 0; ms < 3000; ms += 100)
    ballots += session.tick(100).traces.filter((event) => event === 'vote.cast').length;
  assert.ok(ballots <= 1, `${ballots} ballots`);
  assert.equal(session.state.voter.durable.chosen?.record.mode, 'paused');
  assert.equal(session.state.lastOrder?.outcome, 'done');
});
