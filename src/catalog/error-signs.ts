// By what an operator meets each error of errors.ts, most of whose codes are never printed: events of the log, words of
// `siteward status`, of an answer or a message, metrics. A test holds the words against the sources.

import type { ErrorCode } from './errors.ts';
import type { EventName } from './events.ts';
import type { MetricName } from './metrics.ts';

export type ErrorSigns = {
  readonly events?: readonly EventName[];
  /** A part of a sentence as it stands in the sources. */
  readonly words?: readonly string[];
  readonly metrics?: readonly MetricName[];
  /** What else there is to see. */
  readonly also?: string;
};

export const errorSigns: Readonly<Record<ErrorCode, ErrorSigns>> = {
  'SW-CONFIG-001': {
    words: ['wrong:', 'instead:'],
    also: 'the code itself, from `siteward config` and `siteward haproxy`',
  },
  'SW-CONFIG-002': {
    events: ['config.fallback'],
    metrics: ['siteward_config_fallback'],
    also: 'the code itself, in its field `why`',
  },
  'SW-CONFIG-003': { words: ['for this to be sure:'] },
  'SW-CONFIG-004': { words: ['which is no host of the cluster file', 'is no database host of the cluster file'] },
  'SW-CONFIG-005': {
    words: ['others than its owner can read or write it'],
    also: 'the code itself, from `siteward config check`',
  },
  'SW-KEY-001': { words: ['the key of ', "the guard's key: "], also: 'ENOENT or EACCES in the same line' },
  'SW-KEY-002': { events: ['peer.refused'], words: ['shows the key '] },
  'SW-KEY-003': { words: ['which cluster.yaml does not list under keys.'] },
  'SW-STATE-001': {
    events: ['state.damaged', 'voter.forgot'],
    words: ['lost its state and does not vote', 'the state of this guard in '],
  },
  'SW-STATE-002': { events: ['process.fatal', 'persist.slow'] },
  'SW-STATE-003': {
    events: ['voter.amnesia', 'voter.forgot'],
    words: ['lost its state and does not vote'],
  },
  'SW-STATE-004': { words: ['which a newer version wrote'] },
  'SW-STATE-005': { words: [' runs on the state in '] },
  'SW-QUORUM-001': {
    events: ['voters.silent', 'failsafe.renewed'],
    words: ['no other voter is heard', 'hears no other voter'],
    metrics: ['siteward_voters_heard'],
  },
  'SW-QUORUM-002': {
    events: ['round.missed'],
    words: ['this agent was configured with another voter set'],
    also: '`other-voters` in the field `refusal` of the event',
  },
  'SW-QUORUM-003': { words: ['there is no witness: '] },
  'SW-QUORUM-004': {
    words: ['the cluster was not founded', 'no cluster record is known', 'this agent knows no cluster record'],
  },
  'SW-LEASE-001': { events: ['lease.lost', 'fence.begun', 'fence.done'], metrics: ['siteward_lease_left_seconds'] },
  'SW-LEASE-002': { events: ['database.writable-without-lease'] },
  'SW-FENCE-001': { events: ['step.failed'], also: '`fence` in the field `step` of the event' },
  'SW-FUSE-001': {
    words: ['NOT ALIVE', "'s fuse is not alive"],
    metrics: ['siteward_fuse_alive'],
  },
  'SW-DB-001': {
    events: ['verdict.changed', 'grants.refused'],
    words: ["'s database is confirmed as failed: ", "'s guard gave its database up"],
    metrics: ['siteward_verdict'],
  },
  'SW-DB-002': { words: ['may not take over: '], metrics: ['siteward_may_take_over'] },
  'SW-DB-003': {
    words: ["'s database answers '"],
    also: '`auth` or `too-many-connections` at `verdicts.primary.class` of `siteward status --json`',
  },
  'SW-DB-004': { words: ['has another system identifier'], also: '`wrong-system` in a sentence of `status`' },
  'SW-DB-005': { events: ['database.deed-failed'], also: '`promote` in the field `deed` of the event' },
  'SW-DB-006': {
    events: ['sync.asked', 'sync.off', 'sync.fallen-back'],
    words: ['does not keep up'],
    metrics: ['siteward_commits_stalled_seconds'],
  },
  'SW-DB-007': {
    words: [
      'zero-loss: the record does not say that it has all',
      'that it has all that was acknowledged may be an old one',
      'do not wait for the standby: a lost primary waits',
    ],
    metrics: ['siteward_sync'],
  },
  'SW-DB-008': { words: ['does not see its own database as a standby'] },
  'SW-WITNESS-001': {
    events: ['check.failed', 'register.silent'],
    words: [' last heard '],
    also: '`register` in the field `check` of the event; register.silent is logged at level debug only',
  },
  'SW-WITNESS-002': { events: ['register.out'], words: ['the witness is out ('], metrics: ['siteward_register_out'] },
  'SW-DNS-001': {
    events: ['step.failed', 'check.failed'],
    also: '`point-dns` in the field `step`, `dns` in the field `check` of the event',
  },
  'SW-SSH-001': {
    events: ['check.failed', 'step.failed'],
    words: ['which is not pinned'],
    also: '`ssh-database-SITE` or `staged-env-SITE` in the field `check` of the event',
  },
  'SW-APP-001': {
    events: ['step.failed', 'check.failed'],
    words: ['is not staged on '],
    also: '`switch-env` in the field `step` of the event; the line `apps` of `siteward status`',
  },
  'SW-HAPROXY-001': { events: ['verdict.changed'], words: ["'s HAProxy cannot serve: "] },
  'SW-ORDER-001': {
    events: ['order.refused'],
    words: ['refused: '],
  },
  'SW-ORDER-002': {
    events: ['order.ended'],
    words: ['it took longer than order.timeout', 'no majority accepted it within order.timeout'],
  },
  'SW-BUG-001': { events: ['process.fatal'] },
};
