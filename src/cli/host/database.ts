// The forced command's work on a database host: fence, and nothing else. It is the way in when the guard does not
// answer; the lease is what makes it safe that nobody may be able to reach it (protocol.md, reconcile table).
//
// A running database is taken for a standby when the control file says so *and* it has no walwriter; everything else is
// a primary, or on its way to be one. The control file of a running server is exact: `in archive recovery` is written
// when a standby begins, `in production` before the first write is possible. It lags only in the first moments of a
// start; then a standby may be killed once for a primary, which its guard starts again. The other way round it cannot
// err for long: a start finds standby.signal, which is put there first.

import { execFileSync } from 'node:child_process';
import { closeSync, constants, existsSync, fsyncSync, openSync, realpathSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import type { Token } from '../../core/observe/observation.ts';
import { compareEpochs, type EpochId, showEpoch } from '../../core/quorum/record.ts';
import { asCount, asSite, isObject } from '../../wire/host-orders.ts';
import { ownerByDirectory, readSmallFile, replaceFile, syncDirectory } from './files.ts';
import { checkToken, loadNote, saveNote } from './note.ts';
import { type DatabaseProcess, databaseProcesses, hasWalWriter } from './processes.ts';
import { errorCode, Refusal, refusalFor } from './refusal.ts';

export type DatabaseHost = {
  readonly dataDirectory: string;
  readonly binDirectory: string;
  readonly stateDirectory: string;
  /**
   * Written by the guard, before it starts or promotes the database as a primary: `{"era":{"number":0,"site":"site1"},
   * "epoch":4}`, the epoch it does so in. In memory-backed storage: after a boot there is none.
   */
  readonly guardEpochFile: string;
  readonly killDeadlineMs: number;
};

export type FenceResult = { readonly found: 'primary' | 'standby' | 'none'; readonly killed: number };

const pauseMs = 20;

/** The caller holds the lock. Any part of it may be repeated. */
export async function fence(host: DatabaseHost, token: Token): Promise<FenceResult> {
  const notePath = join(host.stateDirectory, 'database.json');
  const note = loadNote(notePath);
  checkToken(note, token, null);
  saveNote(notePath, { token, primary: null, reloadDue: false });

  const directory = realDirectory(host.dataDirectory);
  const processes = databaseProcesses(directory);
  const found = processes.length === 0 ? 'none' : isStandby(host, processes) ? 'standby' : 'primary';
  // Read after the look: the guard writes it before the database may become a primary, so a primary of a higher epoch
  // that was found has its epoch there.
  const running = guardEpoch(host.guardEpochFile);
  if (running !== null && compareEpochs(running, token) >= 0) {
    throw new Refusal('higher-epoch', `the guard runs the database in epoch ${showEpoch(running)}`);
  }
  // Before the signal file: on a disk that hangs, writing that may never return.
  if (found === 'primary') for (const { pid } of processes) kill(pid);
  inhibitStart(directory);
  if (found !== 'primary') return { found, killed: 0 };
  return { found, killed: await killAll(directory, processes, host.killDeadlineMs) };
}

function realDirectory(path: string): string {
  try {
    return realpathSync(path);
  } catch (error) {
    throw refusalFor(error, 'failed', `finding ${path}`);
  }
}

function isStandby(host: DatabaseHost, processes: readonly DatabaseProcess[]): boolean {
  if (hasWalWriter(processes)) return false;
  const state = controlState(host);
  return state === 'in archive recovery' || state === 'shut down in recovery';
}

function controlState(host: DatabaseHost): string | null {
  try {
    const text = execFileSync(join(host.binDirectory, 'pg_controldata'), ['-D', host.dataDirectory], {
      encoding: 'latin1',
      env: { LC_ALL: 'C' },
      timeout: 2000,
      killSignal: 'SIGKILL',
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    return /^Database cluster state: +(.+)$/m.exec(text)?.[1] ?? null;
  } catch {
    return null;
  }
}

/** A file that is not there or makes no sense protects nothing: a primary without a known epoch has no right to run. */
function guardEpoch(path: string): EpochId | null {
  try {
    return parseGuardEpoch(readSmallFile(path)?.content.toString('utf8') ?? 'null');
  } catch {
    return null;
  }
}

export function parseGuardEpoch(text: string): EpochId | null {
  try {
    const value: unknown = JSON.parse(text);
    if (!isObject(value) || !isObject(value['era'])) return null;
    const number = asCount(value['era']['number']);
    const site = asSite(value['era']['site']);
    const epoch = asCount(value['epoch']);
    return number === null || site === null || epoch === null ? null : { era: { number, site }, epoch };
  } catch {
    return null;
  }
}

/** L7: whoever starts the database from now on gets one that refuses writes. */
function inhibitStart(directory: string): void {
  const path = join(directory, 'standby.signal');
  try {
    if (!existsSync(path)) replaceFile(path, Buffer.alloc(0), ownerByDirectory(directory), () => {});
    else syncFile(path, directory);
  } catch (error) {
    throw refusalFor(error, 'write-failed', `writing ${path}`);
  }
}

function syncFile(path: string, directory: string): void {
  const fd = openSync(path, constants.O_RDONLY);
  try {
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
  syncDirectory(directory);
}

/** The postmaster and all others, again and again: it may just have started one more. */
async function killAll(directory: string, first: readonly DatabaseProcess[], deadlineMs: number): Promise<number> {
  const until = performance.now() + deadlineMs;
  const killed = new Set<number>();
  let left = first;
  while (left.length > 0) {
    for (const { pid } of left) {
      kill(pid);
      killed.add(pid);
    }
    if (performance.now() > until) {
      throw new Refusal('still-alive', `after ${deadlineMs} ms: ${left.map((each) => each.pid).join(', ')}`);
    }
    await pause(pauseMs);
    left = databaseProcesses(directory);
  }
  return killed.size;
}

function kill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch (error) {
    if (errorCode(error) !== 'ESRCH') throw refusalFor(error, 'failed', `killing process ${pid}`);
  }
}
