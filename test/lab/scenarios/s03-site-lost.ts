import { placesOf, strike } from './kit/fault.ts';
import { beginLoad, endLoad, noteOutage, writesAgain } from './kit/measure.ts';
import { notePhases } from './kit/phases.ts';
import { quiet } from './kit/quiet.ts';
import type { Round, Scenario } from './kit/scenario.ts';
import { agreement } from './kit/world.ts';

/** The other agent and the witness decide; the public name follows, and clients once they ask for it again. */
async function run(round: Round): Promise<void> {
  const { lab } = round;
  const { primary, standby, epoch } = await placesOf(lab);
  await beginLoad(round);
  await quiet(lab);
  const at = await strike(round, `power loss of all of ${primary}, its database host first`, () => lab.kill(primary));
  await writesAgain(round, at, 60_000);
  notePhases(round, at);
  await agreement(lab, { primary: standby, entry: standby, epoch: epoch + 1 }, 30_000);
  noteOutage(round, await endLoad(round, at - 500, { mayLose: true, mayFail: true }));
}

export const scenario: Scenario = {
  id: 'S3',
  title: "power loss of the primary's whole site, DNS included",
  // 10 s and the TTL of the name (10 s).
  boundMs: 20_000,
  witness: ['route53', 'agent'],
  run,
};
