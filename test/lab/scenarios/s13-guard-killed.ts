import { readFileSync } from 'node:fs';
import { insideHost, requireInit } from '../src/hosts.ts';
import type { SiteName } from '../src/topology.ts';
import { placesOf, strike } from './kit/fault.ts';
import { beginLoad, endLoad, noteOutage, writesAgain } from './kit/measure.ts';
import { ready } from './kit/quiet.ts';
import type { Round, Scenario } from './kit/scenario.ts';
import { insist, insistSafe, nowMs, seconds } from './kit/scenario.ts';
import { until } from './kit/wait.ts';
import { makeWell } from './kit/well.ts';
import { agreement } from './kit/world.ts';

async function run(round: Round): Promise<void> {
  await restarted(round);
  await gone(round, 'killed and kept down', async (host) => {
    round.lab.signal(host, 'guard', 'SIGKILL');
    await round.lab.stopService(host, 'guard');
  });
  await makeWell(round.lab, round.say);
  await gone(round, 'frozen', (host) => round.lab.freeze(host, 'guard', { holdWatchdog: true }));
}

/** L11: a guard that comes back takes its running database over; nobody notices. */
async function restarted(round: Round): Promise<void> {
  const { lab } = round;
  const { primary, entry, epoch } = await placesOf(lab);
  const host = `${primary}-db`;
  await beginLoad(round);
  await ready(lab);
  const postmaster = () => lab.services(host).find(({ name }) => name === 'postgres')?.pid ?? 0;
  const guard = () => lab.services(host).find(({ name }) => name === 'guard');
  const before = postmaster();
  const restarts = guard()?.restarts ?? 0;
  const at = await strike(round, `kill -9 of ${primary}'s guard`, () => lab.signal(host, 'guard', 'SIGKILL'));
  await until('init starts the guard again', 20_000, () =>
    (guard()?.restarts ?? 0) > restarts ? undefined : 'not yet',
  );
  await ready(lab);
  await agreement(lab, { primary, entry, epoch }, 30_000);
  insist(postmaster() === before, 'the database was restarted, not taken over');
  const report = await endLoad(round, at - 500);
  const errors = Object.entries(report.writers[primary].errors);
  insist(errors.length === 0, `commits at the database's own socket failed: ${JSON.stringify(errors)}`);
  round.say(`taken over without a failed commit, longest pause ${seconds(report.writersOutageMs)}`);
}

/** L9: whatever became of the guard, the fuse has killed the database before the lease ends. */
async function gone(round: Round, what: string, deed: (host: string) => void | Promise<void>): Promise<void> {
  const { lab } = round;
  const { primary, standby, entry, epoch } = await placesOf(lab);
  await beginLoad(round);
  await ready(lab);
  const at = await strike(round, `${primary}'s guard ${what}`, () => deed(`${primary}-db`));
  // No later deadline can follow: its only writer is gone.
  const deadlineMs = fuseDeadline(round, primary);
  await until('the fuse kills the database', 30_000, () => {
    const state = lab.services(`${primary}-db`).find(({ name }) => name === 'postgres')?.state;
    return state === 'down' ? undefined : `the database is ${state}`;
  });
  const killedAt = nowMs();
  await writesAgain(round, at, 40_000);
  await agreement(lab, { primary: standby, entry, epoch: epoch + 1, standby: false }, 30_000);
  const report = await endLoad(round, at - 500, { mayLose: true });
  noteOutage(round, report);
  const last = report.writers[primary].lastAckMs ?? at;
  const spare = deadlineMs + FUSE_BUDGET_MS - last;
  round.figure('spare', seconds(spare));
  round.say(
    `${what}: last write ${seconds(spare)} before the lease's end, database gone after ${seconds(killedAt - at)}`,
  );
  insistSafe(spare > 0, `the database acknowledged a write ${seconds(-spare)} after its lease's end`);
}

const FUSE_BUDGET_MS = 400;

/** /proc/uptime and CLOCK_MONOTONIC are the same where nothing was suspended. */
function fuseDeadline({ lab }: Round, site: SiteName): number {
  const file = insideHost(requireInit(lab.paths, `${site}-db`), '/run/siteward/fuse.deadline');
  const deadline = Number(readFileSync(file, 'utf8'));
  const uptimeMs = Number(readFileSync('/proc/uptime', 'utf8').split(' ')[0]) * 1000;
  return nowMs() + deadline - uptimeMs;
}

export const scenario: Scenario = {
  id: 'S13',
  title: 'guard killed, kept down, frozen',
  witness: ['route53', 'agent'],
  run,
};
