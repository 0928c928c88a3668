// The agent's deeds by its adapters. Nothing is decided here; every deed ends in one outcome within its deadline.

import type { ClusterConfig } from '../config/cluster.ts';
import { hostFenceMs } from '../config/settings.ts';
import type { AgentDeed, AgentDeedValue } from '../core/agent/deeds.ts';
import { done, type Outcome, rejected, unknown } from '../core/outcome.ts';
import { type Site, sites } from '../core/site.ts';
import type { Ms } from '../core/time.ts';
import type { ActTerms, Perform } from '../driver/events.ts';
import type { RunCommand } from '../ports/command.ts';
import type { DatabaseProbes } from '../ports/database.ts';
import type { Dns } from '../ports/dns.ts';
import type { Applications, Balancer, Hosts } from '../ports/hosts.ts';
import type { HostRefusal } from '../wire/host-orders.ts';

export type AgentAdapters = {
  readonly probes: DatabaseProbes;
  readonly applications: Applications;
  readonly balancer: Balancer;
  readonly hosts: Hosts;
  readonly dns: Dns | null;
  readonly run: RunCommand;
  readonly pause: (ms: Ms) => Promise<unknown>;
};

/** How often Route 53 is asked whether a change is INSYNC; its limit is 10 requests a second for the whole account. */
const inSyncEveryMs = 1000;

export function agentDeeds(config: ClusterConfig, adapters: AgentAdapters): Perform<AgentDeed, AgentDeedValue> {
  const { probes, applications, balancer, hosts } = adapters;
  return async (deed, terms) => {
    const { deadlineMs } = terms;
    switch (deed.kind) {
      case 'probe-primary':
        return done({ kind: 'primary', report: await probes.primary(deed.site, deadlineMs) });
      case 'probe-standby':
        return done({ kind: 'standby', report: await probes.standby(deed.site, deadlineMs) });
      case 'probe-balancer':
        return done({ kind: 'balancer', report: await balancer.probe(deed.site, deadlineMs) });
      case 'probe-instances':
        return done({ kind: 'instances', reports: await applications.probe(deed.site, deadlineMs) });
      case 'read-env':
        return map(await hosts.readEnv(deed.site, deadlineMs), (report) => ({ kind: 'env', report }));
      case 'switch-env':
        return map(await hosts.switchEnv(deed.site, deed.primary, deed.token, deadlineMs), (report) => ({
          kind: 'env',
          report,
        }));
      case 'fence':
        return map(await fence(config, adapters, deed, terms), () => ({ kind: 'plain' }));
      case 'set-server':
        return map(await balancer.set(deed.server, deed.state, deadlineMs), () => ({ kind: 'plain' }));
      case 'read-dns':
        return readDns(config, adapters.dns, deadlineMs);
      case 'point-dns':
        return pointDns(config, adapters, deed, terms);
    }
  };
}

/** The host's own word that this agent is behind: nothing is to be fenced there, by whatever means (R1). */
const outdated: readonly string[] = ['lower-token', 'higher-epoch', 'other-primary'] satisfies HostRefusal[];

/** The host's forced command first; where that does not say done, the operator's own `fence.command`. */
async function fence(
  config: ClusterConfig,
  { hosts, run }: AgentAdapters,
  { site, token }: Extract<AgentDeed, { kind: 'fence' }>,
  { deadlineMs, mayGoOn }: ActTerms,
): Promise<Outcome<void>> {
  const outcome = await hosts.fence(site, token, Math.min(deadlineMs, hostFenceMs));
  const { command, deadlineMs: commandMs } = config.fence;
  if (outcome.kind === 'done' || command === undefined || !mayGoOn()) return outcome;
  if (outcome.kind === 'rejected' && outdated.includes(outcome.code)) return outcome;
  const words: Readonly<Record<string, string>> = {
    '{site}': site,
    '{host}': config.sites[site].database.host,
    '{epoch}': String(token.epoch),
  };
  return run(
    command.map((word) => word.replaceAll(/\{(?:site|host|epoch)\}/g, (name) => words[name] ?? name)),
    commandMs,
  );
}

function map<T>(outcome: Outcome<T>, to: (value: T) => AgentDeedValue): Outcome<AgentDeedValue> {
  return outcome.kind === 'done' ? done(to(outcome.value)) : outcome;
}

const noDns = rejected('no-dns', 'this cluster has no public name');

function siteAt(config: ClusterConfig, address: string | null): Site | null {
  const { dns } = config;
  return dns.kind === 'none' ? null : (sites.find((site) => dns.addresses[site] === address) ?? null);
}

async function readDns(config: ClusterConfig, dns: Dns | null, deadlineMs: number): Promise<Outcome<AgentDeedValue>> {
  if (dns === null) return noDns;
  return map(await dns.read(deadlineMs), (value) => ({ kind: 'dns', report: { entry: siteAt(config, value), value } }));
}

/** UPSERT, then INSYNC. A change that was accepted but is not INSYNC in time is unknown: reconcile looks again. */
async function pointDns(
  config: ClusterConfig,
  { dns, pause }: AgentAdapters,
  deed: Extract<AgentDeed, { kind: 'point-dns' }>,
  terms: ActTerms,
): Promise<Outcome<AgentDeedValue>> {
  if (dns === null || config.dns.kind === 'none') return noDns;
  const value = config.dns.addresses[deed.entry];
  const { era, epoch } = deed.token;
  const changed = await dns.point(
    value,
    `siteward era ${era.number} epoch ${epoch} entry ${deed.entry}`,
    Math.min(terms.deadlineMs, 5000),
  );
  if (changed.kind !== 'done') return changed;
  const legMs = Math.min(terms.deadlineMs, 3000);
  for (let leftMs = terms.deadlineMs; leftMs > 0; leftMs -= inSyncEveryMs) {
    const inSync = await dns.inSync(changed.value.id, legMs);
    if (inSync.kind === 'done' && inSync.value) return done({ kind: 'dns', report: { entry: deed.entry, value } });
    await pause(inSyncEveryMs);
  }
  return unknown(`the change ${changed.value.id} was accepted but is not INSYNC yet`);
}
