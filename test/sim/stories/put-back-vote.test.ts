// Q8, I2: the disk of the agent that made a change is put back to between its promise and its vote. It holds every ballot that
// anybody has seen it promise; only the vote is missing, and without it the change can be undone.

import assert from 'node:assert/strict';
import type { AgentDurable } from '../../../src/core/agent/state.ts';
import { compareBallots, sameBallot } from '../../../src/core/quorum/ballot.ts';
import { otherSite } from '../../../src/core/site.ts';
import { test } from '../world/postgres.kit.ts';
import { Story, switchover } from './kit.ts';

function play(seed: string): void {
  const story = new Story(seed, { witness: 'agent', replication: 'async' });
  const first = story.begin();
  const { world } = story;
  const third = story.machine('third');
  const all = world.hosts.filter((machine) => machine !== third);
  const agent = world.agents[otherSite(first)];
  // Both agents make the change, and the witness knows nothing of it.
  story.cut([third], all);
  world.order(otherSite(first), switchover);
  assert.ok(
    story.until(() => story.primary() !== first, 20_000, 1),
    'it was moved',
  );
  agent.stop();
  const ballot = world.records.newest()?.ballot;
  assert.ok(ballot);
  agent.disk.synced = (agent.disk.history as readonly AgentDurable[]).findLast(
    ({ voter }) => sameBallot(voter.promised, ballot) && compareBallots(voter.accepted?.ballot ?? ballot, ballot) < 0,
  );
  assert.ok(agent.disk.synced, 'its promise without its vote');
  world.memoryLost = true;
  story.pass(500);
  agent.start();
  story.pass(1500);
  world.agents[first].stop();
  story.mend([third], all);
  story.pass(10_000);
  story.end();
  assert.equal(agent.state()?.voter.amnesia, true, 'it was told');
}

for (const seed of ['1', '2']) test(`a vote that is missing is missed, seed ${seed}`, () => play(seed));
