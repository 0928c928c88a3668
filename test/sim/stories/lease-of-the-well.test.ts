// V2, V4, I5: what lets an ill primary's lease go (lease-of-the-ill) leaves alone what serves, what is recovering, and what has just taken
// over, though no peer is there to be asked.

import assert from 'node:assert/strict';
import { otherSite } from '../../../src/core/site.ts';
import { milli } from '../engine/scheduler.ts';
import { test } from '../world/postgres.kit.ts';
import { Story } from './kit.ts';

for (const witness of ['agent', 'route53'] as const) {
  test(`a recovery that takes minutes ends, the other site being lost, witness ${witness}`, () => {
    const story = new Story('1', { witness, replication: 'async', writesPerSecond: 1 });
    const site = story.begin();
    const { world } = story;
    let fences = 0;
    story.onLine = (line) => {
      if (line.includes('fence.begun') && line.includes('"refused"')) fences += 1;
    };
    story.lose(otherSite(site));
    story.pass(20_000);
    world.postgres[site].faults.slowStartMs = 120_000;
    world.postgres[site].killAll('it crashes');
    story.pass(1000);
    assert.equal(world.postgres[site].isWritable(), false);
    const isBack = story.until(() => world.postgres[site].isWritable(), 300_000, 500);
    story.end();
    assert.equal(isBack, true);
    assert.ok(fences <= 1, `begun anew ${fences} times`);
  });

  for (const how of ['the other site is lost', 'the sites are cut'] as const)
    test(`probes that time out take nothing from a primary that writes, where ${how}, witness ${witness}`, () => {
      const story = new Story('1', { witness, replication: 'async', writesPerSecond: 5 });
      const site = story.begin();
      const other = otherSite(site);
      const { world } = story;
      if (how === 'the sites are cut') story.cut(world.machinesOf(site), world.machinesOf(other));
      else story.lose(other);
      story.pass(20_000);
      // A probe crosses its site ten times, a round twice.
      world.network.path(site, site).extraDelay = 150 * milli;
      let downMs = 0;
      for (let passed = 0; passed < 400_000; passed += 100) {
        story.pass(100);
        if (!world.postgres[site].isWritable()) downMs += 100;
      }
      assert.equal(story.primary(), site);
      assert.equal(downMs, 0);
      story.end();
    });

  test(`a new primary does not wait for its lost peer's turn, witness ${witness}`, () => {
    const story = new Story('1', { witness, replication: 'async' });
    const site = story.begin();
    const other = otherSite(site);
    const { world } = story;
    story.lose(site);
    assert.ok(
      story.until(() => story.primary() === other, 60_000, 10),
      'chosen',
    );
    const chosen = story.seconds;
    const third = [world.witness?.machine ?? world.route53.machine];
    story.cut(third, world.machinesOf(other));
    story.pass(1000);
    story.mend(third, world.machinesOf(other));
    const took = story.tookOver(site, 10_000);
    story.end();
    assert.equal(took, true, `not within ${story.seconds - chosen} s`);
  });
}
