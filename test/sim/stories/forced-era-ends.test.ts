// "Orders", L4, I1: a forced era ends, and that very moment its site is cut off from everybody. Its lease rests on one grant,
// and the two who can vote again know nothing of it: they have to wait.

import assert from 'node:assert/strict';
import { soleVoterOf } from '../../../src/core/quorum/sole-voter.ts';
import { otherSite } from '../../../src/core/site.ts';
import { milli } from '../engine/scheduler.ts';
import { addressOf } from '../world/config.ts';
import { test } from '../world/postgres.kit.ts';
import { registerValue } from '../world/register-value.ts';
import { Story } from './kit.ts';

function play(seed: string): void {
  const story = new Story(seed, { witness: 'route53', replication: 'async' });
  const lost = story.begin();
  const site = otherSite(lost);
  const { world } = story;
  const { route53 } = world;
  story.lose(lost);
  route53.faults.down = true;
  story.pass(60_000);
  story.force(lost, true);
  assert.ok(story.tookOver(lost, 20_000), 'it was forced');
  // The other site is back and follows, but its agent hears of it only later.
  const near = world.agents[site].machine;
  const far = world.agents[lost].machine;
  route53.faults.down = false;
  story.pass(3000);
  world.heal();
  story.cut([far], [near, world.postgres[site].machine]);
  story.pass(60_000);
  assert.ok(world.postgres[lost].receiver.streaming(), 'it follows');
  story.cut([world.postgres[site].machine], [world.postgres[lost].machine]);
  const held = () => registerValue(route53.register.value)?.accepted.record ?? null;
  assert.equal(soleVoterOf(held()), site);
  story.mend([far], [near]);
  assert.ok(
    story.until(() => soleVoterOf(held()) === null, 20_000, 10),
    'the era ended',
  );
  assert.equal(soleVoterOf(world.agents[lost].state()?.voter.durable.accepted?.record ?? null), null);
  assert.equal(world.postgres[site].isWritable(), true);
  story.cut(
    world.machinesOf(site),
    world.everyMachine.filter(({ place }) => place !== site),
  );
  world.moves.primaryTaken();
  assert.equal(story.tookOver(site, 60_000), true, 'the other site takes over in the end');
  story.end();
}

for (const seed of ['1', '2'])
  test(`who votes again at the end of a forced era waits first, seed ${seed}`, () => play(seed));

test('the agent of the old primary starts again after a forced era, and moves no name before it has heard the other one', () => {
  const story = new Story('4', { witness: 'none', replication: 'async' });
  const lost = story.begin();
  const site = otherSite(lost);
  const { world } = story;
  story.lose(lost);
  story.pass(30_000);
  story.force(lost, true);
  assert.ok(story.tookOver(lost, 60_000));
  story.pass(60_000);
  const wanted = addressOf(world.config, site);
  const isMoved = (): boolean => world.route53.name.value !== wanted;
  assert.equal(isMoved(), false);
  for (const machine of world.machinesOf(lost)) world.powerOn(machine);
  assert.equal(story.until(isMoved, 60_000, 10), false);
});

test("the disk of a forced era's only voter is put back to it: it moves no name before it has heard what came after", () => {
  const story = new Story('1', { witness: 'agent', replication: 'async' });
  const { world } = story;
  const lost = story.begin();
  const site = otherSite(lost);
  assert.ok(world.witness !== null);
  story.lose(lost);
  world.powerOff(world.witness.machine);
  story.pass(90_000);
  story.force(lost, true);
  assert.ok(story.tookOver(lost, 60_000));
  story.pass(40_000);
  const agent = world.agents[site];
  const old = agent.disk.synced;
  for (const machine of [world.witness.machine, ...world.machinesOf(lost)]) world.powerOn(machine);
  story.pass(180_000);
  assert.equal(soleVoterOf(world.records.newest()?.record ?? null), null);
  world.order(site, { kind: 'entry', to: lost });
  story.pass(30_000);
  const isMoved = (): boolean => world.route53.name.value !== addressOf(world.config, lost);
  assert.equal(isMoved(), false);
  agent.stop();
  story.pass(3000);
  agent.disk.synced = old;
  world.memoryLost = true;
  for (const place of [lost, 'third'] as const)
    for (const [from, to] of [
      [place, site],
      [site, place],
    ] as const)
      world.network.path(from, to).extraDelay = 300 * milli;
  agent.start();
  assert.equal(story.until(isMoved, 60_000, 10), false);
});
