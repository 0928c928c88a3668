// V6: the new primary's site is lost a minute after a switchover. The other one waits for the end of the cool-down, which is
// five minutes long, and then takes over.

import assert from 'node:assert/strict';
import { otherSite } from '../../../src/core/site.ts';
import { test } from '../world/postgres.kit.ts';
import { Story, switchover } from './kit.ts';

test('a second failover waits for the cool-down of the change before', () => {
  const story = new Story('1', { witness: 'agent', replication: 'async', brisk: false });
  const first = story.begin();
  const second = otherSite(first);
  story.world.order(first, switchover);
  assert.ok(story.tookOver(first, 20_000), 'it was moved as ordered');
  story.pass(60_000);
  assert.equal(story.world.notCalm(), null);
  story.lose(second);
  assert.equal(story.tookOver(second, 200_000), false, 'the last change is too recent');
  assert.equal(story.tookOver(second, 120_000), true, 'the cool-down is over');
  story.end();
});
