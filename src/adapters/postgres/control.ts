// Starting and stopping PostgreSQL: by pg_ctl, or by systemd on Debian, where postgresql@.service runs pg_ctlcluster and
// keeps the processes in a control group of their own. A start is only handed over here; whether it came up is asked
// through the socket, and nothing else counts.

import { spawn } from 'node:child_process';
import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { done, type Outcome, rejected, unknown } from '../../core/outcome.ts';
import type { Ms } from '../../core/time.ts';
import type { Processes } from './processes.ts';
import type { DatabaseSettings, ProcessControl } from './settings.ts';
import { askHelper } from './unit-helper.ts';

export type Control = {
  /** When no process has come this long after a start, none will. */
  readonly nothingCameMs: Ms;
  /** Whatever a start needs that can be done before it is allowed. */
  prepare(deadlineMs: Ms): Promise<void>;
  /** Hands the start over. Synchronous up to the one program it runs, so that a check right before it still holds. */
  start(deadlineMs: Ms): Promise<Outcome<void>>;
  /** Asks for a fast stop: sessions end, a checkpoint is made. Returns at once. */
  stopFast(deadlineMs: Ms): Promise<Outcome<void>>;
};

export function createControl(settings: DatabaseSettings, kind: ProcessControl, processes: Processes): Control {
  if (kind.kind === 'systemd') {
    const systemd = (verb: 'restart' | 'stop' | 'reset-failed', deadlineMs: Ms) => {
      const { by, unit } = kind;
      if ('socket' in by) return askHelper(by.socket, verb, unit, deadlineMs);
      const [program = 'systemctl', ...first] = by.systemctl;
      // Jobs are not waited for; whether the database came up is asked through its socket.
      const queued = verb === 'reset-failed' ? [] : ['--no-block'];
      return run(program, [...first, verb, ...queued, unit], deadlineMs);
    };
    return {
      // A job of systemd's, then a Perl script, then pg_ctl.
      nothingCameMs: 3000,
      // Five starts in ten seconds, and systemd refuses the next one; a killed unit is `failed`, and this clears both.
      prepare: async (deadlineMs) => {
        removeStaleLocks(settings, processes);
        await systemd('reset-failed', deadlineMs);
      },
      // `restart`: after a fence systemd may still hold the unit for active, and `start` would then do nothing.
      start: (deadlineMs) => systemd('restart', deadlineMs),
      // A unit that systemd holds for inactive, since somebody started the server by hand, is not stopped by it.
      stopFast: async (deadlineMs) => {
        const asked = await systemd('stop', deadlineMs);
        askPostmaster(processes);
        return asked;
      },
    };
  }
  return {
    nothingCameMs: 1000,
    prepare: () => {
      removeStaleLocks(settings, processes);
      return Promise.resolve();
    },
    start: (deadlineMs) => {
      const options = settings.configFile === null ? [] : ['-o', `-c config_file='${settings.configFile}'`];
      const args = ['start', '-W', '-s', '-D', settings.dataDirectory, '-l', kind.logFile, ...options];
      return run(join(settings.binDirectory, 'pg_ctl'), args, deadlineMs);
    },
    stopFast: () => {
      askPostmaster(processes);
      return Promise.resolve(done(undefined));
    },
  };
}

/** A fast stop; asked twice it is the same stop. */
function askPostmaster(processes: Processes): void {
  const postmaster = processes.postmaster();
  if (postmaster !== null) processes.signal(postmaster, 'SIGINT');
}

/**
 * PostgreSQL refuses to start when the process named in one of its lock files exists (pg_ctlcluster: when it is called anything with
 * `postgres`), and after a power loss or a kill
 * reaped late that may be anything, a zombie too. Nothing of this data directory runs, so the files mean nothing; were
 * that wrong, PostgreSQL would still refuse by its shared memory segment.
 */
function removeStaleLocks(settings: DatabaseSettings, processes: Processes): void {
  const { dataDirectory, socketDirectory, port } = settings;
  if (processes.list().length > 0) return;
  rmSync(join(dataDirectory, 'postmaster.pid'), { force: true });
  const socketLock = join(socketDirectory, `.s.PGSQL.${port}.lock`);
  // Its second line is the data directory: another server on the same port keeps its own.
  if (secondLine(socketLock) === dataDirectory) rmSync(socketLock, { force: true });
}

function secondLine(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8').split('\n')[1];
  } catch {
    return undefined;
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
