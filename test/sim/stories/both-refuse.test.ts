// V4, L7: PostgreSQL is frozen, its guard is not. Both agents refuse; the guard fences at once and gives up, so that nobody waits for
// the end of the lease (docs/TIMING.md, S10).

import assert from 'node:assert/strict';
import { otherSite } from '../../../src/core/site.ts';
import { test } from '../world/postgres.kit.ts';
import { Story } from './kit.ts';

for (const seed of ['1', '2', '3'])
  test(`a database that both agents refuse is given up at once, seed ${seed}`, () => {
    const story = new Story(seed, { witness: 'route53', replication: 'async' });
    const lost = story.begin();
    story.world.moves.primaryTaken();
    story.world.postgres[lost].faults.freeze();
    const began = story.seconds;
    assert.ok(
      story.until(() => story.world.postgres[otherSite(lost)].isWritable(), 60_000, 10),
      'the other site took over',
    );
    const took = story.seconds - began;
    assert.ok(took < 6, `it took ${took} s`);
    story.end();
  });
