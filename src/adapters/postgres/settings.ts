// What the guard's adapter needs to know of its own database, in plain values.

import { join } from 'node:path';
import type { ClusterConfig } from '../../config/cluster.ts';
import { otherSite, type Site } from '../../core/site.ts';

export type DatabaseSettings = {
  readonly dataDirectory: string;
  readonly binDirectory: string;
  /** postgresql.conf when it is not in the data directory. */
  readonly configFile: string | null;
  readonly socketDirectory: string;
  readonly port: number;
  /** Role of the local socket (peer authentication: the guard runs under the account of this name). */
  readonly superuser: string;
  /** The application's database; schema siteward lies in it. */
  readonly database: string;
  readonly probe: { readonly user: string; readonly passwordFile: string | null };
  readonly replication: { readonly user: string; readonly passwordFile: string | null };
  /** Slot for the other site's standby, made where this database is the primary. */
  readonly slotForOther: string;
  /** Slot that this database uses as a standby. */
  readonly slotAtOther: string;
  readonly applicationName: string;
  /** The other site's standby calls itself that (its primary_conninfo), and commits here may wait for it (V8). */
  readonly standbyName: string;
  /** `zero-loss-strict`: this database waits whenever it is a primary, so also its standby's settings say it. */
  readonly alwaysWaits: boolean;
  readonly other: { readonly host: string; readonly port: number };
  /** Where the pgpass file of the replication user is kept. */
  readonly stateDirectory: string;
};

/** How PostgreSQL is started and stopped. */
export type ProcessControl =
  | { readonly kind: 'pg_ctl'; readonly logFile: string }
  /** `systemctl` is the command with its first arguments; `socket` is where siteward-postgresql listens. */
  | {
      readonly kind: 'systemd';
      readonly unit: string;
      readonly by: { readonly systemctl: readonly string[] } | { readonly socket: string };
    };

/** ListenStream= of systemd/siteward-postgresql.socket. */
const helperSocket = '/run/siteward-postgresql';

type Source = Pick<ClusterConfig, 'database' | 'sites' | 'paths' | 'replication'>;

export function databaseSettings(config: Source, site: Site): DatabaseSettings {
  const { database, sites } = config;
  const other = sites[otherSite(site)].database;
  return {
    dataDirectory: database.dataDirectory,
    binDirectory: database.binDirectory,
    configFile: database.configFile ?? null,
    socketDirectory: database.socketDirectory,
    port: sites[site].database.port,
    superuser: database.superuser,
    database: database.name,
    probe: database.probe,
    replication: database.replication,
    slotForOther: `${database.replication.slot}_${otherSite(site)}`,
    slotAtOther: `${database.replication.slot}_${site}`,
    applicationName: `siteward_${site}`,
    standbyName: `siteward_${otherSite(site)}`,
    alwaysWaits: config.replication === 'zero-loss-strict',
    other: { host: other.address, port: other.port },
    stateDirectory: config.paths.stateDirectory,
  };
}

/** Only root may tell systemd itself. */
export function processControl(config: Source, isRoot = process.getuid?.() === 0): ProcessControl {
  const { control, unit, dataDirectory } = config.database;
  return control === 'systemd'
    ? { kind: 'systemd', unit, by: isRoot ? { systemctl: ['systemctl'] } : { socket: helperSocket } }
    : { kind: 'pg_ctl', logFile: join(dataDirectory, '..', 'postgresql.log') };
}
