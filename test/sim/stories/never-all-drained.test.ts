// R3: right after a change no instance serves from the right database yet. They hold what comes in; were all of them
// drained, HAProxy would refuse it.

import assert from 'node:assert/strict';
import { test } from '../world/postgres.kit.ts';
import { Story, switchover } from './kit.ts';

for (const seed of ['1', '2'])
  test(`no client is refused in a switchover, seed ${seed}`, () => {
    const story = new Story(seed, { witness: 'agent', replication: 'async' });
    const first = story.begin();
    const { history } = story.world;
    const told = history.acknowledged;
    story.world.order(first, switchover);
    assert.ok(story.tookOver(first, 20_000));
    story.pass(20_000);
    assert.ok(history.acknowledged > told + 50);
    assert.equal(history.failed, 0);
    story.end();
  });
