// V8, decisions 7 and 17: a guard had said that nothing is acknowledged without the standby, an agent voted for a record that
// says so and was stopped; then the database host loses power and the guard its memory.

import assert from 'node:assert/strict';
import { otherSite, type Site } from '../../../src/core/site.ts';
import { test } from '../world/postgres.kit.ts';
import { Story } from './kit.ts';

function play(seed: string): void {
  const story = new Story(seed, { witness: 'agent', replication: 'zero-loss', onCrash: 'restart' });
  const { world } = story;
  let begun = false;
  let lost: Site | null = null;
  const others = (site: Site) => [world.agents[otherSite(site)].machine, story.machine('third')];
  // Right after the vote for `sync: true`, on its own disk, the agent is cut off.
  story.onLine = (line) => {
    if (lost !== null || world.records.newest() === null) return;
    const primary = story.primary();
    if (!line.includes(`${primary}-agent`)) return;
    if (line.includes('round.begun')) begun = line.includes('"intent":"sync-on"');
    if (!begun || !line.includes('vote.cast')) return;
    lost = primary;
    story.cut([world.agents[primary].machine], others(primary));
  };
  world.found();
  story.pass(4000);
  // The other site's agent does not hear the primary's guard, so it does not act on its word.
  const site = story.primary();
  const far = world.agents[otherSite(site)].machine;
  story.cut([far], [world.postgres[site].machine]);
  assert.ok(
    story.until(() => lost !== null, 60_000, 20),
    'it voted',
  );
  assert.equal(lost, site);
  story.pass(20);
  const agent = world.agents[site];
  const host = world.postgres[site].machine;
  const { disk } = world.guards[site];
  agent.stop();
  world.powerOff(host);
  world.powerOff(world.postgres[otherSite(site)].machine);
  story.mend([agent.machine], others(site));
  story.mend([far], [host]);
  disk.synced = undefined;
  world.memoryLost = true;
  // docs/RUNBOOK.md, "A guard lost its state".
  world.postgres[site].data.putSignalFile();
  story.pass(2000);
  world.powerOn(host);
  story.pass(12_000);
  agent.start();
  story.pass(60_000);
  assert.equal(world.postgres[site].isWritable(), true, 'it serves alone');
  story.lose(site);
  world.powerOn(world.postgres[otherSite(site)].machine);
  assert.equal(story.tookOver(site, 80_000), false, 'what was acknowledged alone is not lost unasked');
  story.end();
}

for (const seed of ['1', '3'])
  test(`zero-loss: a guard that lost its memory acknowledges nothing that a record denies, seed ${seed}`, () => {
    play(seed);
  });
