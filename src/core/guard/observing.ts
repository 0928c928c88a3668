// The guard's looks at its own host: processes and files often and cheaply, the server's own word every P, and a beat
// into siteward.cluster every P while it holds the lease (V1). A look that began before the last deed says nothing.

import type { ProcessReport } from '../observe/observation.ts';
import { sameEpoch, showEpoch } from '../quorum/record.ts';
import type { Ms } from '../time.ts';
import { onDatabaseDown, onWritable } from './database.ts';
import { type GuardDraft, isPending, perform, set, setDb, setDue, trace } from './draft.ts';
import { fenceInstant, inBootstrap, leaseUsable } from './facts.ts';
import type { Pending } from './state.ts';
import { noteSync } from './syncing.ts';
import type { WorkOutcome } from './work.ts';

const lookEveryMs: Ms = 100;
const lookAgainMs: Ms = 20;
const lookMs: Ms = 1000;
const askMs: Ms = 700;
const beatMs: Ms = 700;
const askAgainMs: Ms = 200;

export function driveObserving(d: GuardDraft): void {
  const { due, db } = d.s;
  const { now } = d.at;
  if (now >= due.look && !isPending(d, 'look')) {
    setDue(d, { look: now + lookEveryMs });
    perform(d, 'look', { kind: 'look' }, { kind: 'look', serial: db.serial }, lookMs);
  }
  if (now >= due.ask && db.work === null && d.s.fencing === null && db.role !== 'none' && !isPending(d, 'ask')) {
    setDue(d, { ask: now + (db.role === 'unknown' ? askAgainMs : d.s.settings.lease.renewEveryMs) });
    perform(d, 'ask', { kind: 'ask-server' }, { kind: 'ask', serial: db.serial }, askMs);
  }
  if (now >= due.beat) beat(d);
}

function beat(d: GuardDraft): void {
  const { s, at } = d;
  if (inBootstrap(s) || s.lease === null || !leaseUsable(s, at.now) || s.fencing !== null || s.leaving !== null) return;
  const { ranIn, cluster } = s.durable;
  if (s.db.role !== 'primary' || s.db.work !== null || cluster === null || isPending(d, 'beat')) return;
  if (ranIn === null || !sameEpoch(ranIn, s.lease.epoch)) return;
  const row = { cluster, epoch: s.lease.epoch, beat: s.beat + 1 };
  set(d, { beat: row.beat });
  setDue(d, { beat: at.now + s.settings.lease.renewEveryMs });
  const meaning = { kind: 'beat', serial: s.db.serial, epoch: s.lease.epoch } as const;
  perform(d, 'beat', { kind: 'beat', row }, meaning, beatMs, fenceInstant(s, s.lease) - 1);
}

export function onLooked(
  d: GuardDraft,
  pending: Extract<Pending, { kind: 'look' | 'ask' }>,
  outcome: WorkOutcome,
): void {
  if (pending.serial !== d.s.db.serial) return setDue(d, { look: d.at.now });
  if (outcome.kind !== 'done' || outcome.value.kind !== 'looked') return;
  const process = outcome.value.process;
  const wasStopping = isStopping(d.s.db.process?.value ?? null);
  setDb(d, { process: { at: d.at.now, value: process } });
  if (d.s.db.work !== null || d.s.fencing !== null) return;
  if (isStopping(process) && !wasStopping && d.s.db.role === 'primary') restFromStop(d);
  if (process.running) seenRunning(d, process);
  else seenStopped(d, process);
}

function isStopping(process: ProcessReport | null): boolean {
  return process?.postmaster === true && process.controlState === 'shutting down';
}

/**
 * "Orders": a clean stop by somebody else is a restart, and its checkpoint may take longer than a failure to be confirmed. Told
 * at once.
 */
function restFromStop(d: GuardDraft): void {
  const restingUntil = Math.max(d.s.restingUntil, d.at.now + d.s.settings.restartBudgetMs);
  set(d, { restingUntil, nextRoundAt: d.at.now });
}

function seenRunning(d: GuardDraft, process: ProcessReport): void {
  const { db } = d.s;
  if (process.postmaster) {
    const isNew = db.role === 'none';
    const unknownSince = isNew || db.role === 'unknown' ? (db.unknownSince ?? d.at.now) : null;
    if (isNew || db.missed > 0 || unknownSince !== db.unknownSince) {
      setDb(d, { role: isNew ? 'unknown' : db.role, missed: 0, unknownSince });
    }
    if (isNew) setDue(d, { ask: d.at.now });
    return;
  }
  // Processes without a postmaster: they end by themselves, or have to be ended.
  setDb(d, { unknownSince: db.unknownSince ?? d.at.now });
  if (db.role === 'primary') missing(d, false, true);
}

function seenStopped(d: GuardDraft, process: ProcessReport): void {
  const { role } = d.s.db;
  if (role === 'none') return setDb(d, { unknownSince: null });
  if (role === 'primary') return missing(d, process.controlState?.startsWith('shut down') === true, false);
  setDb(d, { role: 'none', promoting: false, missed: 0, unknownSince: null, server: null, startingSince: null });
}

/** One look may meet a process list in the making; two in a row do not. */
function missing(d: GuardDraft, clean: boolean, orphans: boolean): void {
  const missed = d.s.db.missed + 1;
  setDb(d, { missed });
  if (missed < 2) return setDue(d, { look: d.at.now + lookAgainMs });
  setDb(d, { missed: 0, server: null, startingSince: null });
  onDatabaseDown(d, clean, orphans);
}

export function onAsked(
  d: GuardDraft,
  pending: Extract<Pending, { kind: 'look' | 'ask' }>,
  outcome: WorkOutcome,
): void {
  if (pending.serial !== d.s.db.serial || d.s.db.work !== null || d.s.fencing !== null) return;
  if (outcome.kind !== 'done' || outcome.value.kind !== 'server') return;
  const { server } = outcome.value;
  noteSync(d, server, d.s.db.server?.value ?? null);
  const role = server.inRecovery ? 'standby' : 'primary';
  if (role !== d.s.db.role) {
    trace(d, 'info', 'database.role', { role, before: d.s.db.role });
    // It is a primary, or a standby, since before this look: what was asked for of it is over.
    setDue(d, { beat: d.at.now });
  }
  const stopFailed = role === 'standby' ? d.s.db.stopFailed : null;
  setDb(d, {
    role,
    promoting: role === 'standby' && d.s.db.promoting,
    server: { at: d.at.now, value: server },
    position: server.position,
    unknownSince: null,
    stopFailed,
  });
}

export function onBeaten(d: GuardDraft, pending: Extract<Pending, { kind: 'beat' }>, outcome: WorkOutcome): void {
  const { s } = d;
  const current = pending.serial === s.db.serial && s.lease !== null && sameEpoch(s.lease.epoch, pending.epoch);
  if (outcome.kind === 'done' && outcome.value.kind === 'beaten') {
    if (!current || s.db.role !== 'primary' || s.fencing !== null) return;
    setDb(d, { position: outcome.value.position, beatAt: d.at.now });
    return onWritable(d);
  }
  if (!current) return;
  // A backend's crash brings it back read-only, and the signal file is there: the server is asked what it is now.
  setDue(d, { ask: d.at.now });
  const why = outcome.kind === 'rejected' ? outcome.code : outcome.kind;
  trace(d, outcome.kind === 'rejected' ? 'warn' : 'debug', 'database.beat-failed', {
    epoch: showEpoch(pending.epoch),
    why,
  });
}
