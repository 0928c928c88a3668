// V5, L2: the accept of a change of primary leaves its proposer's disk, or the network, long after it was decided on. The old primary had
// gone on by the two others meanwhile; the voter that is asked is free again just then, since the old primary's site was lost.

import assert from 'node:assert/strict';
import { otherSite } from '../../../src/core/site.ts';
import { milli } from '../engine/scheduler.ts';
import { test } from '../world/postgres.kit.ts';
import { Story, switchover } from './kit.ts';

function failover(how: 'disk' | 'tcp'): void {
  const story = new Story('1', {
    witness: 'agent',
    replication: 'async',
    bytesPerWrite: 1_000_000,
    lateOneIn: how === 'tcp' ? 1 : 0,
  });
  const lost = story.begin();
  const { world } = story;
  const third = [story.machine('third')];
  const near = world.machinesOf(lost);
  const agent = world.agents[otherSite(lost)];
  // The primary's site is alone for a moment; its way to the witness comes back, the one to the other site does not.
  story.cut(near, [...world.machinesOf(otherSite(lost)), ...third]);
  let votedAt = 0;
  story.onLine = (line) => {
    if (votedAt > 0 || !line.includes(agent.name) || !line.includes('vote.cast')) return;
    votedAt = story.seconds;
    if (how === 'disk') agent.disk.extraDelay = 70_000 * milli;
    else story.cut([agent.machine], third);
  };
  assert.ok(
    story.until(() => votedAt > 0, 30_000, 10),
    'it voted',
  );
  story.mend(near, third);
  assert.ok(
    story.until(() => world.postgres[lost].isWritable(), 20_000),
    'the old primary goes on',
  );
  story.pass((votedAt + (how === 'disk' ? 62 : 28) - story.seconds) * 1000);
  assert.equal(world.postgres[lost].isWritable(), true, 'still');
  story.lose(lost);
  if (how === 'disk') agent.disk.extraDelay = 0;
  else {
    story.pass((votedAt + 31.4 - story.seconds) * 1000);
    story.mend([agent.machine], third);
  }
  const took = story.tookOver(lost, 60_000);
  story.end();
  assert.equal(took, false, 'V5: what the standby lacks is more than maxLagBytes');
}

for (const how of ['disk', 'tcp'] as const)
  test(`what was decided on a minute ago is not voted for unasked: ${how}`, () => failover(how));

test('a switchover that was undone loses nothing when its accept arrives in the next one', () => {
  const story = new Story('1', { witness: 'agent', replication: 'async' });
  const site = story.begin();
  const far = otherSite(site);
  const { world } = story;
  const agent = world.agents[far];
  let votedAt = 0;
  let released = 0;
  story.onLine = (line) => {
    if (line.includes(`${site}-guard`) && line.includes('lease.released')) released += 1;
    if (votedAt > 0 || !line.includes(agent.name) || !line.includes('vote.cast')) return;
    votedAt = story.seconds;
    agent.disk.extraDelay = 25_000 * milli;
  };
  world.order(far, switchover);
  assert.ok(
    story.until(() => votedAt > 0, 20_000, 10),
    'it voted',
  );
  assert.ok(
    story.until(() => world.postgres[site].isWritable(), 20_000),
    'the old primary goes on',
  );
  story.pass(5000);
  // A few writes are acknowledged that the standby does not get: it crashes as the primary stops.
  world.postgres[far].receiver.stall(true);
  story.pass((votedAt + 22 - story.seconds) * 1000);
  assert.equal(world.postgres[site].isWritable(), true);
  world.order(site, switchover);
  story.pass(60);
  world.postgres[far].killAll('crashes');
  world.postgres[far].receiver.stall(false);
  story.cut([world.postgres[site].machine], [world.postgres[far].machine]);
  assert.ok(
    story.until(() => released === 2, 5000, 20),
    'it stops again',
  );
  agent.disk.extraDelay = 0;
  story.tookOver(site, 30_000);
  story.end();
  assert.equal(world.history.lost, 0, 'a switchover loses nothing');
});
