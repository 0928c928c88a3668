// The files between guard and fuse (L9). The fuse is systemd/siteward-fuse; this side only writes and reads small files,
// synchronously, so that "deadline, then signal file away" keeps its order without a promise in between.

import {
  closeSync,
  existsSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import { done, type Outcome, unknown } from '../../core/outcome.ts';
import type { Fuse } from '../../ports/database.ts';

export type FuseConfig = {
  /** Memory-backed, e.g. /run/siteward: a boot forgets the deadline. */
  readonly runDirectory: string;
  /** On disk, e.g. /var/lib/siteward: armed outlasts a boot. */
  readonly stateDirectory: string;
};

export function createFuse(config: FuseConfig): Fuse {
  const deadlineFile = join(config.runDirectory, 'fuse.deadline');
  const seenFile = join(config.runDirectory, 'fuse.seen');
  const armedFile = join(config.stateDirectory, 'fuse.armed');
  /** By this process. */
  let isArmedOnDisk = false;

  return {
    arm: () =>
      attempt(() => {
        // Asked with each deadline, so a disk that is slow must not be waited for each time.
        const exists = existsSync(armedFile);
        if (exists && isArmedOnDisk) return;
        // One that is there already: whoever wrote it may have died before it was on the disk.
        if (exists) sync(armedFile);
        else writeDurably(armedFile, 'armed\n');
        sync(config.stateDirectory);
        isArmedOnDisk = true;
      }),
    setDeadline: (at) =>
      attempt(() => {
        // Renamed into place: the fuse never reads half a number.
        const fresh = `${deadlineFile}.new`;
        const text = `${Math.floor(at)}\n`;
        const file = openSync(fresh, 'w', 0o644);
        try {
          writeSync(file, text);
        } finally {
          closeSync(file);
        }
        renameSync(fresh, deadlineFile);
      }),
    clearDeadline: () => attempt(() => rmSync(deadlineFile, { force: true })),
    deadline: () => readNumber(deadlineFile),
    lastLook: () => readNumber(seenFile),
    armed: () => existsSync(armedFile),
  };
}

function attempt(work: () => void): Outcome<void> {
  try {
    work();
    return done(undefined);
  } catch (error) {
    return unknown(error instanceof Error ? error.message : String(error));
  }
}

function writeDurably(path: string, text: string): void {
  mkdirSync(join(path, '..'), { recursive: true });
  const file = openSync(path, 'w', 0o644);
  try {
    writeSync(file, text);
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
}

/** A file or a directory. */
function sync(path: string): void {
  const directory = openSync(path, 'r');
  try {
    fsyncSync(directory);
  } finally {
    closeSync(directory);
  }
}

/** The first line of a file, or null when there is none or it is no number. */
function readNumber(path: string): number | null {
  try {
    const line = readFileSync(path, 'utf8').split('\n', 1)[0] ?? '';
    return /^\d{1,15}$/.test(line) ? Number(line) : null;
  } catch {
    return null;
  }
}
