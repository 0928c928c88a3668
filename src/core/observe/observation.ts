// What the probes report: typed facts, never booleans (V1). The adapters classify by SQLSTATE and errno and know no
// policy; what a class means is decided in `verdict/`.

import type { Lsn } from '../lsn.ts';
import type { Ballot } from '../quorum/ballot.ts';
import type { EpochId, Era } from '../quorum/record.ts';
import type { Site } from '../site.ts';

/** V1, a closed list. `fenced` is not seen by a probe: the agent concludes it from the guard's own words. */
export type ProbeClass =
  | 'ok'
  | 'refused'
  | 'timeout'
  | 'unreachable'
  | 'auth'
  | 'too-many-connections'
  | 'starting-up'
  | 'in-recovery'
  | 'read-only'
  | 'write-stalled'
  | 'disk-full'
  | 'wrong-system'
  | 'wrong-timeline'
  | 'protocol'
  | 'fenced';

/** The one row of `siteward.cluster`. */
export type ClusterRow = { readonly cluster: string; readonly epoch: EpochId; readonly beat: number };

/** A commit probe of a database that should be the primary. */
export type PrimaryReport = {
  readonly class: ProbeClass;
  readonly detail: string;
  readonly position: Lsn | null;
  readonly row: ClusterRow | null;
  readonly systemId: string | null;
  readonly timeline: number | null;
};

/** A read of a database that should be the standby. */
export type StandbyReport = {
  readonly class: ProbeClass;
  readonly detail: string;
  readonly inRecovery: boolean | null;
  readonly received: Lsn | null;
  readonly replayed: Lsn | null;
  /** `siteward.cluster` as replayed so far (V5). */
  readonly row: ClusterRow | null;
  readonly systemId: string | null;
  readonly timeline: number | null;
  /** Whether its WAL receiver is streaming. */
  readonly streaming: boolean | null;
  /** How far the primary had written, by its own word in the last message of its WAL. */
  readonly primaryPosition: Lsn | null;
};

/** What it has on its disk; a restarted one may receive again from the beginning of a segment that it has replayed. */
export function farthestOf({ received, replayed }: StandbyReport): number {
  return Math.max(received ?? 0, replayed ?? 0);
}

/** HAProxy's own view of one server of the service backend. */
export type BalancerServer = {
  readonly name: string;
  readonly status: 'up' | 'down' | 'drain' | 'maint' | 'unknown';
};
/** HAProxy of one site: `class` is `ok` when its statistics could be read. */
export type BalancerReport = {
  readonly class: ProbeClass;
  readonly detail: string;
  readonly servers: readonly BalancerServer[];
};

/** One application instance, by its readiness endpoint. */
export type InstanceReport = {
  readonly name: string;
  readonly class: ProbeClass;
  readonly detail: string;
  readonly ready: boolean;
  /** The database address it uses. */
  readonly database: string | null;
  readonly writable: boolean | null;
  readonly epoch: EpochId | null;
  readonly holding: number;
};

/** R1: every step carries era, epoch and ballot; hosts keep the highest and refuse lower ones. */
export type Token = { readonly era: Era; readonly epoch: number; readonly ballot: Ballot };

/** What the forced command of an application host says of its .env files. */
export type EnvReport = {
  /** Whose staged file the active .env equals; null when it equals neither. */
  readonly active: Site | null;
  readonly staged: readonly Site[];
  readonly token: Token | null;
};

/** Whom the public name points to: the site whose address it is, or null (no record, or another value). */
export type DnsReport = { readonly entry: Site | null; readonly value: string | null };

/** A guard's cheap look at its own host, without asking PostgreSQL. */
export type ProcessReport = {
  /** A postmaster or any other process of this data directory lives (state Z counts as dead). */
  readonly running: boolean;
  readonly postmaster: boolean;
  readonly signalFile: boolean;
  /** `Database cluster state` of pg_controldata, or null when unreadable. It does not tell whether a database runs. */
  readonly controlState: string | null;
  readonly systemId: string | null;
  readonly timeline: number | null;
  /** Not even a few pages more fit into the volume of the data directory; false as long as that is not known. */
  readonly full: boolean;
};

/** V8: what a primary says of its commits and of its standby. */
export type SyncReport = {
  /** By its settings commits wait for the other site's standby. */
  readonly waits: boolean;
  /** `none`: none streams. `async`: it streams, and nobody waits for it. `sync`: the server counts it as synchronous. */
  readonly standby: 'none' | 'async' | 'sync';
  /** How far that standby has flushed, as the server was last told. */
  readonly flushed: Lsn | null;
};

/** What the guard's own connection through the local socket says. */
export type ServerReport = {
  readonly inRecovery: boolean;
  /** Primary: write position. Standby: receive position (or replay position when nothing was received yet). */
  readonly position: Lsn;
  readonly row: ClusterRow | null;
  /** null in recovery. */
  readonly sync: SyncReport | null;
};
