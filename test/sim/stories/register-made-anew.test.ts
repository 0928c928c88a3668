// W4, I1: a long lease rests on the register's nonce. The record is deleted, a person has it made anew, and at that moment the
// primary's site is cut off: the new record has to stand for the grant that nobody can read in it any more.

import assert from 'node:assert/strict';
import { otherSite } from '../../../src/core/site.ts';
import { test } from '../world/postgres.kit.ts';
import { Story } from './kit.ts';

function play(seed: string): void {
  const story = new Story(seed, { witness: 'route53', replication: 'async' });
  const site = story.begin();
  const far = otherSite(site);
  const { world } = story;
  const { register } = world.route53;
  const database = world.postgres[site].machine;
  // The other agent's grant is missing, so each lease is a long one with the register; and nothing testifies (V2).
  story.cut([database], [world.agents[far].machine, world.postgres[far].machine]);
  story.pass(30_000);
  const grants = register.writes;
  assert.ok(
    story.until(() => register.writes > grants, 20_000),
    'a long round',
  );
  register.delete(world.scheduler.now);
  world.memoryLost = true;
  assert.ok(
    story.until(() => world.agents[far].state()?.register.out !== null, 4000, 20),
    'it is missed',
  );
  world.order(far, { kind: 'rejoin', voter: 'witness', acceptLoss: false });
  assert.ok(
    story.until(() => register.value !== null, 4000, 10),
    'it is made anew',
  );
  const others = world.everyMachine.filter(({ place }) => place !== site);
  world.moves.primaryTaken();
  story.cut(world.machinesOf(site), others);
  assert.equal(world.postgres[site].isWritable(), true, 'its lease is not over');
  assert.equal(story.tookOver(site, 60_000), true, 'the other site takes over in the end');
  story.end();
}

for (const seed of ['1', '2'])
  test(`a register made anew stands for the grants that it forgot, seed ${seed}`, () => play(seed));
