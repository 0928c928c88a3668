/** Everything on, healed, and in step again: what stands between two steps. */

import { ready } from '../lab/scenarios/kit/quiet.ts';
import { nowMs, otherSite } from '../lab/scenarios/kit/scenario.ts';
import { until } from '../lab/scenarios/kit/wait.ts';
import { agents, database, disagreement, record } from '../lab/scenarios/kit/world.ts';
import { stopLoad } from '../lab/src/load.ts';
import { waitFor } from '../lab/src/process.ts';
import { HOSTS, SITES } from '../lab/src/topology.ts';
import type { Rehearsal } from './rehearsal.ts';

const PATIENCE_MS = 120_000;

export async function makeWell(rehearsal: Rehearsal): Promise<void> {
  const { fleet } = rehearsal;
  await stopLoad(fleet);
  await fleet.heal();
  const off = HOSTS.filter((host) => !fleet.isOn(host) && host !== 'witness');
  await Promise.all(off.map((host) => fleet.start(host)));
  if (off.length > 0) rehearsal.say(`${off.join(', ')}: on again`);
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

/** Told for this long that it has to be made anew, a standby will not come to follow by itself. */
const REJOIN_MS = 6_000;

async function follows({ fleet }: Rehearsal): Promise<boolean> {
  let since: number | null = null;
  return waitFor(
    async () => {
      const both = await agents(fleet);
      const unfit = SITES.map((site) => both[site]).find((status) => status?.standby.mayTakeOver !== true);
      if (unfit === undefined) return true;
      if (unfit?.standby.why.includes('has to be made anew') !== true) since = null;
      else since ??= nowMs();
      return since !== null && nowMs() - since > REJOIN_MS ? null : undefined;
    },
    20_000,
    300,
  ).then((found) => found === true);
}
