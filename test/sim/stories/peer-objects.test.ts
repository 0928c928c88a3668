// V3: the other site's agent has every reason to take the primary for lost, and the witness is away. The agent beside the
// primary sees it serve; the lease lives on the grants of these two.

import assert from 'node:assert/strict';
import { otherSite } from '../../../src/core/site.ts';
import { milli } from '../engine/scheduler.ts';
import { test } from '../world/postgres.kit.ts';
import { Story } from './kit.ts';

test('an agent that sees the primary serve has a veto, and the other one goes on granting', () => {
  const story = new Story('1', { witness: 'agent', replication: 'async' });
  const site = story.begin();
  const { world } = story;
  const far = otherSite(site);
  // Probes take several round trips, rounds one; and the standby receives nothing (V2).
  world.network.path(far, site).extraDelay = 150 * milli;
  story.cut([world.postgres[site].machine], [world.postgres[far].machine]);
  world.powerOff(story.machine('third'));
  story.pass(120_000);
  assert.equal(story.primary(), site, 'nobody moved it');
  assert.equal(world.postgres[site].isWritable(), true, 'it serves');
  assert.equal(world.agents[far].state()?.primary.verdict, 'failed');
  assert.equal(world.agents[site].state()?.primary.verdict, 'healthy');
  story.end();
});
