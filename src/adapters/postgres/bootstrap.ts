// What siteward keeps in the application's database, made by the guard of the primary where it is missing: schema, two
// tables, the probes' role with the least rights, the replication role, the other site's slot. Only the tables are
// needed for a beat; the rest is made beside the beats, so that a lock somebody holds never keeps one from being written.

import { readFileSync } from 'node:fs';
import pg from 'pg';
import type { Budget } from './budget.ts';
import { detailOf } from './classify.ts';
import type { Connection, Row } from './connection.ts';
import type { DatabaseSettings } from './settings.ts';
import { standbySettings, writePassFile } from './standby-config.ts';

/** One row only; `one_row` is what makes a second one impossible. A row is rewritten every P, so pages are left half empty. */
const tables = `
CREATE SCHEMA IF NOT EXISTS siteward;
CREATE TABLE IF NOT EXISTS siteward.cluster (
  one_row boolean PRIMARY KEY DEFAULT true CHECK (one_row),
  cluster text NOT NULL,
  era_number int NOT NULL,
  era_site text NOT NULL,
  epoch bigint NOT NULL,
  beat bigint NOT NULL,
  at timestamptz NOT NULL
) WITH (fillfactor = 50);
CREATE TABLE IF NOT EXISTS siteward.probe (
  agent text PRIMARY KEY,
  probes bigint NOT NULL,
  at timestamptz NOT NULL
) WITH (fillfactor = 50)`;

/** The application reads the epoch with its own role (I8). */
const publicRights = `
GRANT USAGE ON SCHEMA siteward TO PUBLIC;
GRANT SELECT ON siteward.cluster TO PUBLIC`;

/** pg_stat_wal_receiver shows its columns to pg_read_all_stats only. */
const probeRights = (role: string) => `
GRANT SELECT, INSERT, UPDATE ON siteward.probe TO ${role};
GRANT pg_read_all_stats TO ${role};
GRANT EXECUTE ON FUNCTION pg_control_system(), pg_control_checkpoint() TO ${role}`;

const tablesMissingQuery = `
SELECT NOT pg_is_in_recovery()
       AND (to_regclass('siteward.cluster') IS NULL OR to_regclass('siteward.probe') IS NULL) AS tables`;

const missingQuery = `
SELECT NOT EXISTS (SELECT FROM pg_roles WHERE rolname = $1) AS probe_role,
       NOT EXISTS (SELECT FROM pg_roles WHERE rolname = $2) AS replication_role,
       NOT EXISTS (SELECT FROM pg_replication_slots
                   WHERE slot_name = $3 AND (active OR wal_status IS DISTINCT FROM 'lost')) AS slot,
       coalesce(current_setting('primary_conninfo', true), '') AS primary_conninfo`;

const rightsMissingQuery = `
SELECT NOT (has_table_privilege($1, 'siteward.probe', 'INSERT') AND has_table_privilege($1, 'siteward.probe', 'UPDATE')
            AND pg_has_role($1, 'pg_read_all_stats', 'MEMBER') AND has_schema_privilege($1, 'siteward', 'USAGE')
            AND has_table_privilege($1, 'siteward.cluster', 'SELECT')) AS rights`;

export type Report = (detail: string) => void;

/** Before the first beat of a connection. In recovery the beat itself says that it is read-only. */
export async function ensureTables(connection: Connection, budget: Budget): Promise<void> {
  const [missing] = await connection.query(tablesMissingQuery, [], budget.left());
  if (missing?.['tables'] === true) await connection.script(tables, budget.left());
}

/** All the rest; what failed, or nothing. */
export async function ensureRest(
  settings: DatabaseSettings,
  connection: Connection,
  budget: Budget,
): Promise<readonly string[]> {
  const { probe, replication, slotForOther } = settings;
  const rows = await connection.query(missingQuery, [probe.user, replication.user, slotForOther], budget.left());
  const missing: Row = rows[0] ?? {};
  const steps: (readonly [string, () => Promise<unknown>])[] = [];
  if (missing['probe_role'] === true) steps.push(['probe role', () => makeRole(connection, budget, probe, 'LOGIN')]);
  if (missing['replication_role'] === true) {
    steps.push(['replication role', () => makeRole(connection, budget, replication, 'LOGIN REPLICATION')]);
  }
  steps.push(['rights', () => grantRights(connection, budget, probe.user)]);
  if (missing['slot'] === true) steps.push(['replication slot', () => makeSlot(connection, budget, slotForOther)]);
  steps.push([
    'standby settings',
    () => keepStandbySettings(settings, connection, budget, missing['primary_conninfo']),
  ]);
  const failed: string[] = [];
  for (const [what, step] of steps) {
    try {
      await step();
    } catch (error) {
      if (!connection.usable()) throw error;
      failed.push(`${what}: ${detailOf(error)}`);
    }
  }
  return failed;
}

type Account = { readonly user: string; readonly passwordFile: string | null };

async function makeRole(connection: Connection, budget: Budget, account: Account, rights: string): Promise<void> {
  const password =
    account.passwordFile === null ? null : (readFileSync(account.passwordFile, 'utf8').split('\n', 1)[0] ?? '');
  const secret = password === null ? '' : ` PASSWORD ${pg.escapeLiteral(password)}`;
  await connection.script(`CREATE ROLE ${pg.escapeIdentifier(account.user)} ${rights}${secret}`, budget.left());
}

/** One that lost its WAL (max_slot_wal_keep_size) keeps none ever after, and PostgreSQL 18 lets no standby use it again. */
async function makeSlot(connection: Connection, budget: Budget, slot: string): Promise<void> {
  await connection.query(
    `SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots
     WHERE slot_name = $1 AND NOT active AND wal_status = 'lost'`,
    [slot],
    budget.left(),
  );
  await connection.query('SELECT pg_create_physical_replication_slot($1, true)', [slot], budget.left());
}

/** Only where one is missing: a grant of what is there already still takes locks and writes WAL. */
async function grantRights(connection: Connection, budget: Budget, probeUser: string): Promise<void> {
  const rows = await connection.query(rightsMissingQuery, [probeUser], budget.left());
  if (rows[0]?.['rights'] !== true) return;
  await connection.script(`${publicRights};${probeRights(pg.escapeIdentifier(probeUser))}`, budget.left());
}

/** A primary that dies and is started by its host's boot is a standby at once, and then knows whom to follow (R3). */
async function keepStandbySettings(
  settings: DatabaseSettings,
  connection: Connection,
  budget: Budget,
  conninfoNow: unknown,
): Promise<void> {
  writePassFile(settings);
  const wanted = standbySettings(settings);
  if (conninfoNow === wanted.get('primary_conninfo')) return;
  for (const [name, value] of wanted) {
    await connection.script(`ALTER SYSTEM SET ${name} = ${pg.escapeLiteral(value)}`, budget.left());
  }
  await connection.query('SELECT pg_reload_conf()', [], budget.left());
}

/**
 * On a standby: the slot it kept for the other site while it was the primary would hold WAL for ever. Only once it
 * streams, and so has a primary: a crashed one that came back read-only is soon started as the primary again.
 */
export async function dropOwnSlot(settings: DatabaseSettings, connection: Connection, budget: Budget): Promise<void> {
  await connection.query(
    `SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots
     WHERE slot_name = $1 AND NOT active AND pg_is_in_recovery()`,
    [settings.slotForOther],
    budget.left(),
  );
}
