import { readEvents } from '../src/events.ts';
import { placesOf, strike } from './kit/fault.ts';
import { beginLoad, endLoad, noteOutage, writesAgain } from './kit/measure.ts';
import { notePhases } from './kit/phases.ts';
import { quiet } from './kit/quiet.ts';
import type { Round, Scenario } from './kit/scenario.ts';
import { insist, insistSafe, seconds, wallOf } from './kit/scenario.ts';
import { hold } from './kit/wait.ts';
import { agreement, databases, record } from './kit/world.ts';

/** Its database runs on among its own: it must have stopped taking writes before the other one begins. */
async function run(round: Round): Promise<void> {
  const { lab } = round;
  const { primary, standby, epoch } = await placesOf(lab);
  await beginLoad(round);
  await quiet(lab);
  const at = await strike(round, `${primary} cut off from everything`, () => lab.cut(primary, 'all'));
  await writesAgain(round, at, 60_000);
  notePhases(round, at);
  const promotion = readEvents(lab.paths, wallOf(at)).find(
    ({ event, host }) => host === `${standby}-db` && event === 'database.promoting',
  );
  const cutOff = await databases(lab);
  insistSafe(cutOff[primary].writable !== true, `${primary}'s database is writable behind the cut`);
  await strike(round, 'healed', () => lab.heal());
  await hold('the heal moved something', 6_000, async () => {
    const now = await record(lab);
    return now.epoch === epoch + 1 && now.primary === standby ? undefined : `epoch ${now.epoch}, ${now.primary}`;
  });
  await agreement(lab, { primary: standby, entry: standby, epoch: epoch + 1, standby: false }, 30_000);
  const report = await endLoad(round, at - 500, { mayLose: true, mayFail: true });
  noteOutage(round, report);
  const last = report.writers[primary].lastAckMs;
  const first = report.writers[standby].firstAckMs;
  insist(last !== null && first !== null, 'one of the databases acknowledged nothing at its own socket');
  round.figure('old last ack', seconds(last - at));
  round.figure('new first ack', seconds(first - at));
  insistSafe(last < first, `${primary} acknowledged a write ${seconds(last - first)} after ${standby} had begun`);
  if (promotion !== undefined) {
    const promotedAt = promotion.at - wallOf(at);
    insistSafe(
      last - at < promotedAt,
      `${primary} took writes until ${seconds(last - at)}, promotion began at ${seconds(promotedAt)}`,
    );
  }
}

export const scenario: Scenario = {
  id: 'S6',
  title: "the primary's site cut off while it runs on",
  boundMs: 20_000,
  witness: ['route53', 'agent'],
  run,
};
