/** Faults of a database host: PostgreSQL, guard, fuse, disk, power, sessions. */
import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { requireInit } from '../../lab/src/hosts.ts';
import { ADDRESSES } from '../../lab/src/topology.ts';
import { emptyVolume, fillVolume, hangVolume, thawVolume } from '../../lab/src/volumes.ts';
import type { Strike } from './struck.ts';
import { nothingToHeal } from './struck.ts';

/** More than the server has room for; what is left of superusers' places stays free. */
const SESSIONS = '150';

const postmasterKilled: Strike = async ({ lab }, _fault, site) => {
  lab.signal(`${site}-db`, 'postgres', 'SIGKILL');
  return { impairs: [`${site}-db`], feltMs: 2_000, heal: nothingToHeal };
};

const postgresFrozen: Strike = async ({ lab }, _fault, site) => {
  const host = `${site}-db`;
  await lab.freeze(host, 'postgres');
  return { impairs: [host], heal: async () => thawIfThere(() => lab.thaw(host, 'postgres')) };
};

const databasePower: Strike = async ({ lab }, { variant }, site) => {
  const host = `${site}-db` as const;
  await lab.kill(host);
  return { impairs: [host], heal: () => lab.start(host, { bootPostgres: variant === 'boot-postgres' }) };
};

/** L11: no failed commit, and so no excuse. */
const guardKilled: Strike = async ({ lab }, _fault, site) => {
  lab.signal(`${site}-db`, 'guard', 'SIGKILL');
  return { impairs: [], heal: nothingToHeal };
};

const guardRestarted: Strike = async ({ lab }, _fault, site) => {
  await lab.restartService(`${site}-db`, 'guard');
  return { impairs: [], heal: nothingToHeal };
};

const guardStopped: Strike = async ({ lab }, _fault, site) => {
  const host = `${site}-db`;
  await lab.stopService(host, 'guard');
  return { impairs: [host], heal: () => lab.startService(host, 'guard') };
};

const guardFrozen: Strike = async ({ lab }, _fault, site) => {
  const host = `${site}-db`;
  await lab.freeze(host, 'guard', { holdWatchdog: true });
  return { impairs: [host], heal: async () => lab.thaw(host, 'guard') };
};

const fuseFrozen: Strike = async ({ lab }, _fault, site) => {
  const host = `${site}-db`;
  await lab.freeze(host, 'fuse');
  return { impairs: [host], heal: async () => lab.thaw(host, 'fuse') };
};

const diskFull: Strike = async ({ lab }, _fault, site) => {
  const host = `${site}-db` as const;
  await fillVolume(lab.paths, host);
  return { impairs: [host], heal: () => emptyVolume(lab.paths, host) };
};

const diskHung: Strike = async ({ lab }, { forMs }, site) => {
  const host = `${site}-db` as const;
  await hangVolume(lab.paths, host, forMs + 5_000);
  return { impairs: [host], heal: () => thawVolume(lab.paths, host) };
};

/** V1: too many connections are no failed primary, and so no excuse. */
const connectionStorm: Strike = async ({ lab, say }, _fault, site) => {
  const env = readFileSync(join(lab.paths.disk(`${site}-app`), `srv/birthday/${site}.env`), 'utf8');
  const password = /^dbpass=(.*)$/m.exec(env)?.[1] ?? '';
  const init = String(requireInit(lab.paths, `${site}-app`));
  const program = [process.execPath, join(import.meta.dirname, '../load/storm.ts')];
  const command = ['-t', init, '-n', '--', 'nice', '-n', '5', ...program, ADDRESSES[`${site}-db`], password, SESSIONS];
  const child = spawn('nsenter', command, { stdio: ['pipe', 'pipe', 'ignore'] });
  let counts = '';
  child.stdin.on('error', () => {});
  child.stdout.on('data', (text) => {
    counts += String(text);
  });
  child.on('exit', () => say(`the storm's sessions: ${counts.trim() || 'it ended before'}`));
  return { impairs: [], heal: async () => void child.stdin.end() };
};

/** What was frozen may have been killed meanwhile, which is what a fence is for. */
function thawIfThere(thaw: () => void): void {
  try {
    thaw();
  } catch {
    // Its host is off, or nothing of it is left.
  }
}

export const databaseFaults = {
  'postmaster-killed': postmasterKilled,
  'postgres-frozen': postgresFrozen,
  'database-power': databasePower,
  'guard-killed': guardKilled,
  'guard-restarted': guardRestarted,
  'guard-stopped': guardStopped,
  'guard-frozen': guardFrozen,
  'fuse-frozen': fuseFrozen,
  'disk-full': diskFull,
  'disk-hung': diskHung,
  'connection-storm': connectionStorm,
} as const satisfies Readonly<Record<string, Strike>>;
