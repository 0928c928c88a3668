// The two ways in which zero-loss mode could lose acknowledged writes (docs/decisions/0007), step by step against the
// voters' real functions. Each is told twice: without the rule it loses, with it the story ends at the step named.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { applyIntent } from '../../../src/core/agent/intent.ts';
import type { Intent } from '../../../src/core/agent/state.ts';
import { compareBallots, nextBallot } from '../../../src/core/quorum/ballot.ts';
import type { Accepted, ClusterRecord } from '../../../src/core/quorum/record.ts';
import { accept, prepare, type Voter } from '../../../src/core/quorum/voter.ts';
import type { VoterId } from '../../../src/core/site.ts';
import { state } from '../agent-state.ts';
import { at, ballot, epoch, moment, record, round, rules, voter } from '../core-builders.ts';

const addressed = { cluster: 'c-1', voters: 'three' };

class Voters {
  readonly all: Record<VoterId, Voter>;

  constructor(accepted: Accepted) {
    const durable = { promised: accepted.ballot, accepted, chosen: accepted };
    this.all = { site1: voter(durable), site2: voter(durable), witness: voter(durable) };
  }

  /** Prepare at a majority, compute by the agents' own function, accept there (or only where it reaches). */
  change(
    intent: Intent,
    by: VoterId,
    majority: readonly VoterId[],
    reaches: readonly VoterId[] = majority,
  ): Accepted | string {
    const highest = Object.values(this.all).reduce(
      (top, one) => (compareBallots(one.durable.promised, top) > 0 ? one.durable.promised : top),
      ballot(0),
    );
    const fresh = nextBallot(highest, by);
    for (const id of majority) {
      const { voter: next, refusal } = prepare(this.all[id], { type: 'prepare', ...addressed, ballot: fresh }, rules);
      assert.equal(refusal, null);
      this.all[id] = next;
    }
    const found = majority
      .map((id) => this.all[id].durable.accepted)
      .reduce((a, b) => (a !== null && b !== null && compareBallots(a.ballot, b.ballot) >= 0 ? a : b));
    assert.ok(found !== null);
    const value = applyIntent(intent, found, state(by === 'witness' ? 'site1' : by).state, moment(0));
    if (typeof value === 'string') return value;
    const chosen = { ballot: fresh, record: value };
    for (const id of reaches) {
      const voted = accept(this.all[id], { type: 'accept', ...addressed, ...chosen }, rules, 0);
      assert.equal(voted.refusal, null);
      this.all[id] = voted.voter;
    }
    return chosen;
  }
}

const off: Intent = { kind: 'sync-off', site: 'site1', epoch: epoch(1), ask: round(7), reason: 'asked' };
const on = (onto: Accepted): Intent => ({ kind: 'sync-on', onto: onto.ballot, reason: 'named' });
const failover: Intent = {
  kind: 'primary',
  to: 'site2',
  from: epoch(1),
  entryToo: false,
  order: false,
  needsSync: true,
  onto: null,
  reason: 'site1 is gone',
};

function must(result: Accepted | string): Accepted {
  assert.ok(typeof result !== 'string', 'given up');
  return result;
}

const asks = at(5, record({ sync: false }));

test('story 1: a half-done sync: true that comes back', () => {
  // 1: the guard named ballot 5; site2's agent puts `sync: true` onto it, and only its own vote is cast.
  const half = (): { voters: Voters; half: Accepted } => {
    const voters = new Voters(asks);
    return { voters, half: must(voters.change(on(asks), 'site2', ['site2', 'witness'], ['site2'])) };
  };
  // 2, without the rule: the known record (ballot 5) says `sync: false` already, so the guard falls back by it. Then
  // site1 is lost: site2's agent finds its own half-done vote, and takes over without what was acknowledged since.
  const lost = half();
  assert.equal(must(lost.voters.change(failover, 'site2', ['site2', 'witness'])).record.primary, 'site2');
  // 2, with it: a change begun after the question, with a ballot of its own, at any majority: nothing comes back.
  for (const majority of [
    ['site1', 'site2'],
    ['site1', 'witness'],
  ] as const) {
    const { voters } = half();
    const answer = must(voters.change(off, 'site1', majority));
    assert.equal(answer.record.sync, false);
    const after = must(voters.change(failover, 'site2', ['site2', 'witness']));
    assert.deepEqual([after.record.primary, after.record.sync], ['site1', false], 'the failover ends there');
  }
});

test('story 2: sync: true from an old word of the guard, after it has fallen back', () => {
  const voters = new Voters(asks);
  // 1: the guard names ballot 5; the word travels slowly. 2: the standby goes, the guard asks, is answered, falls back.
  const answer = must(voters.change(off, 'site1', ['site1', 'witness']));
  // 3: the word arrives at site2's agent, whose own record is still that of ballot 5. Without the rule any record that says
  // `sync: false` would do, and its round finds one.
  const naive = (found: ClusterRecord): ClusterRecord => ({ ...found, sync: true });
  assert.equal(naive(answer.record).sync, true);
  // 3, with it: the record found has another ballot than the one named.
  const late = voters.change(on(asks), 'site2', ['site2', 'witness']);
  assert.ok(typeof late === 'string');
  assert.match(late, /not the one that the guard named/);
  // 4: site1 is lost. Nothing says `sync: true`, so nothing is moved.
  const after = must(voters.change(failover, 'site2', ['site2', 'witness']));
  assert.equal(after.record.primary, 'site1');
});

test('the same word proves something as long as nothing was chosen since', () => {
  const voters = new Voters(asks);
  const synced = must(voters.change(on(asks), 'site2', ['site2', 'witness']));
  assert.equal(synced.record.sync, true);
  assert.equal(must(voters.change(failover, 'site2', ['site2', 'witness'])).record.primary, 'site2');
});

test('an accept of sync: true that arrives after the answer was given is refused or outdone', () => {
  const voters = new Voters(asks);
  const half: Accepted = { ballot: ballot(6, 'site2'), record: record({ sync: true }) };
  for (const id of ['site2', 'witness'] as const) {
    voters.all[id] = prepare(voters.all[id], { type: 'prepare', ...addressed, ballot: half.ballot }, rules).voter;
  }
  must(voters.change(off, 'site1', ['site1', 'witness']));
  // The witness promised more since; site2 alone takes it.
  const late = accept(voters.all.witness, { type: 'accept', ...addressed, ...half }, rules, 0);
  assert.equal(late.refusal, 'promised-more');
  voters.all.site2 = accept(voters.all.site2, { type: 'accept', ...addressed, ...half }, rules, 0).voter;
  assert.equal(must(voters.change(failover, 'site2', ['site2', 'witness'])).record.primary, 'site1');
});
