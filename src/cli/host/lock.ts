// One order at a time on a host. The lock is the kernel's (flock), held by a child that ends with this process however
// it ends: nothing stale can be left behind, no timeout has to guess whether the holder lives.

import { spawn } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { dirname } from 'node:path';
import { Refusal, refusalFor } from './refusal.ts';

/** Runs `action` alone; refuses as `busy` when the lock is not free within `waitMs`. */
export async function locked<T>(path: string, waitMs: number, action: () => T | Promise<T>): Promise<T> {
  try {
    mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  } catch (error) {
    throw refusalFor(error, 'failed', `making ${dirname(path)}`);
  }
  const release = await takeLock(path, waitMs);
  try {
    return await action();
  } finally {
    release();
  }
}

function takeLock(path: string, waitMs: number): Promise<() => void> {
  return new Promise((resolve, reject) => {
    // flock becomes `cat`, which keeps the lock, and gives back our one byte as soon as it runs. It ends when our end of
    // its standard input closes, be it by release, exit or SIGKILL.
    const holder = spawn('flock', ['--no-fork', '-w', (waitMs / 1000).toFixed(3), '-E', '75', path, 'cat'], {
      stdio: ['pipe', 'pipe', 'ignore'],
    });
    holder.stdin.write('\n');
    holder.stdin.on('error', () => {});
    holder.once('error', (error) => reject(refusalFor(error, 'failed', 'taking the lock')));
    holder.once('exit', (code) => {
      reject(
        code === 75
          ? new Refusal('busy', `another order held the lock for ${waitMs} ms`)
          : new Refusal('failed', `flock ${path} ended with ${code}`),
      );
    });
    holder.stdout.once('data', () => resolve(() => holder.stdin.end()));
  });
}
