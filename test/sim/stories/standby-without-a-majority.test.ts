// I7, "Orders": the standby's database host reaches its own site and the primary, but neither the other site's agent nor the witness. There
// it could never hold a lease, and the old primary, which is whole, may not come back: nobody moves it there by an order.

import assert from 'node:assert/strict';
import { otherSite } from '../../../src/core/site.ts';
import { test } from '../world/postgres.kit.ts';
import { Story, switchover } from './kit.ts';

test('a switchover to where no majority may grant is refused', () => {
  const story = new Story('1', { witness: 'agent', replication: 'async' });
  const site = story.begin();
  const far = otherSite(site);
  const { world } = story;
  story.cut([world.postgres[far].machine], [world.agents[site].machine, story.machine('third')]);
  story.pass(30_000);
  let said = '';
  story.onLine = (line) => {
    if (line.includes(' operator ')) said = line;
  };
  world.order(far, switchover);
  story.pass(30_000);
  assert.match(said, /refused .*does not hear both agents/);
  assert.equal(world.postgres[site].isWritable(), true);
  story.end();
});
