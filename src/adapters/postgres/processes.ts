// Which processes belong to a data directory, from /proc alone: no SQL, no shell, no file of the database's volume, so
// that it works when PostgreSQL is frozen and its disk hangs. Backends have sessions of their own, so no process group
// reaches them: a process belongs to the database when it is called `postgres` and its working directory is the data
// directory. A zombie has no working directory any more and so does not count, as it must (lab-notes.md).

import { readdirSync, readFileSync, readlinkSync, realpathSync } from 'node:fs';
import { join } from 'node:path';

export type Processes = {
  /** All living processes of the data directory, the postmaster first. */
  list(): readonly number[];
  /** The postmaster named in postmaster.pid, if it lives; the file is read only to find a new one. */
  postmaster(): number | null;
  /** SIGKILL, SIGQUIT or SIGINT; a process that is gone meanwhile is no error. */
  signal(pid: number, signal: NodeJS.Signals): boolean;
};

export function createProcesses(dataDirectory: string): Processes {
  let real: string | null = null;
  let known: number | null = null;

  const belongs = (pid: number): boolean => {
    real ??= realpath(dataDirectory);
    return isPostgres(pid) && real !== null && workingDirectory(pid) === real;
  };

  const list = (): readonly number[] => {
    const pids = readdirSync('/proc')
      .filter((name) => /^\d+$/.test(name))
      .map(Number)
      .filter(belongs);
    const own = new Set(pids);
    const isChild = (pid: number) => own.has(parentOf(pid));
    return [...pids.filter((pid) => !isChild(pid)), ...pids.filter(isChild)];
  };

  return {
    list,
    postmaster: () => {
      if (known !== null && belongs(known)) return known;
      const pid = readPid(dataDirectory);
      known = pid !== null && belongs(pid) ? pid : null;
      return known;
    },
    signal: (pid, signal) => {
      // Looked at again right before: a number may have been given to another process since.
      if (!belongs(pid)) return false;
      try {
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

function isPostgres(pid: number): boolean {
  try {
    return readFileSync(`/proc/${pid}/comm`, 'utf8') === 'postgres\n';
  } catch {
    return false;
  }
}

function workingDirectory(pid: number): string | null {
  try {
    return readlinkSync(`/proc/${pid}/cwd`);
  } catch {
    return null;
  }
}

function parentOf(pid: number): number {
  try {
    // `PID (comm) STATE PPID ...`; the name may contain anything but is `postgres` here.
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    return Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1]);
  } catch {
    return 0;
  }
}
