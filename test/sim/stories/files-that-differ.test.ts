// Files that were edited on some hosts alone: what one daemon is configured with, another one is not (L4, L5, V8, Q10).

import assert from 'node:assert/strict';
import { soleVoterOf } from '../../../src/core/quorum/sole-voter.ts';
import type { Settings } from '../../../src/core/settings.ts';
import { otherSite, type Site, sites } from '../../../src/core/site.ts';
import { configOf } from '../world/config.ts';
import { test } from '../world/postgres.kit.ts';
import { Story } from './kit.ts';

const force = { kind: 'failover', dryRun: false, force: true, otherSideIsDown: true } as const;

function withLeases(settings: Settings, [ttlMs, witnessTtlMs]: readonly [number, number]): Settings {
  return { ...settings, lease: { ...settings.lease, ttlMs, witnessTtlMs } };
}

const bothWrite = ({ world }: Story): boolean => sites.every((site) => world.postgres[site].isWritable());

for (const witness of ['agent', 'route53'] as const) {
  test(`Q10, I1: the primary's site alone is told that there is no witness, then cut off, ${witness}`, () => {
    const story = new Story('1', { witness, replication: 'async' });
    const site = story.begin();
    const { world } = story;
    const none = configOf({ ...world.options, witness: 'none' }).settings;
    for (const daemon of [world.guards[site], world.agents[site]]) {
      world.files.set(daemon.name, none);
      daemon.kill('restarted');
      story.pass(3000);
    }
    story.pass(90_000);
    const mine = world.machinesOf(site);
    world.moves.primaryTaken();
    story.cut(
      mine,
      world.everyMachine.filter((machine) => !mine.includes(machine)),
    );
    assert.equal(
      story.until(() => bothWrite(story), 60_000, 50),
      false,
    );
    assert.deepEqual(world.violations.all, []);
  });
}

test('L4, I1: at the end of a forced era its guard has a longer lease than the others ever granted', () => {
  const story = new Story('1', { witness: 'agent', replication: 'async' });
  const { world } = story;
  const lost = story.begin();
  const site = otherSite(lost);
  assert.ok(world.witness !== null);
  story.pass(20_000);
  story.lose(lost);
  world.powerOff(world.witness.machine);
  world.files.set(world.guards[site].name, withLeases(world.settings, [20_000, 20_000]));
  world.guards[site].kill('restarted');
  story.pass(90_000);
  world.forced = true;
  world.promisedDown.promise(lost);
  world.order(site, { ...force, to: site, acceptLoss: true });
  assert.ok(story.tookOver(lost, 60_000));
  story.pass(40_000);
  for (const machine of [world.witness.machine, ...world.machinesOf(lost)]) world.powerOn(machine);
  const isOver = (voters: string | undefined): boolean => soleVoterOf({ voters: voters ?? 'only:site1' }) === null;
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

for (const [what, guard, agent] of [
  ['the agents longer ones', [6000, 15_000], [16_000, 30_000]],
  ['the agents shorter ones', [16_000, 30_000], [6000, 15_000]],
] as const) {
  test(`L5, I6: the guards have other leases in their file, ${what}, and the other site is lost`, () => {
    const story = new Story('1', { witness: 'route53', replication: 'async' });
    const { world } = story;
    for (const each of sites) {
      world.files.set(world.agents[each].name, withLeases(world.settings, agent));
      world.files.set(world.guards[each].name, withLeases(world.settings, guard));
    }
    const site = story.begin();
    for (const machine of world.machinesOf(otherSite(site))) world.powerOff(machine);
    assert.equal(
      story.until(() => !world.postgres[site].isWritable(), 180_000, 100),
      false,
      'the register stands in',
    );
  });
}

test('V8, I4: an agent whose file still says zero-loss-strict does not force by a sync: true that was withdrawn', () => {
  const story = new Story('1', { witness: 'agent', replication: 'zero-loss' });
  const { world } = story;
  const lost = story.begin();
  const site = otherSite(lost);
  assert.ok(world.witness !== null);
  world.files.set(world.agents[site].name, { ...world.settings, replication: 'zero-loss-strict' });
  world.agents[site].kill('restarted');
  story.pass(30_000);
  assert.equal(world.records.newest()?.record.sync, true);
  story.cut(world.machinesOf(site), [...world.machinesOf(lost), world.witness.machine]);
  story.pass(60_000);
  assert.equal(world.records.newest()?.record.sync, false);
  for (const machine of [world.witness.machine, ...world.machinesOf(lost)]) world.powerOff(machine);
  story.pass(5000);
  world.forced = true;
  world.promisedDown.promise(lost);
  world.order(site, { ...force, to: site, acceptLoss: false });
  assert.equal(story.tookOver(lost, 30_000), false);
});

test('V8, I4: zero-loss-strict: a standby that somebody put back to an older copy does not take over', () => {
  const story = new Story('1', { witness: 'agent', replication: 'zero-loss-strict' });
  const { world } = story;
  const site: Site = story.begin();
  const standby = world.postgres[otherSite(site)];
  const backup = standby.data.flushed;
  story.pass(60_000);
  assert.equal(world.records.newest()?.record.sync, true);
  world.powerOff(standby.machine);
  story.pass(30_000);
  standby.data.becomesCopyOf(backup);
  standby.receiver.stall(true);
  world.powerOn(standby.machine);
  story.pass(40_000);
  story.lose(site);
  assert.equal(story.tookOver(site, 60_000), false);
});
