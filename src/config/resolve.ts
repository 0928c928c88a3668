/**
 * From what the file says to what the code uses: the one place where a default depends on another key (the lease is
 * shorter without a register), and where every number gets its unit into its name. Total: whatever passes the schema
 * resolves; whether it makes sense as a whole is `rules.ts`'s question, asked of the result.
 */
import { defaultTtlMs, type LeaseSettings } from '../core/settings.ts';
import type { VoterId } from '../core/site.ts';
import type { ClusterConfig, DnsConfig, LeaseConfig, ReloadConfig, Route53Access, WitnessConfig } from './cluster.ts';
import type { ClusterFile } from './schema.ts';

export const PID_FILE_DEFAULT = '/run/birthday/{port}.pid';

/** Stands for a section that the chosen kind needs and the file lacks; `rules.ts` refuses it before anybody sees it. */
const ABSENT_RECORD: Route53Access = { hostedZoneId: '', name: '' };

export function resolve(file: ClusterFile): ClusterConfig {
  const witness = resolveWitness(file);
  const voters: readonly VoterId[] = witness.kind === 'none' ? ['site1', 'site2'] : ['site1', 'site2', 'witness'];
  const { operators, directory, witness: witnessPins, ...pins } = file.keys;
  return {
    cluster: file.cluster,
    sites: file.sites,
    witness,
    voters,
    keys: { directory, operators, pins: { ...pins, witness: witnessPins ?? [] } },
    replication: file.replication,
    database: resolveDatabase(file),
    applications: { ...file.applications, reload: resolveReload(file.applications.reload) },
    ssh: file.ssh,
    haproxy: file.haproxy,
    dns: resolveDns(file),
    policy: {
      onCrash: file.policy.onCrash,
      maxLagBytes: file.policy.maxLagBytes,
      coolDownMs: file.policy.coolDown,
      entryCoolDownMs: file.policy.entryCoolDown,
    },
    lease: resolveLease(file),
    probe: {
      everyMs: file.probe.every,
      deadlineMs: file.probe.deadline,
      confirm: file.probe.confirm,
      recover: file.probe.recover,
    },
    order: { timeoutMs: file.order.timeout, restartBudgetMs: file.order.restartBudget },
    fence: {
      ...(file.fence.command === undefined ? {} : { command: file.fence.command }),
      deadlineMs: file.fence.deadline,
    },
    ports: file.ports,
    listen: file.listen,
    paths: file.paths,
    checks: { schedule: file.checks.schedule, diskFreeBytes: file.checks.diskFree },
    log: file.log,
  };
}

function resolveWitness({ witness }: ClusterFile): WitnessConfig {
  switch (witness.kind) {
    case 'route53':
      return { kind: 'route53', route53: resolveRoute53(witness.route53) };
    case 'agent':
      return { kind: 'agent', agent: witness.agent ?? { host: '', address: '' } };
    case 'none':
      return { kind: 'none' };
  }
}

function resolveRoute53(section: ClusterFile['dns']['route53']): Route53Access {
  if (section === undefined) return ABSENT_RECORD;
  const { hostedZoneId, name, endpoint, credentialsFile } = section;
  return {
    hostedZoneId,
    name,
    ...(endpoint === undefined ? {} : { endpoint }),
    ...(credentialsFile === undefined ? {} : { credentialsFile }),
  };
}

function resolveDatabase({ database }: ClusterFile): ClusterConfig['database'] {
  const { configFile, systemIdentifier, probe, ...rest } = database;
  return {
    ...rest,
    ...(configFile === undefined ? {} : { configFile }),
    ...(systemIdentifier === undefined ? {} : { systemIdentifier }),
    probe: { user: probe.user, passwordFile: probe.passwordFile, database: probe.database ?? database.name },
  };
}

function resolveReload({ kind, pidFile, command }: ClusterFile['applications']['reload']): ReloadConfig {
  return kind === 'command' ? { kind, command: command ?? [] } : { kind, pidFile: pidFile ?? PID_FILE_DEFAULT };
}

function resolveDns({ dns, sites }: ClusterFile): DnsConfig {
  if (dns.kind === 'none') return { kind: 'none' };
  return {
    kind: 'route53',
    route53: resolveRoute53(dns.route53),
    type: 'A',
    ttlSeconds: dns.ttl / 1000,
    addresses: {
      site1: dns.addresses.site1 ?? sites.site1.service.address,
      site2: dns.addresses.site2 ?? sites.site2.service.address,
    },
  };
}

function resolveLease({ lease, witness }: ClusterFile): LeaseConfig {
  const ttlMs = lease.ttl ?? defaultTtlMs[witness.kind];
  const settings: LeaseSettings = {
    ttlMs,
    renewEveryMs: lease.renewEvery,
    witnessAfterMs: lease.witnessAfter,
    // L5's second length exists for the register alone; an agent grants as fast as any other.
    witnessTtlMs: witness.kind === 'route53' ? lease.witnessTtl : ttlMs,
    witnessEveryMs: lease.witnessEvery,
    drift: lease.drift,
    fenceBudgetMs: lease.fenceBudget,
    fuseBudgetMs: lease.fuseBudget,
    registerLegMs: lease.registerLeg,
    watchEveryMs: lease.watchEvery,
    releaseWaitMs: lease.releaseWait,
    otherDelayMs: lease.otherDelay,
  };
  return { ...settings, roundTripMs: lease.roundTrip, peerDeadlineMs: lease.peerDeadline };
}
