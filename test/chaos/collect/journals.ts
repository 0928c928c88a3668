/** The load's journals as a history has them. */
import { join } from 'node:path';
import { readJournal } from '../../lab/load/journal.ts';
import type { ClientRecord, WriterRecord } from '../../lab/load/records.ts';
import { SITES } from '../../lab/src/topology.ts';
import type { History, NameRead, NameWrite, RegisterRead, RegisterWrite, SocketWrite } from '../history/history.ts';

type RegisterRecord =
  | { readonly k: 'start'; readonly a: number; readonly base: number }
  | { readonly k: 'w'; readonly n: string; readonly v: number; readonly s: number; readonly a: number | null }
  | { readonly k: 'r'; readonly n: string; readonly v: number | null; readonly s: number; readonly a: number };

export type Journals = Pick<History, 'sockets' | 'names' | 'nameReads' | 'registerWrites' | 'registerReads'> & {
  /** The day that the registers count from. */
  readonly base: number;
  /** When the client got its answers, for the outages. */
  readonly answeredAt: readonly number[];
};

/** As the database has it in lab.writes. */
export const keyOf = (site: string, start: string, seq: number | string): string => `${site} ${start} ${seq}`;

export function readJournals(directory: string): Journals {
  const client = readJournal<ClientRecord>(join(directory, 'client.jsonl'));
  const names: NameWrite[] = [];
  const nameReads: NameRead[] = [];
  for (const record of client) {
    if (record.k !== 'w' && record.k !== 'r') continue;
    const { n: name, s, a, e } = record;
    if (record.k === 'w' && e === undefined) names.push({ name, s, a });
    if (record.k === 'r' && (e === undefined || e === 'http-404'))
      nameReads.push({ name, s, a, found: e === undefined });
  }
  const registers = readJournal<RegisterRecord>(join(directory, 'registers.jsonl'));
  const registerWrites: RegisterWrite[] = [];
  const registerReads: RegisterRead[] = [];
  let base = 0;
  for (const record of registers) {
    if (record.k === 'start') base = record.base;
    else if (record.k === 'w') registerWrites.push({ name: record.n, value: record.v, s: record.s, a: record.a });
    else registerReads.push({ name: record.n, value: record.v, s: record.s, a: record.a });
  }
  const sockets = SITES.flatMap((site) =>
    readJournal<WriterRecord>(join(directory, `writer-${site}.jsonl`)).flatMap((record): readonly SocketWrite[] => {
      if (record.k !== 'w') return [];
      const { st, q, s, a, t, l } = record;
      return [{ key: keyOf(site, st, q), site, s, a, token: t, lsn: l ?? null }];
    }),
  );
  const answeredAt = names.map(({ a }) => a).sort((a, b) => a - b);
  return { sockets, names, nameReads, registerWrites, registerReads, base, answeredAt };
}

/** The longest time without an answer to a write of the client. */
export function longestOutageMs(answeredAt: readonly number[]): number {
  return answeredAt.reduce((longest, ms, index) => Math.max(longest, ms - (answeredAt[index - 1] ?? ms)), 0);
}
