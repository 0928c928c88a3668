// Q8, W4 at the voter: a ticket, then a word fetched for it, then L4's wait; and the register's state made anew.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Rejoined } from '../../../src/core/messages.ts';
import {
  freshBallot,
  giveTicket,
  lacksMemory,
  rejoinedRegister,
  remember,
  toldOf,
} from '../../../src/core/quorum/rejoin.ts';
import {
  accept,
  emptyVoterDurable,
  forget,
  grant,
  prepare,
  startVoter,
  type Voter,
} from '../../../src/core/quorum/voter.ts';
import { at, ballot, deepFreeze, epoch, moved, record, round, rules, voter } from '../core-builders.ts';

const addressed = { cluster: 'c-1', voters: 'three' };
const ask = (change: object = {}) =>
  ({ type: 'rejoin', ...addressed, voter: 'site1', longestTtlMs: 15_000, ...change }) as const;
const fresh = ballot(1_000_009, 'site2');
const word = (change: Partial<Rejoined> = {}): Rejoined => ({
  type: 'rejoined',
  ...addressed,
  ticket: 'one',
  accepted: { ballot: fresh, record: record() },
  chosen: true,
  registerSerial: 7,
  ...change,
});

const damaged = deepFreeze(startVoter(emptyVoterDurable, true, rules, 0));
const missing = deepFreeze(startVoter(emptyVoterDurable, false, rules, 0));
const putBack = deepFreeze(forget(voter({ promised: ballot(3), accepted: at(3) })));
/** Long after the wait of its own start. */
const later = 100_000;
const asked = (of: Voter, change: object = {}, random = 'one'): Voter =>
  deepFreeze(giveTicket(of, ask(change), rules, random, later).voter);

test('a voter whose file is damaged, missing or older than what others remember gives a ticket; one in good health none', () => {
  for (const lost of [damaged, missing, putBack]) {
    const { answer, voter: after } = giveTicket(lost, ask(), rules, 'one', later);
    assert.deepEqual([answer.ok, answer.ticket, after.ticket], [true, 'one', 'one']);
    assert.ok(lacksMemory(after), 'a ticket alone gives no vote');
  }
  const { answer, voter: after } = giveTicket(voter(), ask(), rules, 'one', later);
  assert.deepEqual([answer.ok, answer.ticket, after.ticket], [false, '', null]);
  assert.match(answer.why, /has its memory/);
});

test('Q8: amnesia goes to disk with whatever is written first, also where nothing is left', () => {
  assert.ok(damaged.durable.forgot);
  assert.ok(startVoter(damaged.durable, false, rules, 500).amnesia, 'nor does a restart give it its vote');
});

test('L4: who asks may know of a longer lease than the voter waits for', () => {
  const { answer, voter: after } = giveTicket(missing, ask({ longestTtlMs: 40_000 }), rules, 'one', later);
  assert.equal(after.durable.longestTtlMs, 40_000);
  assert.equal(answer.waitMs, 42_010);
});

for (const [name, of] of Object.entries({ damaged, missing, putBack })) {
  test(`a ${name} state: the word for its ticket is its vote, its promise and its memory, and L4's wait begins`, () => {
    const { voter: after, why } = remember(asked(of), word(), rules, later);
    assert.equal(why, null);
    assert.deepEqual(
      [after.durable.cluster, after.durable.promised, after.durable.accepted, after.durable.forgot, after.amnesia],
      ['c-1', fresh, { ballot: fresh, record: record() }, false, false],
    );
    assert.equal(after.quarantinedUntil, later + 15_760);
    const change = { type: 'accept', ...addressed, ballot: ballot(1_000_010, 'site2'), record: moved } as const;
    assert.equal(accept(after, change, rules, later + 15_759).refusal, 'not-free');
    assert.equal(accept(after, change, rules, later + 15_760).refusal, null);
    const older = { type: 'prepare', ...addressed, ballot: ballot(1_000_008, 'site2') } as const;
    assert.equal(prepare(after, older, rules).refusal, 'promised-more', 'no round that began before is helped by it');
  });
}

test('nothing before that lets it vote: no ticket, no repeat, no word for another', () => {
  const silent = { type: 'prepare', ...addressed, ballot: ballot(9, 'site2') } as const;
  const renew = { ...addressed, epoch: epoch(1), site: 'site1', round: round(1), ttlMs: 6000 } as const;
  const vote = { type: 'accept', ...addressed, ballot: fresh, record: record() } as const;
  for (const lost of [damaged, putBack, asked(damaged), asked(putBack)]) {
    assert.equal(prepare(lost, silent, rules).refusal, 'amnesia');
    assert.equal(accept(lost, vote, rules, later).refusal, 'amnesia');
    assert.equal(grant(lost, renew, false, rules, later).refusal, 'amnesia');
  }
});

type Row = readonly [why: string, of: Voter, word: Rejoined, said: RegExp];
const refusals: readonly Row[] = [
  ['no ticket was given', damaged, word(), /ticket/],
  ['another ticket: fetched for an earlier loss', asked(damaged, {}, 'two'), word(), /ticket/],
  ['an empty ticket', damaged, word({ ticket: '' }), /ticket/],
  ['another voter set', asked(damaged), word({ voters: 'two' }), /voter set/],
  ['another cluster than it belongs to', asked(putBack), word({ cluster: 'c-2' }), /belongs to cluster c-1/],
  [
    'a record of another cluster',
    asked(damaged),
    word({ accepted: { ballot: fresh, record: record({ cluster: 'c-2' }) } }),
    /another cluster/,
  ],
  [
    'a ballot below what it still knows that it promised',
    asked(deepFreeze(forget(voter({ promised: ballot(2_000_000) })))),
    word(),
    /promised more/,
  ],
];
for (const [why, of, said, sentence] of refusals) {
  test(`refused: ${why}`, () => {
    const result = remember(of, said, rules, later);
    assert.match(result.why ?? '', sentence);
    assert.equal(result.voter, of);
  });
}

test('without a witness its vote chooses: first everything that it may have promised has run out', () => {
  const started = giveTicket(damaged, ask(), rules, 'one', 0).voter;
  const { waitMs } = toldOf(started, 0);
  assert.equal(waitMs, 15_760);
  assert.match(remember(started, word({ chosen: false }), rules, waitMs - 1).why ?? '', /may have promised/);
  assert.equal(remember(started, word({ chosen: true }), rules, waitMs - 1).why, null);
  const after = remember(started, word({ chosen: false }), rules, waitMs);
  assert.deepEqual([after.why, after.voter.quarantinedUntil], [null, 2 * waitMs]);
  const bound = deepFreeze({
    ...putBack,
    promise: { site: 'site1' as const, epoch: epoch(1), round: round(1), until: later + 5 },
  });
  assert.match(remember(asked(bound), word({ chosen: false }), rules, later + 4).why ?? '', /for 1 ms/);
});

test('a repeat is answered as the first one was and changes nothing', () => {
  const after = deepFreeze(remember(asked(damaged), word(), rules, later).voter);
  assert.deepEqual(remember(after, word(), rules, later + 50), { voter: after, why: null });
  assert.match(remember(voter(), word(), rules, later).why ?? '', /has its memory/);
});

test('what it remembers of a promise and a quarantine is not shortened', () => {
  const promise = { site: 'site1' as const, epoch: epoch(1), round: round(4), until: later + 90_000 };
  const before = deepFreeze({ ...asked(putBack), promise, quarantinedUntil: later + 99_000 });
  const { voter: after } = remember(before, word(), rules, later);
  assert.deepEqual([after.promise, after.quarantinedUntil], [promise, later + 99_000]);
});

test('Q1, Q8: a fresh ballot is a million above any seen', () => {
  assert.deepEqual(freshBallot(ballot(9, 'witness'), 'site2'), fresh);
});

test('W4: the register anew: that ballot promised and accepted, a higher serial, a fresh nonce of the longest ttl', () => {
  const made = rejoinedRegister({ ballot: fresh, record: record() }, 41, { id: 'new', ttlMs: 15_000 });
  assert.deepEqual(made, {
    cluster: 'c-1',
    serial: 1041,
    promised: fresh,
    accepted: { ballot: fresh, record: record() },
    nonce: { id: 'new', ttlMs: 15_000, site: 'site1', round: { start: 0, seq: 0 } },
    position: null,
  });
});
