// V5: how far the primary is known to have written. This agent sees it by probes and by the renewals that reach it; what
// was granted without it is known to whoever granted it: the peer, the witness, or with a failsafe the standby's guard. One
// of them is heard wherever a change can be chosen, so nothing has to be guessed from the time that has passed.

import type { GuardStatus } from '../messages.ts';
import type { StandbyReport } from '../observe/observation.ts';
import { furthest, type PrimaryPosition, positionOf } from '../observe/position.ts';
import { epochOf, sameEpoch } from '../quorum/record.ts';
import { otherSite, type Site } from '../site.ts';
import { bindingMs, type Instant, type Ms } from '../time.ts';
import { type AgentDraft, set } from './draft.ts';
import { hearsPeer, hearsWitness, recordOf } from './facts.ts';
import { type AgentState, rulesOf } from './state.ts';

/** The last primary position, and with it the standby's, goes to disk at most this often, or per quarter of maxLagBytes ("Timing"). */
const positionEveryMs: Ms = 5000;
/**
 * A probe that began at `at` met the primary, which had written this far by its end: so no more than this had been acknowledged
 * by `at`. What others say is of a time that they do not tell.
 */
export function seePosition(d: AgentDraft, seen: PrimaryPosition, at: Instant): void {
  if (!isOfNow(d.s, seen)) return;
  set(d, { positionAt: Math.max(d.s.positionAt ?? at, at) });
  notePosition(d, seen);
}

/** Somebody else saw it, at some time. */
export function hearPosition(d: AgentDraft, heard: PrimaryPosition | null): void {
  if (heard !== null && isOfNow(d.s, heard)) notePosition(d, heard);
}

/** Of the primary's guard it is the database's own position; of the other one what that was told with a failsafe. */
export function hearGuardsPosition(d: AgentDraft, site: Site, status: GuardStatus): void {
  const record = recordOf(d.s);
  if (record === null) return;
  if (record.primary === otherSite(site)) return hearPosition(d, status.failsafeOf);
  hearPosition(d, positionOf(status));
}

/** The primary says with each message of its WAL how far it has written. */
export function hearStandbysPosition(d: AgentDraft, report: StandbyReport): void {
  const { row, primaryPosition: position } = report;
  if (row === null || position === null || report.streaming !== true) return;
  hearPosition(d, { epoch: row.epoch, position });
}

/** V8: as far as the standby was seen to have replayed, by this agent or by the other one. */
export function notePeak(d: AgentDraft, seen: PrimaryPosition | null): void {
  if (seen === null || !isOfNow(d.s, seen)) return;
  const standbyPeak = furthest(d.s.standbyPeak, seen);
  if (standbyPeak !== d.s.standbyPeak) set(d, { standbyPeak, standbyPeakAt: d.at.now });
}

function isOfNow(s: AgentState, { epoch }: PrimaryPosition): boolean {
  const record = recordOf(s);
  return record !== null && sameEpoch(epoch, epochOf(record));
}

/** Within one epoch it only grows; a crash may take a little of it back, which errs on the safe side here. */
function notePosition(d: AgentDraft, told: PrimaryPosition): void {
  const lastPrimary = furthest(d.s.lastPrimary, told);
  if (lastPrimary === null || lastPrimary === d.s.lastPrimary) return;
  set(d, { lastPrimary, positionMovedAt: d.at.now });
  const { durable, settings, positionSavedAt } = d.s;
  const saved = durable.lastPrimary;
  const isFar =
    saved === null ||
    !sameEpoch(saved.epoch, lastPrimary.epoch) ||
    lastPrimary.position - saved.position >= settings.policy.maxLagBytes / 4;
  if (!isFar && d.at.now - positionSavedAt < positionEveryMs) return;
  set(d, { durable: { ...durable, lastPrimary, standbyPeak: d.s.standbyPeak }, positionSavedAt: d.at.now });
}

/** How long the primary may have gone on after it was seen last without anybody who is heard being able to tell. */
export function mayHaveGoneOnMs(s: AgentState, now: Instant): Ms {
  // Who forces an era hears nobody.
  if (hearsPeer(s, now) || (hearsWitness(s, now) && knowsPosition(s))) return 0;
  return s.positionAt === null ? Number.POSITIVE_INFINITY : now - s.positionAt;
}

/** In a rolling upgrade: a witness of the older release knows none, nor does a register whose grants a peer of it wrote. */
function knowsPosition(s: AgentState): boolean {
  if (s.settings.witness === 'agent') return s.witness?.tells !== false;
  const { held } = s.register;
  return (held !== null && held.state.position !== null) || s.peer?.tells !== false;
}

/** What passes before a loss is noticed: two of the longest promises, and what the disk may be behind. */
export function unnoticedMs(s: AgentState): Ms {
  return 2 * bindingMs(rulesOf(s.settings).longestTtlMs, s.settings.lease.drift) + positionEveryMs;
}
