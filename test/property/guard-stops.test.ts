// A failover and a restart in place, each replayed with a stop of a guard's process after every single step of it: before
// anything of the step was done, after its persist, and after all of it. It ends as if nothing had been, and by the laws.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Site } from '../../src/core/site.ts';
import { Judge } from '../unit/guard/judge.ts';
import { Pair } from '../unit/guard/pair.ts';

type Story = {
  readonly name: string;
  readonly stopped: Site;
  readonly play: (pair: Pair) => void;
  readonly ends: Site;
};

function crash(pair: Pair): void {
  for (const id of ['site1', 'site2'] as const) pair.voters[id].mayTakeOver = true;
  pair.pass(1000);
  pair.hosts.site1.db.die();
}

function failover(pair: Pair): void {
  crash(pair);
  pair.until(() => pair.voters.site2.releases.length > 0, 6000);
  // A guard that came back meanwhile may have restarted it in place: then nothing moves.
  pair.moveTo('site2', 5000);
}

function restartInPlace(pair: Pair): void {
  pair.hosts.site1.db.die();
}

const stories: readonly Story[] = [
  { name: 'a failover, the new primary’s guard stopped', stopped: 'site2', play: failover, ends: 'site2' },
  { name: 'a failover, the old primary’s guard stopped', stopped: 'site1', play: failover, ends: 'site2' },
  { name: 'a restart in place', stopped: 'site1', play: restartInPlace, ends: 'site1' },
];

for (const story of stories) {
  for (const when of ['before', 'saved', 'after'] as const) {
    test(`${story.name} ${when === 'before' ? 'before' : when === 'saved' ? 'after the persist of' : 'after'} each step`, () => {
      for (let ahead = 1; ahead <= 45; ahead++) {
        const judge = new Judge();
        const pair = Pair.inService({ seed: ahead, watch: judge.watch });
        pair.world.afterEach = () => judge.writers([pair.hosts.site1, pair.hosts.site2]);
        const host = pair.hosts[story.stopped];
        host.stopAt = { step: host.steps + (story.play === failover ? 50 : 0) + ahead, when };
        story.play(pair);
        pair.pass(25_000);
        assert.deepEqual(judge.broken, [], `stopped at step ${ahead}`);
        const { primary } = pair.chosen.record;
        if (story.stopped !== 'site1' || story.play !== failover) assert.equal(primary, story.ends);
        assert.equal(pair.hosts[primary].writable, true, `${primary} does not write after a stop at step ${ahead}`);
        assert.equal(pair.standby.db.role, 'standby', `stopped at step ${ahead}`);
      }
    });
  }
}
