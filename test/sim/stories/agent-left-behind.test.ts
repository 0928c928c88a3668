// I6, I7: an agent that was away during a failover comes back while the other one is away. The register alone holds the record
// that was chosen, which looks half done from here, and its primary serves.

import assert from 'node:assert/strict';
import { otherSite } from '../../../src/core/site.ts';
import { test } from '../world/postgres.kit.ts';
import { Story } from './kit.ts';

for (const replication of ['async', 'zero-loss'] as const)
  test(`${replication}: what was chosen without this agent serves on by it and the register`, () => {
    const story = new Story('1', { witness: 'route53', replication });
    const lost = story.begin();
    const other = otherSite(lost);
    const { world } = story;
    story.lose(lost);
    assert.ok(story.tookOver(lost, 90_000));
    story.pass(30_000);
    world.powerOff(world.agents[other].machine);
    story.pass(500);
    world.powerOn(world.agents[lost].machine);
    story.pass(120_000);
    assert.equal(world.postgres[other].isWritable(), true);
    story.end();
  });
