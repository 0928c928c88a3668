/** Looks at everything from outside, as a person with a shell on every host would. */

import { readFileSync } from 'node:fs';
import type { ServiceStatus } from './control.ts';
import { listServices, POSTGRES } from './control.ts';
import { execIn, initOf, insideHost } from './hosts.ts';
import { httpSend } from './http.ts';
import type { Lab } from './lab.ts';
import type { LabPaths } from './paths.ts';
import type { HostName, SiteName } from './topology.ts';
import { ADDRESSES, ENTRY_NAME, HOSTS, INSTANCES, SITES } from './topology.ts';

export interface DatabaseStatus {
  readonly running: boolean;
  readonly inRecovery: boolean | null;
  readonly writable: boolean | null;
  /** What siteward.cluster says. */
  readonly era: string | null;
  readonly epoch: number | null;
  readonly detail: string | null;
}

export interface InstanceStatus {
  readonly instance: string;
  /** HTTP status of /readyz, null when it did not answer. */
  readonly status: number | null;
  readonly body: unknown;
}

export interface LabStatus {
  readonly name: string;
  readonly witness: string;
  readonly hosts: Readonly<Record<string, { readonly on: boolean; readonly services: readonly ServiceStatus[] }>>;
  readonly cuts: readonly string[];
  readonly databases: Readonly<Record<SiteName, DatabaseStatus>>;
  readonly instances: readonly InstanceStatus[];
  /** Servers of the backend that are up, by service host. */
  readonly balancers: Readonly<
    Record<SiteName, { readonly up: readonly string[]; readonly down: readonly string[] } | null>
  >;
  readonly entry: readonly string[];
  /** `siteward status --json` of both agents, null where it does not answer. */
  readonly agents: Readonly<Record<SiteName, unknown>>;
}

const SQL =
  "SELECT pg_is_in_recovery(), current_setting('transaction_read_only'), to_regclass('siteward.cluster') IS NOT NULL";
const EPOCH_SQL = 'SELECT row_to_json(c) FROM siteward.cluster c LIMIT 1';

/** Through the host's own socket, as its superuser: what the database itself says. */
export async function databaseStatus(paths: LabPaths, site: SiteName): Promise<DatabaseStatus> {
  const host: HostName = `${site}-db`;
  const none = { running: false, inRecovery: null, writable: null, era: null, epoch: null };
  if (initOf(paths, host) === undefined) return { ...none, detail: 'host is off' };
  const process = listServices(paths, host).find((service) => service.name === POSTGRES)?.state;
  if (process !== 'running') return { ...none, running: process === 'frozen', detail: process ?? null };
  const script = `psql -XAtq -h /run/postgresql -d revolutdb -c "${SQL}" && psql -XAtq -h /run/postgresql -d revolutdb -c "${EPOCH_SQL}" 2>/dev/null; true`;
  const result = await execIn(paths, host, ['sh', '-c', script], { user: 'postgres', timeoutMs: 3_000 });
  const [line, row] = result.stdout.trim().split('\n');
  if (line === undefined || line === '') {
    const detail = result.timedOut ? 'does not answer' : result.stderr.trim().split('\n')[0] || 'no answer';
    return { ...none, running: true, detail };
  }
  const [recovery, readOnly] = line.split('|');
  const cluster = parseRow(row);
  const inRecovery = recovery === 't';
  return { running: true, inRecovery, writable: !inRecovery && readOnly === 'off', ...cluster, detail: null };
}

function parseRow(row: string | undefined): { era: string | null; epoch: number | null } {
  try {
    const parsed = JSON.parse(row ?? '') as { era_number: number; era_site: string; epoch: number };
    return { era: `${parsed.era_number}.${parsed.era_site}`, epoch: Number(parsed.epoch) };
  } catch {
    return { era: null, epoch: null };
  }
}

/** Asked on the instance's own host, so that no cut hides it. */
async function instanceStatus(paths: LabPaths, site: SiteName, port: number): Promise<InstanceStatus> {
  const host: HostName = `${site}-app`;
  const instance = `${host}:${port}`;
  if (initOf(paths, host) === undefined) return { instance, status: null, body: null };
  const answer = await httpSend(paths, host, { url: `http://${ADDRESSES[host]}:${port}/readyz` });
  return { instance, status: answer?.status ?? null, body: answer === undefined ? null : parseJson(answer.body) };
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

async function balancerStatus(paths: LabPaths, site: SiteName) {
  const host: HostName = `${site}-svc`;
  const init = initOf(paths, host);
  if (init === undefined) return null;
  const file = insideHost(init, '/etc/siteward/secrets/haproxy.password');
  const login = Buffer.from(`siteward:${readFileSync(file, 'utf8').trim()}`).toString('base64');
  const headers = { Authorization: `Basic ${login}` };
  const answer = await httpSend(paths, host, { url: 'http://127.0.0.1:81/stats;csv', headers });
  const rows = (answer?.body ?? '').split('\n').map((line) => line.split(','));
  const servers = rows.filter((row) => row[1] !== undefined && /^site[12]-app/.test(row[1]));
  if (servers.length === 0) return null;
  const isUp = (row: readonly string[]) => (row[17] ?? '').startsWith('UP');
  const names = (rowsOf: string[][]) => rowsOf.map((row) => row[1] ?? '');
  return { up: names(servers.filter(isUp)), down: names(servers.filter((row) => !isUp(row))) };
}

export async function entryAddresses(paths: LabPaths): Promise<readonly string[]> {
  if (initOf(paths, 'client') === undefined) return [];
  const dig = ['dig', '+short', '+time=1', '+tries=1', `@${ADDRESSES.zone}`, ENTRY_NAME, 'A'];
  const result = await execIn(paths, 'client', dig, { timeoutMs: 3_000 });
  return result.stdout.split('\n').filter((line) => /^\d+\.\d+\.\d+\.\d+$/.test(line));
}

export async function agentStatus(paths: LabPaths, site: SiteName): Promise<unknown> {
  const host: HostName = `${site}-svc`;
  if (initOf(paths, host) === undefined) return null;
  const result = await execIn(paths, host, ['siteward', 'status', '--json'], { timeoutMs: 5_000 });
  const value = parseJson(result.stdout);
  return typeof value === 'object' ? value : null;
}

async function bySite<T>(ask: (site: SiteName) => Promise<T>): Promise<Record<SiteName, T>> {
  const [site1, site2] = await Promise.all([ask('site1'), ask('site2')]);
  return { site1, site2 };
}

export async function labStatus(lab: Lab): Promise<LabStatus> {
  const { paths } = lab;
  const record = lab.record();
  const hosts = HOSTS.map((host) => {
    const on = lab.isOn(host);
    return [host, { on, services: on ? lab.services(host) : [] }] as const;
  });
  const [cuts, databases, instances, balancers, entry, agents] = await Promise.all([
    lab.cuts(),
    bySite((site) => databaseStatus(paths, site)),
    Promise.all(SITES.flatMap((site) => INSTANCES.map((port) => instanceStatus(paths, site, port)))),
    bySite((site) => balancerStatus(paths, site)),
    entryAddresses(paths),
    bySite((site) => agentStatus(paths, site)),
  ]);
  const { name, witness } = record;
  return { name, witness, hosts: Object.fromEntries(hosts), cuts, databases, instances, balancers, entry, agents };
}

/** The same for people. */
export function renderStatus(status: LabStatus): string {
  const lines = [`lab ${status.name}, witness ${status.witness}`];
  for (const [host, { on, services }] of Object.entries(status.hosts)) {
    const parts = services.map((service) => {
      const restarts = service.restarts > 0 ? ` (${service.restarts} restarts)` : '';
      return `${service.name} ${service.state}${restarts}`;
    });
    lines.push(`  ${host.padEnd(10)} ${on ? parts.join(', ') || 'on' : 'OFF'}`);
  }
  lines.push(`cuts: ${status.cuts.length === 0 ? 'none' : status.cuts.join(' ')}`);
  for (const site of SITES) {
    const database = status.databases[site];
    const role = !database.running
      ? 'down'
      : database.inRecovery === null
        ? 'does not answer'
        : database.writable
          ? 'WRITABLE'
          : 'standby';
    lines.push(`${site}-db: ${role}, epoch ${database.epoch ?? '-'}${database.detail ? ` (${database.detail})` : ''}`);
  }
  const ready = status.instances.filter((instance) => instance.status === 200).length;
  lines.push(`instances ready: ${ready} of ${status.instances.length}`);
  for (const site of SITES) lines.push(`${site}-svc: ${status.balancers[site]?.up.length ?? 0} servers up`);
  lines.push(`${ENTRY_NAME}: ${status.entry.join(' ') || 'no answer'}`);
  return lines.join('\n');
}
