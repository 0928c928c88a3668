/**
 * Hosts as namespaces: the keeper that holds them all, booting one, its power loss, running a command in one.
 * Whatever ends the keeper ends all hosts; whatever ends a host's init ends all of that host.
 */

import type { ChildProcessByStdio } from 'node:child_process';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { appendFileSync, closeSync, existsSync, openSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Readable, Writable } from 'node:stream';
import { liveMark, removeMark, writeMark } from './marks.ts';
import { plugIn, unplug } from './network.ts';
import type { LabPaths } from './paths.ts';
import { SHELL } from './paths.ts';
import type { ProcessMark, RunOptions, RunResult } from './process.ts';
import { childrenOf, isAlive, markOf, must, processesBelow, run, signalMarked, waitFor } from './process.ts';
import type { HostName } from './topology.ts';
import { ADDRESSES, gatewayOf, LabError } from './topology.ts';

/** A directory of the machine that the host sees: `from` on the machine, `to` inside. */
export interface HostBind {
  readonly from: string;
  readonly to: string;
  readonly readOnly: boolean;
}

export const HOST_PATH = '/opt/siteward/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';

/** Starts the keeper. The lab ends with the returned `stay`'s holder unless it is called. */
export async function startKeeper(paths: LabPaths): Promise<{ stay(): void }> {
  const log = openSync(join(paths.base, 'keeper.log'), 'a');
  const unshare = ['-n', '-m', '-p', '-u', '-i', '-f', '--kill-child=SIGKILL', '--mount-proc'];
  const starter = spawn('unshare', [...unshare, 'bash', join(SHELL, 'keeper.sh')], {
    stdio: ['pipe', 'pipe', log],
    detached: true,
  }) as ChildProcessByStdio<Writable, Readable, null>;
  closeSync(log);
  starter.stdin.on('error', () => {});
  const lines = createInterface(starter.stdout);
  const [first] = (await Promise.race([once(lines, 'line'), once(starter, 'exit').then(() => ['ended'])])) as [string];
  const [pid] = starter.pid === undefined ? [] : childrenOf(starter.pid);
  const mark = pid === undefined ? undefined : markOf(pid);
  if (first !== 'ready' || mark === undefined) {
    throw new LabError(`the keeper did not come up: ${readFileSync(join(paths.base, 'keeper.log'), 'utf8').trim()}`);
  }
  writeMark(paths, 'keeper', mark);
  starter.unref();
  // Neither pipe may hold the process that waits for nothing else.
  (starter.stdin as unknown as { unref(): void }).unref();
  (starter.stdout as unknown as { unref(): void }).unref();
  return { stay: () => starter.stdin.write('stay\n') };
}

export function requireKeeper(paths: LabPaths): number {
  const mark = liveMark(paths, 'keeper');
  if (mark === undefined) throw new LabError(`lab "${paths.name}" is not up`);
  return mark.pid;
}

/** The host's init as the machine sees it; undefined while the host is off. */
export function initOf(paths: LabPaths, host: HostName): number | undefined {
  return liveMark(paths, host)?.pid;
}

export function requireInit(paths: LabPaths, host: HostName): number {
  const pid = initOf(paths, host);
  if (pid === undefined) throw new LabError(`${host} is off`);
  return pid;
}

/** A path as a host sees it, for a process of the machine. */
export const insideHost = (init: number, path: string) => `/proc/${init}/root${path}`;

/** Power on: returns when init is about to start the services. */
export async function bootHost(paths: LabPaths, host: HostName, binds: readonly HostBind[]): Promise<void> {
  if (initOf(paths, host) !== undefined) throw new LabError(`${host} is on already`);
  const keeper = requireKeeper(paths);
  const disk = paths.disk(host);
  const log = join(disk, 'boot.log');
  rmSync(log, { force: true });
  const bindings = binds.map((bind) => `${bind.from}=${bind.to}=${bind.readOnly ? 'ro' : 'rw'}`);
  const boot = [join(SHELL, 'boot.sh'), host, ADDRESSES[host], gatewayOf(host), disk, ...bindings];
  // The shell in between ends at once: the keeper, not this process, becomes the parent. Without --norc bash takes a pipe
  // of Node's for a remote login and reads the .bashrc of whoever runs the lab.
  const unshare = 'setsid unshare -n -p -m -u -i -f --kill-child=SIGKILL bash "$@" </dev/null >"$0" 2>&1 & echo $!';
  const enter = ['-t', String(keeper), '-p', '-m', '--', 'bash', '--norc', '-c', unshare, log, ...boot];
  const inner = Number((await must('nsenter', enter, { timeoutMs: 30_000 })).trim());

  const init = await waitFor(
    () => {
      const starter = processesBelow(keeper).find((entry) => entry.innerPid === inner);
      return starter && childrenOf(starter.pid)[0];
    },
    5_000,
    5,
  );
  const mark = init === undefined ? undefined : markOf(init);
  if (mark === undefined) throw new LabError(`${host} did not boot: ${tail(log)}`);
  writeMark(paths, host, mark);
  try {
    await finishBoot(keeper, host, mark, log);
  } catch (error) {
    signalMarked(mark, 'SIGKILL');
    removeMark(paths, host);
    throw error;
  }
}

async function finishBoot(keeper: number, host: HostName, mark: ProcessMark, log: string): Promise<void> {
  await plugIn(keeper, host, mark.pid);
  const booted = await waitFor(
    () => {
      if (!isAlive(mark)) return false;
      return existsSync(insideHost(mark.pid, '/run/lab/booted')) ? true : undefined;
    },
    10_000,
    10,
  );
  if (booted !== true) throw new LabError(`${host} did not boot: ${tail(log)}`);
}

/** Power loss, of several hosts in the order given: cable first, then SIGKILL to everything at once. */
export async function cutPower(paths: LabPaths, hosts: readonly HostName[]): Promise<void> {
  const keeper = requireKeeper(paths);
  const marks = hosts.map((host) => [host, liveMark(paths, host)] as const).filter(([, mark]) => mark !== undefined);
  if (marks.length === 0) return;
  await unplug(
    keeper,
    marks.map(([host]) => host),
  );
  for (const [, mark] of marks) signalMarked(mark, 'SIGKILL');
  const gone = await waitFor(() => (marks.some(([, mark]) => isAlive(mark)) ? undefined : true), 10_000, 5);
  if (gone !== true) throw new LabError(`${marks.map(([host]) => host).join(', ')} would not die`);
  for (const [host] of marks) removeMark(paths, host);
}

/** Runs a command in a host, to its end. */
export async function execIn(
  paths: LabPaths,
  host: HostName,
  command: readonly string[],
  options: RunOptions & { readonly user?: string } = {},
): Promise<RunResult> {
  // A kill of nsenter would leave its child: the deadline is kept inside the host, for the command and all it started.
  const timeoutMs = options.timeoutMs ?? 60_000;
  const bounded = ['timeout', '-s', 'KILL', (timeoutMs / 1000).toFixed(3), ...command];
  const args = execArguments(paths, host, bounded, options.user);
  const result = await run('nsenter', args, { ...options, timeoutMs: timeoutMs + 2_000 });
  return { ...result, timedOut: result.timedOut || result.code === 137 };
}

/** nsenter's arguments for a command in a host: for who wants to spawn it another way. */
export function execArguments(
  paths: LabPaths,
  host: HostName,
  command: readonly string[],
  user?: string,
): readonly string[] {
  const init = requireInit(paths, host);
  const become = user === undefined ? [] : ['setpriv', '--reuid', user, '--regid', user, '--init-groups', '--'];
  const home = user === undefined || user === 'root' ? '/root' : '/tmp';
  const environment = [
    'env',
    '-i',
    `PATH=${HOST_PATH}`,
    `HOME=${home}`,
    'LANG=C.UTF-8',
    `HOSTNAME=${host}`,
    'TERM=dumb',
  ];
  return ['-t', String(init), '-m', '-u', '-i', '-n', '-p', '--', ...environment, ...become, ...command];
}

export async function mustIn(
  paths: LabPaths,
  host: HostName,
  command: readonly string[],
  options: RunOptions & { readonly user?: string } = {},
): Promise<string> {
  const result = await execIn(paths, host, command, options);
  if (result.code === 0) return result.stdout;
  const what = `${host}: ${command.join(' ').slice(0, 300)}`;
  throw new LabError(
    `${what}: ${result.timedOut ? 'deadline' : `exit code ${result.code}`}: ${(result.stderr || result.stdout).trim()}`,
  );
}

function tail(file: string): string {
  try {
    return readFileSync(file, 'utf8').trim().slice(-600) || '(it said nothing)';
  } catch {
    return '(no log)';
  }
}

export function noteInLog(paths: LabPaths, text: string): void {
  appendFileSync(join(paths.base, 'lab.log'), `${new Date().toISOString()} ${text}\n`);
}
