// The deeds of `siteward disarm`, in their order: the guard stops, and within what is left of its lease the fuse is
// disarmed, so that the database does not even notice. Each may be done again after a stop in the middle.

import { execFileSync, spawnSync } from 'node:child_process';
import { appendFileSync, closeSync, existsSync, fsyncSync, openSync, rmSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import type { ClusterConfig, HostConfig } from '../../config/cluster.ts';
import type { Site } from '../../core/site.ts';

export type DatabasePart = { readonly site: Site; readonly host: HostConfig };

/** systemd does it where it runs; elsewhere whoever started the guard has stopped it. */
export function systemctl(...words: readonly string[]): void {
  if (!existsSync('/run/systemd/system')) return;
  execFileSync('systemctl', ['--quiet', ...words], { stdio: ['ignore', 'ignore', 'inherit'], timeout: 30_000 });
}

/** Whatever its supervisor says: somebody listens on its port, or nobody does. */
export function guardListens({ ports }: ClusterConfig, part: DatabasePart): Promise<boolean> {
  return new Promise((resolve) => {
    const connection = connect({ host: part.host.address, port: ports.guard });
    const end = (listens: boolean): void => {
      connection.destroy();
      resolve(listens);
    };
    connection.setTimeout(2000, () => end(true));
    connection.once('connect', () => end(true));
    connection.once('error', () => end(false));
  });
}

/** The guard leaves no deadline beside a database that cannot accept writes (L9). */
export function mayBeWritable({ paths }: ClusterConfig): boolean {
  return existsSync(join(paths.runDirectory, 'fuse.deadline'));
}

/** From here on the fuse kills nothing. */
export function disarmFuse({ paths }: ClusterConfig): void {
  removeDurably(paths.stateDirectory, 'fuse.armed');
  rmSync(join(paths.runDirectory, 'fuse.deadline'), { force: true });
}

/** Whoever starts the database from now on gets a primary. */
export function allowPrimary({ database }: ClusterConfig): void {
  removeDurably(database.dataDirectory, 'standby.signal');
}

/** On this host's disk and in its system log. */
export function record({ paths }: ClusterConfig, line: object): void {
  const text = JSON.stringify(line);
  appendFileSync(join(paths.stateDirectory, 'disarmed.log'), `${text}\n`, { mode: 0o640 });
  spawnSync('logger', ['-t', 'siteward', '-p', 'auth.notice', '--', `disarmed ${text}`], { timeout: 2000 });
}

function removeDurably(folder: string, name: string): void {
  rmSync(join(folder, name), { force: true });
  const directory = openSync(folder, 'r');
  try {
    fsyncSync(directory);
  } finally {
    closeSync(directory);
  }
}
