// V5, Q8: without a witness the agent that is left repeats its own vote when a person lets the other one rejoin. Where that vote is a
// half-done change of primary, and the old one went on, it is not repeated unasked: a person has to accept the loss, and then can.

import assert from 'node:assert/strict';
import { otherSite } from '../../../src/core/site.ts';
import { test } from '../world/postgres.kit.ts';
import { Story } from './kit.ts';

test('a rejoin ends no half-done change of primary that V5 forbids', () => {
  const story = new Story('1', { witness: 'none', replication: 'async', bytesPerWrite: 200_000, onCrash: 'restart' });
  const { world } = story;
  const site = story.begin();
  const other = otherSite(site);
  let voted = false;
  story.onLine = (line) => {
    if (voted || !line.includes(`${other}-agent`) || !line.includes('vote.cast')) return;
    voted = true;
    story.cut(world.machinesOf(site), world.machinesOf(other));
  };
  const asked = { dryRun: false, acceptLoss: false, force: false, otherSideIsDown: false };
  world.order(other, { kind: 'failover', to: other, ...asked });
  assert.ok(
    story.until(() => voted, 20_000),
    'it voted',
  );
  story.pass(150_000);
  assert.equal(world.postgres[site].isWritable(), true, 'the old primary goes on');
  const agent = world.agents[site];
  agent.stop();
  agent.disk.synced = undefined;
  world.memoryLost = true;
  story.pass(6000);
  agent.start();
  story.pass(2000);
  // Before the standby can catch up.
  story.mend([agent.machine], world.machinesOf(other));
  story.mend([world.agents[other].machine], world.machinesOf(site));
  for (const waitMs of [1000, 20_000]) {
    story.pass(waitMs);
    world.order(other, { kind: 'rejoin', voter: site, acceptLoss: false });
  }
  const isWritable = (): boolean => world.postgres[other].isWritable();
  assert.equal(story.until(isWritable, 60_000), false);

  const { lastOrder } = world.agents[other].state() ?? {};
  assert.match(lastOrder?.why ?? '', /half-done change of primary.*--accept-loss/);
  world.order(other, { kind: 'rejoin', voter: site, acceptLoss: true });
  assert.equal(story.until(isWritable, 60_000), true);
  assert.deepEqual(world.violations.all, []);
});
