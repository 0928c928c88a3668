// Which processes belong to a data directory, from /proc alone: no SQL, no shell, no file of the database's volume, so
// that it works when PostgreSQL is frozen and its disk hangs. Backends have sessions of their own, so no process group
// reaches them: a process belongs to the database when it is called `postgres` (or `postmaster`, a link to the same program)
// and its working directory is the data directory, or was so once, as that of its parent: a directory that is renamed takes its
// processes along, and they write on. A zombie has no working directory any more and so does not count, as it must (lab-notes.md).
//
// Only what is known to be gone, or to be another account's, is left out: "none is left" releases a lease (L7), so a
// process that cannot be looked at makes a look fail instead of making a database dead.

import { readdirSync, readFileSync, readlinkSync, realpathSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { codeOf } from './classify.ts';

export type Processes = {
  /** All living processes of the data directory, the postmaster first. Throws when that cannot be told. */
  list(): readonly number[];
  /** The postmaster named in postmaster.pid, if it lives; the file is read only to find a new one. Throws as `list`. */
  postmaster(): number | null;
  /** SIGKILL, SIGQUIT or SIGINT; a process that is gone meanwhile is no error. */
  signal(pid: number, signal: NodeJS.Signals): boolean;
};

/** `proc` is another directory in tests only. */
export function createProcesses(dataDirectory: string, proc = '/proc'): Processes {
  let real: string | null = null;
  let known: number | null = null;
  /** Postmasters that ran in the data directory and live: when each was born, since numbers are given away again. */
  const seen = new Map<number, string>();

  const wasSeen = (pid: number): boolean => {
    const born = seen.get(pid);
    const stat = born === undefined ? null : statOf(join(proc, String(pid)));
    return stat !== null && stat.born === born && stat.lives;
  };

  const belongs = (pid: number): boolean => {
    real ??= realpath(dataDirectory);
    const directory = join(proc, String(pid));
    if (!isPostgres(directory)) return false;
    if (real !== null && workingDirectory(directory, real) === real) return true;
    if (seen.size === 0) return false;
    const stat = statOf(directory);
    return stat?.lives === true && (wasSeen(pid) || wasSeen(stat.parent));
  };

  const remember = (postmasters: readonly number[]): void => {
    for (const pid of seen.keys()) if (!wasSeen(pid)) seen.delete(pid);
    for (const pid of postmasters) {
      const born = statOf(join(proc, String(pid)))?.born;
      if (born !== undefined) seen.set(pid, born);
    }
  };

  const list = (): readonly number[] => {
    const pids = readdirSync(proc)
      .filter((name) => /^\d+$/.test(name))
      .map(Number)
      .filter(belongs);
    const own = new Set(pids);
    const isChild = (pid: number) => own.has(statOf(join(proc, String(pid)))?.parent ?? 0);
    const postmasters = pids.filter((pid) => !isChild(pid));
    remember(postmasters);
    return [...postmasters, ...pids.filter(isChild)];
  };

  return {
    list,
    postmaster: () => {
      if (known !== null && belongs(known)) return known;
      const pid = readPid(dataDirectory);
      known = pid !== null && belongs(pid) ? pid : null;
      if (known !== null) remember([known]);
      return known;
    },
    signal: (pid, signal) => {
      try {
        // Looked at again right before: a number may have been given to another process since.
        if (!belongs(pid)) return false;
        process.kill(pid, signal);
        return true;
      } catch {
        return false;
      }
    },
  };
}

/** The number in the first line of postmaster.pid. It may be stale, and after a power loss name any process. */
function readPid(dataDirectory: string): number | null {
  try {
    const line = readFileSync(join(dataDirectory, 'postmaster.pid'), 'utf8').split('\n', 1)[0] ?? '';
    const pid = Math.abs(Number.parseInt(line, 10));
    return Number.isSafeInteger(pid) && pid > 1 ? pid : null;
  } catch {
    return null;
  }
}

function realpath(path: string): string | null {
  try {
    return realpathSync(path);
  } catch {
    return null;
  }
}

/** Gone meanwhile, or a kernel's answer for a process that is ending. */
function isGone(error: unknown): boolean {
  const code = codeOf(error);
  return code === 'ENOENT' || code === 'ESRCH';
}

function isForbidden(error: unknown): boolean {
  const code = codeOf(error);
  return code === 'EACCES' || code === 'EPERM';
}

function isPostgres(directory: string): boolean {
  try {
    return /^(postgres|postmaster)\n$/.test(readFileSync(join(directory, 'comm'), 'utf8'));
  } catch (error) {
    // Everyone may read the name of a process of his own account.
    if (isGone(error) || isForbidden(error)) return false;
    throw error;
  }
}

function workingDirectory(directory: string, real: string): string | null {
  try {
    return readlinkSync(join(directory, 'cwd'));
  } catch (error) {
    if (isGone(error)) return null;
    // PostgreSQL runs only as the owner of its data directory: what runs as somebody else is another database.
    if (isForbidden(error) && !haveOneOwner(directory, real)) return null;
    throw error;
  }
}

function haveOneOwner(a: string, b: string): boolean {
  try {
    return statSync(a).uid === statSync(b).uid;
  } catch (error) {
    if (isGone(error)) return false;
    throw error;
  }
}

type Stat = { readonly parent: number; readonly born: string | undefined; readonly lives: boolean };

/** proc_pid_stat(5), fields 3, 4 and 22; `born` in clock ticks after the boot. Null: it is gone. */
function statOf(directory: string): Stat | null {
  try {
    // `PID (comm) STATE PPID ...`; the name may contain anything.
    const stat = readFileSync(join(directory, 'stat'), 'utf8');
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return { parent: Number(fields[1]), born: fields[19], lives: fields[0] !== 'Z' && fields[0] !== 'X' };
  } catch {
    return null;
  }
}
