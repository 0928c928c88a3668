/** What several scenarios do to the lab, told from whom it hits rather than by site: roles move from round to round. */
import type { Lab } from '../../src/lab.ts';
import type { SiteName } from '../../src/topology.ts';
import { HOSTS } from '../../src/topology.ts';
import type { Round } from './scenario.ts';
import { nowMs, otherSite } from './scenario.ts';
import { record } from './world.ts';

export interface Places {
  readonly primary: SiteName;
  readonly standby: SiteName;
  readonly entry: SiteName;
  readonly epoch: number;
}

export async function placesOf(lab: Lab): Promise<Places> {
  const { primary, entry, epoch } = await record(lab);
  return { primary, standby: otherSite(primary), entry, epoch };
}

/** Says what is done and gives the moment right before it. */
export async function strike(round: Round, what: string, deed: () => void | Promise<void>): Promise<number> {
  const at = nowMs();
  await deed();
  round.say(what);
  return at;
}

/** All but the client, whose records have to outlive everything. */
export const everyHost = HOSTS.filter((host) => host !== 'client');
