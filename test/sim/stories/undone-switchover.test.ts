// V5, "Orders": a switchover is undone while its change lies half done at the agent that drove it, which does not hear that the old
// primary goes on. Minutes later that site is lost: that the database had stopped once says nothing any more.

import assert from 'node:assert/strict';
import { otherSite } from '../../../src/core/site.ts';
import { test } from '../world/postgres.kit.ts';
import { Story } from './kit.ts';

for (const [witness, place] of [
  ['agent', 'third'],
  ['route53', 'internet'],
] as const)
  test(`a half-done switchover whose old primary went on does not pass V5, witness ${witness}`, () => {
    const story = new Story('1', { witness, replication: 'async', bytesPerWrite: 200_000 });
    const lost = story.begin();
    const other = otherSite(lost);
    const { world } = story;
    const agent = world.agents[other];
    const third = [story.machine(place)];
    let voted = false;
    story.onLine = (line) => {
      if (voted || !line.includes(agent.name) || !line.includes('vote.cast')) return;
      voted = true;
      story.cut(world.machinesOf(lost), world.machinesOf(other));
      story.cut([agent.machine], third);
    };
    const asked = { dryRun: false, acceptLoss: false, force: false, otherSideIsDown: false };
    world.order(other, { kind: 'failover', to: other, ...asked });
    const began = story.until(() => voted, 30_000, 10);
    assert.ok(began, 'it voted');
    const goesOn = story.until(() => world.postgres[lost].isWritable(), 60_000);
    assert.ok(goesOn, 'the old primary goes on');
    story.pass(20_000);
    story.mend([agent.machine], third);
    story.pass(120_000);
    story.lose(lost);
    assert.equal(story.tookOver(lost, 60_000), false);
    story.end();
  });
