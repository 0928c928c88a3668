// V5: how far the primary is known to have written, and until when it may have gone on unseen. Whoever let it go on was
// told its position with each ask: an agent with every renewal, the other guard with every failsafe. So whom this agent
// hears makes up for what it did not see itself; where it is left with the witness, its own knowledge has to be fresh.

import type { GuardStatus } from '../messages.ts';
import { epochOf, sameEpoch } from '../quorum/record.ts';
import { otherSite, type Site } from '../site.ts';
import { bindingMs, type Instant, type Ms } from '../time.ts';
import { type AgentDraft, set } from './draft.ts';
import { peerNotice, recordOf } from './facts.ts';
import { type AgentState, type LastPrimary, rulesOf } from './state.ts';

/** The last primary position goes to disk at most this often, or per quarter of maxLagBytes ("Timing"). */
const positionEveryMs: Ms = 5000;

/** The primary was seen, or heard, to have written this far just now. */
export function seePosition(d: AgentDraft, seen: LastPrimary): void {
  if (!isOfNow(d.s, seen)) return;
  set(d, { positionAt: d.at.now });
  const isDue = d.at.now - d.s.positionSavedAt >= positionEveryMs;
  notePosition(d, seen, isDue);
}

/** Somebody else saw it, at some time. */
function hearPosition(d: AgentDraft, heard: LastPrimary | null): void {
  if (heard !== null && isOfNow(d.s, heard)) notePosition(d, heard, false);
}

export function hearPeersPosition(d: AgentDraft): void {
  hearPosition(d, peerNotice(d.s, d.at.now)?.lastPrimary ?? null);
}

/** Of the primary's guard it is the database's own position; of the other one what that was told with a failsafe. */
export function hearGuardsPosition(d: AgentDraft, site: Site, status: GuardStatus): void {
  const record = recordOf(d.s);
  if (record === null) return;
  if (record.primary === otherSite(site)) return hearPosition(d, status.failsafeOf);
  const { noted: epoch, position, database } = status;
  if (epoch !== null && position !== null && database === 'primary') seePosition(d, { epoch, position });
}

function isOfNow(s: AgentState, { epoch }: LastPrimary): boolean {
  const record = recordOf(s);
  return record !== null && sameEpoch(epoch, epochOf(record));
}

/** Within one epoch it only grows; a crash may take a little of it back, which errs on the safe side here. */
function notePosition(d: AgentDraft, { epoch, position }: LastPrimary, isDue: boolean): void {
  const { durable, settings } = d.s;
  const last = durable.lastPrimary;
  const before = last !== null && sameEpoch(last.epoch, epoch) ? last.position : null;
  if (before !== null && !isDue && position - before < settings.policy.maxLagBytes / 4) return;
  const lastPrimary = { epoch, position: Math.max(position, before ?? position) };
  // What was only heard of leaves the time as it is.
  const positionSeen = d.s.positionAt === d.at.now ? d.at.wall : durable.positionSeen;
  set(d, { durable: { ...durable, lastPrimary, positionSeen }, positionSavedAt: d.at.now });
}

/** A restart does not make what is on disk look new. By this machine's wall clock only, as V6's cool-down. */
export function ageOfPosition(d: AgentDraft): void {
  const { durable, positionAt } = d.s;
  if (positionAt === null) set(d, { positionAt: d.at.now - Math.max(0, d.at.wall - durable.positionSeen) });
}

/**
 * For how long the primary may have gone on beyond what is known of its position, until its last lease ended for certain;
 * 0 where the peer is heard, which knows what this agent does not.
 */
export function unseenMs(s: AgentState, now: Instant): Ms {
  if (peerNotice(s, now) !== null || s.positionAt === null) return 0;
  return Math.max(0, leaseEndedBy(s, now) - s.positionAt);
}

/** V5: what a loss takes that is noticed at once: two of the longest promises, and what a restart forgets. */
export function unseenLimitMs(s: AgentState): Ms {
  return 2 * bindingMs(rulesOf(s.settings).longestTtlMs, s.settings.lease.drift) + positionEveryMs;
}

/** With what this agent granted itself it heard the position; the rest went by the register's nonce, or the witness's word. */
function leaseEndedBy(s: AgentState, now: Instant): Instant {
  return Math.min(now, witnessFreeAt(s) ?? now);
}

function witnessFreeAt(s: AgentState): Instant | null {
  if (s.settings.witness === 'agent') return s.witness?.freeAt ?? null;
  const { held, watch } = s.register;
  const nonce = held?.state.nonce ?? null;
  if (nonce === null || watch === null) return null;
  return nonce === 'released' ? watch.since : watch.since + bindingMs(nonce.ttlMs, s.settings.lease.drift);
}
