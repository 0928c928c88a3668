/**
 * `siteward config explain`: what a file means in seconds. Every sum with its numbers, what a failover takes at worst,
 * phase by phase, and what no configuration can promise. Arithmetic only; the measured side is docs/TIMING.md.
 */
import { bindingMs, clockGrainMs } from '../core/time.ts';
import type { ClusterConfig } from './cluster.ts';
import { formatSum, timingSums } from './sums.ts';
import { formatSize, formatDuration as s } from './units.ts';

/** pg_promote took 0.14 s in the lab (PostgreSQL 15); several times that for a host that is busier. */
const PROMOTE_MS = 500;
/** A reload of the settings, with a commit that waits: 0.05 s in the contract tests. */
const LOADED_MS = 500;

export interface Phase {
  readonly what: string;
  readonly ms: number;
  readonly because: string;
}

export interface Timeline {
  readonly title: string;
  readonly phases: readonly Phase[];
}

export function explain(config: ClusterConfig): string {
  return [
    heading(config),
    [
      'Sums that hold',
      ...timingSums(config).flatMap((sum) => [`  ${sum.id}  ${formatSum(sum)}`, `      so that ${sum.why}`]),
    ],
    ...[...failoverTimelines(config), ...stallTimelines(config)].map(timelineLines),
    waits(config),
    notGuaranteed(config),
  ]
    .map((lines) => lines.join('\n'))
    .join('\n\n');
}

function heading(config: ClusterConfig): readonly string[] {
  const { witness, voters, sites, lease, replication } = config;
  const third = {
    route53: 'a TXT record in Route 53',
    agent: 'an agent on a third host',
    none: "none: a lost primary's site waits for a person",
  }[witness.kind];
  return [
    `Cluster ${config.cluster}: site1 in ${sites.site1.region}, site2 in ${sites.site2.region}`,
    `  votes      ${voters.join(', ')}; two are a majority${voters.length === 2 ? ' (both are needed)' : ''}`,
    `  witness    ${third}`,
    `  lease      ${s(lease.ttlMs)}${witness.kind === 'route53' ? `, ${s(lease.witnessTtlMs)} with the register` : ''}, renewed every ${s(lease.renewEveryMs)}`,
    `  writes     ${{ async: 'do not wait for the standby', 'zero-loss': 'wait for the standby; without one they go on once that is recorded', 'zero-loss-strict': 'wait for the standby, for as long as it takes' }[replication]}`,
    `  policy     crash: ${config.policy.onCrash}; standby at most ${formatSize(config.policy.maxLagBytes)} behind; cool-down ${s(config.policy.coolDownMs)}`,
  ];
}

function timelineLines({ title, phases }: Timeline): readonly string[] {
  let passed = 0;
  const lines = phases.map((phase) => {
    passed += phase.ms;
    return `  ${s(passed).padStart(7)}  ${phase.what} (+${s(phase.ms)}: ${phase.because})`;
  });
  return [`${title}: at worst ${s(passed)}`, ...lines];
}

/** From the failure to the first accepted write, one fault at a time, no long round within the last witnessTtl. */
export function failoverTimelines(config: ClusterConfig): readonly Timeline[] {
  const { lease, probe, witness } = config;
  const released: Phase = {
    what: 'its guard has seen the crash, killed what was left and released the lease',
    ms: lease.renewEveryMs + lease.roundTripMs,
    because: `renewEvery ${s(lease.renewEveryMs)} + roundTrip ${s(lease.roundTripMs)}`,
  };
  const agreed = trips('both agents accepted the new primary', 2, lease.roundTripMs);
  const granted = trips('its guard holds a lease', 1, lease.roundTripMs);
  const promoted: Phase = { what: 'promoted, writable', ms: PROMOTE_MS, because: 'measured 0.14s, allowed for 0.5s' };
  const crash = { title: 'PostgreSQL crashes, its host lives', phases: [released, agreed, granted, promoted] };
  const confirmed: Phase = {
    what: 'confirmed by both agents',
    ms: probe.confirm * probe.everyMs + probe.deadlineMs,
    because: `confirm ${probe.confirm} x every ${s(probe.everyMs)} + deadline ${s(probe.deadlineMs)}`,
  };
  const binding = bindingMs(lease.ttlMs, lease.drift);
  const runOut: Phase = {
    what: 'its lease has run out at every voter',
    ms: Math.max(0, binding - confirmed.ms),
    because: `ttl ${s(lease.ttlMs)} x (1 + drift ${lease.drift}) + clock ${s(clockGrainMs)} = ${s(binding)} after the last renewal`,
  };
  const host = { title: 'The database host is lost', phases: [confirmed, runOut, agreed, granted, promoted] };
  if (witness.kind === 'none') return [crash, host];
  return [crash, host, siteTimeline(config, [confirmed, runOut], promoted), ...entryTimeline(config, confirmed)];
}

function siteTimeline({ lease, witness }: ClusterConfig, before: readonly Phase[], promoted: Phase): Timeline {
  const title = 'The whole site is lost';
  if (witness.kind === 'agent') {
    const agreed = trips('the other agent and the witness accepted the new primary', 2, lease.roundTripMs);
    return { title, phases: [...before, agreed, trips('its guard holds a lease', 2, lease.roundTripMs), promoted] };
  }
  const legs = (what: string): Phase => ({
    what,
    ms: 2 * lease.registerLegMs,
    because: `2 registerLeg ${s(lease.registerLegMs)}`,
  });
  return {
    title,
    phases: [...before, legs('the register holds the new primary'), legs('its guard holds a long lease'), promoted],
  };
}

function entryTimeline({ dns, lease }: ClusterConfig, confirmed: Phase): readonly Timeline[] {
  if (dns.kind === 'none') return [];
  const changed: Phase = {
    what: 'the change of the name is accepted',
    ms: 2 * lease.roundTripMs + lease.registerLegMs,
    because: `2 roundTrip ${s(lease.roundTripMs)} + registerLeg ${s(lease.registerLegMs)}`,
  };
  const known: Phase = {
    what: 'resolvers have asked again',
    ms: dns.ttlSeconds * 1000,
    because: 'dns.ttl, once INSYNC',
  };
  return [
    { title: 'A service host is lost (the entry moves, the database stays)', phases: [confirmed, changed, known] },
  ];
}

/** Zero-loss mode (V8): from the loss of the standby to the first write that does not wait for it. */
function stallTimelines(config: ClusterConfig): readonly Timeline[] {
  const { lease, probe, witness, replication } = config;
  if (replication !== 'zero-loss') return [];
  const patience = probe.confirm * probe.everyMs;
  const seen: Phase = {
    what: 'the guard has seen that it does not keep up',
    ms: lease.renewEveryMs + patience,
    because: `renewEvery ${s(lease.renewEveryMs)} + confirm ${probe.confirm} x every ${s(probe.everyMs)}`,
  };
  const loaded: Phase = {
    what: 'PostgreSQL has let go of what waited',
    ms: LOADED_MS,
    because: 'measured 0.05s, allowed for 0.5s',
  };
  const asked = trips('the question was answered: sync: false is chosen', 3, lease.roundTripMs);
  const database: Timeline = { title: 'Writes stall when the standby is lost', phases: [seen, asked, loaded] };
  if (witness.kind !== 'route53') return [database];
  // Q9: the register is left to the lease first.
  const missed: Phase = {
    what: 'the register may be written (Q9)',
    ms: Math.max(0, lease.ttlMs - patience),
    because: `ttl ${s(lease.ttlMs)} after quiet rounds began to be missed`,
  };
  const chosen: Phase = {
    what: 'sync: false is chosen with the register',
    ms: 1000 + 2 * lease.registerLegMs,
    because: `tried every 1s; 2 registerLeg ${s(lease.registerLegMs)}`,
  };
  return [
    database,
    { title: "Writes stall when the standby's whole site is lost", phases: [seen, missed, chosen, loaded] },
  ];
}

function trips(what: string, count: number, roundTripMs: number): Phase {
  return { what, ms: count * roundTripMs, because: `${count} roundTrip ${s(roundTripMs)}` };
}

function waits({ lease, policy, order }: ClusterConfig): readonly string[] {
  const longest = bindingMs(lease.witnessTtlMs, lease.drift);
  return [
    'What may stand in the way of a change',
    `  ${s(longest)} after the start of an agent or guard, or after a long round: the longest promise`,
    `  ${s(policy.coolDownMs)} after a change of primary, ${s(policy.entryCoolDownMs)} after one of the entry: the cool-down (orders ignore it)`,
    `  ${s(order.timeoutMs)}: an order that has not come to its end is undone`,
  ];
}

function replicationLine(replication: ClusterConfig['replication'], maxLagBytes: number): string {
  if (replication === 'async')
    return `replication is asynchronous: what the standby had not received when the primary died is lost, up to ${formatSize(maxLagBytes)} without a question`;
  const waits =
    'sessions that set synchronous_commit below on do not wait, and reads may see a write that is still in doubt';
  return replication === 'zero-loss'
    ? `zero-loss: while the record says sync: false a lost primary waits for a person; ${waits}`
    : `zero-loss-strict: without a standby nothing is written; ${waits}`;
}

function notGuaranteed({ witness, dns, lease, policy, replication }: ClusterConfig): readonly string[] {
  const lines = [
    replicationLine(replication, policy.maxLagBytes),
    'two faults at once: then nothing is promoted until one is mended or a person forces it; no two databases write in any case',
    `clocks: the leases are safe while no machine's clock runs more than ${Math.round(lease.drift * 1000) / 10} % faster than another's (limit the time service, chrony: maxslewrate 20000, or drift: 0.2)`,
    'a host so starved of CPU that its guard or fuse does not run for longer than fuseBudget',
    "how long applications take to hold, switch and retry: that is the application's own limit",
  ];
  if (dns.kind === 'route53')
    lines.push('how long Route 53 takes to INSYNC (60 s as a rule), and resolvers that keep a name beyond its ttl');
  if (witness.kind === 'route53')
    lines.push('Route 53 slower than registerLeg: that is a lost witness, harmless alone');
  if (witness.kind === 'none') lines.push("the loss of the primary's whole site: failover --force by a person");
  if (witness.kind === 'none' && replication === 'zero-loss')
    lines.push(
      "the loss of the standby's whole site: nobody is left to record it with, so writes stall until it is back",
    );
  return ['What is not guaranteed', ...lines.map((line) => `  - ${line}`)];
}
