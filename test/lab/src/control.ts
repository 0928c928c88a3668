/** Talking to a host's init, and doing to its services what faults do: stop, kill, freeze. */
import { appendFileSync, existsSync, readdirSync, readFileSync } from 'node:fs';
import { execIn, insideHost, requireInit } from './hosts.ts';
import type { LabPaths } from './paths.ts';
import type { PostgresPlace } from './postgres.ts';
import type { NamespacedProcess } from './process.ts';
import { processesBelow, readStat, sleep, waitFor } from './process.ts';
import type { HostName } from './topology.ts';
import { LabError } from './topology.ts';

export type ServiceState = 'running' | 'stopping' | 'waiting' | 'down' | 'exited' | 'frozen';

export interface ServiceStatus {
  readonly name: string;
  readonly state: ServiceState;
  /** As the machine sees it; 0 while it does not run. */
  readonly pid: number;
  /** As the host sees it. */
  readonly innerPid: number;
  readonly restarts: number;
  readonly lastExit: number | null;
}

/** Not a service of init's: the guard starts it, or whoever plays the distribution or a person. */
export const POSTGRES = 'postgres';

interface InitState {
  readonly state: ServiceState;
  readonly innerPid: number;
  readonly restarts: number;
  readonly lastExit: number | null;
}

function readState(init: number, service: string): InitState | undefined {
  const file = insideHost(init, `/run/lab/${service}.state`);
  let text = '';
  try {
    text = readFileSync(file, 'utf8').trim();
  } catch {
    return undefined;
  }
  const [state, pid, restarts, code] = text.split(' ');
  // Caught between truncation and the line: whoever waits looks again.
  if (code === undefined) return undefined;
  return {
    state: state as ServiceState,
    innerPid: Number(pid),
    restarts: Number(restarts),
    lastExit: code === '-' ? null : Number(code),
  };
}

export function listServices(paths: LabPaths, host: HostName): readonly ServiceStatus[] {
  const init = requireInit(paths, host);
  const order = readFileSync(insideHost(init, '/etc/lab/sv/order'), 'utf8').split('\n').filter(Boolean);
  const processes = processesBelow(init);
  const services = order.map((name): ServiceStatus => {
    const state = readState(init, name);
    const main = processes.find((entry) => entry.innerPid === state?.innerPid);
    return {
      name,
      state: main?.state === 'T' ? 'frozen' : (state?.state ?? 'down'),
      pid: main?.pid ?? 0,
      innerPid: state?.innerPid ?? 0,
      restarts: state?.restarts ?? 0,
      lastExit: state?.lastExit ?? null,
    };
  });
  if (!host.endsWith('-db')) return services;
  const postmaster = findPostmaster(processes);
  return [
    ...services,
    {
      name: POSTGRES,
      state: postmaster === undefined ? 'down' : postmaster.state === 'T' ? 'frozen' : 'running',
      pid: postmaster?.pid ?? 0,
      innerPid: postmaster?.innerPid ?? 0,
      restarts: 0,
      lastExit: null,
    },
  ];
}

const isPostgres = (entry: NamespacedProcess) => entry.comm === 'postgres' && entry.state !== 'Z';

function findPostmaster(processes: readonly NamespacedProcess[]): NamespacedProcess | undefined {
  const all = processes.filter(isPostgres);
  return all.find((entry) => !all.some((other) => other.pid === entry.ppid));
}

/** The processes of a service: for PostgreSQL the postmaster first, else the main process and all below it. */
function processesOf(paths: LabPaths, host: HostName, service: string): readonly NamespacedProcess[] {
  const init = requireInit(paths, host);
  const processes = processesBelow(init);
  if (service === POSTGRES) {
    const main = findPostmaster(processes);
    return main === undefined ? [] : [main, ...processes.filter((entry) => isPostgres(entry) && entry !== main)];
  }
  const state = readState(init, service);
  if (state === undefined) throw unknownService(host, service);
  const main = processes.find((entry) => entry.innerPid === state.innerPid && state.innerPid !== 0);
  if (main === undefined) return [];
  const found = [main];
  for (const parent of found) found.push(...processes.filter((entry) => entry.ppid === parent.pid));
  return found;
}

const unknownService = (host: HostName, service: string) => new LabError(`${host} has no service "${service}"`);

function send(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch {
    // Gone meanwhile.
  }
}

/** To the main process alone. */
export function signalService(paths: LabPaths, host: HostName, service: string, signal: NodeJS.Signals): void {
  const [main] = processesOf(paths, host, service);
  if (main === undefined) throw new LabError(`${service} does not run on ${host}`);
  send(main.pid, signal);
}

/** Stops every process where it stands; children that were being made meanwhile are caught by the next pass. */
export async function freezeService(
  paths: LabPaths,
  host: HostName,
  service: string,
  holdWatchdog: boolean,
): Promise<void> {
  if (holdWatchdog && service !== POSTGRES) tellInit(paths, host, `hold ${service}`);
  let any = false;
  for (let pass = 0; pass < 50; pass++) {
    const running = processesOf(paths, host, service).filter(
      (entry) => !'TZX'.includes(readStat(entry.pid)?.state ?? 'X'),
    );
    if (running.length === 0 && pass > 0) break;
    any ||= running.length > 0;
    for (const entry of running) send(entry.pid, 'SIGSTOP');
    await sleep(2);
  }
  if (!any) throw new LabError(`${service} does not run on ${host}`);
}

export function thawService(paths: LabPaths, host: HostName, service: string): void {
  const processes = processesOf(paths, host, service);
  for (const entry of [...processes].reverse()) send(entry.pid, 'SIGCONT');
  if (service !== POSTGRES) tellInit(paths, host, `unhold ${service}`);
}

function tellInit(paths: LabPaths, host: HostName, line: string): void {
  const control = insideHost(requireInit(paths, host), '/run/lab/control');
  if (!existsSync(control)) throw new LabError(`${host} is still booting`);
  appendFileSync(control, `${line}\n`);
}

export async function stopService(paths: LabPaths, host: HostName, service: string): Promise<void> {
  await change(paths, host, `stop ${service}`, service, (state) => state.state === 'down' || state.state === 'exited');
}

export async function startService(paths: LabPaths, host: HostName, service: string): Promise<void> {
  await change(
    paths,
    host,
    `start ${service}`,
    service,
    (state) => state.state === 'running' || state.state === 'exited',
  );
}

export async function restartService(paths: LabPaths, host: HostName, service: string): Promise<void> {
  const before = readState(requireInit(paths, host), service)?.innerPid ?? 0;
  const isNew = (state: InitState) => state.state === 'running' && state.innerPid !== before;
  await change(paths, host, `restart ${service}`, service, isNew);
}

async function change(
  paths: LabPaths,
  host: HostName,
  line: string,
  service: string,
  done: (state: InitState) => boolean,
): Promise<void> {
  const init = requireInit(paths, host);
  const services = readdirSync(insideHost(init, '/etc/lab/sv'));
  if (!services.includes(service) || service === 'order') throw unknownService(host, service);
  tellInit(paths, host, line);
  const ended = await waitFor(
    () => {
      const state = readState(init, service);
      return state !== undefined && done(state) ? true : undefined;
    },
    20_000,
    15,
  );
  if (ended !== true) throw new LabError(`${host}: "${line}" has not come to its end within 20 s`);
}

/** PostgreSQL started or stopped (fast) by somebody who is not the guard: a person, apt, the distribution. */
export async function personalPgCtl(
  paths: LabPaths,
  host: HostName,
  postgres: PostgresPlace,
  action: 'start' | 'stop',
): Promise<void> {
  const command = [`${postgres.binDirectory}/pg_ctl`, '-D', postgres.dataDirectory, '-w', '-t', '30'];
  const detail =
    action === 'start'
      ? ['-l', postgres.logFile, '-o', `-c config_file=${postgres.configFile}`, 'start']
      : ['-m', 'fast', 'stop'];
  const result = await execIn(paths, host, [...command, ...detail], { user: 'postgres', timeoutMs: 40_000 });
  if (result.code !== 0) throw new LabError(`${host}: pg_ctl ${action}: ${(result.stderr || result.stdout).trim()}`);
}
