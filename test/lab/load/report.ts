// What the load saw, checked against what is there now. See README.md.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { checkNames, readPrimaries } from './check.ts';
import {
  type DatabaseTarget,
  databaseDefaults,
  readConfig,
  runProgram,
  type ServiceTarget,
  serviceDefaults,
} from './config.ts';
import { ackKey, acks, asked, countBy, longest, type Outage, outages, overlaps, segments } from './findings.ts';
import { readJournal } from './journal.ts';
import type { ClientRecord, WriterRecord } from './records.ts';
import { type Report, reportText, type WriterReport } from './report-text.ts';

type Config = ServiceTarget & {
  readonly run: string;
  readonly out: string;
  readonly databases: Readonly<Record<string, Partial<DatabaseTarget>>>;
  readonly user: string;
  readonly database: string;
  readonly fromMs: number;
  readonly toMs: number;
  readonly checkTimeoutMs: number;
  readonly gapMs: number;
  readonly check: boolean;
};

const defaults = {
  ...serviceDefaults,
  name: '',
  dnsServer: '',
  databases: {},
  user: databaseDefaults.user,
  database: databaseDefaults.database,
  fromMs: 0,
  toMs: Number.MAX_SAFE_INTEGER,
  checkTimeoutMs: 30_000,
  gapMs: 200,
  check: true,
};
const examplesMax = 10;

type Span = { from: number; to: number };

function clamp(spans: readonly Span[], { fromMs, toMs }: Config): Span[] {
  return spans
    .map(({ from, to }) => ({ from: Math.max(from, fromMs), to: Math.min(to, toMs) }))
    .filter(({ from, to }) => to > from);
}

/** A client that waits for answers writes nothing: its status file says that it was there and waiting. */
function stillWaiting(records: ClientRecord[], out: string): ClientRecord[] {
  if (records.at(-1)?.k === 'stop') return records;
  try {
    const { at } = JSON.parse(readFileSync(join(out, 'client.status.json'), 'utf8')) as { at: number };
    return [...records, { k: 'stop', a: at }];
  } catch {
    return records;
  }
}

async function clientReport(config: Config, problems: string[]): Promise<Report['client']> {
  const records = stillWaiting(readJournal<ClientRecord>(join(config.out, 'client.jsonl')), config.out);
  if (records.length === 0) problems.push('the client left no records');
  const all = asked(records, config.fromMs, config.toMs);
  const failed = all.filter((r) => r.e !== undefined && r.e !== 'unfinished');
  // A read of a name that is not there is an answer, and a finding of its own.
  const stale = failed.filter((r) => r.k === 'r' && r.e === 'http-404');
  const failures = failed.filter((r) => !stale.includes(r));
  const writes = all.filter((r) => r.k === 'w' && r.e === undefined);
  const within = clamp(segments(records), config);
  const gaps = outages(
    writes.map((r) => r.a),
    failures.map((r) => r.a),
    within,
  );
  let found = { lost: [] as readonly string[], unchecked: writes.length };
  if (config.check) {
    found = await checkNames(
      config,
      writes.map((r) => r.n),
      config.checkTimeoutMs,
    );
    if (found.unchecked > 0) problems.push(`${found.unchecked} of the client's writes could not be checked`);
  }
  return {
    acknowledged: writes.length,
    failed: failures.length,
    failures: countBy(failures, (r) => r.e ?? ''),
    reads: all.filter((r) => r.k === 'r' && r.e === undefined).length,
    staleReads: stale.length,
    retried: all.filter((r) => r.r === 1).length,
    longestOutageMs: longest(gaps),
    outages: gaps.filter((gap) => gap.ms > config.gapMs),
    lost: found.lost.length,
    lostNames: found.lost.slice(0, examplesMax),
    unchecked: found.unchecked,
    addresses: records.filter((r) => r.k === 'dns').map((r) => ({ atMs: r.a, address: r.ip })),
  };
}

function writerReport(records: readonly WriterRecord[], site: string, { fromMs, toMs }: Config): WriterReport {
  const own = acks(site, records, fromMs, toMs);
  const errors: Record<string, number> = {};
  for (const record of records) {
    if (record.k !== 'e' || record.a < fromMs || record.a > toMs) continue;
    for (const [code, count] of Object.entries(record.n)) errors[code] = (errors[code] ?? 0) + count;
  }
  const epochs = new Map<string, { era: number; epoch: number; timeline: number; firstMs: number; lastMs: number }>();
  for (const { t, a } of own) {
    const [era, epoch, timeline] = t;
    const entry = epochs.get(t.join('.')) ?? { era, epoch, timeline, firstMs: a, lastMs: a };
    epochs.set(t.join('.'), { ...entry, firstMs: Math.min(entry.firstMs, a), lastMs: Math.max(entry.lastMs, a) });
  }
  return {
    acknowledged: own.length,
    unknown: records.filter((r) => r.k === 'u' && r.s >= fromMs && r.s <= toMs).length,
    errors,
    firstAckMs: own.length > 0 ? Math.min(...own.map((ack) => ack.a)) : null,
    lastAckMs: own.reduce<number | null>((last, ack) => Math.max(last ?? ack.a, ack.a), null),
    epochs: [...epochs.values()],
  };
}

async function report(config: Config): Promise<Report> {
  const problems: string[] = [];
  const sites = ['site1', 'site2'];
  const journals = sites.map((site) => readJournal<WriterRecord>(join(config.out, `writer-${site}.jsonl`)));
  const all = sites.flatMap((site, index) => acks(site, journals[index] ?? [], config.fromMs, config.toMs));
  const client = await clientReport(config, problems);
  let primary: string | null = null;
  let lost: typeof all = [];
  if (config.check) {
    const databases = Object.entries(config.databases).map(([site, target]): [string, DatabaseTarget] => {
      const given = { ...databaseDefaults, user: config.user, database: config.database, ...target };
      return [site, { socketDir: '', ...given }];
    });
    const primaries = await readPrimaries(Object.fromEntries(databases), config.run);
    if (primaries.length !== 1) problems.push(`${primaries.length} databases are primaries now, not one`);
    const [only] = primaries;
    if (primaries.length === 1 && only !== undefined) {
      primary = only.site;
      lost = all.filter((ack) => !only.rows.has(ackKey(ack)));
    }
  }
  const spans = clamp(segments(journals.flat().sort((a, b) => a.a - b.a)), config);
  const span: Span[] = spans.length > 0 ? [{ from: spans[0]?.from ?? 0, to: spans.at(-1)?.to ?? 0 }] : [];
  const gaps: Outage[] = outages(
    all.map((ack) => ack.a),
    [],
    span,
  );
  const found = overlaps(all);
  return {
    client,
    writers: Object.fromEntries(sites.map((site, i) => [site, writerReport(journals[i] ?? [], site, config)])),
    writersLost: lost.length,
    writersLostExamples: lost.slice(0, examplesMax),
    writersOutageMs: longest(gaps),
    overlap: found.length,
    overlapExamples: found.slice(0, examplesMax),
    primary,
    fromMs: span[0]?.from ?? null,
    toMs: span[0]?.to ?? null,
    problems,
  };
}

runProgram('load report', async () => {
  const { config, flags } = readConfig(['run', 'out'], defaults);
  if (config.check && (config.name === '' || config.dnsServer === '')) {
    throw new Error("to check the writes it needs 'name' and 'dnsServer'; \"check\": false only reads the journals");
  }
  const result = await report(config as unknown as Config);
  if (flags.both) console.error(reportText(result));
  console.log(flags.text ? reportText(result) : JSON.stringify(result));
  process.exit(result.problems.length === 0 ? 0 : 1);
});
