// Q2, I7: without a witness a change of primary lies half done at the standby's agent, while the old primary is back and its lease,
// renewed for ever, stands against that change. A record has to be chosen all the same.

import assert from 'node:assert/strict';
import { otherSite } from '../../../src/core/site.ts';
import { test } from '../world/postgres.kit.ts';
import { Story } from './kit.ts';

function play(seed: string): void {
  const story = new Story(seed, { witness: 'none', replication: 'async' });
  const site = story.begin();
  const { world } = story;
  const agent = world.agents[otherSite(site)];
  const agents = [[agent.machine], [world.agents[site].machine]] as const;
  world.moves.primaryTaken();
  let voted = false;
  story.onLine = (line) => {
    if (voted || !line.includes(agent.name) || !line.includes('vote.cast')) return;
    voted = true;
    story.cut(...agents);
  };
  world.powerOff(world.postgres[site].machine);
  assert.ok(
    story.until(() => voted, 60_000, 10),
    'it voted',
  );
  world.powerOn(world.postgres[site].machine);
  assert.ok(
    story.until(() => world.postgres[site].isWritable(), 60_000),
    'the old primary is back',
  );
  story.mend(...agents);
  story.pass(30_000);
  assert.equal(world.notCalm(), null);
  assert.equal(story.primary(), site);
  story.end();
}

for (const seed of ['1', '2'])
  test(`what only its proposer holds stands in nobody's way without a witness, seed ${seed}`, () => play(seed));
