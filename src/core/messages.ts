// Every message between agents, guards, witness and CLI (protocol.md, "Messages"). `wire/` holds the schemas of exactly
// these types; who sends is not in the message, it is proved by the peer's pinned key. A time here is a duration in ms,
// never a clock reading.

import type { Lsn } from './lsn.ts';
import type { PrimaryPosition } from './observe/position.ts';
import type { Ballot } from './quorum/ballot.ts';
import type { Accepted, ClusterRecord, EpochId } from './quorum/record.ts';
import type { Round } from './quorum/round.ts';
import type { Site, VoterId } from './site.ts';
import type { Ms } from './time.ts';

// ---------------------------------------------------------------------------------------------- from a guard

/** What a guard says of its database, in every renewal and inquiry. */
export type GuardStatus = {
  readonly site: Site;
  readonly noted: EpochId | null;
  readonly database: 'primary' | 'standby' | 'starting' | 'stopping' | 'stopped' | 'unknown';
  /** It crashed and was not started again since. */
  readonly crashed: boolean;
  readonly leaseLeftMs: Ms;
  readonly fuseAlive: boolean;
  readonly systemId: string | null;
  readonly timeline: number | null;
  /** Primary: its write position. Standby: what it has received. */
  readonly position: Lsn | null;
  /** L8: for how long it may not yet promote, nor start in an epoch in which it has not run. */
  readonly quarantineMs: Ms;
  /** For how long verdicts on this database rest (a restart or an order under way); 0 when they do not. */
  readonly restingMs: Ms;
  /** Q9: for how long quiet rounds have not been granted by both agents; 0 when the last one was. */
  readonly missingMs: Ms;
  /**
   * V8: commits wait for the standby and every acknowledged one is there; the ballot of the chosen record that it was told
   * last. With it the guard promises not to fall back without asking. null: none of this holds, or it is asking.
   */
  readonly syncAt: Ballot | null;
  /** V1: nothing more fits beside its data. */
  readonly diskFull: boolean;
  /** V7: for how long it has heard nothing of each agent; null: never. What an agent cannot reach may live all the same. */
  readonly unheardMs: { readonly site1: Ms | null; readonly site2: Ms | null };
  /** V5: how far the other database had written when its lease was last renewed by this guard's promise (L8). */
  readonly failsafeOf: PrimaryPosition | null;
};

export type Renew = {
  readonly type: 'renew';
  readonly cluster: string;
  readonly voters: string;
  readonly epoch: EpochId;
  readonly site: Site;
  readonly round: Round;
  readonly ttlMs: Ms;
  readonly status: GuardStatus;
};

/** L5: asks an agent that granted this round to run the register's grant of it. */
export type RegisterGrant = Omit<Renew, 'type' | 'status'> & { readonly type: 'register-grant' };

/** L7. `gone` means "take over". `position` is the end of WAL where known. */
export type Release = {
  readonly type: 'release';
  readonly cluster: string;
  readonly voters: string;
  readonly epoch: EpochId;
  readonly site: Site;
  readonly round: Round;
  readonly gone: boolean;
  readonly position: Lsn | null;
};

/** A guard that holds no lease asks what it should know. */
export type Inquire = {
  readonly type: 'inquire';
  readonly cluster: string;
  readonly voters: string;
  readonly status: GuardStatus;
};

/** V8: asks for `sync: false` by a change begun after this question arrived; the same question is sent until answered. */
export type SyncOff = {
  readonly type: 'sync-off';
  readonly cluster: string;
  readonly voters: string;
  readonly epoch: EpochId;
  readonly site: Site;
  /** Which question this is: never used for another one. */
  readonly ask: Round;
};

// ---------------------------------------------------------------------------------------------- between voters

export type Prepare = {
  readonly type: 'prepare';
  readonly cluster: string;
  readonly voters: string;
  readonly ballot: Ballot;
};

export type Accept = {
  readonly type: 'accept';
  readonly cluster: string;
  readonly voters: string;
  readonly ballot: Ballot;
  readonly record: ClusterRecord;
};

/** "This record was chosen at this ballot" (Q4), told by one who counted it or was told so. */
export type ChosenNotice = { readonly type: 'chosen'; readonly cluster: string; readonly chosen: Accepted };

/** What a voter holds, in `state` and in every answer to prepare and accept. */
export type VoterView = {
  readonly promised: Ballot;
  readonly accepted: Accepted | null;
  readonly chosen: Accepted | null;
  /** For how long it accepts no change of primary: its promise to `bindsTo` (L3) or its quarantine (L4). */
  readonly bindsMs: Ms;
  readonly bindsTo: Site | null;
  readonly quarantineMs: Ms;
  /** Q8: it has no state it may vote with. */
  readonly amnesia: boolean;
  /** L4: Tmax as it is on its disk; null: one of an older release does not say. */
  readonly longestTtlMs: Ms | null;
};

/** What one agent knows of the register, told to its peer (W3, L5). */
export type RegisterView = {
  readonly serial: number;
  /** The nonce seen last, or `released`. */
  readonly nonce: string;
  /** For how long this agent has seen that nonce unchanged. */
  readonly sinceMs: Ms;
  readonly out: boolean;
};

export type PartVerdict = 'unknown' | 'healthy' | 'suspect' | 'failed';

export type StateNotice = {
  readonly type: 'state';
  readonly cluster: string;
  readonly voters: string;
  readonly version: number;
  readonly view: VoterView;
  readonly verdicts: {
    readonly primary: PartVerdict;
    readonly standby: PartVerdict;
    readonly entry: PartVerdict;
    readonly otherEntry: PartVerdict;
  };
  /** V4: it refuses its grants to the primary's database. */
  readonly refusing: boolean;
  readonly register: RegisterView | null;
  readonly lastPrimary: PrimaryPosition | null;
  /** V8: how far it saw the standby to have replayed. */
  readonly standbyPeak: PrimaryPosition | null;
  /** An order it drives, so that verdicts rest here too; 0 when none. */
  readonly orderMs: Ms;
  /** Orders: the order is a failover, which both agents support by refusing renewals. */
  readonly orderRefuses: boolean;
  /** Q8: the highest ballot the sender ever saw the receiver to have promised. A receiver that holds less has lost its memory. */
  readonly seenOfYou: Ballot | null;
  /** Q8: likewise, the highest ballot it ever saw the receiver to have accepted. */
  readonly voteOfYou: Ballot | null;
};

/**
 * Q8, W4: an agent that drives a rejoin asks the voter that lost its memory for a ticket; for a register, which gives none,
 * it asks the other agent, since both are needed (docs/decisions/0011).
 */
export type Rejoin = {
  readonly type: 'rejoin';
  readonly cluster: string;
  readonly voters: string;
  readonly voter: VoterId;
  /** The largest ttl that the sender knows to have been granted to anybody (L4). */
  readonly longestTtlMs: Ms;
};

/** What that voter takes for its memory: a record that the others accepted after it had given the ticket. */
export type Rejoined = {
  readonly type: 'rejoined';
  readonly cluster: string;
  readonly voters: string;
  readonly ticket: string;
  readonly accepted: Accepted;
  /** It was chosen without this voter. Else its vote chooses, which waits for what it may have promised (Q6). */
  readonly chosen: boolean;
  readonly registerSerial: number;
};

// ---------------------------------------------------------------------------------------------- to a guard

export type Failsafe = {
  readonly type: 'failsafe';
  readonly cluster: string;
  readonly voters: string;
  readonly epoch: EpochId;
  readonly site: Site;
  readonly round: Round;
  readonly ttlMs: Ms;
  /** V5: how far its database has written. */
  readonly position: Lsn | null;
};

export type Refusing = {
  readonly type: 'refusing';
  readonly cluster: string;
  readonly epoch: EpochId;
  readonly refusing: boolean;
};

/** Orders: what an agent asks of a guard on behalf of a person. */
export type GuardOrder = {
  readonly type: 'guard-order';
  readonly cluster: string;
  readonly epoch: EpochId;
  readonly order: 'switchover' | 'restart';
  /** For how long the guard holds still before it undoes a switchover. */
  readonly timeoutMs: Ms;
};

// ---------------------------------------------------------------------------------------------- from the CLI

export type Order =
  | {
      readonly kind: 'failover';
      readonly to: Site | null;
      readonly dryRun: boolean;
      readonly acceptLoss: boolean;
      readonly force: boolean;
      readonly otherSideIsDown: boolean;
    }
  | { readonly kind: 'entry'; readonly to: Site }
  | { readonly kind: 'pause'; readonly reason: string }
  | { readonly kind: 'resume' }
  | { readonly kind: 'restart' }
  /**
   * Q8, W4: given to an agent that has its memory; `voter` is the one that lost it. `acceptLoss`: without a witness also where
   * that ends a half-done change of primary whose standby may lack what was acknowledged (V5).
   */
  | { readonly kind: 'rejoin'; readonly voter: VoterId; readonly acceptLoss: boolean };

export type OrderRequest = { readonly type: 'order'; readonly cluster: string; readonly order: Order };

export type StatusRequest = { readonly type: 'status' };

/** Q0: a person founds the cluster; sent to both agents and an agent witness; the guards learn of it when they ask. */
export type Init = {
  readonly type: 'init';
  readonly accepted: Accepted;
  /** Sent last, to one agent that took the record already: CREATE the register with it. */
  readonly createRegister: boolean;
};

// ---------------------------------------------------------------------------------------------- all of them

export type Request =
  | Renew
  | RegisterGrant
  | Release
  | Inquire
  | SyncOff
  | Prepare
  | Accept
  | ChosenNotice
  | StateNotice
  | Rejoin
  | Rejoined
  | Failsafe
  | Refusing
  | GuardOrder
  | OrderRequest
  | StatusRequest
  | Init;

// ---------------------------------------------------------------------------------------------- answers

/** V5 as the agent sees it now: may the standby take over, or why not. */
export type StandbyAdvice = {
  readonly mayTakeOver: boolean;
  /** One sentence when it may not. */
  readonly why: string;
  readonly received: Lsn | null;
  /** Age of the observation it rests on. */
  readonly ageMs: Ms;
};

export type Refusal =
  | 'other-cluster'
  | 'other-voters'
  | 'amnesia'
  | 'not-bootstrapped'
  | 'not-accepted' // its accepted record has another era, epoch or primary
  | 'not-known' // it does not know that a record of that epoch was chosen
  | 'later-known' // it knows of a later one
  | 'released' // the round was released
  | 'old-round'
  | 'refusing' // V4, or an order
  | 'order' // an order is under way
  | 'promised-more' // a higher ballot was promised
  | 'not-free' // Q6: a lease promise, quarantine or nonce stands in the way
  | 'not-granted' // L5: this agent did not grant the round itself
  | 'register' // the register did not take it
  | 'busy';

/** The answer to renew, register-grant, release and inquire. */
export type GuardAnswer = {
  readonly type: 'guard-answer';
  /** For renew and register-grant: whose grant this is, or null when it was refused or not asked for. */
  readonly granted: VoterId | null;
  readonly refusal: Refusal | null;
  /** L4: granted for a shorter time than was asked for. `granted` is null then: version 1 has no words for it. */
  readonly grantedFor: { readonly voter: VoterId; readonly ttlMs: Ms } | null;
  readonly round: Round | null;
  readonly chosen: Accepted | null;
  readonly standby: StandbyAdvice;
  /** V4: this agent refuses the database of `epoch`. */
  readonly refusing: boolean;
  /** Whether this agent hears its peer: a new primary's guard begins with a long round when it does not (L5). */
  readonly hearsPeer: boolean;
};

export type PromiseAnswer = {
  readonly type: 'promise';
  readonly promised: boolean;
  readonly refusal: Refusal | null;
  readonly view: VoterView;
};
export type AcceptAnswer = {
  readonly type: 'accepted';
  readonly accepted: boolean;
  readonly refusal: Refusal | null;
  readonly view: VoterView;
};
/**
 * The answer to `state`: what the other voter holds now, and how far it knows the primary to have written (V5): null when it
 * let it go on nowhere, `unsaid` where its release has no word for it.
 */
export type ViewAnswer = {
  readonly type: 'view';
  readonly view: VoterView;
  readonly lastPrimary: PrimaryPosition | null | 'unsaid';
};
export type FailsafeAnswer = {
  readonly type: 'failsafe-answer';
  readonly promised: boolean;
  readonly round: Round;
  readonly noted: EpochId | null;
  readonly why: string;
};
/** V8: `ok` when a change begun after this very question was chosen; `chosen` is the record it left, which says `sync: false`. */
export type SyncAnswer = {
  readonly type: 'sync-answer';
  readonly ok: boolean;
  readonly why: string;
  readonly chosen: Accepted | null;
  readonly ask: Round;
};
/** Q8: `ok` with a ticket from a voter without memory; from the other agent, asked for a register's sake, without. */
export type RejoinAnswer = {
  readonly type: 'rejoin-answer';
  readonly ok: boolean;
  readonly why: string;
  readonly ticket: string;
  readonly promised: Ballot;
  /** For how long its vote may not choose a record (Q6 with nothing remembered). */
  readonly waitMs: Ms;
  readonly longestTtlMs: Ms;
  readonly registerSerial: number;
};
/** Done, or refused with a sentence for people. `order` answers also carry the steps of a dry run. */
export type Ack = {
  readonly type: 'ack';
  readonly ok: boolean;
  readonly why: string;
  readonly steps: readonly string[];
};
/** `status --json`: free-form, made by the role for people and scripts; described in docs/CLI.md. */
export type StatusAnswer = { readonly type: 'status-answer'; readonly status: unknown };

export type Answer =
  | GuardAnswer
  | PromiseAnswer
  | AcceptAnswer
  | ViewAnswer
  | FailsafeAnswer
  | SyncAnswer
  | RejoinAnswer
  | Ack
  | StatusAnswer;
