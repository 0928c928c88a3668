// Q8, I1: as in put-back-witness.test.ts, of the agent that voted for the change. Nobody whom the old primary's site reaches
// has seen that vote; the witness has, and its word takes a while.

import assert from 'node:assert/strict';
import { otherSite } from '../../../src/core/site.ts';
import { milli } from '../engine/scheduler.ts';
import { test } from '../world/postgres.kit.ts';
import { Story } from './kit.ts';

function play(seed: string): void {
  const story = new Story(seed, { witness: 'agent', replication: 'async' });
  const lost = story.begin();
  const other = otherSite(lost);
  const { world } = story;
  const agent = world.agents[other];
  const near = world.machinesOf(lost);
  const third = story.machine('third');
  const old = agent.disk.synced;
  world.moves.primaryTaken();
  story.cut(near, [third, ...world.machinesOf(other)]);
  assert.ok(story.tookOver(lost, 60_000), 'the other site took over');
  story.pass(30_000);
  agent.stop();
  agent.disk.synced = old;
  world.memoryLost = true;
  story.mend(near, [agent.machine]);
  world.network.path(other, 'third').extraDelay = 700 * milli;
  story.pass(200);
  agent.start();
  story.until(() => world.postgres[lost].isWritable(), 8000, 10);
  story.end();
  assert.equal(agent.state()?.voter.amnesia, true, 'it was told');
}

for (const seed of ['1', '2'])
  test(`an agent whose disk was put back grants the old primary nothing, seed ${seed}`, () => play(seed));
