// The counterexamples that the first draft of the rules failed by, and those of its reviews, step by step against the
// voters' real functions. Each ends at the step that the rule named now refuses.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ClusterRecord } from '../../../src/core/quorum/record.ts';
import {
  absorbRead,
  registerBindsMs,
  unseenRegister,
  withGrant,
  withRecord,
  withRelease,
} from '../../../src/core/quorum/register.ts';
import type { RegisterState } from '../../../src/core/quorum/register-state.ts';
import {
  accept,
  grant,
  learnChosen,
  prepare,
  release,
  startVoter,
  type Voter,
} from '../../../src/core/quorum/voter.ts';
import type { VoterId } from '../../../src/core/site.ts';
import { at, ballot, epoch, moved, record, round, rules, voter } from '../core-builders.ts';

const addressed = { cluster: 'c-1', voters: 'three' };

function promised(before: Voter, counter: number, by: VoterId): Voter {
  const result = prepare(before, { type: 'prepare', ...addressed, ballot: ballot(counter, by) }, rules);
  assert.equal(result.refusal, null);
  return result.voter;
}

function ask(before: Voter, counter: number, by: VoterId, value: ClusterRecord, now = 0) {
  return accept(before, { type: 'accept', ...addressed, ballot: ballot(counter, by), record: value }, rules, now);
}

function voted(before: Voter, counter: number, by: VoterId, value: ClusterRecord, now = 0): Voter {
  const { voter: after, refusal } = ask(before, counter, by, value, now);
  assert.equal(refusal, null);
  return after;
}

const renewal = (site: 'site1' | 'site2', number: number, seq: number, ttlMs = 6000) => ({
  ...addressed,
  epoch: epoch(number),
  site,
  round: round(seq),
  ttlMs,
});

test('C1: two voters hold records of one epoch of which neither ballot was chosen: no lease (L2)', () => {
  // 1: site1's agent, ballot 2, promised by both agents, votes itself; its accept is lost.
  const a1 = voted(promised(voter(), 2, 'site1'), 2, 'site1', moved);
  const a2 = promised(voter(), 2, 'site1');
  // 3: site2's agent, ballot 4, finds that vote and votes for it itself.
  const b2 = voted(promised(a2, 4, 'site2'), 4, 'site2', moved);
  // 4: both hold epoch 2, and both refuse it.
  for (const holder of [a1, b2]) {
    assert.equal(holder.durable.accepted?.record.epoch, 2);
    assert.equal(grant(holder, renewal('site2', 2, 1), false, rules, 0).refusal, 'not-known');
  }
  // Once it is chosen and known both grant.
  const known = learnChosen(b2, at(4, moved, 'site2'));
  assert.equal(grant(known, renewal('site2', 2, 1), false, rules, 0).refusal, null);
});

const register: RegisterState = {
  cluster: 'c-1',
  serial: 1,
  promised: ballot(1),
  accepted: at(1),
  nonce: { id: 'n2', site: 'site1', round: round(2), ttlMs: 15_000 },
  position: null,
};
const readAt = (state: RegisterState, now: number) => absorbRead(unseenRegister, { text: 'x', state }, 0, 'c-1', now);

test('C2: a late ask of an older round does not replace a newer nonce, so its late release frees nothing (L5, L7)', () => {
  const mind = readAt(register, 0);
  assert.equal(
    withGrant(mind, renewal('site1', 1, 1, 15_000), { id: 'n1', position: null }, rules.drift, 0),
    'old-round',
  );
  assert.equal(withRelease(register, 'site1', round(1)), null);
  assert.ok(registerBindsMs(mind, rules.drift, 0) > 0);
});

test('Q6: "a change that alters nothing" is a change of primary at a voter that holds another one', () => {
  // site2's agent holds a half-done move; site1's agent, bound by its grant, is asked to end it "unaltered".
  const { voter: bound } = grant(voter(), renewal('site1', 1, 1), false, rules, 0);
  assert.equal(ask(bound, 7, 'site2', moved, 6000).refusal, 'not-free');
  assert.equal(ask(bound, 7, 'site2', moved, 6310).refusal, null);
  assert.equal(ask(startVoter(voter().durable, false, rules, 0), 7, 'site2', moved, 6310).refusal, 'not-free', 'L4');
});

test('three mistakes with two lengths: each binds for the longest', () => {
  const long = grant(voter(), renewal('site1', 1, 1, 15_000), false, rules, 0).voter;
  const both = grant(long, renewal('site1', 1, 2, 6000), false, rules, 1000).voter;
  assert.equal(
    ask(both, 7, 'site2', moved, 15_759).refusal,
    'not-free',
    'L3: a shorter grant brings no deadline forward',
  );
  const short = withGrant(
    readAt(register, 0),
    renewal('site1', 1, 3, 6000),
    { id: 'n3', position: null },
    rules.drift,
    0,
  );
  assert.equal(short, 'register', 'L5: no nonce of a short lease over one that may still be counted');
  const restarted = startVoter(both.durable, false, { ...rules, longestTtlMs: 6000 }, 2000);
  assert.equal(ask(restarted, 7, 'site2', moved, 17_759).refusal, 'not-free', 'L4: the quarantine is of the longest');
});

test('L7: a release heard late takes nothing from a round that was granted since', () => {
  const first = grant(voter(), renewal('site1', 1, 1), false, rules, 0).voter;
  const later = grant(first, renewal('site1', 1, 2), false, rules, 3000).voter;
  const after = release(later, { site: 'site1', round: round(1) });
  assert.equal(ask(after, 7, 'site2', moved, 9309).refusal, 'not-free');
});

test('L6: a change of primary in the register leaves no nonce that could be taken for a lease of the new one', () => {
  const next = withRecord(register, ballot(5), moved, { id: 'w', ttlMs: 15_000 });
  assert.ok(typeof next !== 'string');
  assert.equal(next.nonce, 'released');
  const mind = readAt(next, 0);
  assert.equal(
    withGrant(mind, renewal('site1', 1, 9, 15_000), { id: 'n9', position: null }, rules.drift, 0),
    'not-accepted',
  );
  assert.equal(
    typeof withGrant(mind, renewal('site2', 2, 1, 15_000), { id: 'n9', position: null }, rules.drift, 0),
    'object',
  );
});

test('Q3: a vote answered late is still a vote: a voter that promised more refuses, one that voted answers again', () => {
  const promisedMore = promised(voter(), 9, 'site2');
  assert.equal(ask(promisedMore, 5, 'site1', record({ mode: 'paused' })).refusal, 'promised-more');
  const once = voted(voter(), 5, 'site1', record({ mode: 'paused' }));
  assert.equal(ask(once, 5, 'site1', record({ mode: 'paused' })).refusal, null);
});
