/** The state of the world by independent looks: databases through their own sockets, files, HAProxy, DNS, both agents. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { AgentStatus } from '../../../../src/core/agent/status.ts';
import { agentOf } from '../../../../src/core/site.ts';
import type { Lab } from '../../src/lab.ts';
import { OPERATOR } from '../../src/secrets.ts';
import type { SiteName } from '../../src/topology.ts';
import { ADDRESSES, ENTRY_NAME, INSTANCES, SITES, ZONE_DNS } from '../../src/topology.ts';
import { eyesOf } from './eyes.ts';
import type { Missing } from './wait.ts';
import { until } from './wait.ts';

const LOOK_MS = 2_500;

export type BySite<T> = Readonly<{ site1: T; site2: T }>;

async function bySite<T>(look: (site: SiteName) => Promise<T>): Promise<BySite<T>> {
  const [site1, site2] = await Promise.all([look('site1'), look('site2')]);
  return { site1, site2 };
}

export type ClusterRecord = NonNullable<AgentStatus['record']>;

/** What the agent of a site says of everything, asked on its own host; null when it does not answer. */
export async function agent(lab: Lab, site: SiteName): Promise<AgentStatus | null> {
  const etc = join(lab.paths.disk(`${site}-svc`), 'etc/siteward');
  const question = { kind: 'agent', etc, operator: OPERATOR, peer: agentOf(site), timeoutMs: LOOK_MS } as const;
  const seen = await eyesOf(lab).ask<AgentStatus | null>(`${site}-svc`, question);
  return 'value' in seen ? seen.value : null;
}

export const agents = (lab: Lab): Promise<BySite<AgentStatus | null>> => bySite((site) => agent(lab, site));

/** The latest record that an agent knows. */
export async function record(lab: Lab): Promise<ClusterRecord> {
  let found: ClusterRecord | undefined;
  await until('an agent says the record', 30_000, async () => {
    const both = await agents(lab);
    const records = SITES.flatMap((site) => both[site]?.record ?? []);
    found = records.toSorted((a, b) => b.epoch - a.epoch)[0];
    return found === undefined ? 'no agent knows a record' : undefined;
  });
  return found as ClusterRecord;
}

export interface DatabaseState {
  /** Null when it does not answer. */
  readonly inRecovery: boolean | null;
  readonly writable: boolean | null;
  /** By its own row of siteward.cluster. */
  readonly epoch: number | null;
  readonly detail: string | null;
}

const DATABASE_QUERY = `
  SELECT pg_is_in_recovery() AS recovery, current_setting('transaction_read_only') AS "readOnly",
         (SELECT epoch::int FROM siteward.cluster LIMIT 1) AS epoch`;

/** Through its own socket, as its superuser: no cut and no balancer is in between. */
export async function database(lab: Lab, site: SiteName): Promise<DatabaseState> {
  if (!lab.isOn(`${site}-db`)) return { inRecovery: null, writable: null, epoch: null, detail: 'host is off' };
  const socketDirectory = `/opt/sockets/${site}-db`;
  const base = { kind: 'sql', socketDirectory, database: 'revolutdb', timeoutMs: 1_500 } as const;
  type Row = { readonly recovery: boolean; readonly readOnly: string; readonly epoch: number | null };
  const seen = await eyesOf(lab).ask<Row>('client', { ...base, query: DATABASE_QUERY });
  if ('error' in seen) return { inRecovery: null, writable: null, epoch: null, detail: seen.error };
  const { recovery, readOnly, epoch } = seen.value;
  return { inRecovery: recovery, writable: !recovery && readOnly === 'off', epoch, detail: null };
}

export const databases = (lab: Lab): Promise<BySite<DatabaseState>> => bySite((site) => database(lab, site));

/** The address in the .env of a site's application host, as it lies on its disk. */
export function envAddress(lab: Lab, site: SiteName): string | null {
  try {
    const text = readFileSync(join(lab.paths.disk(`${site}-app`), 'srv/birthday/.env'), 'utf8');
    return /^dbhost=(.+)$/m.exec(text)?.[1] ?? null;
  } catch {
    return null;
  }
}

interface Readiness {
  readonly instance: string;
  readonly status: number | null;
  readonly state?: string;
  readonly writable?: boolean | null;
  readonly database?: { readonly host?: string };
  readonly epoch?: { readonly epoch?: number } | null;
}

/** What each instance of a site says of itself, asked on its own host. */
export function instances(lab: Lab, site: SiteName): Promise<readonly Readiness[]> {
  const host = `${site}-app` as const;
  return Promise.all(
    INSTANCES.map(async (port): Promise<Readiness> => {
      const url = `http://${ADDRESSES[host]}:${port}/readyz`;
      const seen = await eyesOf(lab).ask<HttpAnswer>(host, { kind: 'http', url, headers: {}, timeoutMs: LOOK_MS });
      const instance = `${host}:${port}`;
      if ('error' in seen) return { instance, status: null };
      return { ...(parse(seen.value.body) as object), instance, status: seen.value.status };
    }),
  );
}

interface HttpAnswer {
  readonly status: number;
  readonly body: string;
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return {};
  }
}

/** An instance of a site's application host that serves from another database than the primary's (I8). */
export async function servingElsewhere(lab: Lab, site: SiteName, primary: SiteName): Promise<Missing> {
  const address = ADDRESSES[`${primary}-db`];
  const wrong = (await instances(lab, site)).find(
    (each) => each.state === 'serving' && each.database?.host !== address,
  );
  return wrong === undefined ? undefined : `${wrong.instance} serves from ${wrong.database?.host}`;
}

/** Servers of a site's HAProxy that take traffic, by its own statistics; null when it does not answer. */
async function serversUp(lab: Lab, site: SiteName): Promise<readonly string[] | null> {
  const host = `${site}-svc` as const;
  const file = join(lab.paths.disk(host), 'etc/siteward/secrets/haproxy.password');
  const login = Buffer.from(`siteward:${readFileSync(file, 'utf8').trim()}`).toString('base64');
  const headers = { Authorization: `Basic ${login}` };
  const question = { kind: 'http', url: 'http://127.0.0.1:81/stats;csv', headers, timeoutMs: LOOK_MS } as const;
  const seen = await eyesOf(lab).ask<HttpAnswer>(host, question);
  if ('error' in seen) return null;
  const rows = seen.value.body.split('\n').map((line) => line.split(','));
  const servers = rows.filter(([, name]) => name !== undefined && /^site[12]-app/.test(name));
  return servers.filter((row) => (row[17] ?? '').startsWith('UP')).map((row) => row[1] ?? '');
}

async function resolved(lab: Lab): Promise<readonly string[]> {
  const question = { kind: 'dns', server: ZONE_DNS, name: ENTRY_NAME, timeoutMs: LOOK_MS } as const;
  const seen = await eyesOf(lab).ask<readonly string[]>('client', question);
  return 'value' in seen ? seen.value : [];
}

export interface Wanted {
  readonly primary?: SiteName;
  readonly entry?: SiteName;
  readonly epoch?: number;
  /** Also that the other database follows and may take over, when its host is on. Default: true. */
  readonly standby?: boolean;
}

/** One site writes, and record, databases, .env files, instances, HAProxies and DNS all say so; else what does not. */
export async function disagreement(lab: Lab, wanted: Wanted = {}): Promise<Missing> {
  const both = await agents(lab);
  const known = SITES.flatMap((site) => both[site] ?? []);
  const service = SITES.filter((site) => lab.isOn(`${site}-svc`));
  if (known.length < service.length) return `${known.length} of ${service.length} agents answer`;
  const records = known.map((status) => status.record);
  const agreed = records[0];
  if (agreed === null || agreed === undefined) return 'an agent knows no record';
  return (
    recordsAgainst(records, wanted) ??
    (await databasesAgainst(lab, agreed)) ??
    (await applicationsAgainst(lab, agreed)) ??
    (await balancersAgainst(lab)) ??
    (await dnsAgainst(lab, agreed.entry)) ??
    (wanted.standby === false ? undefined : standbyAgainst(lab, agreed.primary, known))
  );
}

const showRecord = (r: ClusterRecord | null) =>
  r === null ? 'none' : `epoch ${r.epoch}, primary ${r.primary}, entry ${r.entry}`;

function recordsAgainst(records: readonly (ClusterRecord | null)[], wanted: Wanted): Missing {
  const [first] = records;
  const said = [...new Set(records.map(showRecord))];
  if (first === null || first === undefined || said.length > 1) return `the agents' records: ${said.join(' and ')}`;
  for (const key of ['primary', 'entry', 'epoch'] as const)
    if (wanted[key] !== undefined && first[key] !== wanted[key]) return `${said[0]}, not ${key} ${wanted[key]}`;
  return undefined;
}

async function databasesAgainst(lab: Lab, { primary, epoch }: ClusterRecord): Promise<Missing> {
  const both = await databases(lab);
  const writable = SITES.filter((site) => both[site].writable === true);
  if (writable.length !== 1 || writable[0] !== primary)
    return `writable: ${writable.join(' and ') || 'no database'}, the record says ${primary} (${both[primary].detail ?? 'it answers'})`;
  const own = both[primary].epoch;
  return own === epoch ? undefined : `${primary}'s database says epoch ${own}, the record ${epoch}`;
}

async function applicationsAgainst(lab: Lab, { primary, epoch }: ClusterRecord): Promise<Missing> {
  const address = ADDRESSES[`${primary}-db`];
  for (const site of SITES.filter((each) => lab.isOn(`${each}-app`))) {
    const active = envAddress(lab, site);
    if (active !== address) return `.env at ${site} names ${active}, not ${primary}'s database`;
    for (const instance of await instances(lab, site)) {
      const wrong = instanceAgainst(instance, address, epoch);
      if (wrong !== undefined) return `instance ${instance.instance} ${wrong}`;
    }
  }
  return undefined;
}

function instanceAgainst(instance: Readiness, address: string, epoch: number): Missing {
  const { status, state, writable } = instance;
  if (status !== 200) return `answers ${status ?? 'nothing'}`;
  if (instance.database?.host !== address) return `is on ${instance.database?.host}`;
  if (instance.epoch?.epoch !== epoch) return `is on epoch ${instance.epoch?.epoch}, not ${epoch}`;
  return state === 'serving' && writable === true ? undefined : `is ${state}`;
}

async function balancersAgainst(lab: Lab): Promise<Missing> {
  const expected = 3 * SITES.filter((site) => lab.isOn(`${site}-app`)).length;
  for (const site of SITES.filter((each) => lab.isOn(`${each}-svc`))) {
    const up = await serversUp(lab, site);
    if (up?.length !== expected) return `${site}'s HAProxy has ${up?.length ?? 'no'} of ${expected} servers up`;
  }
  return undefined;
}

async function dnsAgainst(lab: Lab, entry: SiteName): Promise<Missing> {
  const wanted = ADDRESSES[`${entry}-svc`];
  const found = await resolved(lab);
  if (found.length === 1 && found[0] === wanted) return undefined;
  return `the name resolves to ${found.join(' ') || 'nothing'}, not to ${entry}'s ${wanted}`;
}

function standbyAgainst(lab: Lab, primary: SiteName, known: readonly AgentStatus[]): Missing {
  const standby = SITES.find((site) => site !== primary);
  if (standby === undefined || !lab.isOn(`${standby}-db`)) return undefined;
  const unfit = known.find((status) => !status.standby.mayTakeOver);
  return unfit === undefined ? undefined : `${standby} may not take over: ${unfit.standby.why}`;
}

/** Waits until all agree, then has the command line say so as well. */
export async function agreement(lab: Lab, wanted: Wanted, deadlineMs: number): Promise<number> {
  const parts = [
    wanted.primary === undefined ? 'one site writes' : `${wanted.primary} writes`,
    wanted.epoch === undefined ? '' : ` in epoch ${wanted.epoch}`,
    wanted.entry === undefined ? '' : `, entry ${wanted.entry}`,
  ];
  const what = `${parts.join('')}, and record, databases, .env, instances, HAProxy and DNS agree`;
  const tookMs = await until(what, deadlineMs, () => disagreement(lab, wanted), 250);
  await until('siteward status --json says the same', 45_000, () => commandLineAgainst(lab, wanted));
  return tookMs;
}

async function commandLineAgainst(lab: Lab, wanted: Wanted): Promise<Missing> {
  const site = SITES.find((each) => lab.isOn(`${each}-svc`));
  if (site === undefined) return 'no service host is on';
  const { stdout } = await lab.exec(`${site}-svc`, ['siteward', 'status', '--json'], { timeoutMs: 20_000 });
  type Document = { readonly agents?: Readonly<Record<SiteName, Partial<AgentStatus>>> };
  const document = parse(stdout) as Document;
  const records = SITES.flatMap((each) => document.agents?.[each]?.record ?? []);
  return records.length === 0 ? 'it knows no record' : recordsAgainst(records, wanted);
}
