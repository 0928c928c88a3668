// V5, Q5: a change of primary stays half done at the agent of the other site, the old primary goes on for minutes, then its
// site is lost. Whoever finds the vote must ask again what would be lost.

import assert from 'node:assert/strict';
import { otherSite } from '../../../src/core/site.ts';
import { test } from '../world/postgres.kit.ts';
import { Story } from './kit.ts';

/** Whether the other site took over. `halfDone`: its agent had voted for that when the sites were cut. */
function play(seed: string, halfDone: boolean): boolean {
  const story = new Story(seed, { witness: 'agent', replication: 'async', bytesPerWrite: 200_000 });
  const lost = story.begin();
  const { world } = story;
  const third = [story.machine('third')];
  const near = world.machinesOf(lost);
  const agent = world.agents[otherSite(lost)];
  story.cut(near, [...world.machinesOf(otherSite(lost)), ...third]);
  let voted = false;
  story.onLine = (line) => {
    if (voted || !halfDone || !line.includes(agent.name) || !line.includes('vote.cast')) return;
    voted = true;
    story.cut([agent.machine], third);
  };
  if (halfDone)
    assert.ok(
      story.until(() => voted, 30_000),
      'it voted',
    );
  else story.pass(1000);
  story.mend(near, third);
  story.pass(4000);
  story.mend([agent.machine], third);
  story.pass(120_000);
  assert.equal(world.postgres[lost].isWritable(), true, 'the old primary goes on');
  assert.equal(agent.state()?.voter.durable.accepted?.record.primary, halfDone ? otherSite(lost) : lost);
  story.lose(lost);
  const took = story.tookOver(lost, 60_000);
  story.end();
  return took;
}

for (const seed of ['1', '2'])
  test(`a half-done change of primary does not pass V5 hours later, seed ${seed}`, () => {
    assert.deepEqual([play(seed, false), play(seed, true)], [false, false]);
  });
