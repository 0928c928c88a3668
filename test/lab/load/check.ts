// Whether acknowledged writes are still there: the client's through the service, the writers' in the primary itself.

import { Agent } from 'node:http';
import pg from 'pg';
import type { DatabaseTarget, ServiceTarget } from './config.ts';
import { ackKey } from './findings.ts';
import { nowMs } from './journal.ts';
import { ServiceClient } from './service-client.ts';

const checkLanes = 16;
const againMs = 100;
const databaseMs = 5000;

export type NamesFound = { readonly lost: readonly string[]; readonly unchecked: number };

/** Asks for each name until it has an answer that means something, or the time is over. */
export async function checkNames(
  target: ServiceTarget,
  names: readonly string[],
  timeoutMs: number,
): Promise<NamesFound> {
  if (names.length === 0) return { lost: [], unchecked: 0 };
  const end = nowMs() + timeoutMs;
  const service = new ServiceClient({ ...target, timeoutMs: 5000 });
  const agent = new Agent({ keepAlive: true, maxSockets: checkLanes, timeout: 3000 });
  const lost: string[] = [];
  let next = 0;
  let checked = 0;
  const lane = async () => {
    while (next < names.length) {
      const name = names[next] as string;
      next += 1;
      while (nowMs() < end) {
        const from = service.target;
        const reply = from === null ? null : await service.ask({ method: 'GET', path: `/hello/${name}` }, from, agent);
        if (reply?.status === 404) lost.push(name);
        if (reply?.status === 404 || reply?.failure === null) {
          checked += 1;
          break;
        }
        await new Promise((resolve) => setTimeout(resolve, againMs));
      }
    }
  };
  try {
    await service.waitForAddress(Math.min(timeoutMs, 5000));
    await Promise.all(Array.from({ length: checkLanes }, lane));
  } catch {
    // No address: all of them stay unchecked, which the report says.
  } finally {
    agent.destroy();
    service.close();
  }
  return { lost, unchecked: names.length - checked };
}

async function readRows(target: DatabaseTarget, run: string): Promise<Set<string> | null> {
  const client = new pg.Client({
    host: target.socketDir,
    port: target.port,
    user: target.user,
    database: target.database,
    connectionTimeoutMillis: databaseMs,
    query_timeout: databaseMs,
    application_name: 'lab-report',
  });
  client.on('error', () => undefined);
  try {
    await client.connect();
    const state = await client.query<{ standby: boolean; lab: boolean }>(
      `SELECT pg_is_in_recovery() AS standby, to_regclass('lab.writes') IS NOT NULL AS lab`,
    );
    if (state.rows[0]?.standby !== false) return null;
    if (!state.rows[0].lab) return new Set();
    const rows = await client.query<{ site: string; st: string; q: string }>(
      'SELECT site, start AS st, seq AS q FROM lab.writes WHERE run = $1',
      [run],
    );
    return new Set(rows.rows.map(ackKey));
  } catch {
    return null;
  } finally {
    client.end().catch(() => undefined);
  }
}

export type Primaries = { readonly site: string; readonly rows: ReadonlySet<string> }[];

/** The databases that are primaries now, with the keys of the writes they have; more than one is a finding. */
export async function readPrimaries(
  databases: Readonly<Record<string, DatabaseTarget>>,
  run: string,
): Promise<Primaries> {
  const found: Primaries = [];
  for (const [site, target] of Object.entries(databases)) {
    const rows = await readRows(target, run);
    if (rows !== null) found.push({ site, rows });
  }
  return found;
}
