/**
 * Volumes of a fixed size for the databases: loop-mounted in the keeper's mount namespace, so that they can be filled and
 * made to hang without harm to anything else, and are gone with the keeper.
 */
import { spawn } from 'node:child_process';
import { existsSync, mkdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { requireKeeper } from './hosts.ts';
import type { LabPaths } from './paths.ts';
import type { PostgresPlace } from './postgres.ts';
import { must, run } from './process.ts';
import type { HostName } from './topology.ts';
import { SITES } from './topology.ts';

const SIZE = '700M';
const FILLER = 'filler';

export const volumeOf = (paths: LabPaths, host: HostName): string => join(paths.base, 'volumes', host);

export const hasVolume = (paths: LabPaths, host: HostName): boolean => existsSync(volumeOf(paths, host));

const inKeeper = (paths: LabPaths, script: string, args: readonly string[]): readonly string[] => {
  return ['-t', String(requireKeeper(paths)), '-m', '--', 'sh', '-ec', script, 'sh', ...args];
};

/** Moves what lies around the data directory of both database hosts onto a volume each; before they boot. */
export async function makeVolumes(paths: LabPaths, place: PostgresPlace): Promise<void> {
  const script = `
    truncate -s "$1" "$2.img"
    mkfs.ext4 -q -m 0 -E lazy_itable_init=0,lazy_journal_init=0 "$2.img"
    mount -o loop "$2.img" "$2"
    rmdir "$2/lost+found"
    cp -a "$3/." "$2/"
    chown --reference="$3" "$2"`;
  const making = SITES.map(async (site) => {
    const volume = volumeOf(paths, `${site}-db`);
    mkdirSync(volume, { recursive: true });
    const from = join(paths.disk(`${site}-db`), dirname(place.dataDirectory));
    await must('nsenter', inKeeper(paths, script, [SIZE, volume, from]), { timeoutMs: 30_000 });
  });
  await Promise.all(making);
}

/** Not a byte is left, until it is emptied again. */
export async function fillVolume(paths: LabPaths, host: HostName): Promise<void> {
  const script = `
    fallocate -l "$(($(df --output=avail -Bk "$1" | tail -n 1 | tr -dc 0-9) - 1024))KiB" "$1/${FILLER}" || true
    dd if=/dev/zero bs=4096 >>"$1/${FILLER}" 2>/dev/null || true`;
  await must('nsenter', inKeeper(paths, script, [volumeOf(paths, host)]), { timeoutMs: 30_000 });
}

export async function emptyVolume(paths: LabPaths, host: HostName): Promise<void> {
  await must('nsenter', inKeeper(paths, `rm -f "$1/${FILLER}"`, [volumeOf(paths, host)]), { timeoutMs: 30_000 });
}

/**
 * Whoever writes hangs in the kernel, past SIGKILL. It is thawed after that time by a process of its own, outside of the
 * lab, whatever becomes of this one: what hangs cannot be ended, and would be left for ever.
 */
export async function hangVolume(paths: LabPaths, host: HostName, forMs: number): Promise<void> {
  const script = `fsfreeze -f "$1"; echo hangs; sleep "$2"; fsfreeze -u "$1" || true`;
  const args = inKeeper(paths, script, [volumeOf(paths, host), (forMs / 1000).toFixed(3)]);
  const child = spawn('nsenter', args, { stdio: ['ignore', 'pipe', 'ignore'], detached: true });
  await new Promise<void>((resolve, reject) => {
    child.stdout.once('data', () => resolve());
    child.once('exit', (code) => reject(new Error(`${host}'s volume could not be made to hang: exit code ${code}`)));
  });
  child.stdout.destroy();
  child.unref();
}

export async function thawVolume(paths: LabPaths, host: HostName): Promise<void> {
  // Fails when it does not hang any more, which is as well.
  await run('nsenter', inKeeper(paths, 'fsfreeze -u "$1"', [volumeOf(paths, host)]), { timeoutMs: 10_000 });
}
