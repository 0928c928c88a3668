/**
 * The lab: two sites and a third place on one machine, with everything that can happen to them. What the command line,
 * the demo and the scenario suite use.
 */
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { WitnessKind } from './cluster-file.ts';
import type { ServiceStatus } from './control.ts';
import {
  freezeService,
  listServices,
  POSTGRES,
  personalPgCtl,
  restartService,
  signalService,
  startService,
  stopService,
  thawService,
} from './control.ts';
import type { HostBind } from './hosts.ts';
import { bootHost, cutPower, execIn, initOf, mustIn, requireKeeper } from './hosts.ts';
import { allLiveMarks, liveMark } from './marks.ts';
import { addCuts, listCuts, removeCuts } from './network.ts';
import type { LabPaths } from './paths.ts';
import { labPaths, REPOSITORY } from './paths.ts';
import { findPostgres } from './postgres.ts';
import type { RunOptions, RunResult } from './process.ts';
import { isAlive, signalMarked, waitFor } from './process.ts';
import { setBootStart } from './services.ts';
import type { HostName } from './topology.ts';
import { expandPlace, HOSTS, kindOf, LabError, pairsBetween, requireHost } from './topology.ts';
import { hasVolume, volumeOf } from './volumes.ts';

export interface LabOptions {
  readonly name?: string;
}

export interface UpOptions {
  readonly witness?: WitnessKind;
  /** KEY=VALUE of the cluster file, by dotted path. */
  readonly set?: readonly string[];
  /** PostgreSQL is started by the boot of its host, before the guard. */
  readonly bootPostgres?: boolean;
  /** Stop here: no `siteward init`, nothing that needs the daemons. */
  readonly until?: 'hosts' | 'services' | 'healthy';
  /** The databases lie on volumes that can be filled and made to hang (volumes.ts). */
  readonly volumes?: boolean;
  /** The lab ends with this process, even if it is killed. */
  readonly tied?: boolean;
  readonly progress?: (line: string) => void;
}

/** What `up` was asked for; a later `start` needs it. */
export interface LabRecord {
  readonly name: string;
  readonly witness: WitnessKind;
  readonly createdAt: string;
}

export class Lab {
  readonly paths: LabPaths;

  constructor(options: LabOptions = {}) {
    this.paths = labPaths(options.name ?? process.env['LAB_NAME'] ?? 'lab');
  }

  get isUp(): boolean {
    return liveMark(this.paths, 'keeper') !== undefined;
  }

  record(): LabRecord {
    if (!existsSync(this.paths.state)) throw new LabError(`lab "${this.paths.name}" is not up`);
    return JSON.parse(readFileSync(this.paths.state, 'utf8')) as LabRecord;
  }

  async up(options: UpOptions = {}): Promise<void> {
    const { bringUp } = await import('./up.ts');
    await bringUp(this, options);
  }

  /** Ends every process of the lab, however it was left, and removes its files. */
  async down(): Promise<void> {
    const { paths } = this;
    signalMarked(liveMark(paths, 'keeper'), 'SIGKILL');
    const marks = allLiveMarks(paths);
    // The kernel kills what lies below the keeper; a mark that outlives it would be a lab of an older layout.
    await waitFor(() => (marks.some(isAlive) ? undefined : true), 5_000, 10);
    for (const mark of marks) signalMarked(mark, 'SIGKILL');
    if ((await waitFor(() => (marks.some(isAlive) ? undefined : true), 5_000, 10)) !== true) {
      throw new LabError('processes of the lab would not die');
    }
    rmSync(paths.base, { recursive: true, force: true, maxRetries: 20, retryDelay: 50 });
  }

  hosts(): readonly HostName[] {
    return HOSTS;
  }

  isOn(host: HostName): boolean {
    return initOf(this.paths, host) !== undefined;
  }

  /** Power loss of a host, a site (its database host first) or several in the order given. */
  async kill(...places: readonly string[]): Promise<void> {
    const weight = (host: HostName) => (kindOf(host) === 'db' ? 0 : 1);
    const hosts = places.flatMap((place) => [...expandPlace(place)].sort((a, b) => weight(a) - weight(b)));
    await cutPower(this.paths, hosts);
  }

  /** Power on: returns when init is starting the services. */
  async start(place: string, options: { readonly bootPostgres?: boolean } = {}): Promise<void> {
    const hosts = expandPlace(place).filter((host) => !this.isOn(host));
    if (hosts.length === 0) throw new LabError(`${place} is on already`);
    for (const host of hosts) {
      if (options.bootPostgres !== undefined && kindOf(host) === 'db') {
        setBootStart(this.paths, host, 'postgres-boot', options.bootPostgres);
      }
    }
    await Promise.all(hosts.map((host) => bootHost(this.paths, host, this.binds(host))));
  }

  binds(host: HostName): readonly HostBind[] {
    const { paths } = this;
    const binds: HostBind[] = [{ from: paths.stage, to: '/opt/siteward', readOnly: true }];
    const kind = kindOf(host);
    if (kind === 'db') binds.push({ from: join(paths.base, 'sockets', host), to: '/run/postgresql', readOnly: false });
    if (hasVolume(paths, host)) {
      binds.push({ from: volumeOf(paths, host), to: dirname(findPostgres().dataDirectory), readOnly: false });
    }
    if (kind === 'zone' || kind === 'client') binds.push({ from: REPOSITORY, to: '/opt/repo', readOnly: true });
    if (kind === 'client') {
      binds.push({ from: paths.load, to: '/opt/load', readOnly: false });
      binds.push({ from: join(paths.base, 'sockets'), to: '/opt/sockets', readOnly: false });
    }
    return binds;
  }

  exec(
    host: string,
    command: readonly string[],
    options: RunOptions & { readonly user?: string } = {},
  ): Promise<RunResult> {
    return execIn(this.paths, requireHost(host), command, options);
  }

  /** Insists on exit code 0 and gives the output. */
  mustExec(
    host: string,
    command: readonly string[],
    options: RunOptions & { readonly user?: string } = {},
  ): Promise<string> {
    return mustIn(this.paths, requireHost(host), command, options);
  }

  services(host: string): readonly ServiceStatus[] {
    return listServices(this.paths, requireHost(host));
  }

  async stopService(host: string, service: string): Promise<void> {
    if (service === POSTGRES) await personalPgCtl(this.paths, requireHost(host), findPostgres(), 'stop');
    else await stopService(this.paths, requireHost(host), service);
  }

  async startService(host: string, service: string): Promise<void> {
    if (service === POSTGRES) await personalPgCtl(this.paths, requireHost(host), findPostgres(), 'start');
    else await startService(this.paths, requireHost(host), service);
  }

  async restartService(host: string, service: string): Promise<void> {
    await restartService(this.paths, requireHost(host), service);
  }

  /** To the main process alone: `signal('site1-db', 'postgres', 'SIGKILL')` is the postmaster's end. */
  signal(host: string, service: string, signal: NodeJS.Signals): void {
    signalService(this.paths, requireHost(host), service, signal);
  }

  /** Every process of the service stands still. Its watchdog runs on, as systemd's would, unless held. */
  async freeze(host: string, service: string, options: { readonly holdWatchdog?: boolean } = {}): Promise<void> {
    await freezeService(this.paths, requireHost(host), service, options.holdWatchdog ?? false);
  }

  thaw(host: string, service: string): void {
    thawService(this.paths, requireHost(host), service);
  }

  /** Variables of one daemon, for all starts from its next one on or for that one alone; none removes them. */
  setServiceEnv(
    host: string,
    service: string,
    variables: Readonly<Record<string, string>>,
    options: { readonly once?: boolean } = {},
  ): void {
    const name = options.once === true ? `${service}.once` : service;
    const file = join(this.paths.disk(requireHost(host)), 'etc/lab/env', name);
    const lines = Object.entries(variables).map(([key, value]) => `${key}='${value.replaceAll("'", `'\\''`)}'\n`);
    mkdirSync(join(file, '..'), { recursive: true });
    if (lines.length === 0) rmSync(file, { force: true });
    else writeFileSync(file, lines.join(''));
  }

  async cut(a: string, b: string, options: { readonly oneWay?: boolean } = {}): Promise<void> {
    await addCuts(requireKeeper(this.paths), pairsBetween(a, b, options.oneWay ?? false));
  }

  /** Everything, or what was cut between two places. */
  async heal(a?: string, b?: string): Promise<void> {
    const keeper = requireKeeper(this.paths);
    const wanted = new Set(pairsBetween(a ?? 'all', b ?? 'all', false));
    const all = a === undefined || b === undefined;
    await removeCuts(
      keeper,
      (await listCuts(keeper)).filter((pair) => all || wanted.has(pair)),
    );
  }

  cuts(): Promise<readonly string[]> {
    return listCuts(requireKeeper(this.paths));
  }

  /** What a service has said since the lab came up; undefined when it never ran. */
  logs(host: string, service: string): string | undefined {
    const disk = this.paths.disk(requireHost(host));
    const file = service === POSTGRES ? findPostgres().logFile : `var/log/lab/${service}.log`;
    return existsSync(join(disk, file)) ? readFileSync(join(disk, file), 'utf8') : undefined;
  }
}
