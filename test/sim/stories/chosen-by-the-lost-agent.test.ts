// V5, Q8, I7: a change of primary was chosen by an agent and the register; then that agent loses its memory, and the new primary's
// database stops for want of a lease. The other agent finds a half-done change; only the guard that noted it says that it was chosen.

import assert from 'node:assert/strict';
import { otherSite } from '../../../src/core/site.ts';
import { test } from '../world/postgres.kit.ts';
import { Story } from './kit.ts';

for (const seed of ['1', '2'])
  test(`what was chosen by an agent that lost its memory is ended, seed ${seed}`, () => {
    const story = new Story(seed, { witness: 'route53', replication: 'async' });
    const lost = story.begin();
    const { world } = story;
    const site = otherSite(lost);
    const near = world.machinesOf(lost);
    const others = world.everyMachine.filter(({ place }) => place !== lost);
    world.moves.primaryTaken();
    story.cut(near, others);
    assert.ok(story.tookOver(lost, 60_000), 'the other site took over');
    story.pass(20_000);
    const agent = world.agents[site];
    agent.kill('its disk is damaged');
    agent.disk.damaged = true;
    world.memoryLost = true;
    story.pass(30_000);
    assert.equal(world.postgres[site].isWritable(), false, 'its lease is over');
    world.heal();
    story.pass(120_000);
    assert.equal(world.notCalm(), null);
    story.end();
  });
