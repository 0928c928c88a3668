// Q8, W4: a voter loses its memory in the middle of any story, and a person orders its rejoin until it has it again, under
// message loss, repeats, late messages and crashes of whoever drives it. I1, I2, I3, I6 hold throughout; in the end all
// voters hold one record and vote.
//
// Each of these changes of src/ was made by hand, and is caught here or by the test that is named:
//   remember(): no wait after it (`quarantinedUntil: voter.quarantinedUntil`)              unit/quorum/rejoin.test.ts
//   remember(): the ticket is not compared                                                  unit/quorum/rejoin.test.ts
//   remember(): without a witness it does not wait for what it may have promised            unit/quorum/rejoin.test.ts
//   rejoinedRegister(): nonce `released`                                                    unit/quorum/rejoin.test.ts
//   rejoinedRegister(): serial not above what was known                                     here, route53
//   freshBallot(): one above what is known instead of a million                             unit/quorum/rejoin.test.ts
//   takesPart(): the voter itself is asked for its vote                                     unit/agent/rejoin.test.ts
//   driveRejoinOfRegister(): the round is left out, the driver's own record is written      unit/agent/rejoin.test.ts
//   driveRejoinOfRegister(): a value of a higher ballot is written over                     unit/agent/rejoin.test.ts
//   strange(): a voter without memory votes (`if (voter.amnesia)` left out of voter.ts)     unit/quorum/voter.test.ts

import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { Accepted } from '../../src/core/quorum/record.ts';
import type { WitnessKind } from '../../src/core/settings.ts';
import type { Site, VoterId } from '../../src/core/site.ts';
import type { Cluster, CrashPoint, Loss } from './cluster.ts';
import { calm, type Story, stories, tell } from './cluster-script.ts';

const numRuns = Number(process.env['FC_RUNS'] ?? 6);
const kinds: readonly WitnessKind[] = ['route53', 'agent', 'none'];
const bounds = { numRuns, endOnFailure: true, interruptAfterTimeLimit: 4000 * numRuns };

/** What happens while a person tries to make it good. */
type Trouble = {
  readonly loss: number;
  readonly repeat: number;
  readonly slow: number;
  readonly crash: { readonly site: Site; readonly at: CrashPoint } | null;
  readonly ms: number;
};
type Losing = {
  readonly story: Story;
  readonly who: number;
  readonly loss: Loss;
  readonly troubles: readonly Trouble[];
};

const trouble: fc.Arbitrary<Trouble> = fc.record({
  loss: fc.constantFrom(0, 0.1, 0.3),
  repeat: fc.constantFrom(0, 0.3),
  slow: fc.constantFrom(0, 0.2),
  crash: fc.option(
    fc.record({
      site: fc.constantFrom<Site>('site1', 'site2'),
      at: fc.constantFrom<CrashPoint>('now', 'before-persist', 'after-persist', 'after-first-send', 'after-vote'),
    }),
    { nil: null },
  ),
  ms: fc.constantFrom(150, 600, 2000),
});

const losings: fc.Arbitrary<Losing> = fc.record({
  story: stories,
  who: fc.nat({ max: 2 }),
  loss: fc.oneof(fc.constantFrom<Loss>('damaged', 'missing'), fc.double({ min: 0, max: 1, noNaN: true })),
  troubles: fc.array(trouble, { maxLength: 6 }),
});

/**
 * The order is given to an agent that has its memory; refused or not, the person looks again a little later. What the one before
 * it lacked is the person's word that a loss is accepted: without a witness nothing else may end a half-done change (V5).
 */
function order(cluster: Cluster, voter: VoterId): void {
  const driver = (['site1', 'site2'] as const).find((site) => site !== voter && !cluster.forgetful().includes(site));
  if (driver === undefined) return;
  const acceptLoss = cluster.agents[driver].state?.lastOrder?.why.includes('--accept-loss') === true;
  cluster.order(driver, { kind: 'rejoin', voter, acceptLoss });
}

function lose(kind: WitnessKind, { story, who, loss, troubles }: Losing): Cluster {
  const cluster = tell(kind, story);
  const voters: readonly VoterId[] = kind === 'none' ? ['site1', 'site2'] : ['site1', 'site2', 'witness'];
  const voter = voters[who % voters.length] ?? 'site1';
  // What was put back is found out by others that remember it, so they are there and are heard (W3, Q8).
  if (typeof loss === 'number') {
    calm(cluster);
    cluster.run(2000);
  }
  cluster.loseMemory(voter, loss);
  if (typeof loss === 'number') cluster.run(kind === 'route53' ? 20_000 : 3000);
  for (const { crash, ms, ...weather } of troubles) {
    cluster.network.weather = { ...weather, late: null };
    for (const lost of cluster.forgetful()) order(cluster, lost);
    if (crash !== null) cluster.crashAgent(crash.site, crash.at);
    cluster.run(ms);
    for (const site of ['site1', 'site2'] as const) cluster.startAgent(site);
  }
  return cluster;
}

function mend(cluster: Cluster): void {
  calm(cluster);
  for (let second = 0; second < 60; second += 1) {
    cluster.run(1000);
    for (const lost of cluster.forgetful()) order(cluster, lost);
  }
}

for (const kind of kinds) {
  test(`I1, I2, I3, I6: a memory is lost and made good in the middle of any story, witness ${kind}`, () => {
    fc.assert(
      fc.property(losings, (losing) => {
        const cluster = lose(kind, losing);
        mend(cluster);
        assert.deepEqual(cluster.twin.broken, []);
        assert.deepEqual(cluster.forgetful(), []);
        const newest = cluster.twin.chosen().at(-1);
        assert.ok(newest !== undefined);
        const last: Accepted = { ballot: newest.ballot, record: newest.record };
        const { site1, site2 } = cluster.agents;
        assert.deepEqual(site1.disk.voter.accepted, last);
        assert.deepEqual(site2.disk.voter.accepted, last);
        if (kind === 'agent') assert.deepEqual(cluster.witness.disk.accepted, last);
        const lease = cluster.twin.lease(last.record.primary);
        assert.ok(lease !== null && lease.until > cluster.now && lease.epoch === last.record.epoch, 'no lease');
      }),
      bounds,
    );
  });
}
