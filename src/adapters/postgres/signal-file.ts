// standby.signal: while it lies in the data directory, whoever starts PostgreSQL gets a database that refuses writes
// (L7, L10; lab-notes.md "PostgreSQL on Debian").

import { closeSync, existsSync, fsyncSync, openSync, rmSync } from 'node:fs';
import { access, open } from 'node:fs/promises';
import { join } from 'node:path';

export type SignalFile = {
  present(): boolean;
  /** Durable when it returns; a file that is there stays as it is. Throws. */
  put(): void;
  /** The same in the background, for a fence: a hung disk must not keep it from killing. */
  putSoon(): Promise<void>;
  /** Not synced: after a power loss the file is back, which is the safe side. Throws. */
  take(): void;
};

export function createSignalFile(dataDirectory: string): SignalFile {
  const path = join(dataDirectory, 'standby.signal');
  return {
    present: () => existsSync(path),
    put: () => {
      closeSync(openSync(path, 'a', 0o600));
      const directory = openSync(dataDirectory, 'r');
      try {
        fsyncSync(directory);
      } finally {
        closeSync(directory);
      }
    },
    putSoon: async () => {
      // Opening it for writing would hang on a frozen volume, and what is there needs no sync that may take its time.
      if (await isThere(path)) return;
      await (await open(path, 'a', 0o600)).close();
      const directory = await open(dataDirectory, 'r');
      try {
        await directory.sync();
      } finally {
        await directory.close();
      }
    },
    take: () => rmSync(path, { force: true }),
  };
}

function isThere(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}
