// How a standby finds its primary. The settings go into postgresql.auto.conf: it lies in the data directory both on
// Debian (whose postgresql.conf lies in /etc and is not ours) and elsewhere, is read last, and needs no option at the
// start, so they also hold when boot, apt or a person starts PostgreSQL. They are written anew before every start,
// because a base backup brings the other site's along. The password stays out of them: a base backup would carry it
// away; it lies in a pgpass file in the state directory.

import { chmodSync, closeSync, fsyncSync, openSync, readFileSync, renameSync, writeSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { DatabaseSettings } from './settings.ts';

/**
 * wal_retrieve_retry_interval: the default of 5 s is what a standby waits before it tries a restarted primary again.
 * wal_receiver_timeout: 60 s by default, which is how long a cut link would go unnoticed after it healed.
 */
export function standbySettings(settings: DatabaseSettings): ReadonlyMap<string, string> {
  const { other, replication } = settings;
  const primary = [
    `host=${other.host}`,
    `port=${other.port}`,
    `user=${replication.user}`,
    `application_name=${settings.applicationName}`,
    ...(replication.passwordFile === null ? [] : [`passfile='${passFile(settings)}'`]),
    'connect_timeout=2',
    'tcp_user_timeout=5000',
  ];
  return new Map([
    ['primary_conninfo', primary.join(' ')],
    ['primary_slot_name', settings.slotAtOther],
    ['recovery_target_timeline', 'latest'],
    ['wal_retrieve_retry_interval', '500ms'],
    ['wal_receiver_timeout', '5s'],
  ]);
}

/** Only while PostgreSQL is stopped: ALTER SYSTEM rewrites the same file. Throws. */
export function writeStandbyConfig(settings: DatabaseSettings, waits: boolean): void {
  writePassFile(settings);
  const path = join(settings.dataDirectory, 'postgresql.auto.conf');
  const before = readIfThere(path);
  const names: readonly [string, string][] = waits ? [[waitsSetting, standbyNames(settings)]] : [];
  const after = withSettings(waits ? before : withoutWaits(before), new Map([...standbySettings(settings), ...names]));
  if (after !== before) replaceFile(path, after);
}

export const waitsSetting = 'synchronous_standby_names';

/** V8: commits wait for the other site's standby, by the name that its primary_conninfo gives it. */
export function standbyNames(settings: Pick<DatabaseSettings, 'standbyName'>): string {
  return `FIRST 1 (${settings.standbyName})`;
}

/** A value that siteward wrote, here or (a base backup brings it along) at the other site; any other is the operator's. */
export function isOurNames(value: string): boolean {
  return /^FIRST 1 \(siteward_site[12]\)$/.test(value);
}

function withoutWaits(text: string): string {
  const line = new RegExp(`^\\s*${waitsSetting}\\s*=\\s*'([^']*)'`, 'i');
  const lines = text.split('\n').filter((one) => !isOurNames(line.exec(one)?.[1] ?? ''));
  return lines.join('\n');
}

/** The file with these settings in it once, all its other lines untouched. */
export function withSettings(text: string, wanted: ReadonlyMap<string, string>): string {
  const kept = text
    .split('\n')
    .filter((line) => !wanted.has((/^\s*([A-Za-z_.]+)/.exec(line)?.[1] ?? '').toLowerCase()));
  while (kept.at(-1) === '') kept.pop();
  const own = [...wanted].map(([name, value]) => `${name} = '${value.replaceAll("'", "''")}'`);
  return [...kept, ...own, ''].join('\n');
}

export function writePassFile(settings: DatabaseSettings): void {
  const { user, passwordFile } = settings.replication;
  if (passwordFile === null) return;
  const password = readFileSync(passwordFile, 'utf8').split('\n', 1)[0] ?? '';
  const line = `*:*:replication:${user}:${password.replace(/[\\:]/g, '\\$&')}\n`;
  if (readIfThere(passFile(settings)) !== line) replaceFile(passFile(settings), line);
}

function passFile(settings: DatabaseSettings): string {
  return join(settings.stateDirectory, 'replication.pgpass');
}

function readIfThere(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return '';
    throw error;
  }
}

/** Atomic and durable, and nobody else's to read. */
function replaceFile(path: string, text: string): void {
  const fresh = `${path}.siteward`;
  const file = openSync(fresh, 'w', 0o600);
  try {
    writeSync(file, text);
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
  chmodSync(fresh, 0o600);
  renameSync(fresh, path);
  const directory = openSync(dirname(path), 'r');
  try {
    fsyncSync(directory);
  } finally {
    closeSync(directory);
  }
}
