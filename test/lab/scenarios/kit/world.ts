/** The state of the world by independent looks: databases through their own sockets, files, HAProxy, DNS, both agents. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { AgentStatus } from '../../../../src/core/agent/status.ts';
import { httpSend } from '../../src/http.ts';
import type { Lab } from '../../src/lab.ts';
import type { DatabaseStatus, InstanceStatus, LabStatus } from '../../src/status.ts';
import { agentStatus, databaseStatus, labStatus } from '../../src/status.ts';
import type { SiteName } from '../../src/topology.ts';
import { ADDRESSES, INSTANCES, SITES } from '../../src/topology.ts';
import type { Missing } from './wait.ts';
import { until } from './wait.ts';

/** What `siteward status --json` prints. */
interface StatusDocument {
  readonly agents: Readonly<Record<SiteName, AgentStatus | { readonly why: string }>>;
}

/** Each agent's own status, asked on its own host; null where it does not answer. */
export async function agents(lab: Lab): Promise<Readonly<Record<SiteName, AgentStatus | null>>> {
  const [site1, site2] = await Promise.all(SITES.map((site) => agent(lab, site)));
  return { site1: site1 ?? null, site2: site2 ?? null };
}

export async function agent(lab: Lab, site: SiteName): Promise<AgentStatus | null> {
  return ofDocument((await agentStatus(lab.paths, site)) as StatusDocument | null, site);
}

function ofDocument(document: StatusDocument | null, site: SiteName): AgentStatus | null {
  const answer = document?.agents?.[site];
  return answer === undefined || 'why' in answer ? null : answer;
}

/** The record as the agents that answer know it, the latest first. */
export async function record(lab: Lab): Promise<NonNullable<AgentStatus['record']>> {
  let found: AgentStatus['record'] = null;
  await until('an agent says the record', 10_000, async () => {
    const both = Object.values(await agents(lab)).flatMap((status) => (status?.record ? [status.record] : []));
    found = both.toSorted((a, b) => b.epoch - a.epoch)[0] ?? null;
    return found === null ? 'no agent knows a record' : undefined;
  });
  return found as unknown as NonNullable<AgentStatus['record']>;
}

export async function databases(lab: Lab): Promise<Readonly<Record<SiteName, DatabaseStatus>>> {
  const [site1, site2] = await Promise.all([databaseStatus(lab.paths, 'site1'), databaseStatus(lab.paths, 'site2')]);
  return { site1, site2 };
}

/** The address in the .env of a site's application host, as it lies on its disk. */
export function envAddress(lab: Lab, site: SiteName): string | null {
  try {
    const text = readFileSync(join(lab.paths.disk(`${site}-app`), 'srv/birthday/.env'), 'utf8');
    return /^dbhost=(.+)$/m.exec(text)?.[1] ?? null;
  } catch {
    return null;
  }
}

export interface Wanted {
  readonly primary?: SiteName;
  readonly entry?: SiteName;
  readonly epoch?: number;
  /** Also that the other database follows and may take over. Default: when its host is on. */
  readonly standby?: boolean;
}

/** One site writes, and record, databases, .env files, instances, HAProxies and DNS all say so. */
export async function disagreement(lab: Lab, wanted: Wanted = {}): Promise<Missing> {
  const world = await labStatus(lab);
  const known = SITES.flatMap((site) => {
    const status = ofDocument(world.agents[site] as StatusDocument | null, site);
    return status === null ? [] : [status];
  });
  const service = SITES.filter((site) => lab.isOn(`${site}-svc`));
  if (known.length < service.length) return `${known.length} of ${service.length} agents answer`;
  const records = known.map((status) => status.record);
  const [first] = records;
  if (first === null || first === undefined) return 'an agent knows no record';
  for (const each of records) {
    if (each === null || each.epoch !== first.epoch || each.primary !== first.primary || each.entry !== first.entry)
      return `the agents' records differ: ${records.map((r) => (r === null ? 'none' : showRecord(r))).join(' and ')}`;
  }
  const said = showRecord(first);
  if (wanted.primary !== undefined && first.primary !== wanted.primary) return `${said}, not primary ${wanted.primary}`;
  if (wanted.entry !== undefined && first.entry !== wanted.entry) return `${said}, not entry ${wanted.entry}`;
  if (wanted.epoch !== undefined && first.epoch !== wanted.epoch) return `${said}, not epoch ${wanted.epoch}`;
  return (
    databasesAgainst(world, first) ??
    applicationsAgainst(lab, world, first) ??
    balancersAgainst(lab, world) ??
    dnsAgainst(world, first.entry) ??
    (wanted.standby === false ? undefined : standbyAgainst(lab, first.primary, known))
  );
}

type Agreed = NonNullable<AgentStatus['record']>;

const showRecord = (r: Agreed) => `epoch ${r.epoch}, primary ${r.primary}, entry ${r.entry}`;

function databasesAgainst(world: LabStatus, { primary, epoch }: Agreed): Missing {
  const writable = SITES.filter((site) => world.databases[site].writable === true);
  if (writable.length !== 1 || writable[0] !== primary)
    return `writable: ${writable.join(' and ') || 'no database'}, the record says ${primary}`;
  const own = world.databases[primary].epoch;
  return own === epoch ? undefined : `${primary}'s database says epoch ${own}, the record ${epoch}`;
}

function applicationsAgainst(lab: Lab, world: LabStatus, { primary, epoch }: Agreed): Missing {
  const address = ADDRESSES[`${primary}-db`];
  for (const site of SITES.filter((each) => lab.isOn(`${each}-app`))) {
    const active = envAddress(lab, site);
    if (active !== address) return `.env at ${site} names ${active}, not ${primary}'s database`;
  }
  for (const instance of world.instances) {
    if (!SITES.some((site) => instance.instance.startsWith(`${site}-app`) && lab.isOn(`${site}-app`))) continue;
    const wrong = instanceAgainst(instance, address, epoch);
    if (wrong !== undefined) return `instance ${instance.instance} ${wrong}`;
  }
  return undefined;
}

interface Readiness {
  readonly state?: string;
  readonly writable?: boolean | null;
  readonly database?: { readonly host?: string };
  readonly epoch?: { readonly epoch?: number } | null;
}

function instanceAgainst({ status, body }: InstanceStatus, address: string, epoch: number): Missing {
  if (status !== 200 || typeof body !== 'object' || body === null) return `answers ${status ?? 'nothing'}`;
  const { state, writable, database, epoch: own } = body as Readiness;
  if (database?.host !== address) return `is on ${database?.host}`;
  if (own?.epoch !== epoch) return `is on epoch ${own?.epoch}, not ${epoch}`;
  return state === 'serving' && writable === true ? undefined : `is ${state}`;
}

function balancersAgainst(lab: Lab, world: LabStatus): Missing {
  const expected = 3 * SITES.filter((site) => lab.isOn(`${site}-app`)).length;
  for (const site of SITES.filter((each) => lab.isOn(`${each}-svc`))) {
    const up = world.balancers[site]?.up.length ?? 0;
    if (up !== expected) return `${site}'s HAProxy has ${up} of ${expected} servers up`;
  }
  return undefined;
}

function dnsAgainst(world: LabStatus, entry: SiteName): Missing {
  const wanted = ADDRESSES[`${entry}-svc`];
  return world.entry.length === 1 && world.entry[0] === wanted
    ? undefined
    : `the name resolves to ${world.entry.join(' ') || 'nothing'}, not to ${entry}'s ${wanted}`;
}

function standbyAgainst(lab: Lab, primary: SiteName, known: readonly AgentStatus[]): Missing {
  const standby = SITES.find((site) => site !== primary);
  if (standby === undefined || !lab.isOn(`${standby}-db`)) return undefined;
  const unfit = known.find((status) => !status.standby.mayTakeOver);
  return unfit === undefined ? undefined : `${standby} may not take over: ${unfit.standby.why}`;
}

/** An instance of a site's application host that serves from another database than the primary's (I8). */
export async function servingElsewhere(lab: Lab, site: SiteName, primary: SiteName): Promise<Missing> {
  const address = ADDRESSES[`${primary}-db`];
  const host = `${site}-app` as const;
  for (const port of INSTANCES) {
    const answer = await httpSend(lab.paths, host, { url: `http://${ADDRESSES[host]}:${port}/readyz` });
    const { state, database } = JSON.parse(answer?.body || '{}') as Readiness;
    if (state === 'serving' && database?.host !== address) return `${host}:${port} serves from ${database?.host}`;
  }
  return undefined;
}

export function agreement(lab: Lab, wanted: Wanted, deadlineMs: number): Promise<number> {
  const parts = [
    wanted.primary === undefined ? 'one site writes' : `${wanted.primary} writes`,
    wanted.epoch === undefined ? '' : ` in epoch ${wanted.epoch}`,
    wanted.entry === undefined ? '' : `, entry ${wanted.entry}`,
  ];
  const what = `${parts.join('')}, and record, databases, .env, instances, HAProxy and DNS agree`;
  return until(what, deadlineMs, () => disagreement(lab, wanted), 300);
}
