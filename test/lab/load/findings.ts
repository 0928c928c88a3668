// What the journals say, without asking anybody: pure functions over their records.

import { type ClientRecord, compareTokens, type Token, type WriterRecord } from './records.ts';

export type Outage = { readonly fromMs: number; readonly toMs: number; readonly ms: number; readonly failed: number };
export type Ack = {
  readonly site: string;
  readonly st: string;
  readonly q: number;
  readonly s: number;
  readonly a: number;
  readonly t: Token;
};
export type Overlap = { readonly write: Ack; readonly otherSite: string; readonly otherArrivedMs: number };

/** From one start of a process to its end: between two of them nobody asked, so nothing can have failed. */
export function segments(records: readonly { k: string; a: number; s?: number }[]): { from: number; to: number }[] {
  const found: { from: number; to: number }[] = [];
  for (const record of records) {
    if (record.k === 'start') found.push({ from: record.a, to: record.a });
    const last = found.at(-1);
    if (last !== undefined) last.to = Math.max(last.to, record.a);
  }
  return found;
}

/** Gaps between acknowledged writes, by the time they were acknowledged; the ends of each segment bound one too. */
export function outages(
  acknowledgedAt: readonly number[],
  failedAt: readonly number[],
  within: readonly { from: number; to: number }[],
): Outage[] {
  const found: Outage[] = [];
  for (const { from, to } of within) {
    const inside = acknowledgedAt.filter((at) => at >= from && at <= to).sort((a, b) => a - b);
    const edges = [from, ...inside, to];
    for (let index = 1; index < edges.length; index += 1) {
      const [fromMs = 0, toMs = 0] = [edges[index - 1], edges[index]];
      const failed = failedAt.filter((at) => at >= fromMs && at < toMs).length;
      found.push({ fromMs, toMs, ms: Math.round((toMs - fromMs) * 10) / 10, failed });
    }
  }
  return found;
}

export function longest(found: readonly Outage[]): number {
  return found.reduce((max, { ms }) => Math.max(max, ms), 0);
}

export function countBy<T>(items: readonly T[], key: (item: T) => string): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const item of items) counts[key(item)] = (counts[key(item)] ?? 0) + 1;
  return counts;
}

type Asked = Extract<ClientRecord, { k: 'w' | 'r' }>;

export function asked(records: readonly ClientRecord[], fromMs: number, toMs: number): Asked[] {
  return records.filter((r): r is Asked => (r.k === 'w' || r.k === 'r') && r.s >= fromMs && r.s <= toMs);
}

export function acks(site: string, records: readonly WriterRecord[], fromMs: number, toMs: number): Ack[] {
  return records
    .filter((r) => r.k === 'w' && r.s >= fromMs && r.s <= toMs)
    .map((r) => ({ site, ...(r as Extract<WriterRecord, { k: 'w' }>) }));
}

/**
 * I1 as it can be seen from outside: writes sent to a site after the other site's first acknowledgement of a higher epoch
 * had arrived, and acknowledged all the same.
 */
export function overlaps(all: readonly Ack[]): Overlap[] {
  const firsts = new Map<string, Ack>();
  for (const ack of all) {
    const key = `${ack.site} ${ack.t.join('.')}`;
    const first = firsts.get(key);
    if (first === undefined || ack.a < first.a) firsts.set(key, ack);
  }
  const found: Overlap[] = [];
  for (const write of all) {
    const higher = [...firsts.values()]
      .filter((first) => first.site !== write.site && compareTokens(first.t, write.t) > 0)
      .sort((a, b) => a.a - b.a)[0];
    if (higher !== undefined && write.s > higher.a) {
      found.push({ write, otherSite: higher.site, otherArrivedMs: higher.a });
    }
  }
  return found;
}

export function ackKey(ack: { site: string; st: string; q: number | string }): string {
  return `${ack.site} ${ack.st} ${ack.q}`;
}
