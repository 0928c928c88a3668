// What pg_controldata says, read only when the file has changed. `in production` stays after a crash: it does not tell
// whether a database runs. After a clean stop the checkpoint location is the start of the shutdown checkpoint record.

import { execFile } from 'node:child_process';
import { statSync } from 'node:fs';
import { join } from 'node:path';
import { type Lsn, parseLsn } from '../../core/lsn.ts';
import type { Ms } from '../../core/time.ts';

export type ControlData = {
  readonly state: string;
  readonly systemId: string;
  readonly timeline: number;
  readonly checkpoint: Lsn;
};

/** `version` changes whenever PostgreSQL has written the file. */
export type Versioned = ControlData & { readonly version: string };

export type ControlFile = {
  /** At most `maxAgeMs` behind the file; null when it cannot be read. */
  read(maxAgeMs: Ms): Promise<Versioned | null>;
};

/** A file's time moves in steps of a clock tick: one that changed so recently may change again without showing it. */
const tickMs: Ms = 50;
const programMs: Ms = 2000;

export function createControlFile(dataDirectory: string, binDirectory: string): ControlFile {
  const path = join(dataDirectory, 'global/pg_control');
  let cached: { readonly data: Versioned; readonly readAt: Ms; readonly settled: boolean } | null = null;

  const versionNow = (): { version: string; changedMs: Ms } | null => {
    try {
      const { ino, mtimeMs } = statSync(path);
      return { version: `${ino} ${mtimeMs}`, changedMs: mtimeMs };
    } catch {
      return null;
    }
  };

  return {
    read: async (maxAgeMs) => {
      const found = versionNow();
      if (found === null) return null;
      if (cached !== null) {
        if (cached.settled && cached.data.version === found.version) return cached.data;
        if (performance.now() - cached.readAt <= maxAgeMs) return cached.data;
      }
      const settled = Math.abs(Date.now() - found.changedMs) > tickMs;
      const readAt = performance.now();
      const data = parseControlData(await runControlData(binDirectory, dataDirectory));
      if (data === null) return null;
      cached = { data: { ...data, version: found.version }, readAt, settled };
      return cached.data;
    },
  };
}

function runControlData(binDirectory: string, dataDirectory: string): Promise<string> {
  return new Promise((resolve) => {
    execFile(
      join(binDirectory, 'pg_controldata'),
      ['-D', dataDirectory],
      { env: { LC_ALL: 'C' }, timeout: programMs, killSignal: 'SIGKILL' },
      (error, stdout) => resolve(error === null ? stdout : ''),
    );
  });
}

export function parseControlData(text: string): ControlData | null {
  const values = new Map<string, string>();
  for (const line of text.split('\n')) {
    const colon = line.indexOf(':');
    if (colon > 0) values.set(line.slice(0, colon), line.slice(colon + 1).trim());
  }
  const state = values.get('Database cluster state');
  const systemId = values.get('Database system identifier');
  const timeline = Number(/^[1-9]\d{0,9}$/.exec(values.get("Latest checkpoint's TimeLineID") ?? '')?.[0]);
  const checkpoint = parseLsn(values.get('Latest checkpoint location') ?? '');
  if (state === undefined || checkpoint === null || !Number.isSafeInteger(timeline)) return null;
  if (systemId === undefined || !/^\d{1,20}$/.test(systemId)) return null;
  return { state, systemId, timeline, checkpoint };
}
