// What an agent knows: what is on its disk, what it promised, what it saw and when, what it is doing. Plain readonly
// data; every observation has an age, and a missing one is `unknown`, which never means down.

import type { Accept, GuardStatus, PartVerdict, RegisterGrant, Release, StateNotice, VoterView } from '../messages.ts';
import type {
  BalancerReport,
  DnsReport,
  EnvReport,
  InstanceReport,
  PrimaryReport,
  StandbyReport,
} from '../observe/observation.ts';
import type { PrimaryPosition } from '../observe/position.ts';
import type { Ballot } from '../quorum/ballot.ts';
import type { ClusterRecord, EpochId } from '../quorum/record.ts';
import { type RegisterMind, unseenRegister } from '../quorum/register.ts';
import type { RegisterState } from '../quorum/register-state.ts';
import type { Round } from '../quorum/round.ts';
import {
  emptyVoterDurable,
  type Memory,
  startVoter,
  type Voter,
  type VoterDurable,
  type VoterRules,
} from '../quorum/voter.ts';
import type { Settings } from '../settings.ts';
import { longestTtl } from '../settings.ts';
import type { Site, VoterId } from '../site.ts';
import type { Instant, Ms } from '../time.ts';
import type { AgentDeed } from './deeds.ts';
import type { OrderResult, OrderState, Stopped } from './order-state.ts';
import type { RejoinIntent, RejoinState } from './rejoin-state.ts';

export type AgentDurable = {
  readonly voter: VoterDurable;
  /** The highest ballot each other voter was seen to have promised (Q4, Q8). */
  readonly seen: Readonly<Partial<Record<VoterId, Ballot>>>;
  /** The highest ballot each other voter was seen to have accepted (Q8). */
  readonly votes: Readonly<Partial<Record<VoterId, Ballot>>>;
  /** The highest serial of the register seen or told of (W3). */
  readonly registerSerial: number;
  /** V5: the last known position of the primary, and in which epoch. */
  readonly lastPrimary: PrimaryPosition | null;
  /** V8: likewise, how far the standby had replayed. */
  readonly standbyPeak: PrimaryPosition | null;
  /** V6: when, by this machine's wall clock, it first learned of the current epoch; the cool-down counts from there. */
  readonly learned: { readonly epoch: EpochId; readonly wall: number } | null;
  /** V7: when the entry last changed, likewise. */
  readonly entryMoved: number;
  /** The system identifier of the primary, learned from its first good probe (V5: the standby must have the same). */
  readonly systemId: string | null;
  /** Q0: the first guard has held its first lease, so records may be proposed. */
  readonly founded: boolean;
};

export const emptyAgentDurable: AgentDurable = {
  voter: emptyVoterDurable,
  seen: {},
  votes: {},
  registerSerial: 0,
  lastPrimary: null,
  standbyPeak: null,
  learned: null,
  entryMoved: 0,
  systemId: null,
  founded: false,
};

/** Another voter as last heard: its own view of itself, and where it is an agent its whole notice. */
export type Heard = {
  readonly at: Instant;
  readonly view: VoterView;
  readonly notice: StateNotice | null;
  /** When the notice arrived; views also arrive in answers. */
  readonly noticeAt: Instant | null;
  /** V5: it tells the primary's position with its answers, as far as is known: an older release cannot. */
  readonly tells: boolean;
};

/** An observation and when its probe began. */
export type Seen<T> = { readonly at: Instant; readonly value: T };

/** V1: hysteresis of one part. */
export type Track = {
  readonly verdict: PartVerdict;
  readonly failures: number;
  readonly successes: number;
  readonly firstFailureAt: Instant | null;
  readonly changedAt: Instant;
  /** The class of the last probe and what it said. */
  readonly lastClass: string;
  readonly detail: string;
  /** Whether this process ever saw it healthy: what was never seen to work may just not have booted yet (S12). */
  readonly everHealthy: boolean;
};

export const untracked: Track = {
  verdict: 'unknown',
  failures: 0,
  successes: 0,
  firstFailureAt: null,
  changedAt: 0,
  lastClass: 'unknown',
  detail: 'not probed yet',
  everHealthy: false,
};

/** Why a change of the record is wanted. */
export type Intent =
  | { readonly kind: 'same'; readonly reason: string }
  | {
      readonly kind: 'primary';
      readonly to: Site;
      readonly from: EpochId;
      readonly entryToo: boolean;
      readonly order: boolean;
      /** V5, zero-loss mode: only from a record found that says `sync: true`. */
      readonly needsSync: boolean;
      /** A switchover's: onto exactly the record of this ballot, under which the old primary stopped; null: onto any. */
      readonly onto: Ballot | null;
      readonly reason: string;
    }
  | { readonly kind: 'entry'; readonly to: Site; readonly order: boolean; readonly reason: string }
  | { readonly kind: 'mode'; readonly mode: 'auto' | 'paused'; readonly reason: string }
  /** V8: onto exactly the record of this ballot, and only as long as it is the newest. */
  | { readonly kind: 'sync-on'; readonly onto: Ballot; readonly reason: string }
  /** V8: for one question of a guard; also where the record says so already, since a fresh ballot buries what is half done. */
  | {
      readonly kind: 'sync-off';
      readonly site: Site;
      readonly epoch: EpochId;
      readonly ask: Round;
      readonly reason: string;
    }
  /** A forced era begins, and ends ("Orders"). */
  | { readonly kind: 'force'; readonly to: Site; readonly reason: string }
  | { readonly kind: 'end-force'; readonly reason: string }
  | RejoinIntent;

/** V8: the one question of a guard that this agent has to answer. */
export type SyncQuestion = {
  readonly site: Site;
  readonly epoch: EpochId;
  readonly ask: Round;
  /** When it came first, and last. */
  readonly since: Instant;
  readonly at: Instant;
  /** Where the answer goes; null when it was given. */
  readonly replyTo: number | null;
  /** The ballot at which a change begun for it was chosen. */
  readonly chosen: Ballot | null;
};

export type VoteState = 'asked' | 'yes' | 'no';

/** A round of CASPaxos that this agent drives (Q1, Q2, Q6). */
export type Proposal = {
  readonly id: number;
  readonly intent: Intent;
  readonly ballot: Ballot;
  readonly phase: 'prepare' | 'register' | 'accept';
  readonly startedAt: Instant;
  /** The other voters with a clock: what each answered to prepare. */
  readonly prepared: Readonly<
    Partial<Record<VoterId, { readonly vote: VoteState; readonly view: VoterView | null; readonly at: Instant }>>
  >;
  readonly record: ClusterRecord | null;
  readonly accepted: Readonly<Partial<Record<VoterId, VoteState>>>;
};

/** What a voter is asked; `seen` is what was remembered of it when that was sent (Q8). */
type AskedVoter = { readonly voter: VoterId; readonly seen: Memory };

export type Pending =
  | ({ readonly kind: 'state' } & AskedVoter)
  | ({ readonly kind: 'prepare'; readonly proposal: number } & AskedVoter)
  | ({ readonly kind: 'accept'; readonly proposal: number } & AskedVoter)
  /** Q5: the accept of the chosen ballot, sent again. */
  | ({ readonly kind: 'repair' } & AskedVoter)
  | { readonly kind: 'told'; readonly site: Site }
  | { readonly kind: 'guard-order'; readonly order: number }
  | { readonly kind: 'restart'; readonly site: Site; readonly replyTo: number }
  | { readonly kind: 'rejoin-ticket' | 'rejoin-word'; readonly rejoin: number }
  | { readonly kind: 'register-read'; readonly serialAtSend: number }
  | {
      readonly kind: 'register-record';
      readonly proposal: number | null;
      readonly accept: Pick<Accept, 'ballot' | 'record'>;
      readonly next: RegisterState;
    }
  | {
      readonly kind: 'register-grant';
      readonly ask: RegisterGrant;
      readonly replyTo: number;
      readonly retried: boolean;
      readonly next: RegisterState;
    }
  | { readonly kind: 'register-release' | 'register-rejoin'; readonly next: RegisterState }
  | { readonly kind: 'register-create'; readonly replyTo: number; readonly next: RegisterState }
  | { readonly kind: 'deed'; readonly deed: AgentDeed; readonly startedAt: Instant };

/** A swap that waits for a read of the newest value, or for the swap before it. */
export type QueuedGrant = {
  readonly ask: RegisterGrant;
  readonly replyTo: number;
  readonly since: Instant;
  readonly retried: boolean;
  /** W2: the nonce of a swap whose answer was lost; found in the read that follows, it was a grant. */
  readonly sought: string | null;
};

/** The one sentence of the last decision, and until when something stands in the way. */
export type Decision = { readonly act: boolean; readonly code: string; readonly sentence: string; readonly waitMs: Ms };

export type AgentState = {
  readonly me: Site;
  readonly settings: Settings;
  readonly durable: Omit<AgentDurable, 'voter'>;
  readonly voter: Voter;
  /**
   * False before the first step, whose every word waits for the disk: what a start found may only have been in memory there
   * (a crash in the middle of a save), and a longer lease of the configuration is not yet in L4's Tmax on it.
   */
  readonly saved: boolean;
  readonly startedAt: Instant;
  readonly peer: Heard | null;
  readonly witness: Heard | null;
  readonly register: RegisterMind;
  readonly registerReadAt: Instant;
  /** When this agent last wrote a record there (Q9). */
  readonly registerWroteAt: Instant;
  /** When a long round was last seen whose nonce has not been heard of (L5: read 3d later unless word comes first). */
  readonly longRoundAt: Instant | null;
  /** L5: the last rounds that this agent granted itself; only of those it runs the register's grant. */
  readonly grantedRounds: readonly Round[];
  readonly queuedGrants: readonly QueuedGrant[];
  readonly queuedReleases: readonly Release[];
  readonly primary: Track;
  readonly standby: Track;
  readonly entries: { readonly site1: Track; readonly site2: Track };
  readonly primarySeen: Seen<PrimaryReport> | null;
  readonly standbySeen: Seen<StandbyReport> | null;
  /** V8: as far as it was seen to have replayed since `sync: true` was chosen; one that has less now is another copy than that record speaks of. */
  readonly standbyPeak: PrimaryPosition | null;
  /** When that was learned: what was seen of the standby before then may have been less. */
  readonly standbyPeakAt: Instant;
  /** When the standby's receive position last moved (V2). */
  readonly receivedMovedAt: Instant | null;
  readonly balancers: { readonly site1: Seen<BalancerReport> | null; readonly site2: Seen<BalancerReport> | null };
  readonly instances: {
    readonly site1: Seen<readonly InstanceReport[]> | null;
    readonly site2: Seen<readonly InstanceReport[]> | null;
  };
  readonly envs: { readonly site1: Seen<EnvReport> | null; readonly site2: Seen<EnvReport> | null };
  readonly dns: Seen<DnsReport> | null;
  readonly guards: { readonly site1: Seen<GuardStatus> | null; readonly site2: Seen<GuardStatus> | null };
  /** V1: when each guard's round arrived here last; one that may not begin any is heard by its inquiries. */
  readonly roundAt: { readonly site1: Instant | null; readonly site2: Instant | null };
  /** When each guard was last told the chosen record, and which ballot it was. */
  readonly told: {
    readonly site1: { readonly at: Instant; readonly ballot: Ballot } | null;
    readonly site2: { readonly at: Instant; readonly ballot: Ballot } | null;
  };
  /** L7: the guard of the primary said `gone` in this epoch. */
  readonly gone: { readonly epoch: EpochId; readonly round: Round; readonly at: Instant } | null;
  /** L7 and "Orders": a release without `gone`, with the position of the shutdown checkpoint. */
  readonly stopped: Stopped | null;
  readonly refusing: boolean;
  /** V7: since when each site's entry has served from the right database without a break, as seen from here. */
  readonly servesSince: { readonly site1: Instant | null; readonly site2: Instant | null };
  /** When this agent took up the current epoch: probes begun before speak of another primary. */
  readonly epochAt: Instant;
  /** Since when the primary of this epoch has not been healthy, whatever its verdict was begun anew by; null: it is. */
  readonly illSince: Instant | null;
  /** When the primary was last seen, or heard, to have written so far; null: not since this process began. */
  readonly positionAt: Instant | null;
  /** When it was last found to have written more than was known. */
  readonly positionMovedAt: Instant;
  /** V5: how far it is known to have written; on disk at most 5 s or a quarter of maxLagBytes behind. */
  readonly lastPrimary: PrimaryPosition | null;
  /** When its position was last put on disk. */
  readonly positionSavedAt: Instant;
  /** Since when nothing stands in the way of the change of primary that is due (V6's delay counts from there). */
  readonly readySince: Instant | null;
  /** Since when this agent has heard any other voter without a break (V3, R2). */
  readonly hearingSince: Instant | null;
  readonly proposal: Proposal | null;
  readonly proposeAfter: Instant;
  /** Q5: since when a voter is seen behind or beside the chosen ballot such that only a change repairs it. */
  readonly strayedSince: Instant | null;
  readonly syncQuestion: SyncQuestion | null;
  /** V8: since when the primary's guard has named the record known here, so that `sync: true` may be put onto it. */
  readonly namedSince: Instant | null;
  readonly order: OrderState | null;
  readonly lastOrder: OrderResult | null;
  readonly modeOrder: {
    readonly intent: Intent;
    readonly id: number;
    readonly until: Instant;
    /** A round of its own was chosen (Q4). */
    readonly chosen: boolean;
  } | null;
  readonly rejoin: RejoinState | null;
  readonly decision: Decision;
  readonly pending: readonly (Pending & { readonly id: number })[];
  readonly nextId: number;
  /** When each target of reconcile was last acted on: a step that failed is tried again, but not in a spin. */
  readonly tried: Readonly<Record<string, Instant>>;
  /** Next time each periodic thing is due. */
  readonly due: {
    readonly probe: Instant;
    readonly state: Instant;
    readonly repair: Instant;
    readonly reconcile: Instant;
    readonly slow: Instant;
  };
};

export function rulesOf(settings: Settings): VoterRules {
  return {
    voters: settings.voters,
    drift: settings.lease.drift,
    longestTtlMs: longestTtl(settings.lease, settings.witness),
  };
}

/** An agent that starts now from what its disk says; `amnesia` when that was damaged (Q8). */
export function startAgent(
  me: Site,
  settings: Settings,
  disk: AgentDurable,
  amnesia: boolean,
  now: Instant,
): AgentState {
  const { voter, ...durable } = disk;
  return {
    me,
    settings,
    durable,
    voter: startVoter(voter, amnesia, rulesOf(settings), now),
    saved: false,
    startedAt: now,
    peer: null,
    witness: null,
    register: { ...unseenRegister, serial: disk.registerSerial },
    registerReadAt: 0,
    registerWroteAt: 0,
    longRoundAt: null,
    grantedRounds: [],
    queuedGrants: [],
    queuedReleases: [],
    primary: untracked,
    standby: untracked,
    entries: { site1: untracked, site2: untracked },
    primarySeen: null,
    standbySeen: null,
    standbyPeak: disk.standbyPeak,
    standbyPeakAt: now,
    receivedMovedAt: null,
    balancers: { site1: null, site2: null },
    instances: { site1: null, site2: null },
    envs: { site1: null, site2: null },
    dns: null,
    guards: { site1: null, site2: null },
    roundAt: { site1: null, site2: null },
    told: { site1: null, site2: null },
    gone: null,
    stopped: null,
    refusing: false,
    servesSince: { site1: null, site2: null },
    epochAt: 0,
    illSince: null,
    positionAt: null,
    positionMovedAt: Number.NEGATIVE_INFINITY,
    lastPrimary: disk.lastPrimary,
    positionSavedAt: 0,
    readySince: null,
    hearingSince: null,
    proposal: null,
    proposeAfter: now,
    strayedSince: null,
    syncQuestion: null,
    namedSince: null,
    order: null,
    lastOrder: null,
    modeOrder: null,
    rejoin: null,
    decision: { act: false, code: 'starting', sentence: 'starting: nothing observed yet', waitMs: 0 },
    pending: [],
    tried: {},
    nextId: 1,
    due: { probe: now, state: now, repair: now, reconcile: now, slow: now },
  };
}

/** What goes to disk. */
export function durableOf(state: AgentState): AgentDurable {
  return { voter: state.voter.durable, ...state.durable };
}
