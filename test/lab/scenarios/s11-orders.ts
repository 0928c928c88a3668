import { placesOf, strike } from './kit/fault.ts';
import { beginLoad, endLoad, noteOutage, writesAgain } from './kit/measure.ts';
import { ready } from './kit/quiet.ts';
import type { Round, Scenario } from './kit/scenario.ts';
import { insist, nowMs, seconds } from './kit/scenario.ts';
import { hold } from './kit/wait.ts';
import { agents, agreement, record } from './kit/world.ts';

const ORDER = { timeoutMs: 60_000 } as const;

async function run(round: Round): Promise<void> {
  await beginLoad(round);
  await ready(round.lab);
  await dryRun(round);
  await planned(round);
  await paused(round);
}

/** Nothing of what the cluster has agreed may differ, not even a ballot. */
async function dryRun(round: Round): Promise<void> {
  const { lab } = round;
  const agreed = async () => {
    const both = await agents(lab);
    return JSON.stringify(Object.values(both).map((status) => [status?.record, status?.votes.self.promised]));
  };
  const before = await agreed();
  const text = await lab.mustExec('site1-svc', ['siteward', 'failover', '--dry-run', '--json'], ORDER);
  const { ok, steps } = JSON.parse(text) as { readonly ok: boolean; readonly steps: readonly string[] };
  insist(ok && steps.length >= 4, `the dry run lists ${steps.length} steps: ${text.trim()}`);
  insist((await agreed()) === before, 'the dry run changed what was agreed');
  round.say(`dry run: ${steps.length} steps, nothing changed`);
}

async function planned(round: Round): Promise<void> {
  const { lab } = round;
  const { primary, standby, entry, epoch } = await placesOf(lab);
  let answer = '';
  const at = await strike(round, 'siteward failover', async () => {
    answer = await lab.mustExec('site1-svc', ['siteward', 'failover', '--json'], ORDER);
  });
  const { ok } = JSON.parse(answer) as { readonly ok: boolean };
  insist(ok, `siteward failover: ${answer.trim()}`);
  await agreement(lab, { primary: standby, entry, epoch: epoch + 1 }, 40_000);
  const report = await endLoad(round, at - 500);
  round.say(`planned move from ${primary}: no write lost or failed, ${seconds(noteOutage(round, report))} held`);
}

/** A crash while paused is mended in place. */
async function paused(round: Round): Promise<void> {
  const { lab } = round;
  await ready(lab);
  await lab.mustExec('site1-svc', ['siteward', 'pause', '--reason', 'scenario'], ORDER);
  const { primary, entry, epoch } = await placesOf(lab);
  const at = await strike(round, `paused; kill -9 of ${primary}'s postmaster`, () => {
    lab.signal(`${primary}-db`, 'postgres', 'SIGKILL');
  });
  await writesAgain(round, at, 40_000);
  round.figure('in place', seconds(nowMs() - at - 2_000));
  await hold('a pause did not hold', 5_000, async () => {
    const now = await record(lab);
    return now.epoch === epoch && now.primary === primary ? undefined : `epoch ${now.epoch}, primary ${now.primary}`;
  });
  await agreement(lab, { primary, entry, epoch, standby: false }, 40_000);
  await endLoad(round, at - 500);
  await lab.mustExec('site1-svc', ['siteward', 'resume'], ORDER);
  insist((await record(lab)).mode === 'auto', 'resume did not end the pause');
}

export const scenario: Scenario = {
  id: 'S11',
  title: 'dry run, planned failover, and a crash while paused',
  witness: ['route53', 'agent'],
  run,
};
