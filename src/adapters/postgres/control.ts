// Starting and stopping PostgreSQL: by pg_ctl, or by systemd on Debian, where postgresql@.service runs pg_ctlcluster and
// keeps the processes in a control group of their own. A start is only handed over here; whether it came up is asked
// through the socket, and nothing else counts.

import { spawn } from 'node:child_process';
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { done, type Outcome, rejected, unknown } from '../../core/outcome.ts';
import type { Ms } from '../../core/time.ts';
import { type Processes, readPid } from './processes.ts';
import type { DatabaseSettings, ProcessControl } from './settings.ts';

export type Control = {
  /** Hands the start over. Synchronous up to the first program, so that a check right before it still holds. */
  start(deadlineMs: Ms): Promise<Outcome<void>>;
  /** Asks for a fast stop: sessions end, a checkpoint is made. Returns at once. */
  stopFast(deadlineMs: Ms): Promise<Outcome<void>>;
};

export function createControl(settings: DatabaseSettings, kind: ProcessControl, processes: Processes): Control {
  if (kind.kind === 'systemd') {
    const systemctl = (verbs: readonly string[], deadlineMs: Ms) => {
      const [program, ...first] = [...kind.systemctl, ...verbs, kind.unit];
      return program === undefined
        ? Promise.resolve(rejected('control', 'no systemctl command'))
        : run(program, first, deadlineMs);
    };
    return {
      // `restart`: after a fence systemd may still hold the unit for active, and `start` would then do nothing.
      start: (deadlineMs) => systemctl(['restart', '--no-block'], deadlineMs),
      stopFast: (deadlineMs) => systemctl(['stop', '--no-block'], deadlineMs),
    };
  }
  return {
    start: (deadlineMs) => {
      removeStalePidFile(settings.dataDirectory, processes);
      const options = settings.configFile === null ? [] : ['-o', `-c config_file='${settings.configFile}'`];
      const args = ['start', '-W', '-s', '-D', settings.dataDirectory, '-l', kind.logFile, ...options];
      return run(join(settings.binDirectory, 'pg_ctl'), args, deadlineMs);
    },
    stopFast: () => {
      const postmaster = processes.postmaster();
      if (postmaster !== null) processes.signal(postmaster, 'SIGINT');
      return Promise.resolve(done(undefined));
    },
  };
}

/**
 * PostgreSQL refuses to start when the process named in postmaster.pid exists, and after a power loss or a late reaped
 * kill that may be anything, a zombie too. Nothing of this data directory runs, so the file means nothing; were it
 * wrong, PostgreSQL would still refuse by its shared memory segment.
 */
function removeStalePidFile(dataDirectory: string, processes: Processes): void {
  if (readPid(dataDirectory) !== null && processes.list().length === 0) {
    rmSync(join(dataDirectory, 'postmaster.pid'), { force: true });
  }
}

function run(program: string, args: readonly string[], deadlineMs: Ms): Promise<Outcome<void>> {
  return new Promise((resolve) => {
    // No pipe to the database: it would outlive us, and block or kill it when we are gone.
    const child = spawn(program, args, { stdio: 'ignore', env: { ...process.env, LC_ALL: 'C' } });
    const timer = setTimeout(() => {
      child.kill('SIGKILL');
      resolve(unknown(`${program} did not end within ${Math.round(deadlineMs)} ms`));
    }, deadlineMs);
    child.once('error', (error) => {
      clearTimeout(timer);
      resolve(rejected('control', `${program}: ${error.message}`));
    });
    child.once('exit', (code, signal) => {
      clearTimeout(timer);
      resolve(
        code === 0 ? done(undefined) : rejected('control', `${program} ended with ${signal ?? code ?? 'nothing'}`),
      );
    });
  });
}
