// The deeds on the database and what came of them (L7 to L11). Before a start or promotion leaves, the epoch is on disk
// (ranIn), the fuse's deadline is written, and the deed itself may be begun only until the lease has F left.

import { sameEpoch, showEpoch } from '../quorum/record.ts';
import type { Ms } from '../time.ts';
import { deadlineIsSet } from './deadline.ts';
import { type NextDeed, nextDeed } from './desired.ts';
import { type GuardDraft, set, setDb, setDue, setDurable, trace } from './draft.ts';
import { fenceInstant, inBootstrap, isFounding, leaseUsable, mayGiveUp, waitsFromStart } from './facts.ts';
import { beginFence, endOrder, goneAfter } from './fencing.ts';
import { onStoppedFast } from './orders.ts';
import type { DatabaseWork } from './state.ts';
import { startWork, type WorkOutcome } from './work.ts';

/** A deed that failed is tried again, but not in a spin. */
const firstRetryMs: Ms = 500;
const retryMs: Ms = 5000;
const standbyEveryMs: Ms = 5000;
const promoteMs: Ms = 10_000;
const standbyStartMs: Ms = 15_000;
const stopMs: Ms = 5000;

export function driveDatabase(d: GuardDraft): void {
  adopt(d);
  giveUpFailedStart(d);
  const next = nextDeed(d.s, d.at.now);
  if (next !== null) begin(d, next);
}

/** Q0: the running primary is taken over without a restart, and this epoch's timeline is its own. */
function adopt(d: GuardDraft): void {
  const { s, at } = d;
  if (inBootstrap(s) || s.lease === null || s.db.role !== 'primary' || s.fencing !== null || !leaseUsable(s, at.now))
    return;
  if (!isFounding(s.lease.epoch) || (s.durable.ranIn !== null && sameEpoch(s.durable.ranIn, s.lease.epoch))) return;
  setDurable(d, { ranIn: s.lease.epoch });
  trace(d, 'info', 'guard.takeover', { epoch: showEpoch(s.lease.epoch), how: 'founded with it' });
}

function begin(d: GuardDraft, deed: NextDeed): void {
  const { s, at } = d;
  if (deed === 'stop') return startWork(d, { kind: 'stop' }, stopMs, null);
  if (deed === 'start-standby') {
    // The fuse would kill it at a deadline that was left there.
    if (s.deadline !== null) return;
    startWork(d, { kind: 'start-standby' }, standbyStartMs, null);
    return setDb(d, { retryAt: at.now + standbyEveryMs });
  }
  if (s.lease === null || !deadlineIsSet(s, at.now)) return;
  const { epoch } = s.lease;
  const notAfter = fenceInstant(s, s.lease) - 1;
  // L8, L11: on disk before the deed leaves; from here on it counts as a primary, whatever is heard of the deed.
  // V8: and so is whether it waits.
  const waits = waitsFromStart(s, epoch, deed);
  const isNew = s.durable.ranIn === null || !sameEpoch(s.durable.ranIn, epoch);
  if (isNew || waits !== s.durable.waits) setDurable(d, { ranIn: epoch, waits });
  trace(d, 'info', deed === 'promote' ? 'database.promoting' : 'database.starting', { epoch: showEpoch(epoch) });
  const work = { kind: deed, waits };
  startWork(d, work, deed === 'promote' ? promoteMs : s.settings.restartBudgetMs, notAfter);
  setDb(d, {
    role: 'primary',
    promoting: deed === 'promote',
    server: null,
    startingSince: s.db.startingSince ?? at.now,
  });
}

export function onWork(d: GuardDraft, id: number, outcome: WorkOutcome): void {
  const { work } = d.s.db;
  // Cancelled by a fence: what is left is decided by `fenced`.
  if (work === null || work.id !== id) return;
  setDb(d, { work: null, serial: d.s.db.serial + 1, unknownSince: null, process: null });
  setDue(d, { look: d.at.now, ask: d.at.now });
  if (work.deed === 'stop-fast') return onStoppedFast(d, outcome);
  if (outcome.kind === 'done') return onDone(d, work.deed);
  const why =
    outcome.kind === 'rejected'
      ? `${outcome.code}: ${outcome.detail}`
      : outcome.kind === 'unknown'
        ? outcome.detail
        : outcome.kind;
  const lapsed =
    outcome.kind === 'expired' ||
    outcome.kind === 'cancelled' ||
    (outcome.kind === 'rejected' && outcome.code === 'not-allowed');
  // The lease it was begun under has been renewed meanwhile, or it never began: no failure of the database.
  const failures = d.s.db.failures + (lapsed ? 0 : 1);
  trace(d, 'warn', 'database.deed-failed', { deed: work.deed, why, failures });
  // Whatever it did, it may run; looks and questions tell. A standby's start cannot have made it a primary.
  const retryAt = Math.max(d.s.db.retryAt, d.at.now + (failures <= 1 ? firstRetryMs : retryMs));
  setDb(d, {
    role: 'unknown',
    unknownSince: d.at.now,
    failures,
    retryAt,
    stopFailed: work.deed === 'stop' && !lapsed ? 'stop' : null,
  });
}

function onDone(d: GuardDraft, deed: DatabaseWork): void {
  const { lease } = d.s;
  switch (deed) {
    case 'start-primary':
    case 'promote':
      trace(d, 'info', deed === 'promote' ? 'database.promoted' : 'database.started', {
        epoch: lease === null ? null : showEpoch(lease.epoch),
      });
      setDue(d, { beat: d.at.now });
      return setDb(d, { role: 'primary', promoting: false });
    case 'start-standby':
      trace(d, 'info', 'database.started', { as: 'standby' });
      // Nothing stands against a promotion that may be due already.
      return setDb(d, { role: 'standby', promoting: false, failures: 0, retryAt: d.at.now });
    case 'stop':
    case 'stop-fast':
      return setDb(d, { role: 'none', promoting: false });
  }
}

/** A beat was written: it accepts writes, and what it writes belongs to this epoch. */
export function onWritable(d: GuardDraft): void {
  const { lease, db } = d.s;
  if (lease === null) return;
  if (d.s.durable.beatenIn === null || !sameEpoch(d.s.durable.beatenIn, lease.epoch)) {
    setDurable(d, { beatenIn: lease.epoch });
    trace(d, 'info', 'database.writable', { epoch: showEpoch(lease.epoch) });
  }
  if (d.s.order?.phase === 'starting') endOrder(d, 'done', 'it accepts writes');
  if (db.crashed || db.failures > 0 || db.startingSince !== null || db.stopFailed !== null) {
    setDb(d, { crashed: false, failures: 0, startingSince: null, stopFailed: null });
  }
}

/** Found dead though nobody ordered it (L7). `orphans`: its postmaster is gone, others of it still live. */
export function onDatabaseDown(d: GuardDraft, clean: boolean, orphans: boolean): void {
  const { s, at } = d;
  if (clean) {
    // "Orders": a clean stop by somebody else is a restart, not a crash.
    trace(d, 'warn', 'database.stopped', { by: 'somebody else' });
    setDb(d, { role: 'none' });
    if (s.restingUntil <= at.now) set(d, { restingUntil: at.now + s.settings.restartBudgetMs, nextRoundAt: at.now });
    return;
  }
  trace(d, 'warn', 'database.crashed', { epoch: s.lease === null ? null : showEpoch(s.lease.epoch), orphans });
  // `restart`: once in place; a second crash within the budget means that this did not help.
  const again = s.db.crashedAt !== null && at.now - s.db.crashedAt <= s.settings.restartBudgetMs;
  setDb(d, { crashed: true, crashedAt: at.now, role: orphans ? 'primary' : 'none' });
  if (inBootstrap(s) || s.fencing !== null) return;
  const wanted = s.settings.policy.onCrash === 'fastest' || again;
  const leave = wanted && leaseUsable(s, at.now) && mayGiveUp(s, at.now);
  beginFence(d, 'crash', leave ? goneAfter(d, 'crash') : null);
}

/** L7: a start in place that failed, or takes longer than restartBudget, while the standby may take over. */
function giveUpFailedStart(d: GuardDraft): void {
  const { s, at } = d;
  const { db } = s;
  if (inBootstrap(s) || s.fencing !== null || s.leaving !== null || s.order !== null || !leaseUsable(s, at.now)) return;
  const late = db.startingSince !== null && at.now - db.startingSince > s.settings.restartBudgetMs;
  const failed = db.failures > 0 && db.work === null && db.role === 'none';
  if (!(late || failed) || !mayGiveUp(s, at.now)) return;
  setDb(d, { failures: 0, crashed: true });
  beginFence(d, 'start-failed', goneAfter(d, 'start-failed'));
}
