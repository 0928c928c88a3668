/** From a planned fault to the deed: finds the struck site, and leaves alone what another fault still holds. */
import type { HostName, SiteName } from '../../lab/src/topology.ts';
import { SITES } from '../../lab/src/topology.ts';
import type { Kind } from '../plan/kinds.ts';
import { kindOf } from '../plan/kinds.ts';
import type { PlannedFault } from '../plan/plan.ts';
import { databaseFaults } from './databases.ts';
import { hostFaults } from './hosts.ts';
import { lineFaults } from './lines.ts';
import { orderFaults } from './orders.ts';
import type { Scene, Strike } from './struck.ts';

export const STRIKES: Readonly<Record<string, Strike>> = {
  ...databaseFaults,
  ...hostFaults,
  ...lineFaults,
  ...orderFaults,
};

export function struckSite({ role }: PlannedFault, { primary, standby }: Pick<Scene, 'primary' | 'standby'>): SiteName {
  return role === 'standby' ? standby : primary;
}

/** What a fault has to itself while it lasts. */
export function holdsOf(kind: Kind, site: SiteName): readonly string[] {
  switch (kind.holds) {
    case 'db':
    case 'svc':
    case 'app':
      return [`${site}-${kind.holds}`];
    case 'site':
      return [`${site}-db`, `${site}-svc`, `${site}-app`];
    default:
      return [kind.holds];
  }
}

/** Why it cannot be struck now: a host that is off or held has had its fault. */
export function obstacle(fault: PlannedFault, scene: Scene, held: ReadonlySet<string>): string | undefined {
  const kind = kindOf(fault.kind);
  const site = struckSite(fault, scene);
  const holds = holdsOf(kind, site);
  const taken = holds.find((what) => held.has(what));
  if (taken !== undefined) return `${taken} is still held by another fault`;
  const off = holds.find((what) => what.startsWith('site') && !scene.lab.isOn(what as HostName));
  if (off !== undefined) return `${off} is off`;
  if (fault.kind === 'connection-storm' && !scene.lab.isOn(`${site}-app`)) return `${site}-app is off`;
  if (fault.kind === 'switchover' && SITES.every((each) => !scene.lab.isOn(`${each}-svc`))) return 'nobody to order';
  return undefined;
}
