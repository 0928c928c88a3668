// R1, R2: without a witness the agent of the old primary's site votes for a switchover, and is cut off before it hears that its vote
// chose it. It may not act by the epoch that it knows: to it the new primary looks like an old one that has to be fenced.

import assert from 'node:assert/strict';
import { otherSite, type Site } from '../../../src/core/site.ts';
import { addressOf } from '../world/config.ts';
import { test } from '../world/postgres.kit.ts';
import { Story, switchover } from './kit.ts';

for (const seed of ['1', '2', '3']) {
  test(`the one link between the agents is cut in the midst of a switchover, seed ${seed}`, () => {
    const story = new Story(seed, { witness: 'none', replication: 'async' });
    const old = story.begin();
    const next = otherSite(old);
    const { world } = story;
    world.order(next, switchover);
    const knows = (site: Site): boolean => world.agents[site].state()?.voter.durable.chosen?.record.primary === next;
    assert.ok(
      story.until(() => knows(next) && !knows(old), 20_000, 1),
      'it has voted, and was not told',
    );
    let orders = 0;
    story.onLine = (line) => {
      if (line.includes(`${old}-agent`) && /step\.failed.*(switch-env|fence)/.test(line)) orders += 1;
    };
    story.cut([story.machine(`${old}-svc`)], [story.machine(`${next}-svc`)]);
    story.pass(40_000);
    assert.equal(orders, 0, 'nothing is ordered by the old epoch');
    assert.equal(world.postgres[next].isWritable(), true);
    story.mend([story.machine(`${old}-svc`)], [story.machine(`${next}-svc`)]);
    assert.ok(
      story.until(() => world.notCalm() === null, 60_000),
      world.notCalm() ?? '',
    );
    story.end();
  });
}

test('the one link between the agents is cut in the midst of a move of the entry', () => {
  const story = new Story('1', { witness: 'none', replication: 'async' });
  const primary = story.begin();
  const other = otherSite(primary);
  const { world } = story;
  const knows = (site: Site): boolean => world.agents[site].state()?.voter.durable.chosen?.record.entry === other;
  assert.ok(world.balancers[primary].kill());
  assert.ok(
    story.until(() => knows(other) && !knows(primary), 20_000, 1),
    'it has voted, and was not told',
  );
  story.cut([story.machine(`${primary}-svc`)], [story.machine(`${other}-svc`)]);
  const isMoved = (): boolean => world.route53.name.value === addressOf(world.config, other);
  assert.ok(story.until(isMoved, 20_000), 'the name follows the record');
  assert.equal(
    story.until(() => !isMoved(), 60_000),
    false,
    'and stays',
  );
});
