/** The load client's own records, read on as they are written: who wants to know when a write was accepted looks here. */
import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import { join } from 'node:path';
import type { ClientRecord } from '../../load/records.ts';
import type { LabPaths } from '../../src/paths.ts';

export class ClientJournal {
  readonly #file: string;
  #offset = 0;
  #rest = '';
  /** Arrival of the last acknowledged write, CLOCK_MONOTONIC. */
  lastAckMs = 0;
  acknowledged = 0;
  failed = 0;

  constructor(paths: LabPaths) {
    this.#file = join(paths.load, 'out/client.jsonl');
  }

  /** What is new since the last time. */
  read(): readonly ClientRecord[] {
    const records = this.#lines().map((text) => JSON.parse(text) as ClientRecord);
    for (const record of records) {
      if (record.k !== 'w') continue;
      if (record.e === undefined) {
        this.acknowledged += 1;
        this.lastAckMs = Math.max(this.lastAckMs, record.a);
      } else if (record.e !== 'unfinished') this.failed += 1;
    }
    return records;
  }

  #lines(): readonly string[] {
    let file: number;
    try {
      file = openSync(this.#file, 'r');
    } catch {
      return [];
    }
    try {
      const buffer = Buffer.alloc(Math.max(0, fstatSync(file).size - this.#offset));
      this.#offset += readSync(file, buffer, 0, buffer.length, this.#offset);
      const lines = `${this.#rest}${buffer.toString('utf8')}`.split('\n');
      this.#rest = lines.pop() ?? '';
      return lines;
    } finally {
      closeSync(file);
    }
  }
}
