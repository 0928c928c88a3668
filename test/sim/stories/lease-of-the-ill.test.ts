// I6, V4, L8: a database that serves nobody and does not end by itself must not keep its lease for ever, because whoever renews it sees no
// standby (the sites are cut), hears no other voter (its host lost its way out), or is the standby's own guard (failsafe).

import assert from 'node:assert/strict';
import { otherSite, type Site } from '../../../src/core/site.ts';
import type { RunOptions } from '../options.ts';
import { test } from '../world/postgres.kit.ts';
import { Story } from './kit.ts';

const cuts: Readonly<Record<string, (story: Story, site: Site) => void>> = {
  'the sites are cut': (story, site) => {
    const { world } = story;
    story.cut(world.machinesOf(site), world.machinesOf(otherSite(site)));
  },
  'its service host is cut off': (story, site) => {
    const { world } = story;
    story.cut(
      [world.agents[site].machine],
      world.everyMachine.filter(({ place }) => place !== site),
    );
  },
  'it is cut from both agents': (story, site) => {
    const { agents, postgres } = story.world;
    story.cut([postgres[site].machine], [agents.site1.machine, agents.site2.machine]);
  },
  'database hosts reach their own sites only': (story, site) => {
    const { agents, postgres } = story.world;
    const far = otherSite(site);
    story.cut([postgres[site].machine], [agents[far].machine]);
    story.cut([postgres[far].machine], [agents[site].machine]);
  },
};

const ills: Readonly<Record<string, (story: Story, site: Site) => void>> = {
  'is frozen': ({ world }, site) => world.postgres[site].faults.freeze(),
  'has a full disk': ({ world }, site) => world.postgres[site].faults.fillDisk(true),
  'recovers for an hour': ({ world }, site) => {
    world.postgres[site].faults.slowStartMs = 3_600_000;
    world.postgres[site].killAll('crashes');
  },
  'fails at each start': ({ world }, site) => {
    world.postgres[site].faults.nextStart = 'fails';
    world.postgres[site].killAll('crashes');
  },
};

function play(witness: RunOptions['witness'], cut: string, ill: string): void {
  const story = new Story('1', { witness, replication: 'async', writesPerSecond: 1 });
  const site = story.begin();
  const { world } = story;
  cuts[cut]?.(story, site);
  story.pass(20_000);
  assert.equal(world.postgres[site].isWritable(), true, 'it serves as yet');
  assert.equal(story.primary(), site);
  world.moves.primaryTaken();
  ills[ill]?.(story, site);
  const took = story.until(() => {
    if (ill === 'fails at each start') world.postgres[site].faults.nextStart = 'fails';
    return world.postgres[otherSite(site)].isWritable();
  }, 120_000);
  story.end();
  assert.equal(took, true, 'the other site takes over');
}

for (const [witness, cut, ill] of [
  ['agent', 'the sites are cut', 'is frozen'],
  ['agent', 'the sites are cut', 'has a full disk'],
  ['route53', 'the sites are cut', 'recovers for an hour'],
  ['agent', 'its service host is cut off', 'is frozen'],
  ['agent', 'it is cut from both agents', 'is frozen'],
  ['route53', 'it is cut from both agents', 'has a full disk'],
  ['route53', 'database hosts reach their own sites only', 'fails at each start'],
] as const)
  test(`a primary that ${ill} where ${cut} does not keep its lease, witness ${witness}`, () => play(witness, cut, ill));
