// What a guard holds in memory and on disk, and how it starts.

import type { Lsn } from '../lsn.ts';
import type { Release } from '../messages.ts';
import type { ProcessReport, ServerReport } from '../observe/observation.ts';
import type { PrimaryPosition } from '../observe/position.ts';
import type { Lease, Tally } from '../quorum/holder.ts';
import type { Accepted, EpochId } from '../quorum/record.ts';
import type { Round } from '../quorum/round.ts';
import { longestTtl, type Settings } from '../settings.ts';
import type { Site, VoterId } from '../site.ts';
import { bindingMs, type Instant, type Ms } from '../time.ts';
import type { FuseReport, GuardDeed } from './deeds.ts';

export type GuardDurable = {
  /** The cluster this guard belongs to: the first chosen record it was told. null until then (Q0). */
  readonly cluster: string | null;
  /** L10: the highest epoch that it learned to be chosen. */
  readonly noted: EpochId | null;
  /** The chosen record of the highest ballot it was told; never goes back (V8). */
  readonly chosen: Accepted | null;
  /** L1: `start` of this process's rounds; on disk before it is used. */
  readonly roundStart: number;
  /** L8, L11: the epoch in which this database last was started or promoted as a primary; written before it is. */
  readonly ranIn: EpochId | null;
  /** L10: the epoch in which it last took a write as a primary, so that its timeline is that epoch's for certain. */
  readonly beatenIn: EpochId | null;
  /** Q0: until then nothing is fenced, killed or armed. */
  readonly heldFirstLease: boolean;
  /** Tmax: the longest lease or promise of this guard's time (L8). */
  readonly longestTtlMs: Ms;
  /** V8: commits of this database must wait for the standby. Written before waiting is turned on, and before it is turned off. */
  readonly waits: boolean;
  /** V5: how far the other site's primary had written by the failsafes that were promised to it (L8). */
  readonly failsafeOf: PrimaryPosition | null;
};

export const emptyGuardDurable: GuardDurable = {
  cluster: null,
  noted: null,
  chosen: null,
  roundStart: 0,
  ranIn: null,
  beatenIn: null,
  heldFirstLease: false,
  longestTtlMs: 0,
  waits: false,
  failsafeOf: null,
};

export type Seen<T> = { readonly at: Instant; readonly value: T };

/** What the database is taken for. A start or promotion that was asked for makes it `primary` before it is one (L9). */
export type Role = 'unknown' | 'none' | 'standby' | 'primary';

export type DatabaseWork = 'start-primary' | 'start-standby' | 'promote' | 'stop-fast' | 'stop';

export type DatabaseBelief = {
  readonly role: Role;
  /**
   * A promotion was asked for, by this guard or perhaps by the one before it, and may still come about: until the server
   * is dead or says that it is a primary, a `standby` may become one at any moment.
   */
  readonly promoting: boolean;
  /** Grows with every deed begun or ended on the database: a look begun before says nothing about it now. */
  readonly serial: number;
  readonly process: Seen<ProcessReport> | null;
  readonly server: Seen<ServerReport> | null;
  /** Looks in a row that found no postmaster though there should be one. */
  readonly missed: number;
  /** Since when it runs without telling what it is. */
  readonly unknownSince: Instant | null;
  readonly work: { readonly id: number; readonly deed: DatabaseWork; readonly since: Instant } | null;
  /** It crashed and was not started again since. */
  readonly crashed: boolean;
  readonly crashedAt: Instant | null;
  /** The stop that did not end, and what it was for: what is left of it is killed when it does not answer soon. */
  readonly stopFailed: 'switchover' | 'restart' | 'stop' | null;
  /** Starts and promotions in a row that came to nothing. */
  readonly failures: number;
  /** Since when a start in place has been under way. */
  readonly startingSince: Instant | null;
  readonly retryAt: Instant;
  readonly position: Lsn | null;
  /** When it took a beat last. */
  readonly beatAt: Instant;
};

/** What an agent last said. */
export type AgentWord = {
  readonly at: Instant;
  readonly mayTakeOver: boolean;
  readonly why: string;
  readonly hearsPeer: boolean;
  /** V4: the epoch whose database it refuses, and when it said so. */
  readonly refuses: { readonly epoch: EpochId; readonly at: Instant } | null;
  /** "Orders": when it refused a renewal for an order past this guard. */
  readonly orderedAt: Instant | null;
};

/** L5: one at a time. `register` once an agent was asked to run the register's grant. */
export type LongRound = { readonly round: Round; readonly t0: Instant; readonly asked: Site | null };

/** V8: what this process knows and does about waiting for the standby; whether it has to wait is on disk. */
export type Syncing = {
  /** `db.serial` in which the server was seen to make commits wait. */
  readonly provenIn: number | null;
  /** When the standby was last seen to keep up, since when without a break, and looks in a row that found otherwise. */
  readonly upAt: Instant;
  readonly upSince: Instant | null;
  readonly missed: number;
  /** The question to the agents that is open; while it is, this guard names no ballot. */
  readonly asking: { readonly ask: Round; readonly nextAt: Instant } | null;
  /** An agent's answer let this very process fall back. What waits without that is waited for, whatever the disk says. */
  readonly released: boolean;
  /** The setting is not written again before then. */
  readonly retryAt: Instant;
};

/** L7: what is released once the database is fenced for good. */
export type Leaving = {
  readonly cause: string;
  readonly gone: boolean;
  readonly position: Lsn | null;
  /** No round begins for so long after the release (releaseWait), or until then (an order); another epoch ends it. */
  readonly holdMs: Ms;
  readonly orderUntil: Instant | null;
};

export type Fencing = { readonly cause: string; readonly since: Instant; readonly retryAt: Instant | null };

export type Hold = {
  readonly epoch: EpochId;
  readonly until: Instant;
  readonly cause: string;
  readonly order: boolean;
};

/** "Orders": one at a time. */
export type GuardOrderState = {
  readonly kind: 'switchover' | 'restart';
  readonly epoch: EpochId;
  readonly until: Instant;
  readonly phase: 'stopping' | 'starting';
};

/** A release that was not answered is sent again while it still matters. */
export type UnheardRelease = {
  readonly voter: VoterId;
  readonly message: Release;
  readonly tries: number;
  readonly at: Instant;
};

export type Pending = { readonly at: Instant } & (
  | {
      readonly kind: 'renew';
      readonly voter: VoterId;
      readonly round: Round;
      readonly epoch: EpochId;
      /** The voter had not answered this process yet. */
      readonly firstWords: boolean;
    }
  | { readonly kind: 'register-grant'; readonly voter: VoterId; readonly round: Round; readonly epoch: EpochId }
  | { readonly kind: 'failsafe'; readonly round: Round; readonly epoch: EpochId; readonly ttlMs: Ms }
  | { readonly kind: 'inquire'; readonly voter: VoterId }
  | { readonly kind: 'release'; readonly release: UnheardRelease }
  | { readonly kind: 'look' | 'ask'; readonly serial: number }
  | { readonly kind: 'beat'; readonly serial: number; readonly epoch: EpochId }
  | { readonly kind: 'fuse-look' }
  | { readonly kind: 'fuse-set'; readonly to: Instant }
  | { readonly kind: 'fuse-clear' }
  | { readonly kind: 'sync-off'; readonly voter: VoterId; readonly ask: Round }
  | { readonly kind: 'waits'; readonly on: boolean; readonly serial: number }
  | { readonly kind: 'work'; readonly deed: GuardDeed['kind'] }
);

export type GuardState = {
  readonly me: Site;
  readonly settings: Settings;
  readonly durable: GuardDurable;
  /** What was last given to the disk; null until the first step, which therefore always persists. */
  readonly persisted: GuardDurable | null;
  readonly startedAt: Instant;
  /** L8: before this the database is neither promoted, nor started in an epoch in which it has not run. */
  readonly quarantinedUntil: Instant;
  /** L8: what this guard promised to the other one. */
  readonly promisedUntil: Instant;
  /** V5: how far the other database had written then. */
  readonly failsafeOf: PrimaryPosition | null;
  /** When it was last put on disk. */
  readonly failsafeSavedAt: Instant;
  /** L11: until the database found at the start is taken over, killed, or known not to be a primary. */
  readonly startup: 'looking' | 'over';
  readonly lease: Lease | null;
  /** The last round of this process: (durable.roundStart, seq). */
  readonly seq: number;
  /** L7: no grant of this round or an earlier one counts. */
  readonly covered: Round;
  readonly tallies: readonly Tally[];
  readonly nextRoundAt: Instant;
  /** Q9: when the first quiet round began that both agents did not grant; null when the last one was granted. */
  readonly missingSince: Instant | null;
  readonly long: LongRound | null;
  readonly nextLongAt: Instant;
  readonly nextFailsafeAt: Instant;
  readonly agents: { readonly site1: AgentWord | null; readonly site2: AgentWord | null };
  /** Voters that have answered this process. Before that it speaks version 1 of the wire with them. */
  readonly answered: readonly VoterId[];
  readonly db: DatabaseBelief;
  readonly sync: Syncing;
  readonly fuse: Seen<FuseReport> | null;
  /** The deadline in the fuse's file as far as this guard knows. */
  readonly deadline: Instant | null | 'unknown';
  readonly fencing: Fencing | null;
  readonly leaving: Leaving | null;
  readonly hold: Hold | null;
  readonly unheard: readonly UnheardRelease[];
  readonly order: GuardOrderState | null;
  /** Verdicts on this database rest until then. */
  readonly restingUntil: Instant;
  readonly beat: number;
  readonly due: {
    readonly look: Instant;
    readonly ask: Instant;
    readonly beat: Instant;
    readonly fuse: Instant;
    readonly deadline: Instant;
  };
  readonly pending: readonly (Pending & { readonly id: number })[];
  readonly nextId: number;
};

const unknownDatabase: DatabaseBelief = {
  role: 'unknown',
  promoting: false,
  serial: 0,
  process: null,
  server: null,
  missed: 0,
  unknownSince: null,
  work: null,
  crashed: false,
  crashedAt: null,
  stopFailed: null,
  failures: 0,
  startingSince: null,
  retryAt: 0,
  position: null,
  beatAt: 0,
};

/**
 * A guard that starts now from what its disk says (null: nothing there). `wall` is for L1 only: a start above every one
 * stored and, should the disk have been put back, above every one used.
 */
export function startGuard(
  me: Site,
  settings: Settings,
  disk: GuardDurable | null,
  now: Instant,
  wall: number,
): GuardState {
  const before = disk ?? emptyGuardDurable;
  const longestTtlMs = Math.max(before.longestTtlMs, longestTtl(settings.lease, settings.witness));
  const roundStart = Math.max(before.roundStart + 1, Math.floor(wall));
  return {
    me,
    settings,
    durable: { ...before, roundStart, longestTtlMs },
    persisted: null,
    startedAt: now,
    quarantinedUntil: now + bindingMs(longestTtlMs, settings.lease.drift),
    promisedUntil: now,
    failsafeOf: before.failsafeOf,
    failsafeSavedAt: now,
    startup: 'looking',
    lease: null,
    seq: 0,
    covered: { start: roundStart, seq: 0 },
    tallies: [],
    nextRoundAt: now,
    missingSince: null,
    long: null,
    nextLongAt: now,
    nextFailsafeAt: now,
    agents: { site1: null, site2: null },
    answered: [],
    db: { ...unknownDatabase, beatAt: now },
    sync: { provenIn: null, upAt: now, upSince: null, missed: 0, asking: null, released: false, retryAt: now },
    fuse: null,
    deadline: 'unknown',
    fencing: null,
    leaving: null,
    hold: null,
    unheard: [],
    order: null,
    restingUntil: now,
    beat: 0,
    due: { look: now, ask: now, beat: now, fuse: now, deadline: now },
    pending: [],
    nextId: 1,
  };
}

/** What goes to disk. */
export function durableOf(state: GuardState): GuardDurable {
  return state.durable;
}
