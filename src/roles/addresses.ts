// Who is where, and whose key is pinned, out of the cluster file: for daemons and for the operator's client alike.

import type { ClusterConfig } from '../config/cluster.ts';
import { agentOf, guardOf, type PeerId, sites } from '../core/site.ts';

/** Where every daemon of the cluster listens. */
export function addressesOf(
  config: ClusterConfig,
): ReadonlyMap<PeerId, { readonly host: string; readonly port: number }> {
  const found = new Map<PeerId, { host: string; port: number }>();
  for (const site of sites) {
    found.set(agentOf(site), { host: config.sites[site].service.address, port: config.ports.agent });
    found.set(guardOf(site), { host: config.sites[site].database.address, port: config.ports.guard });
  }
  if (config.witness.kind === 'agent')
    found.set('witness', { host: config.witness.agent.address, port: config.ports.agent });
  return found;
}

export function pinsOf(config: ClusterConfig): ReadonlyMap<PeerId, readonly string[]> {
  const found = new Map<PeerId, readonly string[]>(Object.entries(config.keys.pins) as [PeerId, readonly string[]][]);
  for (const [name, pins] of Object.entries(config.keys.operators)) found.set(`operator:${name}`, pins);
  return found;
}
