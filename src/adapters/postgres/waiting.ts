// V8: commits that wait for the other site's standby. The settings of a session prove nothing: whether a commit waits is
// decided by a flag in shared memory that the checkpointer sets when it gets round to reading them. So waiting counts as
// turned on once a commit of our own was seen to wait, and once another one, begun after that, came back: by then all
// that was acknowledged without waiting is on the standby as well.

import { setTimeout as pause } from 'node:timers/promises';
import pg from 'pg';
import { parseLsn } from '../../core/lsn.ts';
import type { SyncReport } from '../../core/observe/observation.ts';
import { done, type Outcome, rejected, unknown } from '../../core/outcome.ts';
import type { Ms } from '../../core/time.ts';
import type { Budget } from './budget.ts';
import { detailOf } from './classify.ts';
import type { Connection, Row } from './connection.ts';
import type { Parts } from './parts.ts';
import { anyDatabase, connectLocally } from './session.ts';
import type { DatabaseSettings } from './settings.ts';
import { isOurNames, standbyNames, waitsSetting } from './standby-config.ts';

const pollMs: Ms = 20;
/** The end of a deadline is kept for taking back a commit of our own that still waits. */
const takeBackMs: Ms = 200;

/** Beside the facts of a server. A standby that is still catching up makes nobody wait and counts as none. */
export function syncQuery(settings: DatabaseSettings): string {
  return `
SELECT current_setting('${waitsSetting}') AS names, s.sync_state, s.flush_lsn::text AS flushed
FROM (SELECT) one LEFT JOIN LATERAL (
  SELECT sync_state, flush_lsn FROM pg_stat_replication
  WHERE application_name = ${pg.escapeLiteral(settings.standbyName)} AND state = 'streaming'
  ORDER BY sync_state IN ('sync', 'quorum') DESC, flush_lsn DESC NULLS LAST LIMIT 1) s ON true`;
}

export function readSync(settings: DatabaseSettings, row: Row | undefined): SyncReport {
  const state = row?.['sync_state'];
  return {
    waits: row?.['names'] === standbyNames(settings),
    standby: typeof state !== 'string' ? 'none' : state === 'sync' || state === 'quorum' ? 'sync' : 'async',
    flushed: typeof row?.['flushed'] === 'string' ? parseLsn(row['flushed']) : null,
  };
}

export async function setWaits(parts: Parts, on: boolean, budget: Budget): Promise<Outcome<void>> {
  const written = await writeWaits(parts, on, budget);
  return written.kind === 'done' && on ? proveWaiting(parts, budget) : written;
}

/** The setting, in postgresql.auto.conf and loaded: done once a fresh session has it. Also in recovery. */
export async function writeWaits(parts: Parts, on: boolean, budget: Budget): Promise<Outcome<void>> {
  const names = standbyNames(parts.settings);
  const isSet = (value: string) => (on ? value === names : !isOurNames(value));
  const written = await parts.roles.run(budget.left(), async (connection, left): Promise<Outcome<boolean>> => {
    if (isSet(await currentNames(connection, left))) return done(false);
    const change = on ? `SET ${waitsSetting} = ${pg.escapeLiteral(names)}` : `RESET ${waitsSetting}`;
    await connection.script(`ALTER SYSTEM ${change}`, left.left());
    await connection.query('SELECT pg_reload_conf()', [], left.left());
    return done(true);
  });
  // It was so before, so every process of the server has long loaded it; what it does is proven elsewhere.
  if (written.kind !== 'done') return written;
  if (!written.value) return done(undefined);
  while (budget.left() > 0) {
    const value = await onFreshConnection(parts, budget, currentNames);
    if (value.kind === 'done' && isSet(value.value)) return done(undefined);
    if (value.kind === 'rejected') return value;
    await pause(pollMs);
  }
  return unknown(`the server has not loaded ${waitsSetting}`);
}

async function currentNames(connection: Connection, budget: Budget): Promise<string> {
  const rows = await connection.query(`SELECT current_setting('${waitsSetting}') AS names`, [], budget.left());
  const names = rows[0]?.['names'];
  return typeof names === 'string' ? names : '';
}

async function onFreshConnection<T>(
  parts: Parts,
  budget: Budget,
  work: (connection: Connection, budget: Budget) => Promise<T>,
): Promise<Outcome<T>> {
  let connection: Connection | null = null;
  try {
    connection = await connectLocally(parts.settings, anyDatabase(parts.settings), budget.left(), budget);
    return done(await work(connection, budget));
  } catch (error) {
    return unknown(detailOf(error));
  } finally {
    connection?.close();
  }
}

async function proveWaiting(parts: Parts, budget: Budget): Promise<Outcome<void>> {
  const proven = await onFreshConnection(parts, budget, (watcher) =>
    onFreshConnection(parts, budget, async (canary): Promise<Outcome<void>> => {
      await canary.query('SET synchronous_commit = on', [], budget.left());
      const rows = await canary.query('SELECT pg_backend_pid() AS pid', [], budget.left());
      const pid = Number(rows[0]?.['pid']);
      while (budget.left() > takeBackMs) {
        const first = await watchedCommit(canary, watcher, pid, budget);
        if (!first.replicated) return rejected('not-replicated', 'the standby did not confirm a commit in time');
        if (!first.waited) continue;
        const second = await watchedCommit(canary, watcher, pid, budget);
        return second.replicated ? done(undefined) : rejected('not-replicated', 'the standby stopped confirming');
      }
      return unknown('no commit was seen to wait');
    }),
  );
  if (proven.kind !== 'done') return proven;
  return proven.value.kind === 'done' ? proven.value.value : proven.value;
}

type Watched = { readonly waited: boolean; readonly replicated: boolean };

/** A commit that changes no table. It never stays behind: where the standby is silent its wait is cancelled. */
async function watchedCommit(canary: Connection, watcher: Connection, pid: number, budget: Budget): Promise<Watched> {
  const warnings = canary.warnings();
  let ended = false;
  const commit = canary.query("SELECT pg_logical_emit_message(true, 'siteward', '')", [], budget.left()).finally(() => {
    ended = true;
  });
  commit.catch(() => undefined);
  let waited = false;
  let cancelled = false;
  // The other connection answers between two of its steps; what it saw counts for a commit that had not ended before.
  while (!ended) {
    const look = 'SELECT wait_event FROM pg_stat_activity WHERE pid = $1';
    const rows = await watcher.query(look, [pid], Math.max(takeBackMs, budget.left()));
    waited ||= rows[0]?.['wait_event'] === 'SyncRep';
    if (!cancelled && budget.left() <= takeBackMs) {
      cancelled = true;
      await watcher.query('SELECT pg_cancel_backend($1)', [pid], takeBackMs);
    }
  }
  await commit;
  return { waited, replicated: !cancelled && canary.warnings() === warnings };
}
