// V5: how far the primary is known to have written, and until when it may have gone on unseen. Whoever let it go on was
// told its position with each ask: an agent with every renewal, the other guard with every failsafe. So whom this agent
// hears makes up for what it did not see itself; where it is left with the witness, its own knowledge has to be fresh.

import type { GuardStatus } from '../messages.ts';
import type { StandbyReport } from '../observe/observation.ts';
import { epochOf, sameEpoch } from '../quorum/record.ts';
import { isCurrent } from '../quorum/register.ts';
import { otherSite, type Site } from '../site.ts';
import { bindingMs, type Instant, type Ms } from '../time.ts';
import { type AgentDraft, set } from './draft.ts';
import { hearsWitness, peerNotice, recordOf } from './facts.ts';
import { type AgentState, type LastPrimary, rulesOf } from './state.ts';

/** The last primary position goes to disk at most this often, or per quarter of maxLagBytes ("Timing"). */
const positionEveryMs: Ms = 5000;
/** The guard's beat makes a message of WAL at least every second. */
const streamFreshMs: Ms = 2000;
/** An agent that is started again, by a person or by systemd, is away for so long. */
const restartMs: Ms = 10_000;

/** The primary was seen, or heard, to have written this far just now. */
export function seePosition(d: AgentDraft, seen: LastPrimary): void {
  if (!isOfNow(d.s, seen)) return;
  const isDue = d.at.now - d.s.positionSavedAt >= positionEveryMs;
  set(d, { positionAt: d.at.now, positionSavedAt: isDue ? d.at.now : d.s.positionSavedAt });
  account(d, d.at.now, isDue);
  notePosition(d, seen, isDue);
}

/** Somebody else saw it, at some time. */
function hearPosition(d: AgentDraft, heard: LastPrimary | null): void {
  if (heard !== null && isOfNow(d.s, heard)) notePosition(d, heard, false);
}

/** Whom the peer lets go on tells it its position: while it is heard, whatever it says of it, nothing goes on unseen. */
export function hearPeersPosition(d: AgentDraft): void {
  const notice = peerNotice(d.s, d.at.now);
  if (notice === null) return;
  hearPosition(d, notice.lastPrimary);
  const { lastPrimary } = d.s.durable;
  if (lastPrimary !== null && isOfNow(d.s, lastPrimary)) account(d, d.at.now);
}

/** What the primary did up to `until` is known. On disk that is as old as the position may be there. */
function account(d: AgentDraft, until: Instant, isDue = false): void {
  if (d.s.unseenSince === null || until > d.s.unseenSince) set(d, { unseenSince: until });
  const { durable } = d.s;
  const positionSeen = d.at.wall - (d.at.now - until);
  // Whichever way that clock was set.
  const isOld = Math.abs(positionSeen - durable.positionSeen) >= positionEveryMs;
  if (isDue || isOld) set(d, { durable: { ...durable, positionSeen } });
}

/** Of the primary's guard it is the database's own position; of the other one what that was told with a failsafe. */
export function hearGuardsPosition(d: AgentDraft, site: Site, status: GuardStatus): void {
  const record = recordOf(d.s);
  if (record === null) return;
  if (record.primary === otherSite(site)) return hearPosition(d, status.failsafeOf);
  const { noted: epoch, position, database } = status;
  // One that is stopped, or on its way, writes no further; one that its guard cannot ask may.
  const isKnown = database !== 'unknown' && database !== 'standby';
  if (epoch !== null && position !== null && isKnown) seePosition(d, { epoch, position });
}

/** The primary says with each message of its WAL how far it has written; a message that is old says nothing of now. */
export function hearStandbysPosition(d: AgentDraft, report: StandbyReport): void {
  const { row, primaryPosition: position, lastMessageAgeMs } = report;
  if (row === null || position === null || lastMessageAgeMs === null || lastMessageAgeMs > streamFreshMs) return;
  seePosition(d, { epoch: row.epoch, position });
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
  set(d, { durable: { ...durable, lastPrimary: { epoch, position: Math.max(position, before ?? position) } } });
}

/** A restart does not make what is on disk look new. By this machine's wall clock only, as V6's cool-down. */
export function ageOfPosition(d: AgentDraft): void {
  const { durable, unseenSince } = d.s;
  if (unseenSince === null) set(d, { unseenSince: d.at.now - Math.max(0, d.at.wall - durable.positionSeen) });
}

/**
 * For how long the primary may have gone on beyond what is known of its position, until its last lease ended for certain;
 * 0 where the peer is heard, which knows what this agent does not.
 */
export function unseenMs(s: AgentState, now: Instant): Ms {
  if (peerNotice(s, now) !== null || s.unseenSince === null) return 0;
  return Math.max(0, leaseEndedBy(s, now) - s.unseenSince);
}

/**
 * V5: what a loss takes that is noticed at once. The longest promise, and once more where it has to be watched anew after a
 * restart; one to spare; and what that restart forgets and takes.
 */
export function unseenLimitMs(s: AgentState): Ms {
  return 3 * bindingMs(rulesOf(s.settings).longestTtlMs, s.settings.lease.drift) + positionEveryMs + restartMs;
}

/** With what this agent granted itself it heard the position; the rest went by the register's nonce, or the witness's word. */
function leaseEndedBy(s: AgentState, now: Instant): Instant {
  return Math.min(now, witnessFreeAt(s, now) ?? now);
}

/** I7: while the witness says that nobody can hold a lease, what is unseen grows no more; neither by a restart. */
export function keepUnseen(d: AgentDraft): void {
  const { unseenSince, durable } = d.s;
  const freeAt = witnessFreeAt(d.s, d.at.now);
  if (unseenSince === null || freeAt === null || freeAt > d.at.now) return;
  if (durable.lastPrimary === null || !isOfNow(d.s, durable.lastPrimary)) return;
  account(d, d.at.now - Math.max(0, freeAt - unseenSince));
}

/** Since when, or from when on, no lease hangs on the witness; null: that is not known now. */
function witnessFreeAt(s: AgentState, now: Instant): Instant | null {
  if (!hearsWitness(s, now)) return null;
  if (s.settings.witness === 'agent') return s.witness?.freeAt ?? null;
  const { held, watch } = s.register;
  const nonce = held?.state.nonce ?? null;
  if (nonce === null || watch === null || !isCurrent(s.register)) return null;
  return nonce === 'released' ? watch.since : watch.since + bindingMs(nonce.ttlMs, s.settings.lease.drift);
}
