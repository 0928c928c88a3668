// What /readyz says: the balancers take `ready`, siteward's agents read which database and which epoch the instance is on. It is put
// together from what is known already and asks nobody, so it answers at once whatever became of the database.

import type { Limits } from './config.ts';
import type { DatabaseStatus } from './database/database.ts';

export interface Readiness {
  readonly ready: boolean;
  readonly state: 'starting' | 'serving' | 'holding' | 'stopping';
  /** Why it does not serve. */
  readonly reason: string | null;
  readonly since: string;
  readonly database: { readonly host: string; readonly port: number };
  /** What that database says of itself; null when it does not answer. */
  readonly writable: boolean | null;
  readonly epoch: { readonly eraNumber: number; readonly eraSite: string; readonly epoch: number } | null;
  readonly cluster: string | null;
  readonly ageMs: number | null;
  readonly holding: number;
  readonly envError: string | null;
  readonly envLoadedAt: string;
  readonly instance: string;
  readonly pid: number;
  readonly startedAt: string;
}

export interface Instance {
  readonly name: string;
  readonly startedAt: Date;
  readonly envLoadedAt: Date;
  readonly envError: string | null;
  readonly isStopping: boolean;
}

export function readinessOf(instance: Instance, database: DatabaseStatus, limits: Limits): Readiness {
  const { settings, epoch } = database;
  return {
    ready: !instance.isStopping && isReady(database, limits),
    state: stateOf(instance, database),
    reason: database.reason,
    since: database.since.toISOString(),
    database: { host: settings.host, port: settings.port },
    writable: database.writable,
    epoch: epoch && { eraNumber: epoch.eraNumber, eraSite: epoch.eraSite, epoch: epoch.epoch },
    cluster: epoch?.cluster ?? null,
    ageMs: database.ageMs === null ? null : Math.round(database.ageMs),
    holding: database.holding,
    envError: instance.envError,
    envLoadedAt: instance.envLoadedAt.toISOString(),
    instance: instance.name,
    pid: process.pid,
    startedAt: instance.startedAt.toISOString(),
  };
}

/** An instance that holds stays ready, else a failover would leave the balancers without a server and they would answer 503 at once. */
function isReady(database: DatabaseStatus, limits: Limits): boolean {
  if (database.isOpen) return true;
  return database.hasServed && database.forMs < limits.readyHoldMs && database.holding < limits.holdMax;
}

function stateOf(instance: Instance, database: DatabaseStatus): Readiness['state'] {
  if (instance.isStopping) return 'stopping';
  if (database.isOpen) return 'serving';
  return database.hasServed ? 'holding' : 'starting';
}
