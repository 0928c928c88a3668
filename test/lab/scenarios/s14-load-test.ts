import { burst } from '../src/load.ts';
import type { SiteName } from '../src/topology.ts';
import { placesOf, strike } from './kit/fault.ts';
import { ready } from './kit/quiet.ts';
import type { Round, Scenario } from './kit/scenario.ts';
import { insist } from './kit/scenario.ts';
import { until } from './kit/wait.ts';
import { agreement } from './kit/world.ts';

const REQUESTS = 15_000;

async function run(round: Round): Promise<void> {
  const { lab } = round;
  await ready(lab);
  await tested(round, 'quiet', false, burst(lab));
  await ready(lab);
  const { primary, standby, entry, epoch } = await placesOf(lab);
  const before = await users(round, primary);
  const running = burst(lab);
  await until('a quarter of the writes is in', 60_000, async () => {
    const count = (await users(round, primary)) - before;
    return count > REQUESTS / 8 ? undefined : `${count} are`;
  });
  await strike(round, `kill -9 of ${primary}'s postmaster amid it`, () => {
    lab.signal(`${primary}-db`, 'postgres', 'SIGKILL');
  });
  await tested(round, 'with S1', true, running);
  await agreement(lab, { primary: standby, entry, epoch: epoch + 1, standby: false }, 40_000);
}

async function users({ lab }: Round, site: SiteName): Promise<number> {
  const query = ['psql', '-XAtq', '-h', '/run/postgresql', '-d', 'revolutdb', '-c', 'SELECT count(*) FROM base.users'];
  return Number(await lab.mustExec(`${site}-db`, query, { user: 'postgres', timeoutMs: 5_000 }));
}

async function tested(round: Round, name: string, isCrash: boolean, running: ReturnType<typeof burst>): Promise<void> {
  const report = await running;
  const { requests, failed, failures, missing, perSecond, latencyMs } = report;
  const slowest = `p99 ${Math.round(latencyMs.p99)} ms, slowest ${Math.round(latencyMs.max)} ms`;
  round.say(`${name}: ${requests} requests, ${failed} failed, ${Math.round(perSecond)} a second, ${slowest}`);
  round.figure(name, `${failed} failed, max ${(latencyMs.max / 1000).toFixed(1)} s`);
  insist(requests === REQUESTS, `${requests} requests were sent, not ${REQUESTS}`);
  if (missing > 0) round.say(`${name}: ${missing} acknowledged writes were lost with the old primary (asynchronous)`);
  insist(isCrash || missing === 0, `${name}: ${missing} acknowledged writes were not there`);
  insist(failed === 0, `${name}: ${failed} requests failed: ${JSON.stringify(failures)}`);
}

export const scenario: Scenario = {
  id: 'S14',
  title: '150 connections x 100 mixed requests, quiet and with S1',
  witness: ['route53', 'agent'],
  run,
};
