// Q10: `witness.kind: none` edited into the files of some hosts of a cluster that has one. What such a file allows its daemon (to grant
// alone, to act unheard, to force, to let rejoin) the record does not.

import assert from 'node:assert/strict';
import { otherSite, type Site, sites } from '../../../src/core/site.ts';
import { addressOf, configOf } from '../world/config.ts';
import { test } from '../world/postgres.kit.ts';
import { Story, switchover } from './kit.ts';

/** The daemons start again, one after the other, with a file that says so. */
function withoutWitness({ world }: Story, ...daemons: readonly { name: string; kill(why: string): void }[]): void {
  const { settings } = configOf({ ...world.options, witness: 'none' });
  for (const daemon of daemons) {
    world.files.set(daemon.name, settings);
    daemon.kill('restarted');
  }
}

for (const witness of ['agent', 'route53'] as const) {
  test(`I1: the primary's site alone is told so, then cut off, ${witness}`, () => {
    const story = new Story('1', { witness, replication: 'async' });
    const site = story.begin();
    const { world } = story;
    withoutWitness(story, world.guards[site]);
    story.pass(3000);
    withoutWitness(story, world.agents[site]);
    story.pass(90_000);
    const mine = world.machinesOf(site);
    world.moves.primaryTaken();
    story.cut(
      mine,
      world.everyMachine.filter((machine) => !mine.includes(machine)),
    );
    const bothWrite = (): boolean => sites.every((each) => world.postgres[each].isWritable());
    assert.equal(story.until(bothWrite, 60_000, 50), false);
    assert.deepEqual(world.violations.all, []);
  });

  test(`R2: the old primary's agent is cut off from whoever votes, and does not move the name back, ${witness}`, () => {
    const story = new Story('1', { witness, replication: 'async' });
    const lost = story.begin();
    const site = otherSite(lost);
    const { world } = story;
    withoutWitness(story, world.agents[lost]);
    story.pass(60_000);
    world.moves.primaryTaken();
    // It still reaches the zone's API.
    const internet = story.machine('internet');
    story.cut(
      world.machinesOf(lost),
      world.everyMachine.filter((machine) => machine.place !== lost && machine !== internet),
    );
    assert.ok(story.tookOver(lost, 60_000));
    const moved = (): boolean => world.route53.name.value === addressOf(world.config, site);
    assert.ok(story.until(moved, 60_000));
    assert.equal(
      story.until(() => !moved(), 60_000),
      false,
    );
  });
}

test('R1: nor does it have the new primary switched off', () => {
  const story = new Story('1', { witness: 'agent', replication: 'async' });
  const lost = story.begin();
  const site = otherSite(lost);
  const { world } = story;
  assert.ok(world.witness !== null);
  withoutWitness(story, world.agents[lost]);
  story.pass(60_000);
  // It sees the other database, whose host does not let it in.
  world.databaseCommands[site].faults.down = true;
  story.cut([world.agents[lost].machine], [world.agents[site].machine, world.witness.machine]);
  story.pass(5000);
  story.loseDatabase(lost);
  assert.ok(story.tookOver(lost, 60_000));
  story.pass(30_000);
  assert.deepEqual(world.violations.all, []);
});

test("V8, I4: the standby's agent does not force by a `sync: true` that the others withdrew", () => {
  const story = new Story('1', { witness: 'agent', replication: 'zero-loss' });
  const { world } = story;
  const lost = story.begin();
  const site = otherSite(lost);
  assert.ok(world.witness !== null);
  withoutWitness(story, world.guards[site], world.agents[site]);
  story.pass(60_000);
  assert.equal(world.records.newest()?.record.sync, true);
  story.cut(world.machinesOf(site), [...world.machinesOf(lost), world.witness.machine]);
  story.pass(60_000);
  assert.equal(world.records.newest()?.record.sync, false);
  for (const machine of [world.witness.machine, ...world.machinesOf(lost)]) world.powerOff(machine);
  story.pass(5000);
  story.force(lost, false);
  assert.equal(story.tookOver(lost, 30_000), false);
});

test('Q8, I2: an agent that was away gives no memory back by its own vote alone', () => {
  const story = new Story('1', { witness: 'agent', replication: 'async' });
  const { world } = story;
  const site = story.begin();
  const other = otherSite(site);
  const { witness } = world;
  assert.ok(witness !== null);
  world.agents[site].stop();
  story.pass(10_000);
  world.order(other, { ...switchover, to: other });
  assert.ok(story.tookOver(site, 60_000), 'moved by the other agent and the witness');
  story.pass(20_000);
  // The other one loses its disk, and somebody takes the witness, which is off, out of both agents' files.
  world.agents[other].stop();
  world.agents[other].disk.synced = undefined;
  world.memoryLost = true;
  world.powerOff(witness.machine);
  const { settings } = configOf({ ...world.options, witness: 'none' });
  for (const each of sites) world.files.set(world.agents[each].name, settings);
  story.pass(10_000);
  for (const each of sites) world.agents[each].start();
  story.pass(10_000);
  world.order(site, { kind: 'rejoin', voter: other, acceptLoss: false });
  story.pass(60_000);
  const epochAt = (each: Site): number | undefined => world.agents[each].state()?.voter.durable.chosen?.record.epoch;
  const hasForgotten = world.agents[other].state()?.voter.amnesia;
  assert.deepEqual([epochAt(site), hasForgotten], [1, true], 'epoch 2 was chosen, and it does not know');
  world.files.clear();
  for (const each of sites) world.agents[each].kill('restarted');
  world.powerOn(witness.machine);
  assert.ok(story.until(() => epochAt(site) === 2, 60_000));
  assert.deepEqual(world.violations.all, []);
});
