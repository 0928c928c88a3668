// V5, I6, I7: the standby's guard cannot talk to its own database (the `local` line of pg_hba.conf, its socket's directory), while all
// others can, over TCP. It could never promote it, so nothing is given up in its favour.

import assert from 'node:assert/strict';
import { otherSite } from '../../../src/core/site.ts';
import { test } from '../world/postgres.kit.ts';
import { Story } from './kit.ts';

for (const witness of ['route53', 'agent', 'none'] as const) {
  for (const replication of ['async', 'zero-loss'] as const) {
    test(`the primary crashes and comes back, ${witness}, ${replication}`, () => {
      const story = new Story('1', { witness, replication });
      const site = story.begin();
      const { world } = story;
      world.postgres[otherSite(site)].faults.set({ refusesSocket: true }, 'pg_hba.conf was edited');
      story.pass(30_000);
      world.moves.primaryTaken();
      world.postgres[site].killAll('it crashes');
      story.pass(5000);
      assert.equal(
        story.until(() => world.postgres[site].isWritable(), 60_000, 200),
        true,
      );
    });
  }
}
