/** Everything is healed, as a person would who has all switches in reach; what the cluster does then is its own. */
import type { Lab } from '../../lab/src/lab.ts';
import { HOSTS, SITES } from '../../lab/src/topology.ts';
import { emptyVolume, thawVolume } from '../../lab/src/volumes.ts';
import type { Relay } from '../relay/relay.ts';
import { endZoneMode } from './hosts.ts';
import { resume } from './orders.ts';

const NOT_OURS = new Set(['postgres-boot', 'load-client', 'load-writer-site1', 'load-writer-site2']);

/** What hangs in the kernel cannot even be killed: this comes first, also when all is torn down. */
export async function thawVolumes(lab: Lab): Promise<void> {
  await Promise.all(SITES.map((site) => thawVolume(lab.paths, `${site}-db`)));
}

export async function healEverything(lab: Lab, relay: Relay | null, relayMs: number): Promise<void> {
  await thawVolumes(lab);
  await lab.heal();
  relay?.delay(relayMs);
  relay?.loss(0);
  await Promise.all(SITES.map((site) => emptyVolume(lab.paths, `${site}-db`)));
  for (const host of HOSTS) {
    if (!lab.isOn(host)) await lab.start(host, { bootPostgres: false });
    for (const { name, state } of lab.services(host)) {
      if (NOT_OURS.has(name)) continue;
      if (state === 'frozen') lab.thaw(host, name);
      else if (state === 'down' && name !== 'postgres') await lab.startService(host, name);
    }
  }
  await endZoneMode(lab);
  await resume(lab);
}
