// A rejoin that this agent drives (docs/decisions/0011). In memory only: it dies with its driver, and the person who gave
// the order gives it again.

import type { Ballot } from '../quorum/ballot.ts';
import type { Accepted } from '../quorum/record.ts';
import type { VoterId } from '../site.ts';
import type { Instant, Ms } from '../time.ts';
import type { Intent } from './state.ts';

export type RejoinState = {
  readonly id: number;
  /** The voter that lost its memory. */
  readonly voter: VoterId;
  /** V5: a person's word, for a half-done change that only this rejoin can end. */
  readonly acceptLoss: boolean;
  readonly startedAt: Instant;
  readonly until: Instant;
  readonly phase: 'ticket' | 'round' | 'word';
  /** The next try of this phase. */
  readonly due: Instant;
  readonly ticket: string;
  /** What the register's value was found to carry: the next round goes above it. */
  readonly above: Ballot;
  /** The round that was begun after the ticket came: a change that alters nothing. */
  readonly intent: Intent | null;
  /** What came of it. */
  readonly accepted: Accepted | null;
  readonly chosen: boolean;
  /** Of the other agent, for a register's sake. */
  readonly longestTtlMs: Ms;
  readonly registerSerial: number;
  /** What stood in the way last, for the person who waits. */
  readonly why: string;
};

export type RejoinIntent = {
  readonly kind: 'rejoin';
  readonly voter: VoterId;
  /** A million above all that was known when the ticket came, what the voter itself still knew included. */
  readonly atLeast: Ballot;
  readonly reason: string;
};
