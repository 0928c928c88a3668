// Tells the instances of an application host to read the active .env again: SIGHUP by pid file, or a command.

import { spawn } from 'node:child_process';
import { readFileSync, statSync } from 'node:fs';
import { readSmallFile } from './files.ts';
import { errorCode, Refusal, refusalFor } from './refusal.ts';

export type Reload =
  /** `{port}` in `pidFile` stands for each port. */
  | { readonly kind: 'sighup'; readonly pidFile: string; readonly ports: readonly number[] }
  /** Run once for each port where `{port}` occurs in it, else once. No shell. */
  | { readonly kind: 'command'; readonly command: readonly string[]; readonly ports: readonly number[] };

/** How many were told. An instance that does not run is none to be told: it reads the file when it starts. */
export async function reloadInstances(reload: Reload, deadlineMs: number): Promise<number> {
  if (reload.kind === 'sighup') {
    // All are tried: one instance that cannot be told must not keep the others on the old file.
    const told = reload.ports.map((port) => hangUp(reload.pidFile.replaceAll('{port}', String(port))));
    const failed = told.find((each) => each instanceof Refusal);
    if (failed !== undefined) throw failed;
    return told.filter(Boolean).length;
  }
  const perPort = reload.command.some((word) => word.includes('{port}'));
  const commands = perPort
    ? reload.ports.map((port) => reload.command.map((word) => word.replaceAll('{port}', String(port))))
    : [reload.command];
  const results = await Promise.all(commands.map((command) => runCommand(command, deadlineMs)));
  const failed = results.find((result) => result !== null);
  if (failed) throw new Refusal('reload-failed', failed);
  return commands.length;
}

function hangUp(pidFile: string): boolean | Refusal {
  try {
    const pid = livePid(pidFile);
    if (pid === null) return false;
    process.kill(pid, 'SIGHUP');
    return true;
  } catch (error) {
    return errorCode(error) === 'ESRCH' ? false : refusalFor(error, 'reload-failed', `SIGHUP by ${pidFile}`);
  }
}

/**
 * The process that wrote the pid file, if it still runs. A pid file outlives a power loss, and its number is then given
 * to another process, which SIGHUP would end: so the process must be older than the file. Start times have a grain of
 * 10 ms, the boot time one of a second.
 */
function livePid(pidFile: string): number | null {
  const text = readSmallFile(pidFile)?.content.toString('latin1').trim();
  if (text === undefined || !/^[1-9]\d{0,9}$/.test(text)) return null;
  const pid = Number(text);
  const startedMs = processStartMs(pid);
  return startedMs !== null && startedMs <= statSync(pidFile).mtimeMs + 2000 ? pid : null;
}

/** Wall clock ms of a living process's start; null when it is gone or a zombie. */
function processStartMs(pid: number): number | null {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
    // The name, in parentheses, may hold anything; the fields behind it are numbered from 3 (proc(5)).
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    if (fields[0] === 'Z' || fields[0] === 'X') return null;
    const bootSeconds = Number(/^btime (\d+)$/m.exec(readFileSync('/proc/stat', 'latin1'))?.[1]);
    return bootSeconds * 1000 + Number(fields[22 - 3]) * 10;
  } catch {
    return null;
  }
}

function runCommand(command: readonly string[], deadlineMs: number): Promise<string | null> {
  const [program = '', ...rest] = command;
  return new Promise((resolve) => {
    const child = spawn(program, rest, { stdio: 'ignore', timeout: deadlineMs, killSignal: 'SIGKILL' });
    child.once('error', (error) => resolve(`${program}: ${errorCode(error)}`));
    child.once('exit', (code, signal) => resolve(code === 0 ? null : `${program} ended with ${code ?? signal}`));
  });
}
