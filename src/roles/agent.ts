// `siteward agent`: the agent's core wired to its adapters.

import { statfsSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';
import { createApplications } from '../adapters/applications/applications.ts';
import { runCommand } from '../adapters/command/command.ts';
import { createChecks, type ScheduledCheck } from '../adapters/cron/checks.ts';
import { createBalancer } from '../adapters/haproxy/balancer.ts';
import { httpGet } from '../adapters/http/http-get.ts';
import { createDatabaseProbes } from '../adapters/postgres/probes.ts';
import { createSshHosts } from '../adapters/ssh/hosts.ts';
import type { ClusterConfig } from '../config/cluster.ts';
import { serverName } from '../config/settings.ts';
import { type AgentDurable, type AgentState, durableOf, emptyAgentDurable, startAgent } from '../core/agent/state.ts';
import { agentStep } from '../core/agent/step.ts';
import { type AgentId, agentOf, type Site, sites } from '../core/site.ts';
import type { Dns } from '../ports/dns.ts';
import type { Register } from '../ports/register.ts';
import { readAgentDurable } from '../wire/state-files.ts';
import { agentDeeds } from './agent-deeds.ts';
import { agentEntry, agentHealth, countTrace, measureAgent } from './agent-metrics.ts';
import { type Base, openBase, type RoleOptions } from './base.ts';
import { loadState, openStore, runDaemon } from './run.ts';

export async function runAgent(options: RoleOptions): Promise<void> {
  const base = openBase('agent', options);
  const { config, settings, clock, part } = base;
  if (part.part !== 'service') return;
  const me = part.site;
  const store = await openStore(base, 'agent');
  const { durable, amnesia } = loadState(store, base.log, readAgentDurable, emptyAgentDurable);
  const initial = startAgent(me, settings, durable, amnesia, clock.now());
  let state: AgentState = initial;
  const systemId = (): string | null => config.database.systemIdentifier ?? state.durable.systemId;
  const hosts = createSshHosts(sshOptions(config));
  const { register, dns, close } = await openRoute53(config);
  const perform = agentDeeds(config, {
    probes: createDatabaseProbes(probeConfig(config, agentOf(me), systemId)),
    applications: createApplications(
      { readyPath: config.applications.readyPath, instances: instances(config) },
      httpGet,
    ),
    balancer: createBalancer(balancerOptions(config), httpGet),
    hosts,
    dns,
    run: runCommand,
    pause,
  });
  const checks = createChecks({
    schedule: config.checks.schedule,
    checks: scheduledChecks(base, hosts, register, dns),
    clock,
    log: base.log,
    metrics: base.metrics,
  });
  const driver = await runDaemon({
    base: { ...base, log: countTrace(base.log, base.metrics) },
    step: (before, event: Parameters<typeof agentStep>[1], moment) => {
      const result = agentStep(before, event, moment);
      state = result.state;
      return result;
    },
    initial,
    store,
    register,
    perform,
    fence: null,
    namePersist: namePersist(initial),
    measure: (now) => measureAgent(base.metrics, now, clock),
    health: (now) => agentHealth(now, clock),
    entry: (now) => agentEntry(now, clock),
    close: async () => {
      await checks.stop();
      await hosts.close();
      close();
    },
  });
  void driver;
  await checks.start();
}

/** For crash points: which vote or promise this persist put on disk (scenario S8). */
function namePersist(initial: AgentState): (durable: AgentDurable) => readonly string[] {
  let before = durableOf(initial);
  return (durable) => {
    const names: string[] = [];
    if (durable.voter.promised !== before.voter.promised) names.push('promised');
    if (durable.voter.accepted !== before.voter.accepted) names.push('accepted');
    if (durable.voter.chosen !== before.voter.chosen) names.push('chosen');
    before = durable;
    return names;
  };
}

function sshOptions(config: ClusterConfig) {
  const { ssh, sites: places } = config;
  const host = (site: Site, part: 'application' | 'database') => ({
    address: places[site][part].address,
    hostKeys: ssh.hostKeys[places[site][part].host] ?? [],
  });
  const both = (part: 'application' | 'database') => ({ site1: host('site1', part), site2: host('site2', part) });
  return {
    user: ssh.user,
    port: ssh.port,
    keyFile: ssh.keyFile,
    application: both('application'),
    database: both('database'),
  };
}

function probeConfig(config: ClusterConfig, agent: AgentId, systemId: () => string | null) {
  const address = (site: Site) => ({
    host: config.sites[site].database.address,
    port: config.sites[site].database.port,
  });
  const { probe } = config.database;
  return {
    agent,
    addresses: { site1: address('site1'), site2: address('site2') },
    user: probe.user,
    passwordFile: probe.passwordFile,
    database: probe.database,
    systemId,
  };
}

function instances(config: ClusterConfig) {
  const of = (site: Site) => {
    const { address, instances: ports } = config.sites[site].application;
    return ports.map((port) => ({ name: serverName(config, site, port), address, port }));
  };
  return { site1: of('site1'), site2: of('site2') };
}

function balancerOptions(config: ClusterConfig) {
  const { backend, socket, statistics } = config.haproxy;
  return {
    addresses: { site1: config.sites.site1.service.address, site2: config.sites.site2.service.address },
    statistics,
    backend,
    socket,
  };
}

/** The SDK is loaded only where Route 53 is used: it is the slowest import by far. */
async function openRoute53(
  config: ClusterConfig,
): Promise<{ register: Register | null; dns: Dns | null; close: () => void }> {
  const { witness, dns } = config;
  if (witness.kind !== 'route53' && dns.kind === 'none') return { register: null, dns: null, close: () => {} };
  const { createRegister } = await import('../adapters/route53/register.ts');
  const { createDns } = await import('../adapters/route53/dns.ts');
  // The register is never read through DNS, so its TTL means nothing; it only has to be the same in every CAS.
  const register = witness.kind === 'route53' ? createRegister({ ...witness.route53, ttlSeconds: 60 }) : null;
  const name = dns.kind === 'none' ? null : createDns({ ...dns.route53, ttlSeconds: dns.ttlSeconds });
  return {
    register,
    dns: name,
    close: () => {
      register?.close();
      name?.close();
    },
  };
}

type SshHosts = ReturnType<typeof createSshHosts>;

/** Would a failover succeed now? Each answer is a metric; the protocol depends on none of them. */
function scheduledChecks(
  base: Base,
  hosts: SshHosts,
  register: Register | null,
  dns: Dns | null,
): readonly ScheduledCheck[] {
  const { config } = base;
  const said = (outcome: { kind: string; code?: string; detail?: string }) => ({
    ok: outcome.kind === 'done',
    why: [outcome.code, outcome.detail].filter(Boolean).join(': '),
  });
  const checks: ScheduledCheck[] = [];
  for (const site of sites) {
    checks.push({
      name: `staged-env-${site}`,
      run: async () => {
        const read = await hosts.readEnv(site, 5000);
        if (read.kind !== 'done') return said(read);
        const missing = sites.filter((other) => !read.value.staged.includes(other));
        return {
          ok: missing.length === 0,
          why:
            missing.length === 0
              ? ''
              : `${missing.map((other) => `${other}.env`).join(', ')} is not staged on ${site}'s application host`,
        };
      },
    });
    checks.push({ name: `ssh-database-${site}`, run: async () => said(await hosts.reach('database', site, 5000)) });
  }
  if (register !== null) checks.push({ name: 'register', run: async () => said(await register.read(5000)) });
  if (dns !== null) checks.push({ name: 'dns', run: async () => said(await dns.read(5000)) });
  checks.push({
    name: 'disk-space',
    run: async () => {
      const { bavail, bsize } = statfsSync(config.paths.stateDirectory);
      const free = bavail * bsize;
      return {
        ok: free >= config.checks.diskFreeBytes,
        why: `${free} bytes are free at ${config.paths.stateDirectory}`,
      };
    },
  });
  return checks;
}
