/** The load (test/lab/load): a client through the public name and a writer at each database's own socket. */
import { chmodSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { startService, stopService } from './control.ts';
import { execIn, mustIn } from './hosts.ts';
import type { Lab } from './lab.ts';
import { ENTRY_NAME, LabError, SITES, ZONE_DNS } from './topology.ts';

/** All of it runs on the client's host, which no scenario takes the power from: the records outlive every fault. */
const PROGRAMS = ['client', 'writer-site1', 'writer-site2'] as const;

export interface LoadOptions {
  /** Overrides of the client's keys, see test/lab/load/README.md. */
  readonly client?: Readonly<Record<string, unknown>>;
  readonly writer?: Readonly<Record<string, unknown>>;
}

export interface LoadReport {
  readonly client: {
    readonly acknowledged: number;
    readonly failed: number;
    readonly failures: Readonly<Record<string, number>>;
    readonly reads: number;
    readonly staleReads: number;
    readonly longestOutageMs: number;
    readonly outages: readonly {
      readonly fromMs: number;
      readonly toMs: number;
      readonly ms: number;
      readonly failed: number;
    }[];
    readonly lost: number;
    readonly lostNames: readonly string[];
    readonly unchecked: number;
    readonly addresses: unknown;
  };
  readonly writers: Readonly<
    Record<
      'site1' | 'site2',
      {
        readonly acknowledged: number;
        readonly errors: Readonly<Record<string, number>>;
        readonly firstAckMs: number | null;
        readonly lastAckMs: number | null;
        readonly epochs: readonly unknown[];
      }
    >
  >;
  readonly writersLost: number;
  readonly writersOutageMs: number;
  readonly overlap: number;
  readonly primary: unknown;
  readonly problems: readonly string[];
}

const common = { out: '/opt/load/out', name: ENTRY_NAME, dnsServer: ZONE_DNS };
const socketOf = (site: string) => `/opt/sockets/${site}-db`;

function letters(count: number): string {
  return Array.from({ length: count }, () => String.fromCharCode(97 + Math.floor(Math.random() * 26))).join('');
}

export async function startLoad(lab: Lab, options: LoadOptions = {}): Promise<void> {
  await stopLoad(lab);
  const { paths } = lab;
  const out = join(paths.load, 'out');
  rmSync(out, { recursive: true, force: true });
  mkdirSync(out);
  // PostgreSQL's account may have another number on the client's host than here.
  chmodSync(out, 0o777);
  const run = letters(4);
  const write = (name: string, config: object) => {
    writeFileSync(join(paths.load, `${name}.json`), JSON.stringify({ run, ...config }));
  };
  write('client', { ...common, ...options.client });
  for (const site of SITES) {
    const place = { out: common.out, site, socketDir: socketOf(site), database: 'revolutdb', user: 'postgres' };
    write(`writer-${site}`, { ...place, ...options.writer });
  }
  const databases = Object.fromEntries(SITES.map((site) => [site, { socketDir: socketOf(site) }]));
  write('report', { ...common, databases, database: 'revolutdb', user: 'postgres' });
  await Promise.all(PROGRAMS.map((program) => startService(paths, 'client', `load-${program}`)));
}

export async function stopLoad(lab: Lab): Promise<void> {
  await Promise.all(PROGRAMS.map((program) => stopService(lab.paths, 'client', `load-${program}`)));
}

/** May be asked while the load runs. `fromMs` and `toMs` are CLOCK_MONOTONIC, as process.hrtime() gives it. */
export async function reportLoad(
  lab: Lab,
  options: { readonly fromMs?: number; readonly toMs?: number; readonly check?: boolean } = {},
): Promise<LoadReport> {
  const base = join(lab.paths.load, 'report.json');
  if (!existsSync(base)) throw new LabError('no load was started');
  const config = { ...(JSON.parse(readFileSync(base, 'utf8')) as object), ...options };
  const command = ['node', '/opt/repo/test/lab/load/report.ts', '--config', JSON.stringify(config)];
  // Exit code 1 says that something could not be measured: the report itself says what.
  const result = await execIn(lab.paths, 'client', command, { user: 'postgres', timeoutMs: 120_000 });
  if (!result.stdout.startsWith('{')) throw new LabError(`no report of the load: ${result.stderr.trim()}`);
  return JSON.parse(result.stdout) as LoadReport;
}

export interface BurstReport {
  readonly requests: number;
  readonly failed: number;
  readonly failures: Readonly<Record<string, number>>;
  /** Acknowledged and not there when it was read: the tail that an asynchronous standby lacked. */
  readonly missing: number;
  readonly ms: number;
  readonly perSecond: number;
  readonly latencyMs: Readonly<Record<'p50' | 'p90' | 'p99' | 'max', number>>;
}

/** The load test of the origin: 150 connections, 100 requests each. */
export async function burst(lab: Lab, options: Readonly<Record<string, unknown>> = {}): Promise<BurstReport> {
  const config = { name: ENTRY_NAME, dnsServer: ZONE_DNS, ...options };
  const command = ['nice', '-n', '5', 'node', '/opt/repo/test/lab/load/burst.ts', '--config', JSON.stringify(config)];
  return JSON.parse(await mustIn(lab.paths, 'client', command, { timeoutMs: 300_000 })) as BurstReport;
}
