// I6, V8: a primary in zero-loss mode that has fallen back, properly, and that nobody can choose a record for, is restarted in
// place. It remembers that it may acknowledge without its standby; in a forced era its only voter can be asked.

import assert from 'node:assert/strict';
import { otherSite, type Site } from '../../../src/core/site.ts';
import { second } from '../engine/scheduler.ts';
import type { RunOptions } from '../options.ts';
import { test } from '../world/postgres.kit.ts';
import { Story } from './kit.ts';

type Witness = RunOptions['witness'];

function begin(witness: Witness): Story {
  return new Story('1', { witness, replication: 'zero-loss', onCrash: 'restart' });
}

/** Its database crashes, and acknowledges again soon after. */
function backIn(story: Story, site: Site): void {
  const { scheduler, postgres, history } = story.world;
  const { now } = scheduler;
  postgres[site].killAll('it crashes');
  assert.ok(
    story.until(() => history.lastAcknowledgedAt > now + second / 2, 15_000),
    'no write is acknowledged',
  );
}

for (const witness of ['none', 'agent', 'route53'] as const)
  test(`the other site is off, witness ${witness}`, () => {
    const story = begin(witness);
    const site = story.begin();
    const { world } = story;
    world.powerOff(world.postgres[otherSite(site)].machine);
    story.pass(30_000);
    assert.equal(world.records.newest()?.record.sync, false);
    for (const machine of world.machinesOf(otherSite(site))) world.powerOff(machine);
    story.pass(30_000);
    backIn(story, site);
  });

test('both agents and the witness are stopped: it lives by a failsafe', () => {
  const story = begin('agent');
  const site = story.begin();
  const { world } = story;
  const standby = world.postgres[otherSite(site)];
  standby.faults.stoppedBySomebodyElse();
  standby.faults.slowStartMs = 3_600_000;
  story.pass(30_000);
  for (const daemon of [world.agents.site1, world.agents.site2, world.witness]) daemon?.stop();
  story.pass(30_000);
  backIn(story, site);
});

for (const witness of ['agent', 'none'] as const)
  test(`in a forced era, witness ${witness}`, () => {
    const story = begin(witness);
    const lost = story.begin();
    const other = otherSite(lost);
    const { world } = story;
    story.lose(lost);
    if (world.witness !== null) world.powerOff(world.witness.machine);
    story.pass(60_000);
    world.forced = true;
    world.promisedDown.promise(lost);
    world.order(other, {
      kind: 'failover',
      to: other,
      dryRun: false,
      acceptLoss: true,
      force: true,
      otherSideIsDown: true,
    });
    assert.ok(story.tookOver(lost, 60_000));
    story.pass(20_000);
    backIn(story, other);
    world.agents[other].kill('it is restarted');
    story.pass(20_000);
    assert.ok(world.scheduler.now - world.history.lastAcknowledgedAt < 5 * second, 'nor does the restart of its agent');
  });
