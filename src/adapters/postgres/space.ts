// V1: whether anything more fits beside the data. A commit that changes a row in place still works on a full volume, until
// its WAL segment is used up; clients, who need new pages, are refused long before that.

import { statfs } from 'node:fs/promises';

/** What a server that is written to needs next. Less than this is gone before anybody could react to it. */
const fewPages = 32 * 8192;
const lookEveryMs = 500;
const believedForMs = 5000;

export type Space = { isFull(): boolean };

/** Nothing waits for the volume: the answer is that of the last look, and none on a disk that hangs. */
export function createSpace(directory: string, room: (path: string) => Promise<number> = roomAt): Space {
  let last = { at: Number.NEGATIVE_INFINITY, full: false };
  let askedAt = Number.NEGATIVE_INFINITY;
  let asking = false;

  async function look(): Promise<void> {
    try {
      const full = (await room(directory)) < fewPages;
      last = { at: performance.now(), full };
    } catch {
      // Not known.
    }
    asking = false;
  }

  return {
    isFull: () => {
      const now = performance.now();
      if (!asking && now - askedAt >= lookEveryMs) {
        [asking, askedAt] = [true, now];
        void look();
      }
      return last.full && now - last.at < believedForMs;
    },
  };
}

/** For anybody but root, who has a reserve on some file systems. */
async function roomAt(path: string): Promise<number> {
  const { bavail, bsize } = await statfs(path);
  return bavail * bsize;
}
