// Real agents, real voters and exact register strings under every interleaving that chance finds: loss, delay, repeats,
// reordering, cuts, crashes between persist and send, releases, orders. A naive twin counts from outside.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { WitnessKind } from '../../src/core/settings.ts';
import { calm, type Story, stories, tell } from './cluster-script.ts';

const numRuns = Number(process.env['FC_RUNS'] ?? 10);
const kinds: readonly WitnessKind[] = ['route53', 'agent', 'none'];
const bounds = { numRuns, endOnFailure: true, interruptAfterTimeLimit: 3000 * numRuns };

for (const kind of kinds) {
  test(`I1, I2, I3, I6 and the voter's laws hold in every story, witness ${kind}`, () => {
    fc.assert(
      fc.property(stories, (story: Story) => {
        assert.deepEqual(tell(kind, story).twin.broken, []);
      }),
      bounds,
    );
  });

  test(`I7: once all faults end, all voters and guards come to one record and its primary to a lease, witness ${kind}`, () => {
    fc.assert(
      fc.property(stories, (story: Story) => {
        const cluster = tell(kind, story);
        calm(cluster);
        cluster.run(40_000);
        const last = cluster.twin.chosen().at(-1);
        assert.ok(last !== undefined);
        const { site1, site2 } = cluster.agents;
        assert.deepEqual(site1.disk.voter.chosen, site2.disk.voter.chosen);
        assert.deepEqual(site1.disk.voter.accepted, site2.disk.voter.accepted);
        const { primary } = last.record;
        const lease = cluster.twin.lease(primary);
        assert.ok(lease !== null && lease.until > cluster.now && lease.epoch === last.record.epoch, 'no lease');
        assert.deepEqual(cluster.guards.site1.noted().record.epoch, cluster.guards.site2.noted().record.epoch);
        assert.deepEqual(cluster.twin.broken, []);
      }),
      { ...bounds, numRuns: Math.ceil(numRuns / 2) },
    );
  });
}
