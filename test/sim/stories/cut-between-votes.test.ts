// V1, I7: the witness is away, and a change of primary is cut off between its two votes. Nobody but the agent that has not voted can
// grant the old primary anything then; its own promise must not keep it from ending the change for ever.

import assert from 'node:assert/strict';
import { otherSite, type Site } from '../../../src/core/site.ts';
import type { RunOptions } from '../options.ts';
import { test } from '../world/postgres.kit.ts';
import { Story, switchover } from './kit.ts';

/** Whether some database accepts writes again within a minute. `by`: whose agent is ordered. */
function play(seed: string, options: Partial<RunOptions>, by: 'old' | 'new'): void {
  const story = new Story(seed, options);
  const { world } = story;
  const old = story.begin();
  const ordered: Site = by === 'old' ? old : otherSite(old);
  const agents = [world.agents.site1.machine, world.agents.site2.machine] as const;
  if (options.witness === 'agent') world.powerOff(story.machine('third'));
  else world.route53.faults.down = true;
  story.pass(10_000);
  let voted = '';
  story.onLine = (line) => {
    if (voted !== '' || !line.includes('vote.cast')) return;
    voted = line;
    story.cut([agents[0]], [agents[1]]);
  };
  world.order(ordered, { ...switchover, to: otherSite(old) });
  assert.ok(
    story.until(() => voted !== '', 30_000, 10),
    'one voted',
  );
  // The order is over by then, and the old primary asks to go on.
  story.pass(25_000);
  story.mend([agents[0]], [agents[1]]);
  const served = story.until(() => world.postgres.site1.isWritable() || world.postgres.site2.isWritable(), 30_000);
  assert.equal(served, true, `nothing serves; ${world.notCalm()}`);
  story.end();
}

for (const witness of ['agent', 'route53'] as const)
  for (const replication of ['async', 'zero-loss'] as const)
    for (const by of ['old', 'new'] as const)
      test(`a change that was cut off between its votes is ended: witness ${witness}, ${replication}, ordered at the ${by} side`, () =>
        play('1', { witness, replication }, by));
