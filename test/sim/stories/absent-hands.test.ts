// R2, R3: whoever ought to do a step cannot (stopped, without its memory, cut off from its host): the other agent does it.

import assert from 'node:assert/strict';
import { otherSite, type Site } from '../../../src/core/site.ts';
import { addressOf } from '../world/config.ts';
import { test } from '../world/postgres.kit.ts';
import { Story } from './kit.ts';

/** What is the matter with a site's agent, which its HAProxy, applications and database do not share. */
const absences = {
  stopped: (story: Story, site: Site) => story.world.agents[site].stop(),
  'without its memory': (story: Story, site: Site) => {
    const agent = story.world.agents[site];
    agent.stop();
    agent.disk.damaged = true;
    agent.start();
  },
} as const;

for (const witness of ['agent', 'route53'] as const) {
  for (const [what, absent] of Object.entries(absences)) {
    test(`the name moves to a site whose agent is ${what}, witness ${witness}`, () => {
      const story = new Story('1', { witness, replication: 'async' });
      story.begin();
      const { world } = story;
      const entry = world.records.newest()?.record.entry ?? 'site1';
      absent(story, otherSite(entry));
      story.pass(60_000);
      assert.ok(world.balancers[entry].kill());
      const wanted = addressOf(world.config, otherSite(entry));
      assert.ok(
        story.until(() => world.route53.name.value === wanted, 30_000),
        'the name follows the record',
      );
    });

    test(`.env of a site whose agent is ${what} follows a failover, witness ${witness}`, () => {
      const story = new Story('1', { witness, replication: 'async' });
      const lost = story.begin();
      const { world } = story;
      absent(story, lost);
      story.pass(30_000);
      story.loseDatabase(lost);
      assert.ok(story.tookOver(lost, 60_000));
      assert.ok(story.until(() => world.applications[lost].files.report().active === otherSite(lost), 10_000));
    });
  }
}

test('.env of a site whose agent cannot reach its own application host is written by the other one', () => {
  const story = new Story('1', { witness: 'agent', replication: 'async' });
  const lost = story.begin();
  const { world } = story;
  story.cut([story.machine(`${lost}-svc`)], [story.machine(`${lost}-app`)]);
  story.pass(5000);
  story.loseDatabase(lost);
  assert.ok(story.tookOver(lost, 60_000));
  assert.ok(story.until(() => world.applications[lost].files.report().active === otherSite(lost), 20_000));
});

test('instances on a database that is gone are drained soon, though nobody can tell their host', () => {
  const story = new Story('1', { witness: 'agent', replication: 'async' });
  const lost = story.begin();
  const { world } = story;
  world.applications[lost].command.faults.down = true;
  story.pass(5000);
  story.loseDatabase(lost);
  assert.ok(story.tookOver(lost, 60_000));
  story.pass(3000);
  const before = world.history.failed;
  story.pass(40_000);
  assert.ok(world.history.failed - before <= 20, `${world.history.failed - before} requests failed`);
});
