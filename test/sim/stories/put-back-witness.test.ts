// Q8, I1: the disk of an agent witness is put back to before a change of primary. The old primary's site reaches it first.

import assert from 'node:assert/strict';
import { otherSite } from '../../../src/core/site.ts';
import { test } from '../world/postgres.kit.ts';
import { Story } from './kit.ts';

/** Whether the old primary wrote again. */
function play(seed: string, downMs: number): boolean {
  const story = new Story(seed, { witness: 'agent', replication: 'async' });
  const lost = story.begin();
  const other = otherSite(lost);
  const { world } = story;
  const { witness } = world;
  assert.ok(witness);
  const third = story.machine('third');
  const near = world.machinesOf(lost);
  const old = witness.disk.synced;
  world.moves.primaryTaken();
  story.cut(near, [third, ...world.machinesOf(other)]);
  assert.ok(story.tookOver(lost, 60_000), 'the other site took over');
  story.pass(30_000);
  witness.stop();
  witness.disk.synced = old;
  world.memoryLost = true;
  story.pass(downMs);
  story.mend(near, [third]);
  story.pass(200);
  witness.start();
  const wrote = story.until(() => world.postgres[lost].isWritable(), 4000, 10);
  assert.equal(witness.state()?.voter.amnesia, true, 'it was told');
  story.end();
  return wrote;
}

for (const seed of ['1', '2', '3'])
  test(`a witness whose disk was put back grants the old primary nothing, seed ${seed}`, () => {
    for (let downMs = 300; downMs < 1800; downMs += 150)
      assert.equal(play(seed, downMs), false, `down for ${downMs} ms`);
  });
