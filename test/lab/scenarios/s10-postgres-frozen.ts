import { placesOf, strike } from './kit/fault.ts';
import { beginLoad, endLoad, noteOutage, writesAgain } from './kit/measure.ts';
import { notePhases } from './kit/phases.ts';
import { quiet } from './kit/quiet.ts';
import type { Round, Scenario } from './kit/scenario.ts';
import { agreement } from './kit/world.ts';

/** The port is open and nobody answers: only probes with a deadline see it, and both agents have to. */
async function run(round: Round): Promise<void> {
  const { lab } = round;
  const { primary, standby, entry, epoch } = await placesOf(lab);
  await beginLoad(round);
  await quiet(lab);
  const at = await strike(round, `SIGSTOP to ${primary}'s postmaster and all its children`, () =>
    lab.freeze(`${primary}-db`, 'postgres'),
  );
  await writesAgain(round, at, 30_000);
  notePhases(round, at);
  await agreement(lab, { primary: standby, entry, epoch: epoch + 1, standby: false }, 30_000);
  noteOutage(round, await endLoad(round, at - 500, { mayLose: true }));
}

export const scenario: Scenario = {
  id: 'S10',
  title: 'postmaster and all its children frozen',
  boundMs: 5_000,
  witness: ['route53', 'agent'],
  run,
};
