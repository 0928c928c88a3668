// An order of a person that this agent drives ("Orders"). In memory only: it dies with its driver, and the time-out undoes it.

import type { Lsn } from '../lsn.ts';
import type { Order } from '../messages.ts';
import type { Ballot } from '../quorum/ballot.ts';
import type { EpochId } from '../quorum/record.ts';
import type { Round } from '../quorum/round.ts';
import type { Site } from '../site.ts';
import type { Instant } from '../time.ts';

/** A guard's release in good order (L7). */
export type Stopped = {
  readonly epoch: EpochId;
  readonly round: Round;
  /** Of the shutdown checkpoint record. */
  readonly position: Lsn | null;
  /** Of the record that was known to be chosen when it came. */
  readonly under: Ballot;
  readonly at: Instant;
};

/** An order of a person under way ("Orders"). */
export type OrderState = {
  readonly order: Extract<Order, { kind: 'failover' }>;
  readonly id: number;
  readonly to: Site;
  readonly from: EpochId;
  readonly startedAt: Instant;
  readonly until: Instant;
  /** The guard took it, so it is a switchover; else both agents refuse its renewals. */
  readonly phase: 'asking' | 'stopping' | 'refusing' | 'proposing';
  /** The guard's release, once the standby has received beyond the shutdown checkpoint that it named. */
  readonly checkpoint: Stopped | null;
};

export type OrderResult = {
  readonly id: number;
  readonly what: string;
  readonly outcome: 'done' | 'undone';
  readonly why: string;
};
