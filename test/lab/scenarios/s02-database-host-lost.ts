import { placesOf, strike } from './kit/fault.ts';
import { beginLoad, endLoad, noteOutage, writesAgain } from './kit/measure.ts';
import { notePhases } from './kit/phases.ts';
import { quiet } from './kit/quiet.ts';
import type { Round, Scenario } from './kit/scenario.ts';
import { agreement } from './kit/world.ts';

/** Nobody can say that the database is dead: its lease has to run out first. */
async function run(round: Round): Promise<void> {
  const { lab } = round;
  const { primary, standby, entry, epoch } = await placesOf(lab);
  await beginLoad(round);
  await quiet(lab);
  const at = await strike(round, `power loss of ${primary}-db`, () => lab.kill(`${primary}-db`));
  await writesAgain(round, at, 30_000);
  notePhases(round, at);
  await agreement(lab, { primary: standby, entry, epoch: epoch + 1 }, 30_000);
  noteOutage(round, await endLoad(round, at - 500, { mayLose: true }));
}

export const scenario: Scenario = {
  id: 'S2',
  title: "power loss of the primary's database host",
  boundMs: 8_000,
  witness: ['route53', 'agent'],
  run,
};
