// "Orders", Q5, I4: a switchover is undone while its change lies half done at the agent that drove it, whose host is alone then. The
// order is given again to the other agent; the database has stopped, its last writes have not arrived, and that host is back: a repair must
// not end the old vote, which would let V5's allowance pass for a switchover.

import assert from 'node:assert/strict';
import { otherSite } from '../../../src/core/site.ts';
import { test } from '../world/postgres.kit.ts';
import { Story, switchover } from './kit.ts';

test('a switchover that is given again is not ended by what the first one left half done', () => {
  const story = new Story('1', { witness: 'agent', replication: 'async' });
  const site = story.begin();
  const far = otherSite(site);
  const { world } = story;
  const agent = world.agents[far];
  const others = world.everyMachine.filter((machine) => machine !== agent.machine);
  let voted = false;
  let released = 0;
  story.onLine = (line) => {
    if (line.includes(`${site}-guard`) && line.includes('lease.released')) released += 1;
    if (voted || !line.includes(agent.name) || !line.includes('vote.cast')) return;
    voted = true;
    story.cut([agent.machine], others);
  };
  world.order(far, switchover);
  assert.ok(
    story.until(() => voted, 20_000, 10),
    'it voted',
  );
  assert.ok(
    story.until(() => world.postgres[site].isWritable(), 20_000),
    'the old primary goes on',
  );
  story.pass(30_000);
  world.postgres[far].receiver.stall(true);
  story.pass(3000);
  assert.equal(world.postgres[site].isWritable(), true);
  world.order(site, switchover);
  story.pass(60);
  world.postgres[far].killAll('crashes');
  world.postgres[far].receiver.stall(false);
  story.cut([world.postgres[site].machine], [world.postgres[far].machine]);
  assert.ok(
    story.until(() => released === 2, 5000, 20),
    'it stops again',
  );
  // Its guard sees it as a standby again.
  story.pass(2000);
  story.mend([agent.machine], others);
  story.tookOver(site, 30_000);
  story.end();
  assert.equal(world.history.lost, 0, 'a switchover loses nothing');
});
