/**
 * What must hold between several keys. Each rule is a function that answers with findings; `refused` ones make the file
 * bad, `warned` ones are said and allowed.
 */
import { type ClusterConfig, listHosts } from './cluster.ts';
import { didYouMean, type Finding } from './problem.ts';
import type { ClusterFile } from './schema.ts';
import { formatSum, sumTotal, timingSums } from './sums.ts';
import { formatDuration } from './units.ts';

type Rule = (config: ClusterConfig, file: ClusterFile) => readonly Finding[];

export function checkRules(config: ClusterConfig, file: ClusterFile) {
  const ask = (rules: readonly Rule[]) => rules.flatMap((rule) => rule(config, file));
  return { refused: ask(REFUSED), warned: ask(WARNED) };
}

/** AWS's control plane of Route 53 lives there (W5). */
const ROUTE53_REGION = 'us-east-1';

const timings: Rule = (config) =>
  timingSums(config)
    .filter((sum) => !sum.holds)
    .map((sum) => ({
      path: sum.limit.key.split('.'),
      problem: `is too short (${sum.id}) for this to be sure: ${sum.why}`,
      sum: formatSum(sum),
      instead: `${lastName(sum.limit.key)}: ${formatDuration(roomy(sumTotal(sum)))}, or a smaller term of the sum`,
    }));

function lastName(key: string): string {
  return key.slice(key.lastIndexOf('.') + 1);
}

/** The next half second (for short ones: twentieth) above the sum. */
function roomy(ms: number): number {
  const step = ms >= 1000 ? 500 : 50;
  return (Math.floor(ms / step) + 1) * step;
}

const witnessFarFromSites: Rule = ({ sites, witness }) =>
  (['site1', 'site2'] as const)
    .filter((site) => witness.kind === 'route53' && sites[site].region === ROUTE53_REGION)
    .map((site) => ({
      path: ['sites', site, 'region'],
      problem: `${ROUTE53_REGION} and a route53 witness (W5): Route 53 is changed in ${ROUTE53_REGION} alone, so losing that region loses two of three votes`,
      instead: `another region for ${site}; or witness.kind: agent on a host in a third place; or witness.kind: none, then a lost primary's site waits for a person`,
    }));

const witnessSections: Rule = (_config, { witness, keys }) => {
  const { kind } = witness;
  const findings: Finding[] = [];
  for (const section of ['route53', 'agent'] as const) {
    if (kind === section && witness[section] === undefined) {
      findings.push({
        path: ['witness', section],
        problem: `is missing: witness.kind is ${kind}`,
        instead: section === 'agent' ? 'agent: with host, address' : 'route53: with hostedZoneId, name',
      });
    }
    if (kind !== section && witness[section] !== undefined) {
      findings.push({
        path: ['witness', section],
        problem: `has no meaning: witness.kind is ${kind}`,
        instead: `remove it, or witness.kind: ${section}`,
      });
    }
  }
  if (kind === 'agent' && keys.witness === undefined) {
    findings.push({
      path: ['keys', 'witness'],
      problem: 'is missing: the witness is an agent and needs a pinned key',
      instead: "witness: [its pin], as its host's `siteward keys` prints it",
    });
  }
  return findings;
};

const dnsSection: Rule = (config, { dns, witness }) => {
  const findings: Finding[] = [];
  if (dns.kind === 'route53' && dns.route53 === undefined) {
    findings.push({
      path: ['dns', 'route53'],
      problem: 'is missing: dns.kind is route53',
      instead: 'route53: with hostedZoneId, name; or dns.kind: none',
    });
  }
  if (dns.kind === 'none' && dns.route53 !== undefined) {
    findings.push({
      path: ['dns', 'route53'],
      problem: 'has no meaning: dns.kind is none',
      instead: 'remove it, or dns.kind: route53',
    });
  }
  if (dns.ttl % 1000 !== 0) {
    findings.push({ path: ['dns', 'ttl'], problem: 'DNS counts in whole seconds', instead: 'ttl: 10s' });
  }
  // Q9: a busy zone would make the register slower still, and PriorRequestNotComplete is no answer.
  if (
    dns.kind === 'route53' &&
    dns.route53 !== undefined &&
    dns.route53.hostedZoneId === witness.route53?.hostedZoneId
  ) {
    findings.push({
      path: ['witness', 'route53', 'hostedZoneId'],
      problem: 'is the zone of the public name: the witness has a zone of its own (Q9)',
      instead: 'the id of a zone that holds nothing else',
    });
  }
  if (config.dns.kind === 'route53') {
    for (const [site, address] of Object.entries(config.dns.addresses)) {
      if (!address.includes(':')) continue;
      findings.push({
        path: ['dns', 'addresses', site],
        problem: `${JSON.stringify(address)} does not fit into an A record`,
        instead: `${site}: an IPv4 address`,
      });
    }
  }
  return findings;
};

const reloadSection: Rule = (_config, { applications: { reload } }) => {
  const findings: Finding[] = [];
  const path = ['applications', 'reload'];
  if (reload.kind === 'command' && reload.command === undefined) {
    const problem = 'is missing: applications.reload.kind is command';
    findings.push({ path: [...path, 'command'], problem, instead: 'command: the program and its arguments' });
  }
  const unused = reload.kind === 'command' ? 'pidFile' : 'command';
  if (reload[unused] !== undefined) {
    const other = reload.kind === 'command' ? 'sighup' : 'command';
    const problem = `has no meaning: applications.reload.kind is ${reload.kind}`;
    findings.push({ path: [...path, unused], problem, instead: `remove it, or kind: ${other}` });
  }
  return findings;
};

/** Two parts on one host or address would fall together, and the daemons' ports would collide. */
const hostsDistinct: Rule = (config) => {
  const findings: Finding[] = [];
  const seen = new Map<string, string>();
  for (const entry of listHosts(config)) {
    if (entry.host.host === '') continue;
    const path = entry.part === 'witness' ? ['witness', 'agent'] : ['sites', entry.site, entry.part];
    for (const field of ['host', 'address'] as const) {
      const value = entry.host[field];
      const earlier = seen.get(value);
      if (earlier === undefined) seen.set(value, [...path, field].join('.'));
      else {
        findings.push({
          path: [...path, field],
          problem: `${JSON.stringify(value)} is ${earlier} already: each part has a host of its own`,
          instead: `${field}: the ${field} of another host`,
        });
      }
    }
  }
  return findings;
};

const hostKeysComplete: Rule = ({ sites, ssh }) => {
  const wanted = (['site1', 'site2'] as const).flatMap((site) => [
    sites[site].application.host,
    sites[site].database.host,
  ]);
  const pinned = Object.keys(ssh.hostKeys);
  const missing = wanted.filter((host) => !pinned.includes(host));
  const unknown = pinned.filter((host) => !wanted.includes(host));
  return [
    ...unknown.map((host) => ({
      path: ['ssh', 'hostKeys', host],
      problem: `${host} is no application or database host of this file`,
      instead: didYouMean(host, missing) ?? `one of ${wanted.join(', ')}; or remove it`,
    })),
    ...missing.map((host) => ({
      path: ['ssh', 'hostKeys', host],
      problem: `is missing: the host key of ${host} is not pinned`,
      instead: `${host}: [SHA256:...], as ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub prints it there`,
    })),
  ];
};

/** A key that two names share would let one speak as the other. */
const pinsDistinct: Rule = (_config, { keys }) => {
  const { directory: _directory, operators, ...peers } = keys;
  const findings: Finding[] = [];
  const seen = new Map<string, string>();
  const named = [
    ...Object.entries(peers).map(([name, pins]) => ({ path: ['keys', name], pins: pins ?? [] })),
    ...Object.entries(operators).map(([name, pins]) => ({ path: ['keys', 'operators', name], pins })),
  ];
  for (const { path, pins } of named) {
    for (const pin of pins) {
      const earlier = seen.get(pin);
      if (earlier === undefined) seen.set(pin, path.join('.'));
      else {
        findings.push({
          path,
          problem: `the pin ${pin.slice(0, 8)}... is ${earlier}'s already`,
          instead: 'a key of its own for each name',
        });
      }
    }
  }
  return findings;
};

/** Its key would lie where the daemon's own lies. */
const operatorsNamed: Rule = (_config, { keys }) => {
  const { directory: _directory, operators, ...peers } = keys;
  const daemons = [...Object.keys(peers), 'witness'];
  return Object.keys(operators)
    .filter((name) => daemons.includes(name))
    .map((name) => ({
      path: ['keys', 'operators', name],
      problem: `${name} is the name of a daemon, whose key is ${name}.key`,
      instead: "another name, a person's",
    }));
};

const portsDistinct: Rule = ({ ports, haproxy, sites }) => {
  const listeners: readonly (readonly [readonly string[], number])[] = [
    [['ports', 'metrics'], ports.metrics],
    [['ports', 'agent'], ports.agent],
    [['ports', 'guard'], ports.guard],
    [['haproxy', 'servicePort'], haproxy.servicePort],
    [['haproxy', 'statistics', 'port'], haproxy.statistics.port],
  ];
  const findings: Finding[] = [];
  const seen = new Map<number, string>();
  for (const [path, port] of listeners) {
    const earlier = seen.get(port);
    if (earlier === undefined) seen.set(port, path.join('.'));
    else findings.push({ path, problem: `${port} is ${earlier} already`, instead: 'a port of its own' });
  }
  for (const site of ['site1', 'site2'] as const) {
    const { instances } = sites[site].application;
    const twice = instances.find((port, index) => instances.indexOf(port) !== index);
    if (twice === undefined) continue;
    const path = ['sites', site, 'application', 'instances'];
    findings.push({ path, problem: `${twice} stands there twice`, instead: 'each port once' });
  }
  return findings;
};

/** What the agents and guards say of a part counts for 2 to 3 s (`heardForMs`, `standbyFreshMs`, `wordForMs` and others of the core). */
const LONGEST_PACE_MS = 1000;

const paces: Rule = ({ lease, probe }) =>
  [
    { path: ['lease', 'renewEvery'], ms: lease.renewEveryMs },
    { path: ['probe', 'every'], ms: probe.everyMs },
  ]
    .filter(({ ms }) => ms > LONGEST_PACE_MS)
    .map(({ path, ms }) => ({
      path,
      problem: `${formatDuration(ms)} is too seldom: what was heard of a part counts for 2 s, so a healthy one would seem silent in between`,
      instead: `${path[1]}: ${formatDuration(LONGEST_PACE_MS)}, or less`,
    }));

/** A guard remembers 32 rounds, an agent 64: more than fit between a long one and its grant at the register (L5). */
const SHORTEST_ROUND_MS = 100;
/** Who starts again accepts no other primary for so long (L4), whatever becomes of this one. */
const LONGEST_LEASE_MS = 60_000;

const leaseLengths: Rule = ({ lease }) => {
  const findings: Finding[] = [];
  if (lease.renewEveryMs < SHORTEST_ROUND_MS) {
    findings.push({
      path: ['lease', 'renewEvery'],
      problem: `${formatDuration(lease.renewEveryMs)} is too often: a slow register could not answer for a round before it is forgotten`,
      instead: `renewEvery: ${formatDuration(SHORTEST_ROUND_MS)}, or more`,
    });
  }
  for (const [key, ms] of [
    ['ttl', lease.ttlMs],
    ['witnessTtl', lease.witnessTtlMs],
  ] as const) {
    if (ms <= LONGEST_LEASE_MS) continue;
    findings.push({
      path: ['lease', key],
      problem: `${formatDuration(ms)} is too long: after a start of an agent no failover is possible for that time (L4)`,
      instead: `${key}: ${formatDuration(LONGEST_LEASE_MS)}, or less`,
    });
  }
  return findings;
};

const REFUSED: readonly Rule[] = [
  witnessSections,
  paces,
  leaseLengths,
  dnsSection,
  reloadSection,
  timings,
  witnessFarFromSites,
  hostsDistinct,
  hostKeysComplete,
  pinsDistinct,
  operatorsNamed,
  portsDistinct,
];

const sameRegion: Rule = ({ sites }) =>
  sites.site1.region !== sites.site2.region
    ? []
    : [
        {
          path: ['sites', 'site2', 'region'],
          problem: `both sites are in ${sites.site1.region}: losing it loses the service`,
          instead: 'another region for site2',
        },
      ];

const entryNeedsRegion: Rule = ({ sites, dns }) =>
  (['site1', 'site2'] as const)
    .filter((site) => dns.kind === 'route53' && sites[site].region === ROUTE53_REGION)
    .map((site) => ({
      path: ['sites', site, 'region'],
      problem: `Route 53 is changed in ${ROUTE53_REGION} alone: while that region is lost, the public name cannot be moved`,
      instead: `another region for ${site}`,
    }));

const noWitness: Rule = ({ witness }) =>
  witness.kind !== 'none'
    ? []
    : [
        {
          path: ['witness', 'kind'],
          problem: "without a witness a lost primary's site waits for a person (failover --force)",
          instead: 'kind: route53, or kind: agent on a host in a third place',
        },
      ];

/** Two clocks that chrony slews by 2 % each (maxslewrate 20000, as the roles set it) differ by 4 % and a little. */
const SAFE_DRIFT = 0.05;

const driftWithinReach: Rule = ({ lease }) =>
  lease.drift >= SAFE_DRIFT
    ? []
    : [
        {
          path: ['lease', 'drift'],
          problem: `${lease.drift} is less than two clocks may differ while a time service puts them right: a lease could end later than its voters count, and two databases write (I1)`,
          instead: `drift: ${SAFE_DRIFT}, with the time service limited to 2 % (chrony: maxslewrate 20000)`,
        },
      ];

const WARNED: readonly Rule[] = [sameRegion, entryNeedsRegion, noWitness, driftWithinReach];
