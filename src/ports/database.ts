import type { Lsn } from '../core/lsn.ts';
import type {
  ClusterRow,
  PrimaryReport,
  ProcessReport,
  ServerReport,
  StandbyReport,
} from '../core/observe/observation.ts';
import type { Outcome } from '../core/outcome.ts';
import type { Site } from '../core/site.ts';
import type { Ms } from '../core/time.ts';

/** The agents' probes: a fresh connection each time, a deadline on every step. They always report, never throw. */
export type DatabaseProbes = {
  primary(site: Site, deadlineMs: Ms): Promise<PrimaryReport>;
  standby(site: Site, deadlineMs: Ms): Promise<StandbyReport>;
};

/**
 * The guard's one way to its own PostgreSQL (postgresql@.service on Debian, pg_ctl in the lab). At all times but during
 * startPrimary and promote, standby.signal lies in the data directory, so that whoever else starts PostgreSQL gets a
 * database that refuses writes (L7, L10).
 */
export type Database = {
  /** Processes, files and control data; no SQL; a few ms. */
  look(): Promise<Outcome<ProcessReport>>;
  /** Role and position through the local socket. */
  ask(deadlineMs: Ms): Promise<Outcome<ServerReport>>;
  /** `waits` (V8): its settings say so before it can acknowledge anything. Takes the signal file away, starts, puts it back once the server is past reading it. Done: it accepts connections, not in recovery. `mayGoOn` is asked right before each side effect (L9). */
  startPrimary(waits: boolean, deadlineMs: Ms, mayGoOn: () => boolean): Promise<Outcome<void>>;
  /** Starts with the signal file present, streaming from the other site. Done: it runs (hot standby may come later). */
  startStandby(deadlineMs: Ms): Promise<Outcome<void>>;
  /** `waits` as for startPrimary. pg_promote of a running standby, signal file back. Done: not in recovery any more. */
  promote(waits: boolean, deadlineMs: Ms, mayGoOn: () => boolean): Promise<Outcome<void>>;
  /** Checkpoint, then fast stop; the position of the shutdown checkpoint record (its start, see lab-notes). */
  stopFast(deadlineMs: Ms): Promise<Outcome<{ readonly checkpoint: Lsn }>>;
  /** Fast stop of a standby or of a database found in the wrong role. */
  stop(deadlineMs: Ms): Promise<Outcome<void>>;
  /** Fence: signal file in place, SIGQUIT to the postmaster, then SIGKILL of every process of the data directory until none is left. Begins synchronously. Done: none is left. */
  kill(): Promise<Outcome<void>>;
  /**
   * V8: whether commits wait for the other site's standby, of a running primary. On: done once the server was seen to make
   * one wait, and everything acknowledged before that is on the standby. Off: done once a fresh session says so.
   */
  setWaits(on: boolean, deadlineMs: Ms): Promise<Outcome<void>>;
  /** Writes the row of siteward.cluster (creating schema, tables, rights and replication slot where missing) with synchronous_commit local; returns the write position. */
  beat(row: ClusterRow, deadlineMs: Ms): Promise<Outcome<{ readonly position: Lsn }>>;
};

/** The files between guard and fuse. All calls are synchronous and small; the deadline lies in memory-backed storage. */
export type Fuse = {
  /** L9: armed on disk with the guard's first deadline; stays until `disarm`. */
  arm(): Outcome<void>;
  /** CLOCK_BOOTTIME ms at which the fuse kills. */
  setDeadline(at: number): Outcome<void>;
  clearDeadline(): Outcome<void>;
  /** The deadline that lies there now (a guard that restarts takes it over, L11); null when none. */
  deadline(): number | null;
  /** CLOCK_BOOTTIME ms of the fuse's last look, or null. Alive means younger than 1 s. */
  lastLook(): number | null;
  armed(): boolean;
};
