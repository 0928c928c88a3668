// Files that were edited on some hosts alone: what one daemon is configured with, another one is not (L5, V8, R2).

import assert from 'node:assert/strict';
import type { Settings } from '../../../src/core/settings.ts';
import { otherSite, type Site, sites } from '../../../src/core/site.ts';
import { milli } from '../engine/scheduler.ts';
import { addressOf } from '../world/config.ts';
import { test } from '../world/postgres.kit.ts';
import { Story } from './kit.ts';

function withLeases(settings: Settings, [ttlMs, witnessTtlMs]: readonly [number, number]): Settings {
  return { ...settings, lease: { ...settings.lease, ttlMs, witnessTtlMs } };
}

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
  story.force(lost, false);
  assert.equal(story.tookOver(lost, 30_000), false);
});

for (const agents of ['run on', 'were started again', 'but one were stopped when it was made'] as const) {
  test(`V8, I4: zero-loss-strict: a standby that somebody put back to an older copy does not take over, the agents ${agents}`, () => {
    const story = new Story('1', { witness: 'agent', replication: 'zero-loss-strict' });
    const { world } = story;
    const site: Site = story.begin();
    const standby = world.postgres[otherSite(site)];
    const away = world.agents[otherSite(site)];
    if (agents === 'but one were stopped when it was made') away.stop();
    story.pass(10_000);
    const backup = standby.data.flushed;
    story.pass(60_000);
    assert.equal(world.records.newest()?.record.sync, true);
    world.powerOff(standby.machine);
    story.pass(30_000);
    standby.data.becomesCopyOf(backup);
    standby.receiver.stall(true);
    if (agents === 'were started again') for (const each of sites) world.agents[each].kill('restarted');
    away.start();
    world.powerOn(standby.machine);
    story.pass(40_000);
    story.lose(site);
    assert.equal(story.tookOver(site, 60_000), false);
  });
}

test('L5, I6: rounds are short, the link to the agent that is left is slow, and the other site is lost', () => {
  const story = new Story('1', { witness: 'route53', replication: 'async' });
  const { world } = story;
  const { lease } = world.settings;
  const brief: Settings = { ...world.settings, lease: { ...lease, renewEveryMs: 100, witnessAfterMs: 80 } };
  for (const daemon of world.daemons) world.files.set(daemon.name, brief);
  const site = story.begin();
  const ends = [world.guards[site].machine, world.agents[site].machine];
  const travel = world.network.travel.bind(world.network);
  world.network.travel = (from, to) =>
    travel(from, to) + (from !== to && ends.includes(from) && ends.includes(to) ? 420 * milli : 0);
  for (const machine of world.machinesOf(otherSite(site))) world.powerOff(machine);
  assert.equal(
    story.until(() => !world.postgres[site].isWritable(), 60_000, 100),
    false,
    'the register stands in',
  );
});

test('I8: the other agent has an older address of the database, and does not disturb instances that are right', () => {
  const story = new Story('1', { witness: 'agent', replication: 'async' });
  const primary = story.begin();
  const other = otherSite(primary);
  const { world } = story;
  const databases = { ...world.settings.databases, [primary]: '192.0.2.77:5432' };
  world.files.set(world.agents[other].name, { ...world.settings, databases });
  world.agents[other].kill('restarted');
  let switched = 0;
  story.onLine = (line) => {
    if (line.includes(`${other}-agent`) && line.includes(`env.switched`) && line.includes(`"site":"${primary}"`))
      switched += 1;
  };
  story.pass(60_000);
  assert.equal(switched, 0);
});

for (const how of ['cut off', 'stopped'] as const) {
  test(`R2: the agent beside the entry is ${how}, and the other one has an older address of it: the name stays`, () => {
    const story = new Story('1', { witness: 'agent', replication: 'async' });
    story.begin();
    const { world } = story;
    const entry = world.records.newest()?.record.entry ?? 'site1';
    const other = otherSite(entry);
    const mine = addressOf(world.config, entry);
    const theirs = addressOf(world.config, other);
    const older = entry === 'site1' ? { site1: '192.0.2.99', site2: theirs } : { site1: theirs, site2: '192.0.2.99' };
    world.addressFiles.set(world.agents[other].name, older);
    world.agents[other].kill('restarted');
    story.pass(60_000);
    assert.equal(world.route53.name.value, mine);
    if (how === 'stopped') world.agents[entry].stop();
    else story.cut([world.agents[entry].machine], [world.agents[other].machine]);
    assert.equal(
      story.until(() => world.route53.name.value !== mine, 60_000),
      false,
    );
  });
}
