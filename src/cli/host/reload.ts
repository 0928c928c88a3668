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
 * The process that the pid file names, if it still runs. A pid file outlives a power loss, and its number is then given
 * to another process, which SIGHUP would end. So its start is noted, too, in ticks since the boot: no step of the wall clock
 * moves it, and no later process of that number has it.
 *
 * Null only for what is known not to run: that reads the file when it starts. What is not known is refused, for an
 * instance that was taken for a stopped one would stay on the old database, and the switch count as done; a refusal is
 * told, and the agents repeat the order until it is mended.
 */
function livePid(pidFile: string): number | null {
  const pid = textOf(pidFile);
  if (pid === null) return null;
  if (!/^[1-9]\d{0,9}$/.test(pid)) throw new Refusal('reload-failed', `${pidFile} does not name a process`);
  const started = startTicks(pid);
  if (started === null) return null;
  const noted = notedStart(pidFile, pid);
  if (noted !== null) return started === noted ? Number(pid) : null;
  if (wallClockMs(started) <= statSync(pidFile).mtimeMs + 2000) return Number(pid);
  throw new Refusal(
    'reload-failed',
    `${pidFile} names process ${pid}, whose start nobody noted: is it the instance, or another one by now? Start the instance again`,
  );
}

/**
 * Beside the pid file and not in it, which an older release of this command would take for that of a stopped instance.
 * With the number once more: what an older release of the application's unit left there is of another process.
 */
function notedStart(pidFile: string, pid: string): string | null {
  const [, of, ticks] = /^(\d+) (\d{1,20})$/.exec(textOf(`${pidFile}.start`) ?? '') ?? [];
  return of === pid ? (ticks ?? null) : null;
}

function textOf(path: string): string | null {
  return readSmallFile(path)?.content.toString('latin1').trim() ?? null;
}

/** Of a living process, as proc(5) writes it; null when it is gone or a zombie. */
function startTicks(pid: string): string | null {
  let stat: string;
  try {
    stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
  } catch (error) {
    if (errorCode(error) === 'ENOENT' || errorCode(error) === 'ESRCH') return null;
    throw error;
  }
  // The name, in parentheses, may hold anything; the fields behind it are numbered from 3 (proc(5)).
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return fields[0] === 'Z' || fields[0] === 'X' ? null : (fields[22 - 3] ?? '');
}

/**
 * Where no start was noted, to be compared with the pid file's date: start times have a grain of 10 ms, the boot time one
 * of a second. A step of the clock moves the boot time and leaves the date where it was: forward, and the instance looks
 * younger than its file.
 */
function wallClockMs(ticks: string): number {
  const bootSeconds = Number(/^btime (\d+)$/m.exec(readFileSync('/proc/stat', 'latin1'))?.[1]);
  return bootSeconds * 1000 + Number(ticks) * 10;
}

function runCommand(command: readonly string[], deadlineMs: number): Promise<string | null> {
  const [program = '', ...rest] = command;
  return new Promise((resolve) => {
    const child = spawn(program, rest, { stdio: 'ignore', timeout: deadlineMs, killSignal: 'SIGKILL' });
    child.once('error', (error) => resolve(`${program}: ${errorCode(error)}`));
    child.once('exit', (code, signal) => resolve(code === 0 ? null : `${program} ended with ${code ?? signal}`));
  });
}
