// Questions about what a guard knows, each answered in one place. Pure reads of the state. Clock readings are rounded
// down by up to clockGrainMs, so whoever holds a lease counts it as over that much earlier.

import type { Ballot } from '../quorum/ballot.ts';
import type { Lease } from '../quorum/holder.ts';
import { type EpochId, epochOf, sameEpoch } from '../quorum/record.ts';
import { type Site, sites } from '../site.ts';
import { clockGrainMs, type Instant, type Ms } from '../time.ts';
import type { GuardState } from './state.ts';

/** An agent's word counts for this long: two renewals and a lost one. */
export const wordForMs = 2000;
/** What runs without telling its role for this long is judged by its control file (a frozen primary answers nobody). */
export const silentMs = 2000;
/** L9: a fuse that did not look for this long is not alive. */
const fuseAliveMs = 1000;

/** Q0 founds the cluster with era 0, epoch 1: the one epoch in which a database is a primary without having been made one. */
export function isFounding(epoch: EpochId): boolean {
  return epoch.era.number === 0 && epoch.epoch === 1;
}

/**
 * Q0: until the founding guard has held its first lease it kills nothing and starts nothing. A record that names the
 * other site, or a later epoch, says that this is over (before it no other record is proposed).
 */
export function inBootstrap(s: GuardState): boolean {
  const { chosen, heldFirstLease } = s.durable;
  if (heldFirstLease) return false;
  // A database that carries this cluster's row ran under a lease before: its guard lost its memory, nothing is founded.
  const row = s.db.server?.value.row ?? null;
  if (row !== null && chosen !== null && row.cluster === chosen.record.cluster) return false;
  return chosen === null || (chosen.record.primary === s.me && isFounding(epochOf(chosen.record)));
}

/** The epoch in which this site's database may be the primary: the highest noted one, if it is chosen and names this site. */
export function dutyEpoch(s: GuardState): EpochId | null {
  const { chosen, noted } = s.durable;
  if (chosen === null || noted === null || chosen.record.primary !== s.me) return null;
  return sameEpoch(epochOf(chosen.record), noted) ? noted : null;
}

/** Whether the newest epoch is the other site's, so that this database has to follow it. */
export function followsOther(s: GuardState): boolean {
  return s.durable.chosen !== null && s.durable.chosen.record.primary !== s.me;
}

/** L9: when the database must begin to die under this lease. */
export function fenceInstant(s: GuardState, lease: Lease): Instant {
  return lease.until - s.settings.lease.fenceBudgetMs - clockGrainMs;
}

/** L9: when the fuse must kill under this lease. */
export function fuseInstant(s: GuardState, lease: Lease): Instant {
  return lease.until - s.settings.lease.fuseBudgetMs - clockGrainMs;
}

export function leaseInForce(s: GuardState, now: Instant): boolean {
  return s.lease !== null && now + clockGrainMs < s.lease.until;
}

/** L10: a lease in force, of the highest epoch noted, under which something may still be begun. */
export function leaseUsable(s: GuardState, now: Instant): boolean {
  const duty = dutyEpoch(s);
  return s.lease !== null && duty !== null && sameEpoch(s.lease.epoch, duty) && now < fenceInstant(s, s.lease);
}

/** L9: a start or promotion that was asked for, by whichever guard of this host, counts as done until the opposite is known. */
export function countsAsPrimary(s: GuardState): boolean {
  return s.db.role === 'primary' || (s.db.role === 'standby' && (s.db.promoting || foundPromoting(s)));
}

/** Whether the database may accept writes for all that is known. */
export function mayBeWritable(s: GuardState): boolean {
  return countsAsPrimary(s) || (s.db.role === 'unknown' && s.db.process?.value.running !== false);
}

/**
 * L11: the fuse's deadline under which a database found running as a primary may be taken over. One further ahead than
 * any lease reaches is of another boot.
 */
export function takeoverDeadline(s: GuardState): Instant | null {
  const duty = dutyEpoch(s);
  const { ranIn } = s.durable;
  if (duty === null || ranIn === null || !sameEpoch(duty, ranIn)) return null;
  if (typeof s.deadline !== 'number') return null;
  return s.deadline > s.startedAt && s.deadline <= s.startedAt + s.durable.longestTtlMs ? s.deadline : null;
}

/**
 * L11: a promotion that the guard before this one asked for may end at any moment: no write was seen in the epoch in which
 * the database was started or promoted last, and that guard did not clear its deadline, as it does once nothing may come.
 */
export function foundPromoting(s: GuardState): boolean {
  const { ranIn, beatenIn } = s.durable;
  const wasSeen = ranIn === null || (beatenIn !== null && sameEpoch(ranIn, beatenIn));
  return s.startup === 'looking' && s.deadline !== null && !wasSeen;
}

/** The instant at which the driver must fence, whatever hangs (L9). */
export function fenceAt(s: GuardState): Instant | null {
  if (inBootstrap(s) || s.fencing !== null || !mayBeWritable(s)) return null;
  if (s.lease !== null) return fenceInstant(s, s.lease);
  const found = s.startup === 'looking' && s.db.process !== null ? takeoverDeadline(s) : null;
  const { fuseBudgetMs, fenceBudgetMs } = s.settings.lease;
  return found === null ? null : found + fuseBudgetMs - fenceBudgetMs - clockGrainMs;
}

/** L8: when the database may be started or promoted in `epoch` as far as promises and the start of this guard go. */
export function mayBeginAt(s: GuardState, epoch: EpochId): Instant {
  const { ranIn } = s.durable;
  // Before the founding epoch there was none in which the other guard could have been promised anything.
  const knows = isFounding(epoch) || (ranIn !== null && sameEpoch(ranIn, epoch));
  return knows ? s.promisedUntil : Math.max(s.promisedUntil, s.quarantinedUntil);
}

export function fuseAlive(s: GuardState, now: Instant): boolean {
  const seen = s.fuse?.value.lastLook ?? null;
  return seen !== null && now - seen <= fuseAliveMs;
}

/** V4: an agent's refusal, which it says only while nothing but the lease stands against the change. */
function refuses(s: GuardState, by: Site, epoch: EpochId, now: Instant): boolean {
  const word = s.agents[by]?.refuses ?? null;
  return word !== null && now - word.at <= wordForMs && sameEpoch(word.epoch, epoch);
}

/**
 * V4: both agents refuse the database of that epoch; or one does, and its guard can tell by itself that it serves nobody: then
 * whoever does not refuse it sees less (I6).
 */
export function isRefused(s: GuardState, epoch: EpochId, now: Instant): boolean {
  const by = sites.filter((site) => refuses(s, site, epoch, now));
  return by.length === sites.length || (by.length > 0 && servesNobody(s, now));
}

/** Three times as long as an agent takes to confirm a failure. */
const unwrittenMs: Ms = 3000;

/** I6: no write of its own guard came through for so long, and it is not being started, stopped or promoted. */
export function servesNobody({ db, settings }: GuardState, now: Instant): boolean {
  if (db.startingSince !== null) return now - db.startingSince > settings.restartBudgetMs;
  return db.work === null && now - db.beatAt > unwrittenMs;
}

/** L7: whether an agent says that the standby may take over, and nothing forbids to let it. */
export function mayGiveUp(s: GuardState, now: Instant): boolean {
  if (s.durable.chosen?.record.mode !== 'auto') return false;
  return sites.some((site) => {
    const word = s.agents[site];
    return word !== null && now - word.at <= wordForMs && word.mayTakeOver;
  });
}

/** V8: whether there is anything to wait for or to ask: a primary under its lease that nothing else is being done to. */
export function syncApplies(s: GuardState, now: Instant): boolean {
  if (s.db.role !== 'primary' || s.db.work !== null || s.fencing !== null || s.leaving !== null) return false;
  return !inBootstrap(s) && s.startup === 'over' && leaseUsable(s, now);
}

/** V8: the server was seen to make commits wait, since the last deed on it, and what was acknowledged before is there too. */
export function waitingIsProven(s: GuardState): boolean {
  return s.durable.waits && s.sync.provenIn === s.db.serial && s.db.server?.value.sync?.waits === true;
}

/** V8: the ballot that this guard names; from then on it falls back only after it has asked. */
export function syncAt(s: GuardState, now: Instant): Ballot | null {
  const { chosen } = s.durable;
  if (chosen === null || s.lease === null || !sameEpoch(epochOf(chosen.record), s.lease.epoch)) return null;
  if (!syncApplies(s, now) || !waitingIsProven(s) || s.sync.asking !== null || s.sync.missed > 0) return null;
  return chosen.ballot;
}

/**
 * V8: whether the database has to wait from its first commit on when it is started or promoted in `epoch`. A guard that does
 * not remember to have run it in this epoch may have lost its memory, and with it what it promised (syncAt): then whatever may
 * have run in it waits, and falls back by a fresh change, which buries what is half done.
 */
export function waitsFromStart(s: GuardState, epoch: EpochId, deed: 'start-primary' | 'promote'): boolean {
  const { ranIn, waits, chosen } = s.durable;
  const { replication } = s.settings;
  // Whatever this guard remembers: a record that says `sync` lets the standby take over.
  if (replication === 'zero-loss-strict' || chosen?.record.sync === true) return true;
  if (ranIn !== null && sameEpoch(ranIn, epoch)) return waits;
  return replication === 'zero-loss' && (deed === 'start-primary' || mayHaveRun(s, epoch));
}

/** A database that carries this epoch's row ran in it; so may one that nobody has asked yet. */
function mayHaveRun({ db: { server } }: GuardState, epoch: EpochId): boolean {
  if (server === null) return true;
  const { row } = server.value;
  return row !== null && sameEpoch(row.epoch, epoch);
}

/** L1, L9: whether a round may begin now, and in which epoch. */
export function epochToAskFor(s: GuardState, now: Instant): EpochId | null {
  if (s.startup !== 'over' || s.leaving !== null || s.hold !== null || !fuseAlive(s, now)) return null;
  return dutyEpoch(s);
}
