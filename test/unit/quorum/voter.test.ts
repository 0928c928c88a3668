import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Refusal } from '../../../src/core/messages.ts';
import type { ClusterRecord } from '../../../src/core/quorum/record.ts';
import {
  accept,
  bindsAgainst,
  forget,
  grant,
  holdsLess,
  isLaterAccepted,
  learnChosen,
  memoryIn,
  movesOn,
  prepare,
  release,
  startVoter,
  takeLongest,
  toldOfGrant,
  type Voter,
  viewOf,
} from '../../../src/core/quorum/voter.ts';
import { at, ballot, durable, epoch, moved, record, round, rules, view, voter } from '../core-builders.ts';

const addressed = { cluster: 'c-1', voters: 'three' };
const toPrepare = (counter: number) => ({ type: 'prepare', ...addressed, ballot: ballot(counter, 'site2') }) as const;
const toAccept = (counter: number, value = record()) =>
  ({ type: 'accept', ...addressed, ballot: ballot(counter, 'site2'), record: value }) as const;
const toRenew = (change: object = {}) => ({
  ...addressed,
  epoch: epoch(1),
  site: 'site1' as const,
  round: round(1),
  ttlMs: 6000,
  ...change,
});
const bound = (until: number, site: 'site1' | 'site2' = 'site1') => ({
  promise: { site, epoch: epoch(1), round: round(5), until },
});

type Row = readonly [why: string, refusal: Refusal | null, result: { refusal: Refusal | null }];

const strangers: readonly Row[] = [
  [
    'Q8: a voter without its memory promises nothing',
    'amnesia',
    prepare(voter({}, { amnesia: true }), toPrepare(9), rules),
  ],
  ['Q8: nor does it vote', 'amnesia', accept(voter({}, { amnesia: true }), toAccept(9), rules, 0)],
  ['Q8: nor does it grant', 'amnesia', grant(voter({}, { amnesia: true }), toRenew(), false, rules, 0)],
  ['Q0: nothing is promised before init', 'not-bootstrapped', prepare(voter({ cluster: null }), toPrepare(9), rules)],
  ['another cluster', 'other-cluster', prepare(voter(), { ...toPrepare(9), cluster: 'c-2' }, rules)],
  ['another voter set', 'other-voters', prepare(voter(), { ...toPrepare(9), voters: 'two' }, rules)],
  [
    'a vote for a record of another cluster',
    'other-cluster',
    accept(voter(), toAccept(9, record({ cluster: 'c-2' })), rules, 0),
  ],
];

const held = { accepted: at(2, moved), promised: ballot(2) };
const unknown = { ...held, chosen: null };
const ballots: readonly Row[] = [
  ['Q1: a lower ballot is not promised', 'promised-more', prepare(voter({ promised: ballot(5) }), toPrepare(4), rules)],
  [
    'Q1: equal counters are told apart by voter',
    'promised-more',
    prepare(voter({ promised: ballot(5, 'witness') }), toPrepare(5), rules),
  ],
  [
    'Q3: the ballot promised is promised again',
    null,
    prepare(voter({ promised: ballot(5, 'site2') }), toPrepare(5), rules),
  ],
  ['Q1: a higher ballot is promised', null, prepare(voter({ promised: ballot(5) }), toPrepare(6), rules)],
  ['Q3: no vote below the promise', 'promised-more', accept(voter({ promised: ballot(5) }), toAccept(4), rules, 0)],
  ['a vote at the ballot promised', null, accept(voter({ promised: ballot(5, 'site2') }), toAccept(5), rules, 0)],
  ['a vote above the promise', null, accept(voter(), toAccept(7), rules, 0)],
  [
    'an epoch below a chosen one can only come from a fault',
    'later-known',
    accept(voter({ accepted: at(2, moved), chosen: at(2, moved) }), toAccept(9), rules, 0),
  ],
  ['Q5: one below an epoch of which nothing was chosen buries it', null, accept(voter(held), toAccept(9), rules, 0)],
  ['Q5: also where nothing at all is known to be chosen', null, accept(voter(unknown), toAccept(9), rules, 0)],
];

const changes: readonly Row[] = [
  [
    'Q6, L3: no change of primary under a lease promise',
    'not-free',
    accept(voter({}, bound(100)), toAccept(2, moved), rules, 99),
  ],
  ['L3: it is over at its very end', null, accept(voter({}, bound(100)), toAccept(2, moved), rules, 100)],
  [
    'Q6: the same primary is no change',
    null,
    accept(voter({}, bound(100)), toAccept(2, record({ mode: 'paused' })), rules, 0),
  ],
  [
    'Q6: what counts is what this voter has accepted',
    'not-free',
    accept(voter(held, bound(100, 'site2')), toAccept(3, record({ epoch: 3 })), rules, 0),
  ],
  [
    "Q6: a promise to that primary's own guard hinders nothing",
    null,
    accept(voter(held, bound(100)), toAccept(3, record({ epoch: 3 })), rules, 0),
  ],
  [
    'L4: no change of primary in quarantine',
    'not-free',
    accept(voter({}, { quarantinedUntil: 100 }), toAccept(2, moved), rules, 99),
  ],
  ['L4: it ends', null, accept(voter({}, { quarantinedUntil: 100 }), toAccept(2, moved), rules, 100)],
  [
    'L4: it hinders no record of the same primary',
    null,
    accept(voter({}, { quarantinedUntil: 100 }), toAccept(2), rules, 0),
  ],
];

const half = { accepted: at(2, moved), promised: ballot(2) };
const inSite2 = { epoch: epoch(2), site: 'site2' as const };
const grants: readonly Row[] = [
  ['L2: its own accepted and chosen record', null, grant(voter(), toRenew(), false, rules, 0)],
  ['L2: another primary', 'not-accepted', grant(voter(), toRenew({ site: 'site2' }), false, rules, 0)],
  ['L2: another epoch', 'not-accepted', grant(voter(), toRenew({ epoch: epoch(2) }), false, rules, 0)],
  [
    'L2: another era',
    'not-accepted',
    grant(voter(), toRenew({ epoch: { era: { number: 1, site: 'site1' }, epoch: 1 } }), false, rules, 0),
  ],
  ['L2, C1: accepted, but not known to be chosen', 'not-known', grant(voter(half), toRenew(inSite2), false, rules, 0)],
  ['L2: nothing at all is known to be chosen', 'not-known', grant(voter(unknown), toRenew(inSite2), false, rules, 0)],
  ['L2: accepted and known', null, grant(voter({ ...half, chosen: at(2, moved) }), toRenew(inSite2), false, rules, 0)],
  ['L2: it knows of a later epoch', 'later-known', grant(voter({ chosen: at(2, moved) }), toRenew(), false, rules, 0)],
  [
    'L2, L7: the round was released',
    'released',
    grant(release(voter(), { site: 'site1', round: round(1) }), toRenew(), false, rules, 0),
  ],
  [
    'L7: a later round was not',
    null,
    grant(release(voter(), { site: 'site1', round: round(1) }), toRenew({ round: round(2) }), false, rules, 0),
  ],
  ['V4: it refuses this database', 'refusing', grant(voter(), toRenew(), true, rules, 0)],
  [
    'L2: a higher promised ballot does not matter',
    null,
    grant(voter({ promised: ballot(99) }), toRenew(), false, rules, 0),
  ],
  ['L2: a quarantine does not matter', null, grant(voter({}, { quarantinedUntil: 100 }), toRenew(), false, rules, 0)],
  [
    'L3: a promise to the other guard is still in force',
    'not-free',
    grant(voter({}, bound(100, 'site2')), toRenew(), false, rules, 99),
  ],
  [
    'L3: one that has run out hinders nothing',
    null,
    grant(voter({}, bound(100, 'site2')), toRenew(), false, rules, 100),
  ],
  [
    "Q10: a file that was edited alone grants nothing: the record's voters count",
    'other-voters',
    grant(voter(), toRenew({ voters: 'two' }), false, { ...rules, voters: 'two' }, 0),
  ],
  [
    '"Orders": the record of a forced era names its one voter instead',
    null,
    grant(voter({ accepted: at(1, record({ voters: 'only:site2' })) }), toRenew(), false, rules, 0),
  ],
];

for (const [title, refusal, result] of [...strangers, ...ballots, ...changes, ...grants]) {
  test(`${title}: ${refusal ?? 'done'}`, () => assert.equal(result.refusal, refusal));
}

function granted(before: Voter, change: object, now: number): Voter {
  const { voter: after, refusal } = grant(before, toRenew(change), false, rules, now);
  assert.equal(refusal, null);
  return after;
}

test('L3: a grant binds for ttl(1+D), and for the grain of the clock longer', () => {
  assert.equal(granted(voter(), {}, 1000).promise?.until, 1000 + 6300 + 10);
  assert.equal(granted(voter(), { ttlMs: 15_000 }, 1000).promise?.until, 1000 + 15_750 + 10);
});

test('L3: a shorter grant brings neither the deadline nor the round down', () => {
  const after = granted(granted(voter(), { ttlMs: 15_000, round: round(7) }, 1000), { round: round(6) }, 2000);
  assert.deepEqual(after.promise, { site: 'site1', epoch: epoch(1), round: round(7), until: 16_760 });
});

test('L3, L7: the rounds of the other guard say nothing about those of this one, which it can release', () => {
  const after = granted(voter({}, bound(100, 'site2')), {}, 100);
  assert.deepEqual(after.promise?.round, round(1));
  assert.equal(release(after, { site: 'site1', round: round(1) }).promise, null);
});

test('V5: no vote for another primary at a ballot that was promised before it granted again, but for what it knows to be chosen', () => {
  const promised = prepare(voter(), toPrepare(5), rules).voter;
  const later = 60_000;
  assert.equal(accept(promised, toAccept(5, moved), rules, later).refusal, null, 'nothing was granted since');
  const gone = granted(promised, {}, 1000);
  assert.equal(accept(gone, toAccept(5, moved), rules, later).refusal, 'not-free');
  assert.equal(accept(gone, toAccept(5), rules, later).refusal, null, 'the same primary');
  const again = prepare(gone, toPrepare(6), rules).voter;
  assert.equal(accept(again, toAccept(6, moved), rules, later).refusal, null, 'asked again since');
  const told = learnChosen(gone, { ballot: ballot(5, 'site2'), record: moved });
  assert.equal(accept(told, toAccept(5, moved), rules, later).refusal, null, 'Q5');
  assert.equal(
    accept(startVoter(promised.durable, false, rules, 0), toAccept(5, moved), rules, later).refusal,
    'not-free',
  );
});

test('L3: accepting a record of the same primary leaves the promise as it is', () => {
  const before = granted(voter(), {}, 1000);
  const { voter: after } = accept(before, toAccept(2, record({ mode: 'paused' })), rules, 1500);
  assert.deepEqual(after.promise, before.promise);
});

test('L4: the largest ttl that its file ever gave is kept for the next start', () => {
  const before = startVoter(durable({ longestTtlMs: 0 }), false, { ...rules, longestTtlMs: 20_000 }, 0);
  assert.equal(before.durable.longestTtlMs, 20_000);
  assert.equal(startVoter(before.durable, false, rules, 500).quarantinedUntil, 500 + 21_000 + 10);
});

test('L4: nothing is granted for longer than its own file gives, and the guard is told so', () => {
  const after = granted(voter(), { ttlMs: 20_000 }, 0);
  assert.equal(after.promise?.until, 15_760);
  assert.equal(after.durable.longestTtlMs, 15_000);
  assert.deepEqual(toldOfGrant('site1', toRenew({ ttlMs: 20_000 }), rules), {
    granted: null,
    refusal: 'busy',
    grantedFor: { voter: 'site1', ttlMs: 15_000 },
  });
  assert.equal(toldOfGrant('site1', toRenew(), rules).granted, 'site1');
});

test('L4: what may be granted counts too, whatever was granted so far', () => {
  const fresh = startVoter(durable({ longestTtlMs: 3000 }), false, rules, 0);
  assert.equal(fresh.quarantinedUntil, 15_760);
  assert.equal(fresh.promise, null);
});

test('L4: nothing shortens a quarantine, a release included', () => {
  const fresh = startVoter(durable(), false, rules, 0);
  const after = release(fresh, { site: 'site1', round: round(9) });
  assert.equal(after.quarantinedUntil, fresh.quarantinedUntil);
  assert.equal(bindsAgainst(after, moved, 0), 15_760);
});

test('L7: a release drops the promise to that guard if it was granted no later round', () => {
  const before = granted(voter(), { round: round(4) }, 0);
  assert.equal(release(before, { site: 'site1', round: round(4) }).promise, null);
  assert.deepEqual(release(before, { site: 'site1', round: round(3) }).promise, before.promise);
  assert.deepEqual(release(before, { site: 'site2', round: round(9) }).promise, before.promise);
});

test('L7: a release that comes late takes back no later one', () => {
  const after = release(release(voter(), { site: 'site1', round: round(4) }), { site: 'site1', round: round(2) });
  assert.deepEqual(after.released.site1, round(4));
});

test('Q2: a vote raises the promise with it', () => {
  const { voter: after } = accept(voter(), toAccept(7, record({ mode: 'paused' })), rules, 0);
  assert.deepEqual(after.durable.promised, ballot(7, 'site2'));
  assert.deepEqual(after.durable.accepted, at(7, record({ mode: 'paused' }), 'site2'));
});

test('I2: the same ballot again is answered again and alters nothing, whatever comes with it', () => {
  const { voter: once } = accept(voter(), toAccept(7, record({ mode: 'paused' })), rules, 0);
  const twice = accept(once, toAccept(7, record({ mode: 'auto' })), rules, 0);
  assert.equal(twice.refusal, null);
  assert.equal(twice.voter, once);
});

test('Q3: a refusal alters nothing', () => {
  const before = voter({}, bound(100));
  assert.equal(accept(before, toAccept(2, moved), rules, 0).voter, before);
  assert.equal(prepare(before, toPrepare(0), rules).voter, before);
  assert.equal(grant(before, toRenew(), true, rules, 0).voter, before);
});

test('Q4: chosen records never go back, and those of another cluster are none', () => {
  const before = voter({ chosen: at(5, moved) });
  assert.equal(learnChosen(before, at(4)), before);
  assert.equal(learnChosen(before, at(9, { ...moved, cluster: 'c-2' })), before);
  assert.equal(learnChosen(before, at(9)), before, 'I3: a lower epoch at a higher ballot was not chosen');
  assert.deepEqual(learnChosen(before, at(6, moved)).durable.chosen, at(6, moved));
  assert.equal(learnChosen(voter({ cluster: null, chosen: null }), at(1)).durable.chosen, null);
});

test('half done is a vote for another primary above the ballot that was chosen, and nothing else', () => {
  assert.equal(movesOn(at(6, moved), at(5)), true);
  assert.equal(movesOn(at(6), at(5)), false, 'the same primary');
  assert.equal(movesOn(at(4, moved), at(5)), false, 'older than what was chosen');
  assert.equal(movesOn(null, at(5)), false);
});

test('Orders: a later era is later, whatever its ballot', () => {
  const forced = record({ era: { number: 1, site: 'site2' }, epoch: 1 });
  assert.deepEqual(learnChosen(voter({ chosen: at(5, moved) }), at(2, forced)).durable.chosen, at(2, forced));
  const told = voter({ chosen: at(2, forced) });
  assert.equal(learnChosen(told, at(9, moved)), told, 'nor is one of an earlier era learned any more');
  assert.equal(isLaterAccepted(at(2, forced), at(5, moved)), true);
  assert.equal(isLaterAccepted(at(5, moved), at(2, forced)), false);
});

test('a view tells for how long it binds, to whom, and the highest ballot held', () => {
  const before = voter({ promised: ballot(3), chosen: at(8) }, { ...bound(900), quarantinedUntil: 400 });
  const told = viewOf(before, 100);
  assert.deepEqual([told.bindsMs, told.bindsTo, told.quarantineMs], [800, 'site1', 300]);
  assert.deepEqual(memoryIn(told), { promised: ballot(3), voted: ballot(1) });
  const later = viewOf(before, 900);
  assert.deepEqual([later.bindsMs, later.bindsTo, later.quarantineMs], [0, null, 0]);
  const fresh = viewOf(voter({}, { quarantinedUntil: 400 }), 100);
  assert.deepEqual([fresh.bindsMs, fresh.bindsTo], [300, null], 'L4 binds too');
});

const forced = record({ era: { number: 1, site: 'site2' }, epoch: 2, primary: 'site2', voters: 'only:site2' });
test('Orders: one who holds a forced record votes for none of an era before, whatever its ballot', () => {
  const before = voter({ accepted: at(3, forced), promised: ballot(3) });
  assert.equal(accept(before, toAccept(9, moved), rules, 0).refusal, 'later-known');
});

test("Orders: L4's wait of a voter begins with the record that ends the forced era, not with the era", () => {
  const { voter: told, refusal } = accept(voter(), toAccept(3, forced), rules, 1000);
  assert.deepEqual([refusal, told.quarantinedUntil], [null, 0]);
  const { voter: back } = accept(told, toAccept(4, { ...forced, voters: 'three' }), rules, 5000);
  assert.equal(back.quarantinedUntil, 5000 + 15_760);
});

test('"Orders", L4: the longest lease of the one voter of a forced era counts for the wait at its end, that of nobody else', () => {
  const told = (change: Partial<ClusterRecord>, longestTtlMs: number) =>
    takeLongest(voter(), 'site2', view({ chosen: at(3, { ...forced, ...change }), longestTtlMs })).durable.longestTtlMs;
  assert.equal(told({}, 20_000), 20_000);
  assert.equal(told({}, 10_000), 15_000, 'a shorter one brings it down for nobody');
  assert.equal(told({ voters: 'only:site1' }, 20_000), 15_000, 'not the one voter');
  assert.equal(told({ voters: 'three' }, 20_000), 15_000, 'not a forced era');
  assert.equal(told({ cluster: 'c-2' }, 20_000), 15_000, 'another cluster');
  assert.equal(takeLongest(voter(), 'site2', view({ chosen: null })).durable.longestTtlMs, 15_000);
});

test('Q8: one that was never founded shows that it remembers nothing', () => {
  assert.equal(viewOf(voter({ cluster: null }), 0).amnesia, true);
  assert.equal(viewOf(voter(), 0).amnesia, false);
});

test('Q8: one that forgot does not vote after a restart either', () => {
  const { durable: kept } = forget(voter());
  const restarted = startVoter(kept, false, rules, 0);
  assert.equal(restarted.amnesia, true);
  assert.equal(startVoter(restarted.durable, false, rules, 0).amnesia, true, 'nor after one more');
});

test('Q8: less of either ballot is a loss: a promise says nothing of the vote that came after it', () => {
  const less = (promised: number, voted: number, seen: number, vote: number | null) =>
    holdsLess(viewOf(voter({ promised: ballot(promised), accepted: at(voted), chosen: at(9) }), 0), {
      promised: ballot(seen),
      voted: vote === null ? null : ballot(vote),
    });
  assert.equal(less(6, 6, 6, 6), false);
  assert.equal(less(7, 6, 6, 6), false);
  assert.equal(less(6, 5, 6, 6), true);
  assert.equal(less(8, 5, 6, 6), true);
  assert.equal(less(5, 5, 6, 5), true, 'what it is told to be chosen hides nothing');
  assert.equal(less(5, 5, 9, null), false, 'an older release counted what it knew to be chosen');
  assert.equal(less(5, 5, 10, null), true);
});
