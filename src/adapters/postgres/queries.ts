// The SQL that probes and guard share, and how its rows are read.

import type { ClusterRow } from '../../core/observe/observation.ts';
import type { Row } from './connection.ts';

/**
 * Everything that is read of a server, in any role, in one row.
 * received: pg_last_wal_receive_lsn() starts at the beginning of a segment when the receiver does, so it may lie before
 * what was replayed from local WAL; the standby has received what it has replayed. The timeline comes from the WAL being
 * written or received, for the control file follows only at the next checkpoint. The age of the last message is
 * computed by the server from its own clock. latest_end_lsn: each message carries the end of the sender's WAL.
 */
export const factsQuery = `
SELECT r.in_recovery,
       current_setting('transaction_read_only')::bool AS read_only,
       (SELECT system_identifier::text FROM pg_control_system()) AS system_id,
       CASE WHEN r.in_recovery THEN coalesce(w.received_tli, (SELECT timeline_id FROM pg_control_checkpoint()))
            ELSE ('x' || substr(pg_walfile_name(pg_current_wal_lsn()), 1, 8))::bit(32)::int END AS timeline,
       CASE WHEN r.in_recovery THEN greatest(pg_last_wal_receive_lsn(), pg_last_wal_replay_lsn())
            ELSE pg_current_wal_lsn() END::text AS position,
       CASE WHEN r.in_recovery
            THEN greatest(pg_last_wal_receive_lsn(), pg_last_wal_replay_lsn()) END::text AS received,
       CASE WHEN r.in_recovery THEN pg_last_wal_replay_lsn() END::text AS replayed,
       CASE WHEN r.in_recovery THEN coalesce(w.status = 'streaming', false) END AS streaming,
       CASE WHEN r.in_recovery THEN w.latest_end_lsn END::text AS primary_position
FROM (SELECT pg_is_in_recovery() AS in_recovery) r LEFT JOIN pg_stat_wal_receiver w ON true`;

export const clusterRowQuery = 'SELECT cluster, era_number, era_site, epoch::text, beat::text FROM siteward.cluster';

/** V1: one row an agent. The position is read before the commit itself: it never claims too much. */
export const probeQuery = `
INSERT INTO siteward.probe AS p (agent, probes, at) VALUES ($1, 1, clock_timestamp())
ON CONFLICT (agent) DO UPDATE SET probes = p.probes + 1, at = excluded.at
RETURNING pg_current_wal_lsn()::text AS position`;

/** siteward.cluster is not there (yet), or not for us to read: then there is no row to report. */
export function rowIsMissing(code: string | null): boolean {
  return code === '42P01' || code === '3F000' || code === '42501';
}

export function readClusterRow(row: Row | undefined): ClusterRow | null {
  if (row === undefined) return null;
  const { cluster, era_number: number, era_site: site, epoch, beat } = row;
  const counts = { number: countOf(number), epoch: countOf(epoch), beat: countOf(beat) };
  if (typeof cluster !== 'string' || (site !== 'site1' && site !== 'site2')) return null;
  if (counts.number === null || counts.epoch === null || counts.beat === null) return null;
  return { cluster, epoch: { era: { number: counts.number, site }, epoch: counts.epoch }, beat: counts.beat };
}

/** A bigint comes as text. What a person wrote into the table may be anything; half of a row is none. */
function countOf(value: unknown): number | null {
  const number = typeof value === 'string' && /^\d{1,16}$/.test(value) ? Number(value) : value;
  return typeof number === 'number' && Number.isSafeInteger(number) && number >= 0 ? number : null;
}

/**
 * The guard's beat. Never an older epoch over a newer one of the same cluster; another cluster's row is a left-over of
 * before `init`. COLLATE "C": sites compare as in the core, whatever the database's locale.
 */
export const beatQuery = `
INSERT INTO siteward.cluster AS c (cluster, era_number, era_site, epoch, beat, at)
VALUES ($1, $2, $3, $4, $5, clock_timestamp())
ON CONFLICT (one_row) DO UPDATE
SET cluster = excluded.cluster, era_number = excluded.era_number, era_site = excluded.era_site,
    epoch = excluded.epoch, beat = excluded.beat, at = excluded.at
WHERE c.cluster <> excluded.cluster
   OR (c.era_number, c.era_site COLLATE "C", c.epoch) <= (excluded.era_number, excluded.era_site COLLATE "C", excluded.epoch)
RETURNING pg_current_wal_lsn()::text AS position`;

export function beatValues(row: ClusterRow): readonly (string | number)[] {
  return [row.cluster, row.epoch.era.number, row.epoch.era.site, row.epoch.epoch, row.beat];
}
