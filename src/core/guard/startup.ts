// L11: what a guard does with the database it finds when it starts. A primary that runs under the fuse's deadline is taken
// over: nothing released, nothing killed. In every other case a primary is killed first, and only then may everything
// before this start be released.

import { epochOf, showEpoch } from '../quorum/record.ts';
import { compareRounds } from '../quorum/round.ts';
import { type GuardDraft, set, setDb, setDue, trace } from './draft.ts';
import { dutyEpoch, foundPromoting, inBootstrap, takeoverDeadline } from './facts.ts';
import { beginFence } from './fencing.ts';
import { release } from './releasing.ts';

/** A fuse's file or a server that says nothing for this long is taken as having nothing to say. */
const patienceMs = 2000;

export function driveStartup(d: GuardDraft): void {
  const { s, at } = d;
  if (s.startup === 'over' || s.fencing !== null) return;
  if (inBootstrap(s)) return over(d);
  if (s.db.process === null && s.db.role !== 'none') return;
  const waited = at.now - s.startedAt >= patienceMs;
  if (s.fuse === null && !waited) return;
  switch (s.db.role) {
    case 'primary':
      return foundPrimary(d);
    case 'unknown':
      return foundSilent(d, waited);
    case 'standby':
      return foundPromoting(s) ? foundPrimary(d) : foundIdle(d);
    case 'none':
      return foundIdle(d);
  }
}

function underDeadline(d: GuardDraft): boolean {
  const deadline = takeoverDeadline(d.s);
  return deadline !== null && d.at.now < deadline;
}

function foundIdle(d: GuardDraft): void {
  const { process } = d.s.db;
  // L7: start inhibited before anything is released. A guard that died in the midst of a start took the file away.
  if (process !== null && !process.value.signalFile) return beginFence(d, 'not-inhibited', null);
  // The deadline goes first (deadline.ts), so that no later start of this guard takes over what was released.
  if (d.s.deadline === null) releaseAll(d);
}

function foundPrimary(d: GuardDraft): void {
  if (underDeadline(d)) takeOver(d);
  else beginFence(d, 'found-at-start', null);
}

/** The lease is the one its deadline was written for: no other guard ever held it, and it was not released since. */
function takeOver(d: GuardDraft): void {
  const { s, at } = d;
  const deadline = takeoverDeadline(s);
  const epoch = dutyEpoch(s);
  if (deadline === null || epoch === null) return;
  const until = deadline + s.settings.lease.fuseBudgetMs;
  set(d, { lease: { epoch, until, round: s.covered } });
  if (s.db.role !== 'primary') setDb(d, { promoting: foundPromoting(s) });
  trace(d, 'info', 'guard.takeover', {
    epoch: showEpoch(epoch),
    leftMs: until - at.now,
    how: 'found under its deadline',
  });
  over(d);
}

/**
 * A primary in its crash recovery answers nobody, for longer than a lease lasts: under its deadline it is taken over as
 * it is, and what it is shows later. Without one its control file decides.
 */
function foundSilent(d: GuardDraft, waited: boolean): void {
  const { s } = d;
  if (s.db.process?.value.postmaster === true && underDeadline(d)) return takeOver(d);
  if (!waited) return;
  const mayWrite = s.db.process?.value.controlState === 'in production' || foundPromoting(s);
  if (mayWrite) return beginFence(d, 'silent-at-start', null);
  over(d);
}

function releaseAll(d: GuardDraft): void {
  const { covered, durable } = d.s;
  const round = { start: durable.roundStart, seq: 0 };
  // Never `gone`: it says only that nothing from before this start binds anybody any more.
  if (durable.noted !== null && compareRounds(round, covered) >= 0) release(d, round, false, null);
  trace(d, 'info', 'guard.started', {
    role: d.s.db.role,
    epoch: durable.chosen === null ? null : showEpoch(epochOf(durable.chosen.record)),
  });
  over(d);
}

function over(d: GuardDraft): void {
  set(d, { startup: 'over', nextRoundAt: d.at.now });
  setDue(d, { beat: d.at.now });
}
