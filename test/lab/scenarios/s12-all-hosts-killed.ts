import { sleep } from '../src/process.ts';
import { everyHost, placesOf, strike } from './kit/fault.ts';
import { beginLoad, endLoad, writesAgain } from './kit/measure.ts';
import { ready } from './kit/quiet.ts';
import type { Round, Scenario } from './kit/scenario.ts';
import { nowMs, seconds } from './kit/scenario.ts';
import { agreement } from './kit/world.ts';

/** Power returns to everything at nearly the same time. */
const STAGGER_MS = 150;

async function run(round: Round): Promise<void> {
  const { lab } = round;
  const { primary, entry, epoch } = await placesOf(lab);
  await beginLoad(round);
  await ready(lab);
  const at = await strike(round, `power loss of all ${everyHost.length} hosts`, () => lab.kill(...everyHost));
  const order = shuffled(everyHost);
  round.say(`started in this order: ${order.join(' ')}`);
  const startedAt = nowMs();
  // Each begins a little after the one before it and waits for nobody.
  const starts: Promise<void>[] = [];
  for (const host of order) {
    starts.push(lab.start(host, { bootPostgres: false }));
    await sleep(STAGGER_MS);
  }
  await Promise.all(starts);
  await agreement(lab, { primary, entry, epoch }, 60_000);
  round.figure('healthy after', seconds(nowMs() - startedAt));
  await writesAgain(round, startedAt, 40_000);
  await endLoad(round, at - 500, { mayFail: true });
}

function shuffled<T>(items: readonly T[]): readonly T[] {
  return items
    .map((item) => ({ item, key: Math.random() }))
    .sort((a, b) => a.key - b.key)
    .map(({ item }) => item);
}

export const scenario: Scenario = {
  id: 'S12',
  title: 'all hosts killed, started in any order',
  witness: ['route53', 'agent'],
  run,
};
