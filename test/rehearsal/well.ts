/** Everything on, healed, and in step again: what stands between two steps. */

import { ready } from '../lab/scenarios/kit/quiet.ts';
import { otherSite } from '../lab/scenarios/kit/scenario.ts';
import { until } from '../lab/scenarios/kit/wait.ts';
import { agents, database, disagreement, record } from '../lab/scenarios/kit/world.ts';
import { stopLoad } from '../lab/src/load.ts';
import { HOSTS, SITES } from '../lab/src/topology.ts';
import type { Rehearsal } from './rehearsal.ts';

const PATIENCE_MS = 120_000;

export async function makeWell(rehearsal: Rehearsal): Promise<void> {
  const { fleet } = rehearsal;
  await stopLoad(fleet);
  await fleet.heal();
  for (const host of HOSTS) if (!fleet.isOn(host) && host !== 'witness') await fleet.start(host);
  await until('one site writes', PATIENCE_MS, async () => {
    const said = await disagreement(fleet, { standby: false });
    return said?.startsWith('writable:') === true || said?.includes('agents') === true ? said : undefined;
  });
  const { primary, mode } = await record(fleet);
  if (mode === 'paused') await fleet.mustExec('site1-svc', ['siteward', 'resume'], { timeoutMs: 30_000 });
  const standby = otherSite(primary);
  if (!(await follows(rehearsal))) {
    rehearsal.say(`${standby}'s database cannot follow: made anew from ${primary}, as an operator does it`);
    await rehearsal.playbook('rebuild-standby.yml', 600_000);
    await until(`${standby} is a standby`, PATIENCE_MS, async () => {
      const { inRecovery, detail } = await database(fleet, standby);
      return inRecovery === true ? undefined : (detail ?? 'not in recovery');
    });
  }
  await ready(fleet, PATIENCE_MS);
}

async function follows({ fleet }: Rehearsal): Promise<boolean> {
  try {
    await until('the standby follows', 20_000, async () => {
      const both = await agents(fleet);
      const unfit = SITES.map((site) => both[site]).find((status) => status?.standby.mayTakeOver !== true);
      return unfit === undefined ? undefined : (unfit?.standby.why ?? 'an agent does not answer');
    });
    return true;
  } catch {
    return false;
  }
}
