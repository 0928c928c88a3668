// V1, I6: the primary's database host loses its way out of the site. It gets no lease and is stopped, which its own agent sees as
// `fenced`; that is no failure for as long as a heal may let it in, and must not be in the other agent's way for ever.

import assert from 'node:assert/strict';
import type { RunOptions } from '../options.ts';
import { test } from '../world/postgres.kit.ts';
import { Story } from './kit.ts';

function play(replication: RunOptions['replication']): void {
  const story = new Story('1', { witness: 'agent', replication });
  const site = story.begin();
  const { world } = story;
  story.cut(
    [world.postgres[site].machine],
    world.everyMachine.filter(({ place }) => place !== site),
  );
  world.moves.primaryTaken();
  const took = story.tookOver(site, 60_000);
  story.end();
  assert.equal(took, true, 'the other site takes over');
}

for (const replication of ['async', 'zero-loss'] as const)
  test(`a database host without its way out is replaced, ${replication}`, () => play(replication));
