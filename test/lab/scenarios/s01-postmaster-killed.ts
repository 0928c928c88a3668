import { placesOf, strike } from './kit/fault.ts';
import { beginLoad, endLoad, noteOutage, writesAgain } from './kit/measure.ts';
import { notePhases } from './kit/phases.ts';
import { quiet } from './kit/quiet.ts';
import type { Round, Scenario } from './kit/scenario.ts';
import { agreement } from './kit/world.ts';

/** The guard sees its postmaster gone and gives the lease back at once; a tail that the standby lacked may be lost. */
async function run(round: Round): Promise<void> {
  const { lab } = round;
  const { primary, standby, entry, epoch } = await placesOf(lab);
  await beginLoad(round);
  await quiet(lab);
  const at = await strike(round, `kill -9 of ${primary}'s postmaster`, () => {
    lab.signal(`${primary}-db`, 'postgres', 'SIGKILL');
  });
  await writesAgain(round, at, 20_000);
  notePhases(round, at);
  await agreement(lab, { primary: standby, entry, epoch: epoch + 1, standby: false }, 30_000);
  noteOutage(round, await endLoad(round, at - 500, { mayLose: true }));
}

export const scenario: Scenario = {
  id: 'S1',
  title: "kill -9 of the primary's postmaster",
  boundMs: 3_000,
  witness: ['route53', 'agent', 'none'],
  run,
};
