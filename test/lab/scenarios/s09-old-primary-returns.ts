import { placesOf, strike } from './kit/fault.ts';
import { beginLoad, endLoad, noteOutage, writesAgain } from './kit/measure.ts';
import { ready } from './kit/quiet.ts';
import type { Round, Scenario } from './kit/scenario.ts';
import { insistSafe, nowMs, seconds, Unsafe } from './kit/scenario.ts';
import { hold } from './kit/wait.ts';
import { agreement, databases, servingElsewhere } from './kit/world.ts';

/** PostgreSQL is started by the boot before any guard runs, and the application host has the old primary in its .env. */
async function run(round: Round): Promise<void> {
  const { lab } = round;
  const { primary, standby, entry, epoch } = await placesOf(lab);
  await beginLoad(round);
  await ready(lab);
  const at = await strike(round, `power loss of ${primary}-db and ${primary}-app`, () =>
    lab.kill(`${primary}-db`, `${primary}-app`),
  );
  await writesAgain(round, at, 40_000);
  await agreement(lab, { primary: standby, entry, epoch: epoch + 1 }, 30_000);

  const backAt = await strike(
    round,
    `${primary}-db is back, PostgreSQL started by its boot; so is ${primary}-app`,
    async () => {
      await lab.start(`${primary}-db`, { bootPostgres: true });
      await lab.start(`${primary}-app`);
    },
  );
  await hold(
    'what came back',
    8_000,
    async () => {
      const { writable } = (await databases(lab))[primary];
      if (writable === true) return `${primary}'s database became writable`;
      return servingElsewhere(lab, primary, standby);
    },
    Unsafe,
  );
  await agreement(lab, { primary: standby, entry, epoch: epoch + 1, standby: false }, 40_000);
  round.figure('all back', seconds(nowMs() - backAt));
  const report = await endLoad(round, at - 500, { mayLose: true, mayFail: true });
  noteOutage(round, report);
  const epochs = report.writers[primary].epochs as readonly { readonly epoch: number; readonly lastMs: number }[];
  const late = epochs.filter(({ lastMs }) => lastMs > at + 1_000);
  insistSafe(late.length === 0, `the old primary acknowledged writes after its host was lost: ${JSON.stringify(late)}`);
}

export const scenario: Scenario = {
  id: 'S9',
  title: "the old primary's host comes back",
  witness: ['route53', 'agent'],
  run,
};
