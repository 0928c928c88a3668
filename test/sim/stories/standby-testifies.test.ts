// V2: the network of the primary's site is so slow that no agent's probe ends in time, while rounds, clients and the standby
// get through. That the standby receives is all that speaks for the primary.

import assert from 'node:assert/strict';
import { otherSite } from '../../../src/core/site.ts';
import { milli } from '../engine/scheduler.ts';
import type { RunOptions } from '../options.ts';
import { test } from '../world/postgres.kit.ts';
import { Story } from './kit.ts';

function play(witness: RunOptions['witness']): void {
  const story = new Story('1', { witness, replication: 'async' });
  const site = story.begin();
  const { world } = story;
  const slow = [world.network.path(site, site), world.network.path(otherSite(site), site)];
  for (const path of slow) path.extraDelay = 150 * milli;
  story.pass(120_000);
  assert.equal(story.primary(), site, 'nobody moved it');
  assert.equal(world.postgres[site].isWritable(), true, 'it serves');
  assert.equal(world.agents[otherSite(site)].state()?.primary.verdict, 'failed', 'each probe takes too long');
  for (const path of slow) path.extraDelay = 0;
  story.pass(20_000);
  assert.equal(world.notCalm(), null);
  assert.equal(story.primary(), site);
  story.end();
}

for (const witness of ['agent', 'route53'] as const)
  test(`a primary that only its standby testifies to is left alone, witness ${witness}`, () => play(witness));
