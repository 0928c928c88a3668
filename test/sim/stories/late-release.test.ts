// L7, I1: an order to move a primary is undone and the primary goes on, in later rounds. One agent heard its release, but could
// not reach the register; when it can again, it has to leave the later round's grant there.

import assert from 'node:assert/strict';
import { otherSite } from '../../../src/core/site.ts';
import { test } from '../world/postgres.kit.ts';
import { Story, switchover } from './kit.ts';

function play(seed: string): void {
  const story = new Story(seed, { witness: 'route53', replication: 'async' });
  const site = story.begin();
  const far = otherSite(site);
  const { world } = story;
  const database = [world.postgres[site].machine];
  const standby = [world.postgres[far].machine];
  const near = [world.agents[site].machine];
  const other = [world.agents[far].machine];
  const internet = [story.machine('internet')];
  // The agent beside the primary runs a grant of the register, of which it never hears the end.
  story.cut(database, other);
  story.pass(20_000);
  story.cut(near, internet);
  story.pass(8000);
  story.mend(database, other);
  story.pass(8000);
  let released = false;
  story.onLine = (line) => {
    if (line.includes(`${site}-guard`) && line.includes('lease.released')) released = true;
  };
  world.order(far, switchover);
  // The standby is lost just then and cannot get the rest, so that the order is undone.
  story.pass(60);
  world.postgres[far].killAll('crashes');
  story.pass(20);
  story.cut(database, standby);
  assert.ok(
    story.until(() => released, 20_000, 20),
    'it was stopped',
  );
  story.pass(200);
  story.cut(near, [...database, ...other]);
  assert.ok(
    story.until(() => world.postgres[site].isWritable(), 60_000, 50),
    'it goes on',
  );
  story.pass(40_000);
  // Right after a long round it is there again, alone with the register, and sees nothing of the primary.
  const { register } = world.route53;
  const grants = register.writes;
  assert.ok(
    story.until(() => register.writes > grants, 20_000, 20),
    'a long round',
  );
  assert.equal(world.agents[site].state()?.queuedReleases.length, 1);
  story.mend(near, internet);
  story.pass(20_000);
  story.end();
  assert.equal(world.postgres[site].isWritable(), true, 'it goes on');
}

for (const seed of ['1', '2']) test(`a late release leaves a later round's grant, seed ${seed}`, () => play(seed));
