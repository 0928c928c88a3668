// L11: what a guard does with the database it finds when it starts. A primary that runs under the fuse's deadline is taken
// over: nothing released, nothing killed. In every other case a primary is killed first, and only then may everything
// before this start be released.

import { epochOf, showEpoch } from '../quorum/record.ts';
import { compareRounds } from '../quorum/round.ts';
import { type GuardDraft, set, setDue, trace } from './draft.ts';
import { dutyEpoch, inBootstrap, takeoverDeadline } from './facts.ts';
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
    case 'none':
      // The deadline goes first (deadline.ts), so that no later start of this guard takes over what was released.
      if (s.deadline === null) releaseAll(d);
  }
}

function foundPrimary(d: GuardDraft): void {
  const { s, at } = d;
  const deadline = takeoverDeadline(s);
  const epoch = dutyEpoch(s);
  if (deadline === null || epoch === null || at.now >= deadline) return beginFence(d, 'found-at-start', null);
  const until = deadline + s.settings.lease.fuseBudgetMs;
  set(d, { lease: { epoch, until, round: s.covered } });
  trace(d, 'info', 'guard.takeover', {
    epoch: showEpoch(epoch),
    leftMs: until - at.now,
    how: 'found under its deadline',
  });
  over(d);
}

/** While the deadline lies ahead it is waited for (fenceAt rings in time); without one its control file decides. */
function foundSilent(d: GuardDraft, waited: boolean): void {
  const { s, at } = d;
  const deadline = takeoverDeadline(s);
  if (deadline !== null && at.now < deadline) return;
  if (!waited) return;
  if (s.db.process?.value.controlState === 'in production') return beginFence(d, 'silent-at-start', null);
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
