// Small files, read whole and replaced durably. Stopped after any step, the name holds either the old or the new
// complete content (I8); what is left over is one temporary file, which the next replacement removes.

import {
  closeSync,
  constants,
  fchmodSync,
  fchownSync,
  fstatSync,
  fsyncSync,
  lstatSync,
  openSync,
  readSync,
  renameSync,
  rmSync,
  writeSync,
} from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { errorCode } from './refusal.ts';

/** Far above any .env or note; a file larger than this is something else. */
export const largestFile = 64 * 1024;

export type SmallFile = { readonly content: Buffer; readonly uid: number; readonly gid: number; readonly mode: number };

/** Null when there is no such file; throws for what is no regular file, too large or unreadable. */
export function readSmallFile(path: string): SmallFile | null {
  let fd: number;
  try {
    // No symbolic link: a rename would replace the link and leave its target as it was. No wait on a fifo.
    fd = openSync(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return null;
    throw error;
  }
  try {
    const { uid, gid, mode, size } = regularFile(fd, path);
    if (size > largestFile) throw new Error(`${path} is larger than ${largestFile} bytes`);
    const buffer = Buffer.alloc(largestFile + 1);
    let length = 0;
    for (;;) {
      const read = readSync(fd, buffer, length, buffer.length - length, null);
      length += read;
      if (read === 0 || length > largestFile) break;
    }
    if (length > largestFile) throw new Error(`${path} is larger than ${largestFile} bytes`);
    return { content: buffer.subarray(0, length), uid, gid, mode: mode & 0o7777 };
  } finally {
    closeSync(fd);
  }
}

function regularFile(fd: number, path: string) {
  const stat = fstatSync(fd);
  if (!stat.isFile()) throw new Error(`${path} is no regular file`);
  return stat;
}

export type Owner = { readonly uid: number; readonly gid: number; readonly mode: number };

/** Named after each step; tests stop the process there. */
export type ReplaceStep = 'temp-created' | 'temp-written' | 'temp-synced' | 'renamed' | 'directory-synced';

/**
 * Replaces `path` by `content`, with the owner and mode given. The caller holds the host's lock, so the temporary name
 * can be a fixed one: a crash leaves one file behind, never a growing heap of copies of secrets.
 */
export function replaceFile(path: string, content: Buffer, owner: Owner, passed: (step: ReplaceStep) => void): void {
  const directory = dirname(path);
  const temporary = join(directory, `.${basename(path)}.siteward-new`);
  rmSync(temporary, { force: true });
  const fd = openSync(
    temporary,
    constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW,
    0o600,
  );
  try {
    passed('temp-created');
    const made = fstatSync(fd);
    if (made.uid !== owner.uid || made.gid !== owner.gid) fchownSync(fd, owner.uid, owner.gid);
    fchmodSync(fd, owner.mode);
    let written = 0;
    while (written < content.length) written += writeSync(fd, content, written);
    passed('temp-written');
    fsyncSync(fd);
    passed('temp-synced');
    renameSync(temporary, path);
  } catch (error) {
    rmSync(temporary, { force: true });
    throw error;
  } finally {
    closeSync(fd);
  }
  passed('renamed');
  syncDirectory(directory);
  passed('directory-synced');
}

export function syncDirectory(directory: string): void {
  const fd = openSync(directory, constants.O_RDONLY | constants.O_DIRECTORY);
  try {
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
}

/** Owner for a file that does not exist yet: as the directory's, readable by nobody else. */
export function ownerByDirectory(directory: string): Owner {
  const { uid, gid } = lstatSync(directory);
  return { uid, gid, mode: 0o600 };
}
