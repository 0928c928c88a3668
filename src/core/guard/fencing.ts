// L9 and L10: when the database is killed, at once and past every queue, and what follows once nothing of it is left.

import type { Outcome } from '../outcome.ts';
import { compareEpochs, sameEpoch, showEpoch } from '../quorum/record.ts';
import { type GuardDraft, set, setDb, setDue, trace } from './draft.ts';
import {
  countsAsPrimary,
  dutyEpoch,
  fenceAt,
  inBootstrap,
  isFounding,
  isRefused,
  leaseInForce,
  leaseUsable,
  mayBeginAt,
  mayGiveUp,
  silentMs,
} from './facts.ts';
import type { Leaving } from './state.ts';

/** A fence that left somebody is begun again after this. */
const fenceAgainMs = 1000;
const orphansMs = 1500;

/** L9 before all else: asked first in every step, at the very instant at which the driver's own alarm rings. */
export function fenceWhenDue(d: GuardDraft): void {
  const at = fenceAt(d.s);
  if (at !== null && d.at.now >= at) beginFence(d, 'lease-end', null);
}

export function expireLease(d: GuardDraft): void {
  const { lease } = d.s;
  if (lease === null || leaseInForce(d.s, d.at.now)) return;
  set(d, { lease: null });
  trace(d, 'warn', 'lease.lost', { epoch: showEpoch(lease.epoch), why: 'it ran out' });
}

/** `leave`: what is released once the database is dead for good (L7); null when nothing is. */
export function beginFence(d: GuardDraft, cause: string, leave: Leaving | null): void {
  const { s, at } = d;
  if (leave !== null && s.leaving === null) set(d, { leaving: leave });
  if (s.fencing !== null) return;
  d.fence = true;
  trace(d, cause === 'order' ? 'info' : 'warn', 'fence.begun', {
    cause,
    epoch: s.lease === null ? null : showEpoch(s.lease.epoch),
  });
  if (s.order !== null && cause !== 'order') endOrder(d, 'undone', cause);
  set(d, { fencing: { cause, since: at.now, retryAt: null } });
  // Whatever was under way on the database is cancelled by the driver; its outcome means nothing any more.
  setDb(d, { work: null, serial: d.s.db.serial + 1, startingSince: null, missed: 0, stopFailed: null });
}

export function endOrder(d: GuardDraft, outcome: 'done' | 'undone', why: string): void {
  const { order } = d.s;
  if (order === null) return;
  set(d, { order: null });
  trace(d, outcome === 'done' ? 'info' : 'warn', 'order.ended', { order: order.kind, outcome, why });
}

export function onFenced(d: GuardDraft, outcome: Outcome<void>): void {
  const { fencing, db } = d.s;
  if (outcome.kind !== 'done') {
    trace(d, 'error', 'fence.failed', { cause: fencing?.cause ?? 'alarm', why: outcome.detail });
    // Nobody knows what is left: it may be writable until a fence ends (L9).
    if (fencing === null) beginFence(d, 'again', null);
    else set(d, { fencing: { ...fencing, retryAt: d.at.now + fenceAgainMs } });
    return;
  }
  // The driver's alarm may ring while this core cannot step. What was asked for since is not taken for dead.
  const role = fencing !== null || db.work === null ? 'none' : db.role;
  const promoting = role !== 'none' && db.promoting;
  setDb(d, { role, promoting, process: null, server: null, serial: db.serial + 1, unknownSince: null, missed: 0 });
  setDue(d, { look: d.at.now });
  if (fencing === null) return;
  set(d, { fencing: null });
  trace(d, 'info', 'fence.done', { cause: fencing.cause, tookMs: d.at.now - fencing.since });
}

/** What is found to be writable without a right to be, or to be given up. */
export function driveFencing(d: GuardDraft): void {
  const { fencing } = d.s;
  if (fencing !== null) {
    if (fencing.retryAt === null || d.at.now < fencing.retryAt) return;
    set(d, { fencing: { ...fencing, retryAt: null } });
    d.fence = true;
    return;
  }
  if (inBootstrap(d.s)) return;
  fenceWhenDue(d);
  if (d.s.fencing !== null || d.s.startup !== 'over') return;
  const cause = unlawful(d) ?? unanswering(d);
  if (cause !== null) return beginFence(d, cause, cause === 'stop-failed' ? giveUpMoved(d) : null);
  fenceWhenRefused(d);
}

/** L10: a database that runs as a primary without a lease, or in an epoch in which nobody let it. */
function unlawful(d: GuardDraft): string | null {
  const { s, at } = d;
  if (!countsAsPrimary(s)) return null;
  const { noted, ranIn } = s.durable;
  if (s.lease === null || !leaseUsable(s, at.now)) {
    const later = noted !== null && ranIn !== null && compareEpochs(noted, ranIn) > 0;
    if (!later)
      trace(d, 'error', 'database.writable-without-lease', { noted: noted === null ? null : showEpoch(noted) });
    return later ? 'later-epoch' : 'no-lease';
  }
  const started = ranIn !== null && sameEpoch(ranIn, s.lease.epoch);
  if (started || isFounding(s.lease.epoch)) return at.now < mayBeginAt(s, s.lease.epoch) ? 'promised-not-to' : null;
  return 'not-promoted-here';
}

/** Something runs that does not say what it is, or stands there so that whoever starts it gets a primary. */
function unanswering(d: GuardDraft): string | null {
  const { db, lease } = d.s;
  const seen = db.process?.value ?? null;
  if (db.work !== null || seen === null) return null;
  // L7: start inhibited. A fence is what puts the signal file in place (a guard that died in the midst of a start took it
  // away); a standby that runs without it was promoted by somebody or will be a primary after its next crash.
  // A promotion of ours takes it away as well.
  const idle = db.role === 'none' || (db.role === 'standby' && !db.promoting);
  if (!seen.signalFile && idle) return 'not-inhibited';
  if (!seen.running || db.unknownSince === null) return null;
  const silent = d.at.now - db.unknownSince;
  if (!seen.postmaster) return silent >= orphansMs ? 'orphans' : null;
  if (db.role !== 'unknown' || silent < silentMs) return null;
  // A stop of ours that never ends: it serves nobody and cannot be started again.
  if (db.stopFailed !== null) return 'stop-failed';
  return lease === null && seen.controlState === 'in production' ? 'silent-primary' : null;
}

/** V4, L7: this database is refused: fence at once, then `gone`. */
function fenceWhenRefused(d: GuardDraft): void {
  const duty = dutyEpoch(d.s);
  if (duty === null || d.s.leaving !== null || d.s.hold !== null || !isRefused(d.s, duty, d.at.now)) return;
  if (d.s.lease === null && d.s.db.role !== 'primary') return;
  beginFence(d, 'refused', goneAfter(d, 'refused'));
}

/**
 * "Orders", V8: the database did not even stop when a person wanted it moved. While the record says that the standby has all
 * that was acknowledged it takes over; else an order that promised to lose nothing is undone, and it is started again.
 */
function giveUpMoved(d: GuardDraft): Leaving | null {
  const { s, at } = d;
  if (s.db.stopFailed !== 'switchover') return null;
  const isWhole = s.settings.replication !== 'async' && s.durable.chosen?.record.sync === true;
  return isWhole && leaseUsable(s, at.now) && mayGiveUp(s, at.now) ? goneAfter(d, 'stop-failed') : null;
}

/** L7: "take over". */
export function goneAfter(d: GuardDraft, cause: string): Leaving {
  return { cause, gone: true, position: null, holdMs: d.s.settings.lease.releaseWaitMs, orderUntil: null };
}
