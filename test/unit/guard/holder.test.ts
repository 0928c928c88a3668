import assert from 'node:assert/strict';
import { test } from 'node:test';
import { extendLease, isMajority, type Lease, openTally, withAnswer } from '../../../src/core/quorum/holder.ts';
import type { WitnessKind } from '../../../src/core/settings.ts';
import type { VoterId } from '../../../src/core/site.ts';

const epoch = (number: number) => ({ era: { number: 0, site: 'site1' as const }, epoch: number });
const round = (seq: number) => ({ start: 1, seq });

const majorities: readonly (readonly [WitnessKind, readonly VoterId[], boolean])[] = [
  ['agent', [], false],
  ['agent', ['site1'], false],
  ['agent', ['witness'], false],
  ['agent', ['site1', 'site1'], false],
  ['agent', ['site1', 'site2'], true],
  ['agent', ['site2', 'witness'], true],
  ['route53', ['site1'], false],
  ['route53', ['site1', 'witness'], true],
  ['route53', ['site1', 'site2', 'witness'], true],
  ['none', [], false],
  ['none', ['witness'], false],
  ['none', ['site2'], true],
  ['none', ['site1', 'site2'], true],
];

for (const [witness, granted, lease] of majorities) {
  test(`witness ${witness}, granted by [${granted.join(' ')}]: ${lease ? 'a lease' : 'no lease'}`, () => {
    assert.equal(isMajority(granted, witness), lease);
  });
}

test('a voter that answers twice counts once, and a refusal is an answer but no grant', () => {
  const tally = openTally(round(1), epoch(1), 3000, 100);
  const answered = withAnswer(withAnswer(withAnswer(tally, 'site1', 3000), 'site1', 3000), 'site2', null);
  assert.deepEqual(answered.granted, ['site1']);
  assert.deepEqual(answered.answered, ['site1', 'site2']);
});

test('L4: a round counts for the shortest time that it was granted for, however long the guard asked for', () => {
  const tally = openTally(round(1), epoch(1), 6000, 100);
  const granted = withAnswer(withAnswer(tally, 'site1', 3000), 'site2', 6000);
  assert.equal(extendLease(null, granted).until, 3100);
});

const held: Lease = { epoch: epoch(2), until: 5000, round: round(3) };
const extensions = [
  { name: 'nothing held', before: null, epoch: 2, t0: 1000, ttlMs: 3000, until: 4000 },
  { name: 'a later end', before: held, epoch: 2, t0: 3000, ttlMs: 3000, until: 6000 },
  { name: 'an earlier end never replaces a later one', before: held, epoch: 2, t0: 1000, ttlMs: 3000, until: 5000 },
  { name: 'the same end', before: held, epoch: 2, t0: 2000, ttlMs: 3000, until: 5000 },
  { name: 'a round of an epoch that is over', before: held, epoch: 1, t0: 9000, ttlMs: 3000, until: 5000 },
  { name: 'a later epoch with an earlier end', before: held, epoch: 3, t0: 1000, ttlMs: 3000, until: 4000 },
] as const;

for (const row of extensions) {
  test(`a round that counts, ${row.name}: the lease ends at ${row.until}`, () => {
    const tally = openTally(round(4), epoch(row.epoch), row.ttlMs, row.t0);
    const lease = extendLease(row.before, tally);
    assert.equal(lease.until, row.until);
    if (row.until === 5000) assert.equal(lease, held);
  });
}
