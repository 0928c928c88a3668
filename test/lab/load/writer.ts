// A writer on a database host, through the database's own socket and past everything that could keep it away: what it
// can write, siteward let be written. See README.md.

import { randomBytes } from 'node:crypto';
import { Socket } from 'node:net';
import { join } from 'node:path';
import pg from 'pg';
import { checkRun, type DatabaseTarget, databaseDefaults, readConfig, runProgram } from './config.ts';
import { type Journal, nowMs, openJournal } from './journal.ts';
import type { Token } from './records.ts';

type Config = DatabaseTarget & {
  readonly run: string;
  readonly out: string;
  readonly site: string;
  readonly everyMs: number;
  readonly lanes: number;
  readonly connectTimeoutMs: number;
  readonly statementTimeoutMs: number;
};

const defaults = { ...databaseDefaults, everyMs: 20, lanes: 6, connectTimeoutMs: 1000, statementTimeoutMs: 10_000 };
/** So many connections are open in quiet times, so that a database that freezes has several writes on the way. */
const warmLanes = 3;
/** After one that was refused: a server that starts forks a process for each only to say so, fifty a second would delay it. */
const connectAgainMs = 150;
const errorsEveryMs = 250;
const clusterLookEveryMs = 1000;

type WrittenRow = { cluster: Record<string, unknown> | null; timeline: number; position: number };
type Lane = { client: pg.Client; socket: Socket; state: 'connecting' | 'idle' | 'busy' };

// The write and the epoch it was made in, in one transaction. The timeline speaks for the database itself: between a
// promotion and the guard's first beat the row still shows the old epoch.
const insertWith = (cluster: string) => `
  INSERT INTO lab.writes (run, site, start, seq) VALUES ($1, $2, $3, $4)
  RETURNING ${cluster} AS cluster,
    ('x' || substr(pg_walfile_name(pg_current_wal_insert_lsn()), 1, 8))::bit(32)::int AS timeline,
    (pg_current_wal_insert_lsn() - '0/0')::float8 AS position`;
const insertWithEpoch = insertWith('(SELECT to_jsonb(c) FROM siteward.cluster c LIMIT 1)');
const insertPlain = insertWith('NULL::jsonb');

const createTable = `
  CREATE SCHEMA IF NOT EXISTS lab;
  CREATE TABLE IF NOT EXISTS lab.writes (
    run text, site text, start text, seq bigint, at timestamptz DEFAULT clock_timestamp(),
    PRIMARY KEY (run, site, start, seq))`;

/** The row's era is a number, an object with a number, or in columns of its own, depending on who made the table. */
export function tokenOf(cluster: Readonly<Record<string, unknown>> | null, timeline: number): Token {
  const era = cluster?.['era'] ?? cluster?.['era_number'] ?? 0;
  const number = typeof era === 'object' && era !== null ? (era as { number?: unknown }).number : era;
  return [Number(number) || 0, Number(cluster?.['epoch']) || 0, timeline];
}

class Writer {
  readonly #config: Config;
  readonly #journal: Journal;
  readonly #start = randomBytes(3).toString('hex');
  readonly #lanes = new Set<Lane>();
  #errors: Record<string, number> = {};
  #seq = 0;
  #lookedAt = 0;
  #hasCluster = true;
  #refusedAt = Number.NEGATIVE_INFINITY;

  constructor(config: Config) {
    this.#config = config;
    this.#journal = openJournal(join(config.out, `writer-${config.site}.jsonl`));
    this.#journal.add({ k: 'start', a: nowMs(), st: this.#start });
  }

  async run(): Promise<void> {
    const errors = setInterval(() => this.#saveErrors(), errorsEveryMs);
    const ticks = setInterval(() => this.#tick(), this.#config.everyMs);
    await new Promise<void>((resolve) => {
      process.once('SIGTERM', resolve);
      process.once('SIGINT', resolve);
    });
    clearInterval(errors);
    clearInterval(ticks);
    for (const lane of this.#lanes) this.#drop(lane);
    this.#saveErrors();
    this.#journal.close();
  }

  #tick(): void {
    const lanes = [...this.#lanes];
    const idle = lanes.find((lane) => lane.state === 'idle');
    if (idle !== undefined) {
      // To the end of the queue, so that the lanes take turns.
      this.#lanes.delete(idle);
      this.#lanes.add(idle);
      void this.#write(idle);
    }
    if (nowMs() < this.#refusedAt + connectAgainMs) return;
    const isCold = lanes.length < warmLanes && !lanes.some((lane) => lane.state === 'connecting');
    if ((idle === undefined || isCold) && lanes.length < this.#config.lanes) void this.#connect();
  }

  async #connect(): Promise<void> {
    const { socketDir, port, user, database, connectTimeoutMs } = this.#config;
    const socket = new Socket();
    const client = new pg.Client({
      host: socketDir,
      port,
      user,
      database,
      stream: () => socket,
      // A standby would log fifty refused writes a second.
      options: '-c log_min_messages=panic -c log_min_error_statement=panic',
      application_name: 'lab-writer',
    });
    const lane: Lane = { client, socket, state: 'connecting' };
    this.#lanes.add(lane);
    client.on('error', (error) => this.#fail(lane, error));
    const timer = setTimeout(() => this.#fail(lane, named('connect-timeout')), connectTimeoutMs);
    try {
      await client.connect();
      if (!this.#lanes.has(lane)) return;
      lane.state = 'idle';
      void this.#write(lane);
    } catch (error) {
      this.#refusedAt = nowMs();
      this.#fail(lane, error);
    } finally {
      clearTimeout(timer);
    }
  }

  async #write(lane: Lane): Promise<void> {
    lane.state = 'busy';
    const { run, site, statementTimeoutMs } = this.#config;
    if (!this.#hasCluster && nowMs() - this.#lookedAt > clusterLookEveryMs) this.#hasCluster = true;
    const withEpoch = this.#hasCluster;
    this.#seq += 1;
    const q = this.#seq;
    const s = nowMs();
    const timer = setTimeout(() => this.#fail(lane, named('statement-timeout')), statementTimeoutMs);
    try {
      const result = await lane.client.query<WrittenRow>({
        name: withEpoch ? 'with-epoch' : 'plain',
        text: withEpoch ? insertWithEpoch : insertPlain,
        values: [run, site, this.#start, q],
      });
      const row = result.rows[0];
      if (row === undefined) throw named('no-row');
      this.#journal.add({
        k: 'w',
        st: this.#start,
        q,
        s,
        a: nowMs(),
        t: tokenOf(row.cluster, row.timeline),
        l: row.position,
      });
      if (lane.state === 'busy') lane.state = 'idle';
    } catch (error) {
      await this.#writeFailed(lane, error, q, s);
    } finally {
      clearTimeout(timer);
    }
  }

  async #writeFailed(lane: Lane, error: unknown, q: number, s: number): Promise<void> {
    const code = codeOf(error);
    // Five characters from the server: a refusal, the connection is good unless the server ends it (57P01 and the like).
    if (!/^[0-9A-Z]{5}$/.test(code) || code.startsWith('57P') || code.startsWith('08')) {
      this.#journal.add({ k: 'u', q, s, a: nowMs(), e: code });
      return this.#fail(lane, error);
    }
    this.#count(code);
    if (code === '42P01' || code === '3F000') await this.#prepare(lane);
    if (lane.state === 'busy') lane.state = 'idle';
  }

  /** Something is missing: the lab's own table is made, siteward's is waited for. */
  async #prepare(lane: Lane): Promise<void> {
    try {
      const found = await lane.client.query<{ cluster: boolean; lab: boolean }>(
        `SELECT to_regclass('siteward.cluster') IS NOT NULL AS cluster, to_regclass('lab.writes') IS NOT NULL AS lab`,
      );
      this.#hasCluster = found.rows[0]?.cluster === true;
      this.#lookedAt = nowMs();
      if (found.rows[0]?.lab !== true) await lane.client.query(createTable);
    } catch (error) {
      this.#count(codeOf(error));
    }
  }

  #fail(lane: Lane, error: unknown): void {
    if (!this.#lanes.has(lane)) return;
    this.#count(codeOf(error));
    this.#drop(lane);
  }

  /** Destroys the connection at once; the library's own end() would wait for a server that may be frozen. */
  #drop(lane: Lane): void {
    this.#lanes.delete(lane);
    lane.socket.destroy();
  }

  #count(code: string): void {
    this.#errors[code] = (this.#errors[code] ?? 0) + 1;
  }

  #saveErrors(): void {
    if (Object.keys(this.#errors).length === 0) return;
    this.#journal.add({ k: 'e', a: nowMs(), n: this.#errors });
    this.#errors = {};
  }
}

function named(code: string): Error {
  return Object.assign(new Error(code), { code });
}

function codeOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return (error as NodeJS.ErrnoException).code ?? 'connection-lost';
}

runProgram('load writer', async () => {
  const config = readConfig(['run', 'out', 'site', 'socketDir'], defaults).config as unknown as Config;
  checkRun(config.run);
  await new Writer(config).run();
  process.exit(0);
});
