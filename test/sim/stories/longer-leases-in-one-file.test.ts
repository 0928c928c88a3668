// L4: longer leases in the files of some hosts. Who starts again, or votes again, waits for the longest that it may have granted: it
// knows that only of its own file.

import assert from 'node:assert/strict';
import { soleVoterOf } from '../../../src/core/quorum/sole-voter.ts';
import { otherSite, type Site, sites } from '../../../src/core/site.ts';
import { test } from '../world/postgres.kit.ts';
import { registerValue } from '../world/register-value.ts';
import { Story } from './kit.ts';

const registerOf = ({ world }: Story) => registerValue(world.route53.register.value);
const isOver = (voters: string | undefined): boolean => soleVoterOf({ voters: voters ?? 'only:site1' }) === null;

/** The daemons start again with such a file. */
function longer(
  { world }: Story,
  ttlMs: number,
  ...daemons: readonly { name: string; kill(why: string): void }[]
): void {
  const { lease } = world.settings;
  for (const daemon of daemons) {
    world.files.set(daemon.name, { ...world.settings, lease: { ...lease, ttlMs, witnessTtlMs: ttlMs } });
    daemon.kill('restarted');
  }
}

/** The primary's database host is cut off under its lease. */
function cutOff(story: Story, site: Site): void {
  const host = story.machine(`${site}-db`);
  story.world.moves.primaryTaken();
  story.cut(
    [host],
    story.world.everyMachine.filter((machine) => machine !== host),
  );
}

function bothWrite(story: Story): boolean {
  return story.until(() => sites.every((each) => story.world.postgres[each].isWritable()), 60_000, 20);
}

for (const witness of ['agent', 'none'] as const) {
  test(`Q8, I1: a voter that granted them loses its memory, and an agent that was away lets it rejoin, ${witness}`, () => {
    const story = new Story('1', { witness, replication: 'async' });
    const { world } = story;
    const site = story.begin();
    const other = otherSite(site);
    world.agents[other].stop();
    longer(story, 60_000, world.guards[site]);
    story.pass(20_000);
    assert.equal(world.postgres[site].isWritable(), true);
    const lost = world.agents[site];
    lost.stop();
    lost.disk.synced = undefined;
    world.memoryLost = true;
    cutOff(story, site);
    story.pass(500);
    lost.start();
    world.agents[other].start();
    story.pass(6000);
    world.order(other, { kind: 'rejoin', voter: site, acceptLoss: false });
    assert.equal(bothWrite(story), false);
  });
}

for (const which of ['agent', 'witness'] as const) {
  test(`I1: the disk of a voter that granted them, the ${which}, is put back, and nothing of its votes is missing`, () => {
    const story = new Story('1', { witness: 'agent', replication: 'async' });
    const { world } = story;
    const site = story.begin();
    const other = otherSite(site);
    const host = story.machine(`${site}-db`);
    const lost = which === 'agent' ? world.agents[site] : world.witness;
    assert.ok(lost !== null);
    const old = lost.disk.synced;
    if (which === 'agent') world.agents[other].stop();
    else story.cut([world.agents[other].machine], [host]);
    longer(story, 60_000, world.guards[site]);
    story.pass(20_000);
    assert.equal(world.postgres[site].isWritable(), true);
    lost.stop();
    lost.disk.synced = old;
    world.memoryLost = true;
    cutOff(story, site);
    const near = world.agents[site].machine;
    if (which === 'witness')
      story.cut(
        [near],
        world.everyMachine.filter((machine) => machine !== near),
      );
    story.pass(500);
    lost.start();
    world.agents[other].start();
    assert.equal(bothWrite(story), false);
  });
}

for (const seed of ['1', '2', '3'])
  test(`L4, I1: at the end of a forced era its site has longer leases than the others ever granted, ${seed}`, () => {
    const story = new Story(seed, { witness: 'agent', replication: 'async' });
    const { world } = story;
    const lost = story.begin();
    const site = otherSite(lost);
    assert.ok(world.witness !== null);
    story.pass(20_000);
    story.lose(lost);
    world.powerOff(world.witness.machine);
    longer(story, 20_000, world.guards[site], world.agents[site]);
    story.pass(90_000);
    story.force(lost, true);
    assert.ok(story.tookOver(lost, 60_000));
    story.pass(40_000);
    for (const machine of [world.witness.machine, ...world.machinesOf(lost)]) world.powerOn(machine);
    assert.ok(
      story.until(() => isOver(world.records.newest()?.record.voters), 120_000, 10),
      'the era ends',
    );
    const told = (): boolean => isOver(world.agents[lost].state()?.voter.durable.chosen?.record.voters);
    story.until(() => told() && world.postgres[lost].receiver.streaming(), 3000, 10);
    story.cut(world.machinesOf(site), [...world.machinesOf(lost), world.witness.machine]);
    story.pass(60_000);
    assert.deepEqual(
      world.violations.all.filter(({ id }) => id === 'I1'),
      [],
    );
  });

for (const seed of ['1', '2', '3'])
  test(`L4, I1: at its end the other agent is new, and does not say at first for how long it waits, ${seed}`, () => {
    const story = new Story(seed, { witness: 'route53', replication: 'async' });
    const { world } = story;
    const lost = story.begin();
    const site = otherSite(lost);
    story.lose(lost);
    world.route53.faults.down = true;
    longer(story, 60_000, world.guards[site], world.agents[site]);
    story.pass(90_000);
    story.force(lost, true);
    assert.ok(story.tookOver(lost, 60_000));
    story.pass(40_000);
    const apart = (): void => story.cut([world.postgres[site].machine], [world.agents[lost].machine]);
    apart();
    world.route53.faults.down = false;
    for (const machine of world.machinesOf(lost)) world.powerOn(machine);
    const over = (): boolean => isOver(world.records.newest()?.record.voters);
    story.until(over, 90_000, 10);
    // The first words of a process do not say for how long it waits.
    if (!over()) world.agents[lost].kill('restarted');
    assert.ok(story.until(over, 60_000, 10), 'the era ends');
    const told = (): boolean => isOver(world.agents[lost].state()?.voter.durable.accepted?.record.voters);
    story.until(() => told() && isOver(registerOf(story)?.accepted.record.voters), 10_000, 10);
    story.cut(
      world.machinesOf(site),
      world.everyMachine.filter(({ place }) => place !== site),
    );
    world.moves.primaryTaken();
    story.pass(80_000);
    assert.deepEqual(
      world.violations.all.filter(({ id }) => id === 'I1'),
      [],
    );
  });

for (const how of ['hears both agents', 'hears only its own agent and the witness'] as const) {
  test(`L4, I5: the primary's guard is started again with them, ${how}, and keeps its database`, () => {
    for (let downMs = 700; downMs <= 1300; downMs += 100) {
      const story = new Story('1', { witness: 'agent', replication: 'async' });
      const { world } = story;
      const site = story.begin();
      const guard = world.guards[site];
      if (how !== 'hears both agents') story.cut([guard.machine], [world.agents[otherSite(site)].machine]);
      story.pass(10_000);
      let leftMs = 0;
      story.onLine = (line) => {
        const [, found] = /guard\.takeover .*"leftMs":(\d+)/.exec(line) ?? [];
        if (found !== undefined) leftMs = Number(found);
      };
      // Not on the grid of calm times, on which each answer takes 0.3 s.
      world.scheduler.grid = 1;
      guard.stop();
      longer(story, 20_000, guard);
      story.pass(downMs);
      guard.start();
      const isLost = story.until(() => !world.postgres[site].isWritable(), 10_000, 20);
      // Time for two questions and their answers before the guard would have to stop it.
      const hadTime = leftMs > world.settings.lease.fenceBudgetMs + 150;
      assert.equal(isLost && hadTime, false, `down for ${downMs} ms, ${leftMs} ms left`);
    }
  });
}

for (const witness of ['agent', 'route53', 'none'] as const) {
  test(`L4, I7: a forced era whose agent has longer leases in its file than anybody asks for ends, ${witness}`, () => {
    const story = new Story('1', { witness, replication: 'async' });
    const { world } = story;
    const lost = story.begin();
    const site = otherSite(lost);
    longer(story, 20_000, world.agents[site]);
    story.pass(60_000);
    story.lose(lost);
    if (world.witness !== null) world.powerOff(world.witness.machine);
    world.route53.faults.down = witness === 'route53';
    story.pass(90_000);
    story.force(lost, true);
    assert.ok(story.tookOver(lost, 60_000));
    story.pass(40_000);
    world.route53.faults.down = false;
    if (world.witness !== null) world.powerOn(world.witness.machine);
    for (const machine of world.machinesOf(lost)) world.powerOn(machine);
    assert.ok(
      story.until(() => isOver(world.records.newest()?.record.voters), 180_000, 500),
      'the era ends',
    );
  });
}
