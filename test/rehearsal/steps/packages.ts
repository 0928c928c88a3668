/** Another version of siteward, there and back, and PostgreSQL's package anew, all under load and without a failover. */
import { placesOf } from '../../lab/scenarios/kit/fault.ts';
import { beginLoad, endLoad, noteOutage } from '../../lab/scenarios/kit/measure.ts';
import { insist, nowMs } from '../../lab/scenarios/kit/scenario.ts';
import { agreement } from '../../lab/scenarios/kit/world.ts';
import type { Step } from '../plan.ts';
import type { Rehearsal } from '../rehearsal.ts';
import { makeWell } from '../well.ts';
import { packagesOf } from './deploying.ts';
import { roundOf } from './scenarios.ts';

/** Under load: no failed request, no lost write, nothing moved. */
export async function unmoved(rehearsal: Rehearsal, deed: () => Promise<void>): Promise<void> {
  const { fleet } = rehearsal;
  await makeWell(rehearsal);
  const { primary, entry, epoch } = await placesOf(fleet);
  const round = roundOf(rehearsal);
  await beginLoad(round);
  const at = nowMs();
  await deed();
  await agreement(fleet, { primary, entry, epoch }, 60_000);
  noteOutage(round, await endLoad(round, at));
}

function upgradeStep(name: string, which: 'now' | 'next', wanted: RegExp): Step {
  return {
    name,
    title: `siteward ${name}d host by host by deploy/ci/update-siteward, under load`,
    run: (rehearsal) =>
      unmoved(rehearsal, async () => {
        await rehearsal.stage('update-siteward', [(await packagesOf(rehearsal))[which]], 1_200_000);
        const version = await rehearsal.fleet.mustExec('site1-db', ['siteward', '--version']);
        insist(wanted.test(version), `site1-db runs ${version.trim()}`);
      }),
  };
}

const reinstall: Step = {
  name: 'reinstall',
  title: "PostgreSQL's package is installed anew on the primary, under load",
  run: (rehearsal) =>
    unmoved(rehearsal, async () => {
      const { fleet } = rehearsal;
      const { primary } = await placesOf(fleet);
      await fleet.mustExec('site1-svc', ['siteward', 'pause', '--reason', 'reinstall'], { timeoutMs: 30_000 });
      const script =
        "DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --reinstall $(ls /usr/lib/postgresql | sed 's/^/postgresql-/' | head -n 1)";
      await fleet.mustExec(`${primary}-db`, ['sh', '-c', script], { timeoutMs: 180_000 });
      await fleet.mustExec('site1-svc', ['siteward', 'resume'], { timeoutMs: 30_000 });
    }),
};

export const packageSteps: readonly Step[] = [
  upgradeStep('upgrade', 'next', /^siteward 99\./),
  upgradeStep('downgrade', 'now', /^siteward 0\./),
  reinstall,
];
