// The failover policy, whole and in one place (V3 to V6): record and observations in, and out comes either the one thing
// to do or the one reason to hold. Read from top to bottom: the first row that applies is the answer.

import {
  bootingMs,
  coolDownLeftMs,
  hearsMajority,
  hearsPeer,
  isRecovering,
  majorityBindsMs,
  peerVerdicts,
  recordOf,
  standbySite,
  standbyTestifies,
  verdictsRest,
} from '../agent/facts.ts';
import type { AgentState, Decision, Intent } from '../agent/state.ts';
import { type ClusterRecord, epochOf, sameEpoch } from '../quorum/record.ts';
import { soleVoterOf } from '../quorum/sole-voter.ts';
import { bindsAgainst } from '../quorum/voter.ts';
import type { Instant, Moment, Ms } from '../time.ts';
import { isBadOfPrimary } from '../verdict/classes.ts';
import { needsSync, standbyAdvice } from '../verdict/standby.ts';
import { mayBeCutOnly } from './entry.ts';

export type PrimaryDecision = {
  readonly decision: Decision;
  readonly intent: Intent | null;
  /** V4: nothing but the lease stands against choosing the change now, so this agent refuses its grants. */
  readonly refuse: boolean;
  /** V6: nothing stands in the way of the change any more; it is this agent's turn or the other one's. */
  readonly ready: boolean;
};

export type HoldCode =
  | 'no-record'
  | 'amnesia'
  | 'not-founded'
  | 'order'
  | 'forced'
  | 'healthy'
  | 'unknown'
  | 'suspect'
  | 'booting'
  | 'recovering'
  | 'silent'
  | 'peer-objects'
  | 'peer-unsure'
  | 'standby-testifies'
  | 'resting'
  | 'paused'
  | 'standby-unfit'
  | 'cool-down'
  | 'quarantine'
  | 'no-majority'
  | 'lease'
  | 'others-turn';

function hold(code: HoldCode, sentence: string, waitMs: Ms = 0, refuse = false): PrimaryDecision {
  return { decision: { act: false, code, sentence, waitMs }, intent: null, refuse, ready: code === 'others-turn' };
}

export function decidePrimary(s: AgentState, at: Moment): PrimaryDecision {
  const record = recordOf(s);
  if (s.voter.amnesia)
    return hold('amnesia', 'this agent has no state it may vote with: it needs `siteward agent rejoin`');
  if (record === null)
    return hold(
      'no-record',
      'no cluster record is known: the cluster was not founded, or no other voter was heard yet',
    );
  if (!s.durable.founded) return hold('not-founded', `waiting for ${record.primary}'s guard to hold its first lease`);
  if (s.order !== null) return hold('order', `an order is under way: ${s.order.order.kind} to ${s.order.to}`);
  const sole = soleVoterOf(record);
  if (sole !== null)
    return hold(
      'forced',
      `era ${record.era.number} was forced: ${sole}'s agent alone decides until both other voters hold its record`,
    );
  const diagnosis = diagnose(s, record, at);
  return diagnosis ?? whenConfirmed(s, record, at);
}

/** V1 to V3: null when the primary is confirmed as failed, else why not. */
function diagnose(s: AgentState, record: ClusterRecord, at: Moment): PrimaryDecision | null {
  // L7: a guard's `gone` confirms by itself.
  if (isGone(s, record) && !goesOnElsewhere(s, record, at.now)) return null;
  const { verdict, lastClass, detail } = s.primary;
  const seen = `${record.primary}'s database: ${lastClass}${detail === '' ? '' : ` (${detail})`}`;
  // "Orders": bad probes confirm nothing then, so the verdict is still the one from before.
  if (verdictsRest(s, at.now) && isBadOfPrimary(lastClass))
    return hold('resting', `${seen}, but it is being restarted or moved`);
  if (verdict === 'healthy') return hold('healthy', `${record.primary} serves writes in epoch ${record.epoch}`);
  if (verdict === 'unknown') return hold('unknown', `nothing is known yet of ${seen}`);
  if (verdict === 'suspect') return hold('suspect', `not confirmed yet: ${seen}`);
  if (isRecovering(s.primary)) return hold('recovering', `${record.primary}'s database answers again`);
  const waitMs = bootingMs(s, s.primary, peerVerdicts(s, record, at.now)?.primary, at.now);
  if (waitMs > 0)
    return hold('booting', `${seen}; it was not seen to work since this agent started and may be booting`, waitMs);
  if (s.hearingSince === null)
    return hold('silent', `hears no other voter, so its own view of ${seen} confirms nothing`);
  if (verdictsRest(s, at.now)) return hold('resting', `${seen}, but it is being restarted or moved`);
  if (hearsPeer(s, at.now)) {
    const theirs = peerVerdicts(s, record, at.now)?.primary ?? 'unknown';
    if (theirs === 'healthy') return hold('peer-objects', `${seen}, but the peer sees it healthy`);
    if (theirs !== 'failed') return hold('peer-unsure', `${seen}; the peer has not confirmed it yet (${theirs})`);
  }
  if (standbyTestifies(s, at.now))
    return hold('standby-testifies', `${seen}, but the standby still receives WAL from it`);
  return null;
}

export function isGone(s: AgentState, record: ClusterRecord): boolean {
  return s.gone !== null && sameEpoch(s.gone.epoch, epochOf(record));
}

/** A verdict as old as the release it is held against: as long as a probe takes, and a notice counts. */
const wordAgesMs: Ms = 4000;

/** L7: its guard went on after all, in rounds that do not reach this agent, and the peer sees its database serve. */
function goesOnElsewhere(s: AgentState, record: ClusterRecord, now: Instant): boolean {
  return s.gone !== null && now - s.gone.at > wordAgesMs && peerVerdicts(s, record, now)?.primary === 'healthy';
}

/** V4 to V6: what stands between a confirmed failure and the change. */
function whenConfirmed(s: AgentState, record: ClusterRecord, at: Moment): PrimaryDecision {
  const to = standbySite(record);
  const why = isGone(s, record)
    ? `${record.primary}'s guard gave its database up`
    : `${record.primary}'s database is confirmed as failed: ${s.primary.lastClass}`;
  if (record.mode === 'paused') return hold('paused', `${why}, but siteward is paused`);
  const advice = standbyAdvice(s, at.now);
  if (!advice.mayTakeOver) return hold('standby-unfit', `${why}, but ${to} may not take over: ${advice.why}`);
  const coolDownMs = coolDownLeftMs(s, at.wall);
  if (coolDownMs > 0) return hold('cool-down', `${why}, but the last change is too recent`, coolDownMs);
  const quarantineMs = s.voter.quarantinedUntil - at.now;
  if (quarantineMs > 0) return hold('quarantine', `${why}, but this agent started a moment ago (L4)`, quarantineMs);
  if (!hearsMajority(s, at.now))
    return hold('no-majority', `${why}, but no other voter is heard: this waits for a voter or a person`);
  const next: ClusterRecord = { ...record, epoch: record.epoch + 1, primary: to };
  // After a release the promises are gone; the round itself asks each voter afresh (Q6), so nothing is waited for here.
  const bindsMs = isGone(s, record) ? bindsAgainst(s.voter, next, at.now) : majorityBindsMs(s, next, at.now);
  if (bindsMs > 0)
    return hold(
      'lease',
      `${why}; ${to} takes over when the lease promised to it has run out`,
      Number.isFinite(bindsMs) ? bindsMs : 0,
      true,
    );
  const entryToo =
    s.entries[record.primary].verdict === 'failed' && record.entry === record.primary && entryAgreed(s, record, at);
  const delayMs = s.me === to ? 0 : s.settings.lease.otherDelayMs - (at.now - (s.readySince ?? at.now));
  if (delayMs > 0) return hold('others-turn', `${why}; ${to}'s agent acts first`, delayMs, true);
  const intent: Intent = {
    kind: 'primary',
    to,
    from: epochOf(record),
    entryToo,
    order: false,
    needsSync: needsSync(s, 'nothing'),
    onto: null,
    reason: why,
  };
  return {
    decision: { act: true, code: 'failover', sentence: `${why}: moving the primary to ${to}`, waitMs: 0 },
    intent,
    refuse: true,
    ready: true,
  };
}

/** V7, "together with `primary` when the whole site is gone". */
function entryAgreed(s: AgentState, record: ClusterRecord, at: Moment): boolean {
  if (s.entries[standbySite(record)].lastClass !== 'ok' && s.entries[standbySite(record)].lastClass !== 'no-instance')
    return false;
  if (!hearsPeer(s, at.now)) return !mayBeCutOnly(s, record.entry, at.now);
  return peerVerdicts(s, record, at.now)?.entry === 'failed';
}
