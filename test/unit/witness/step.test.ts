// The agent witness: a voter with a clock and no opinion.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Answer, Request } from '../../../src/core/messages.ts';
import { forget } from '../../../src/core/quorum/voter.ts';
import type { PeerId } from '../../../src/core/site.ts';
import { emptyWitnessDurable, startWitness, type WitnessState, witnessStep } from '../../../src/core/witness/step.ts';
import {
  at,
  ballot,
  deepFreeze,
  durable,
  epoch,
  guardStatus,
  moment,
  moved,
  notice,
  record,
  round,
  rules,
  view,
} from '../core-builders.ts';

const addressed = { cluster: 'c-1', voters: 'three' };
const started = (change: object = {}): WitnessState =>
  deepFreeze({ ...startWitness({ ...durable(change), lastPrimary: null }, false, rules, 0), saved: true });
const later = 20_000;

function step(state: WitnessState, from: PeerId, request: Request, now = later) {
  const event = deepFreeze({ type: 'request', from, request, replyTo: 7 } as const);
  const { state: next, effects } = witnessStep(state, event, moment(now));
  assert.equal(effects.send.length, 1, 'each request is answered, once');
  const [send] = effects.send;
  assert.ok(send?.kind === 'reply' && send.replyTo === 7);
  return { next: deepFreeze(next), answer: send.answer, persist: effects.persist };
}

const renew = (change: object = {}): Request => ({
  type: 'renew',
  ...addressed,
  epoch: epoch(1),
  site: 'site1',
  round: round(1),
  ttlMs: 6000,
  status: guardStatus('site1'),
  ...change,
});
const init = (change: object = {}): Request => ({
  type: 'init',
  accepted: { ...at(1), ...change },
  createRegister: false,
});
const accept = (counter: number, value = moved): Request => ({
  type: 'accept',
  ...addressed,
  ballot: ballot(counter),
  record: value,
});

test('a tick changes nothing and asks for nothing but the next one', () => {
  const before = started();
  const { state, effects, wakeAt } = witnessStep(before, { type: 'tick' }, moment(50));
  assert.deepEqual(effects, { fence: false, persist: null, mayFail: true, send: [], act: [] });
  assert.equal(state.voter, before.voter);
  assert.ok(wakeAt > 50);
});

test('Q3: a promise and a vote are in the state that is persisted before the answer', () => {
  const promised = step(started(), 'site2-agent', { type: 'prepare', ...addressed, ballot: ballot(4, 'site2') });
  assert.deepEqual(promised.persist?.promised, ballot(4, 'site2'));
  const voted = step(promised.next, 'site2-agent', accept(5));
  assert.deepEqual(voted.persist?.accepted, at(5, moved));
  assert.ok(voted.answer.type === 'accepted' && voted.answer.accepted);
});

test('Q8: a promise is answered with what was held before it', () => {
  const { answer } = step(started(), 'site2-agent', { type: 'prepare', ...addressed, ballot: ballot(4) });
  assert.ok(answer.type === 'promise' && answer.promised);
  assert.deepEqual(answer.view.promised, ballot(1));
});

test('L2, L3: it grants, and then accepts no change of primary', () => {
  const granted = step(started(), 'site1-guard', renew());
  assert.ok(granted.answer.type === 'guard-answer');
  assert.deepEqual([granted.answer.granted, granted.answer.refusal, granted.answer.round], ['witness', null, round(1)]);
  const refused = step(granted.next, 'site2-agent', accept(5), later + 6309);
  assert.ok(refused.answer.type === 'accepted');
  assert.deepEqual([refused.answer.accepted, refused.answer.refusal], [false, 'not-free']);
  assert.equal(refused.persist, null, 'a refusal leaves nothing to persist');
  const free = step(refused.next, 'site2-agent', accept(5), later + 6310);
  assert.ok(free.answer.type === 'accepted' && free.answer.accepted);
});

test('L4: nor in the quarantine after its start', () => {
  const answerAt = (now: number): Answer => step(started(), 'site2-agent', accept(5), now).answer;
  const early = answerAt(15_759);
  const due = answerAt(15_760);
  assert.ok(early.type === 'accepted' && due.type === 'accepted');
  assert.deepEqual([early.accepted, due.accepted], [false, true]);
});

test('L7: a release of its own guard frees it, one of a stranger does not', () => {
  const { next } = step(started(), 'site1-guard', renew());
  const release = {
    type: 'release',
    ...addressed,
    epoch: epoch(1),
    site: 'site1',
    round: round(1),
    gone: true,
  } as const;
  const own = step(next, 'site1-guard', { ...release, position: null });
  assert.equal(own.next.voter.promise, null);
  const other = step(next, 'site2-guard', { ...release, position: null });
  assert.deepEqual(other.next.voter.promise, next.voter.promise);
});

test('L1: it tells a guard of a later round of it than the one released or refused', () => {
  const release = (seq: number) =>
    ({
      type: 'release',
      ...addressed,
      epoch: epoch(1),
      site: 'site1',
      round: round(seq),
      gone: false,
      position: null,
    }) as const;
  const granted = step(started(), 'site1-guard', renew({ round: round(9) })).next;
  const late = step(granted, 'site1-guard', release(3));
  assert.ok(late.answer.type === 'guard-answer');
  assert.deepEqual(late.answer.round, round(9));
  const released = step(late.next, 'site1-guard', release(12)).next;
  const refused = step(released, 'site1-guard', renew({ round: round(10) })).answer;
  assert.ok(refused.type === 'guard-answer');
  assert.deepEqual([refused.refusal, refused.round], ['released', round(12)]);
});

test('Q4: it learns what is chosen from notices and from news, and tells guards who ask', () => {
  const told = step(started(), 'site1-agent', { type: 'chosen', cluster: 'c-1', chosen: at(5, moved) });
  assert.deepEqual(told.persist?.chosen, at(5, moved));
  const heard = step(started(), 'site1-agent', notice({ view: view({ chosen: at(5, moved) }) }));
  assert.deepEqual(heard.persist?.chosen, at(5, moved));
  const asked = step(heard.next, 'site2-guard', { type: 'inquire', ...addressed, status: guardStatus('site2') });
  assert.ok(asked.answer.type === 'guard-answer');
  assert.deepEqual(asked.answer.chosen, at(5, moved));
  assert.equal(asked.answer.standby.mayTakeOver, false, 'it has no opinion');
});

test('Q8: told that it held more once, it does not vote any more, nor after a restart', () => {
  const told = step(started(), 'site1-agent', notice({ seenOfYou: ballot(2) }));
  assert.equal(told.next.voter.amnesia, true);
  assert.ok(told.answer.type === 'view' && told.answer.view.amnesia);
  assert.equal(told.persist?.forgot, true);
  assert.equal(step(started(), 'site1-agent', notice({ seenOfYou: ballot(1) })).next.voter.amnesia, false);
  const vote = notice({ seenOfYou: ballot(1), voteOfYou: ballot(2) });
  assert.equal(step(started(), 'site1-agent', vote).next.voter.amnesia, true, 'a vote that it no longer has');
  const foreign = notice({ cluster: 'c-2', seenOfYou: ballot(9) });
  assert.equal(step(started(), 'site1-agent', foreign).next.voter.amnesia, false);
});

const empty = { cluster: null, promised: ballot(0), accepted: null, chosen: null };
test('Q8: what was put back is whole: until both agents have told, for 2 s at most, it neither grants nor promises nor votes', () => {
  const refusal = (state: WitnessState, from: PeerId, request: Request, now: number) => {
    const { next, answer } = step(state, from, request, now);
    assert.ok('refusal' in answer);
    return { next, refusal: answer.refusal };
  };
  const prepare = { type: 'prepare', ...addressed, ballot: ballot(5) } as const;
  const told = notice({ seenOfYou: ballot(1), voteOfYou: ballot(1) });
  for (const [from, request] of [
    ['site1-guard', renew()],
    ['site1-agent', prepare],
    ['site1-agent', accept(5, record({ mode: 'paused' }))],
  ] as const) {
    let state = started({ longestTtlMs: 0 });
    assert.equal(refusal(state, from, request, 100).refusal, 'busy');
    state = step(state, 'site1-agent', told, 200).next;
    // The first notice of a process does not say what it remembers.
    state = step(state, 'site2-agent', { ...told, voteOfYou: null }, 200).next;
    const early = refusal(state, from, request, 300);
    assert.equal(early.refusal, 'busy');
    assert.deepEqual(early.next.voter, state.voter);
    assert.equal(refusal(state, from, request, 2000).refusal, null);
    state = step(state, 'site2-agent', told, 400).next;
    assert.equal(refusal(state, from, request, 500).refusal, null);
  }
});

test('Q8: put back to before a change of primary, it is told before it grants the old one anything', () => {
  const { next } = step(started(), 'site2-agent', notice({ seenOfYou: ballot(9), voteOfYou: ballot(9) }), 300);
  const { answer } = step(next, 'site1-guard', renew(), 400);
  assert.ok(answer.type === 'guard-answer');
  assert.deepEqual([answer.granted, answer.refusal], [null, 'amnesia']);
});

test('Q0: init founds it once; a repeat with the same record is done and changes nothing', () => {
  const founded = step(started(empty), 'operator:ann', init());
  assert.deepEqual(founded.persist?.accepted, at(1));
  assert.deepEqual(founded.persist?.chosen, at(1));
  const promised = step(founded.next, 'site2-agent', { type: 'prepare', ...addressed, ballot: ballot(9) });
  const again = step(promised.next, 'operator:ann', init());
  assert.ok(again.answer.type === 'ack' && again.answer.ok);
  assert.deepEqual(again.next.voter.durable.promised, ballot(9), 'Q3: a promise is not taken back');
});

const refusals: readonly (readonly [string, WitnessState, PeerId, Request, RegExp])[] = [
  [
    'Q0: another cluster',
    started(),
    'operator:ann',
    init({ record: record({ cluster: 'c-2' }) }),
    /belongs to cluster c-1/,
  ],
  ['Q0: another ballot', started(), 'operator:ann', init({ ballot: ballot(2) }), /belongs to cluster c-1/],
  ['Q0: another voter set', started(empty), 'operator:ann', init({ record: record({ voters: 'two' }) }), /voter set/],
  [
    'Q0: a damaged state file',
    { ...started(empty), voter: forget(started(empty).voter) },
    'operator:ann',
    init(),
    /lost its memory/,
  ],
  [
    'an order',
    started(),
    'operator:ann',
    { type: 'order', cluster: 'c-1', order: { kind: 'resume' } },
    /takes no order/,
  ],
  ['a vote asked by a guard', started(), 'site1-guard', accept(9), /takes no accept/],
  ['a renewal asked by an agent', started(), 'site1-agent', renew(), /takes no renew/],
  ["L2: another site's renewal", started(), 'site2-guard', renew(), /not the guard of site1/],
];
for (const [title, state, from, request, why] of refusals) {
  test(`${title} is refused and changes nothing`, () => {
    const { answer, persist, next } = step(state, from, request);
    assert.ok(answer.type === 'ack' && !answer.ok);
    assert.match(answer.why, why);
    assert.equal(persist, null);
    assert.equal(next.voter, state.voter);
  });
}

test('status shows its vote', () => {
  const { answer } = step(started(), 'operator:ann', { type: 'status' });
  assert.ok(answer.type === 'status-answer');
  assert.match(JSON.stringify(answer.status), /"witness":true.*"epoch":1/);
});

test('Q8: who has no state file, but is remembered, is no new voter: it gives a ticket and takes the word for it', () => {
  const bare = deepFreeze(startWitness(emptyWitnessDurable, false, rules, 0));
  const first = step(bare, 'site1-agent', notice({ seenOfYou: ballot(3) }));
  assert.ok(first.persist?.forgot);
  assert.match(JSON.stringify(step(first.next, 'operator:ann', init()).answer), /siteward witness rejoin/);
  const ask: Request = { type: 'rejoin', ...addressed, voter: 'witness', longestTtlMs: 15_000 };
  const asked = step(first.next, 'site1-agent', ask);
  assert.ok(asked.answer.type === 'rejoin-answer' && asked.answer.ok);
  const accepted = at(1_000_009, moved);
  const word: Request = {
    type: 'rejoined',
    ...addressed,
    ticket: asked.answer.ticket,
    accepted,
    chosen: true,
    registerSerial: 0,
  };
  const { persist, next, answer } = step(asked.next, 'site1-agent', word);
  assert.ok(answer.type === 'ack' && answer.ok);
  assert.deepEqual([persist?.promised, persist?.accepted, persist?.chosen], [accepted.ballot, accepted, accepted]);
  assert.equal(next.voter.quarantinedUntil, later + 15_760);
  assert.match(JSON.stringify(step(started(), 'site1-agent', ask).answer), /has its memory/);
});

test('L4: the first step persists the longest lease of the configuration, though nothing else is new', () => {
  const raised = deepFreeze(startWitness({ ...durable({ longestTtlMs: 3000 }), lastPrimary: null }, false, rules, 0));
  const first = step(raised, 'site1-agent', notice());
  assert.equal(first.persist?.longestTtlMs, rules.longestTtlMs);
  assert.equal(step(first.next, 'site1-agent', notice()).persist, null);
});

test('V5: it tells how far the primary had written by the renewals it heard, and keeps that over a restart', () => {
  const renew = (position: number, number = 1): Request => ({
    type: 'renew',
    ...addressed,
    epoch: epoch(number),
    site: 'site1',
    round: round(position),
    ttlMs: 6000,
    status: guardStatus('site1', { position, noted: epoch(number) }),
  });
  const told = (from: WitnessState) => {
    const { answer } = step(from, 'site1-agent', notice());
    assert.ok(answer.type === 'view' && answer.lastPrimary !== 'unsaid');
    return answer.lastPrimary;
  };
  const MiB = 1024 * 1024;
  const first = step(started(), 'site1-guard', renew(900));
  assert.deepEqual(told(first.next), { epoch: epoch(1), position: 900 });
  assert.deepEqual(first.persist?.lastPrimary, { epoch: epoch(1), position: 900 });
  const soon = step(first.next, 'site1-guard', renew(2 * MiB), later + 1000);
  assert.deepEqual([told(soon.next)?.position, soon.persist], [2 * MiB, null]);
  const little = step(first.next, 'site1-guard', renew(1000), later + 9000);
  assert.equal(little.persist, null, 'not for so little');
  const due = step(soon.next, 'site1-guard', renew(2 * MiB + 1), later + 5000);
  assert.equal(due.persist?.lastPrimary?.position, 2 * MiB + 1);
  assert.ok(due.persist !== null);
  const restarted = startWitness(due.persist, false, rules, 0);
  assert.equal(told(restarted)?.position, 2 * MiB + 1);
  assert.equal(told(step(due.next, 'site1-guard', renew(5)).next)?.position, 2 * MiB + 1, 'it never goes back');
});
