/** Between two scenarios of one lab: everything is put right again, as a person with a runbook would. */

import type { Lab } from '../../src/lab.ts';
import { stopLoad } from '../../src/load.ts';
import { findPostgres } from '../../src/postgres.ts';
import type { HostName, SiteName } from '../../src/topology.ts';
import { ADDRESSES, HOSTS, SITES, ZONE_CONTROL } from '../../src/topology.ts';
import { ready } from './quiet.ts';
import { otherSite } from './scenario.ts';
import { until } from './wait.ts';
import { agents, database, disagreement, record } from './world.ts';

const AS_IT_IS = new Set(['postgres', 'postgres-boot', 'load-client', 'load-writer-site1', 'load-writer-site2']);

/** Heals, thaws, powers on, starts, resumes, and makes the standby anew where it cannot follow any more. */
export async function makeWell(lab: Lab, say: (text: string) => void): Promise<void> {
  await repair(lab, say);
  await ready(lab);
}

/** The same without the waits that stand in the way of the next change of primary. */
export async function repair(lab: Lab, say: (text: string) => void): Promise<void> {
  await stopLoad(lab);
  await lab.heal();
  for (const host of HOSTS) {
    if (!lab.isOn(host)) await lab.start(host, { bootPostgres: false });
    await startAll(lab, host);
  }
  await lab.exec('zone', ['curl', '-sf', '-X', 'DELETE', `http://${ZONE_CONTROL}/zones/all/mode`], { timeoutMs: 5000 });
  const { primary, mode } = await waitForPrimary(lab);
  if (mode === 'paused') await lab.mustExec('site1-svc', ['siteward', 'resume'], { timeoutMs: 30_000 });
  const standby = otherSite(primary);
  if (!(await follows(lab, standby))) {
    say(`${standby}'s database cannot follow: made anew from ${primary}`);
    await rebuildStandby(lab, standby);
  }
}

async function startAll(lab: Lab, host: HostName): Promise<void> {
  for (const service of lab.services(host)) {
    if (AS_IT_IS.has(service.name)) continue;
    if (service.state === 'frozen') lab.thaw(host, service.name);
    else if (service.state === 'down') await lab.startService(host, service.name);
  }
}

async function waitForPrimary(lab: Lab) {
  await until('one site writes', 60_000, async () => {
    const said = await disagreement(lab, { standby: false });
    return said?.startsWith('writable:') === true || said?.includes('agents') === true ? said : undefined;
  });
  return record(lab);
}

/** Given the time that a standby needs to start and to connect. */
async function follows(lab: Lab, site: SiteName): Promise<boolean> {
  try {
    await until(`${site} follows`, 8_000, async () => {
      const both = await agents(lab);
      const unfit = SITES.map((each) => both[each]).find((status) => status?.standby.mayTakeOver !== true);
      return unfit === undefined ? undefined : (unfit?.standby.why ?? 'an agent does not answer');
    });
    return true;
  } catch {
    return false;
  }
}

/**
 * An old primary with a tail that the new one lacks is of no use any more: a base backup of the present primary takes its
 * place, as docs/RUNBOOK.md tells a person to.
 */
export async function rebuildStandby(lab: Lab, site: SiteName): Promise<void> {
  const host: HostName = `${site}-db`;
  const primary = otherSite(site);
  const { binDirectory, dataDirectory, configFile } = findPostgres();
  await lab.stopService(host, 'guard');
  const inHost = { user: 'postgres', timeoutMs: 60_000 } as const;
  await lab.exec(host, [`${binDirectory}/pg_ctl`, '-D', dataDirectory, '-m', 'immediate', '-w', 'stop'], inHost);
  // Beside the old one, which is put away once there is a whole new one: a primary that is cut off meanwhile costs nothing.
  const fresh = `${dataDirectory}.new`;
  await lab.mustExec(host, ['rm', '-rf', fresh], inHost);
  const source = `host=${ADDRESSES[`${primary}-db`]} user=siteward_replication passfile=/var/lib/postgresql/.pgpass`;
  const slot = `siteward_${site}`;
  const backup = [`${binDirectory}/pg_basebackup`, '-d', source, '-D', fresh, '-X', 'stream', '-S', slot];
  await lab.mustExec(host, [...backup, '--checkpoint=fast'], inHost);
  // As at the first making: `pg_ctl -D` alone and `-c config_file=` end at the same settings.
  const finish = `
    printf "include '%s'\\n" ${configFile} >${fresh}/postgresql.conf
    : >${fresh}/standby.signal
    rm -rf ${dataDirectory}
    mv ${fresh} ${dataDirectory}`;
  await lab.mustExec(host, ['sh', '-ec', finish], inHost);
  await lab.startService(host, 'guard');
  await until(`${site} is a standby`, 20_000, async () => {
    const { inRecovery, detail } = await database(lab, site);
    return inRecovery === true ? undefined : (detail ?? 'not in recovery');
  });
}
