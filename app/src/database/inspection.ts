// What a connection says of its database before it is used, and again and again on the watch's own connection: in recovery, read-only,
// and the epoch that the database itself says (V1: the guard writes it under its lease).
import type { Client, ClientBase } from 'pg';
import type { Limits } from '../config.ts';
import type { DatabaseSettings } from '../env-file.ts';
import type { Epoch } from './epoch.ts';

export interface DatabaseState {
  readonly inRecovery: boolean;
  readonly readOnly: boolean;
  readonly epoch: Epoch | null;
}

const STATE = `pg_is_in_recovery() AS in_recovery, current_setting('transaction_read_only')::boolean AS read_only`;

// The table may be missing or not ours to read. Asking for it then would fill the server's log with errors, so that is looked up first.
const FIRST = {
  name: 'inspect-first',
  text: `SELECT ${STATE}, EXISTS (
           SELECT FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
           WHERE n.nspname = 'siteward' AND c.relname = 'cluster'
             AND has_schema_privilege(n.oid, 'USAGE') AND has_table_privilege(c.oid, 'SELECT')) AS has_cluster`,
};
const FULL = {
  name: 'inspect',
  text: `SELECT ${STATE}, c.cluster, c.era_number, c.era_site, c.epoch
         FROM (VALUES (1)) one LEFT JOIN siteward.cluster c ON true LIMIT 1`,
};

const withCluster = new WeakSet<ClientBase>();

/** Throws when the connection does not answer; the connection is then to be destroyed. */
export async function inspect(client: ClientBase): Promise<DatabaseState> {
  if (!withCluster.has(client)) {
    const { rows } = await client.query(FIRST);
    if (rows[0].has_cluster !== true) return toState(rows[0]);
    withCluster.add(client);
  }
  const { rows } = await client.query(FULL);
  return toState(rows[0]);
}

export function connectionOptions(settings: DatabaseSettings, limits: Limits) {
  return {
    host: settings.host,
    port: settings.port,
    database: settings.database,
    user: settings.user,
    password: settings.password,
    application_name: settings.applicationName,
    keepAlive: true,
    connectionTimeoutMillis: limits.connectTimeoutMs,
    query_timeout: limits.queryTimeoutMs,
    // A little shorter than ours, so that a statement that is only slow is ended by the server and never runs on unobserved.
    statement_timeout: Math.round(limits.queryTimeoutMs * 0.9),
    // Whatever the role's own settings: a commit that gave up waiting for the standby says so in a warning, and nowhere else.
    options: '-c client_min_messages=warning',
  };
}

/** Without the goodbye that client.end() waits for: the other side may be frozen, and end() does nothing to a client still connecting. */
export function closeNow(client: Client): void {
  const { stream } = (client as unknown as { connection: { stream: { destroy(): void } } }).connection;
  stream.destroy();
}

interface StateRow {
  readonly in_recovery: boolean;
  readonly read_only: boolean;
  readonly cluster?: string | null;
  readonly era_number?: number | null;
  readonly era_site?: string | null;
  /** bigint: the driver gives a string. */
  readonly epoch?: string | null;
}

function toState(row: StateRow): DatabaseState {
  const { cluster, era_number: eraNumber, era_site: eraSite, epoch } = row;
  return {
    inRecovery: row.in_recovery,
    readOnly: row.read_only,
    epoch:
      epoch === undefined || epoch === null
        ? null
        : { cluster: cluster ?? '', eraNumber: eraNumber ?? 0, eraSite: eraSite ?? '', epoch: Number(epoch) },
  };
}
