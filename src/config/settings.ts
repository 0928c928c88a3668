/** What the core gets of the configuration: plain numbers and names, and the fingerprint of the voter set. */
import { createHash } from 'node:crypto';
import type { Settings } from '../core/settings.ts';
import type { Site } from '../core/site.ts';
import type { ClusterConfig } from './cluster.ts';

/** For a host's forced command that fences (ssh, SIGKILL, a look that nothing is left). */
export const hostFenceMs = 4000;

export function settingsOf(config: ClusterConfig): Settings {
  const { roundTripMs: _roundTripMs, peerDeadlineMs, ...lease } = config.lease;
  return {
    cluster: config.cluster,
    voters: fingerprint(config),
    witness: config.witness.kind,
    dns: config.dns.kind !== 'none',
    replication: config.replication,
    lease,
    probe: config.probe,
    policy: config.policy,
    orderTimeoutMs: config.order.timeoutMs,
    restartBudgetMs: config.order.restartBudgetMs,
    peerDeadlineMs,
    outerFenceMs: hostFenceMs + (config.fence.command === undefined ? 0 : config.fence.deadlineMs),
    databases: { site1: databaseAt(config, 'site1'), site2: databaseAt(config, 'site2') },
    instances: { site1: serverNames(config, 'site1'), site2: serverNames(config, 'site2') },
  };
}

/** Name of an instance's server line in haproxy.cfg, and of the instance everywhere else. */
export function serverName(config: ClusterConfig, site: Site, port: number): string {
  const { host } = config.sites[site].application;
  return config.haproxy.server.replaceAll('{host}', host).replaceAll('{port}', String(port));
}

/** As the instances name it at their readiness endpoint. */
function databaseAt(config: ClusterConfig, site: Site): string {
  const { address, port } = config.sites[site].database;
  return `${address}:${port}`;
}

function serverNames(config: ClusterConfig, site: Site): readonly string[] {
  return config.sites[site].application.instances.map((port) => serverName(config, site, port));
}

/**
 * Fingerprint of the voter set, `voters` of the cluster record: which votes there are and what the third one is.
 * A voter grants nothing to another set (protocol.md "What is agreed"), so it holds what makes a voter *another* voter,
 * and nothing that is changed host by host while the cluster runs: neither addresses nor pinned keys, whose rotation
 * would else be a loss of quorum. 64 bits: it tells apart what one operator wrote, it defends against nobody (the
 * pinned keys do that), and it has to fit into a TXT record with the rest.
 */
export function fingerprint(config: Pick<ClusterConfig, 'witness' | 'voters'>): string {
  return createHash('sha256')
    .update(JSON.stringify([...config.voters, config.witness.kind, ...witnessIdentity(config.witness)]))
    .digest('hex')
    .slice(0, 16);
}

function witnessIdentity(witness: ClusterConfig['witness']): readonly string[] {
  switch (witness.kind) {
    case 'route53':
      return [witness.route53.hostedZoneId, witness.route53.name];
    case 'agent':
      return [witness.agent.host];
    case 'none':
      return [];
  }
}
