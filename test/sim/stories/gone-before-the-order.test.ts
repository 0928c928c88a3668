// "Orders", L7: the guard said `gone` within the cool-down, and nobody took over; then its host is lost. What was said before an order is
// no reason to undo the order.

import assert from 'node:assert/strict';
import { otherSite } from '../../../src/core/site.ts';
import { test } from '../world/postgres.kit.ts';
import { Story, switchover } from './kit.ts';

test("a person's failover after the guard gave up and its host was lost is not undone", () => {
  const story = new Story('1', { witness: 'agent', replication: 'async', brisk: false });
  const before = story.begin();
  const { world } = story;
  world.order(before, switchover);
  assert.ok(story.tookOver(before, 30_000));
  story.pass(60_000);
  assert.equal(world.notCalm(), null);
  const site = story.primary();
  const far = otherSite(site);
  let gone = false;
  story.onLine = (line) => {
    if (line.includes(`${far}-agent`) && line.includes('lease.released') && line.includes('"gone":true')) gone = true;
  };
  world.moves.primaryTaken();
  world.postgres[site].killAll('it crashes');
  assert.ok(
    story.until(() => gone, 5000, 5),
    'gone',
  );
  story.pass(100);
  world.powerOff(world.postgres[site].machine);
  story.pass(20_000);
  assert.equal(world.postgres[far].isWritable(), false, 'the cool-down holds');
  world.order(far, { ...switchover, acceptLoss: true });
  assert.equal(story.tookOver(site, 40_000), true, 'the person has moved it');
  story.end();
});
