// Records as JSON lines, buffered, on disk after 100 ms at the latest: a kill loses no more than that.

import { closeSync, openSync, readFileSync, writeSync } from 'node:fs';

const flushEveryMs = 100;

/** CLOCK_MONOTONIC in ms; one clock for all processes of one kernel. */
export function nowMs(): number {
  return Number(process.hrtime.bigint() / 1000n) / 1000;
}

export type Journal = { add(record: object): void; close(): void };

export function openJournal(path: string): Journal {
  const fd = openSync(path, 'a');
  let buffer = '';
  const flush = () => {
    if (buffer === '') return;
    writeSync(fd, buffer);
    buffer = '';
  };
  const timer = setInterval(flush, flushEveryMs);
  return {
    add: (record) => {
      buffer += `${JSON.stringify(record)}\n`;
    },
    close: () => {
      clearInterval(timer);
      flush();
      closeSync(fd);
    },
  };
}

/** All whole records; a line that a kill or a concurrent write left incomplete is skipped. */
export function readJournal<T>(path: string): T[] {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw error;
  }
  const records: T[] = [];
  for (const line of text.split('\n')) {
    if (line === '') continue;
    try {
      records.push(JSON.parse(line) as T);
    } catch {}
  }
  return records;
}
