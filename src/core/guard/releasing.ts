// L7: a database that is fenced for good gives its promises back, and its guard holds still for a while so that a change
// can be chosen. No grant of a released round counts any more.

import type { Release } from '../messages.ts';
import { showEpoch } from '../quorum/record.ts';
import { type Round, showRound } from '../quorum/round.ts';
import { peerOfVoter, type VoterId } from '../site.ts';
import { ask, type GuardDraft, set, trace } from './draft.ts';
import { silentMs } from './facts.ts';
import { beginFence } from './fencing.ts';
import type { Leaving, UnheardRelease } from './state.ts';

const releaseTries = 5;
const releaseAgainMs = 300;

export function driveReleasing(d: GuardDraft): void {
  const { s, at } = d;
  const { hold, leaving } = s;
  if (hold !== null && at.now >= hold.until) endHold(d);
  if (leaving !== null && s.fencing === null) driveLeaving(d, leaving);
  resend(d);
}

/**
 * I7: somebody (a supervisor, the boot) may start it again right after the fence. Start is inhibited, so it is a standby,
 * which writes nothing; what does not say so is killed once more.
 */
function driveLeaving(d: GuardDraft, leaving: Leaving): void {
  const { db, deadline } = d.s;
  if (db.role === 'unknown' && db.unknownSince !== null && d.at.now - db.unknownSince >= silentMs) {
    return beginFence(d, 'started-meanwhile', null);
  }
  // L11: while the deadline lies in the future a guard that restarts takes a primary over, so it goes before the release.
  if ((db.role === 'none' || db.role === 'standby') && !db.promoting && deadline === null) leave(d, leaving);
}

function leave(d: GuardDraft, leaving: Leaving): void {
  const { noted, roundStart } = d.s.durable;
  // The highest round of this process: every one that was ever sent in this epoch is covered.
  const covered: Round = { start: roundStart, seq: d.s.seq };
  set(d, { leaving: null, lease: null, covered, tallies: [], long: null, nextLongAt: d.at.now, missingSince: null });
  if (noted === null) return;
  const { gone, position, holdMs, orderUntil, cause } = leaving;
  const until = Math.max(d.at.now + holdMs, orderUntil ?? 0);
  set(d, { hold: { epoch: noted, until, cause, order: orderUntil !== null }, nextRoundAt: d.at.now });
  release(d, covered, gone, position);
}

export function release(d: GuardDraft, round: Round, gone: boolean, position: number | null): void {
  const { durable, settings, me } = d.s;
  if (durable.noted === null || durable.cluster === null) return;
  const { cluster, noted: epoch } = durable;
  const message: Release = {
    type: 'release',
    cluster,
    voters: settings.voters,
    epoch,
    site: me,
    round,
    gone,
    position,
  };
  const voters: readonly VoterId[] = settings.witness === 'agent' ? ['site1', 'site2', 'witness'] : ['site1', 'site2'];
  set(d, { unheard: [] });
  for (const voter of voters) tell(d, { voter, message, tries: 1, at: d.at.now });
  trace(d, 'info', 'lease.released', { epoch: showEpoch(epoch), round: showRound(round), gone, position });
}

function tell(d: GuardDraft, unheard: UnheardRelease): void {
  ask(
    d,
    peerOfVoter(unheard.voter),
    unheard.message,
    { kind: 'release', release: unheard },
    d.s.settings.peerDeadlineMs,
  );
}

export function onReleaseSilent(d: GuardDraft, unheard: UnheardRelease): void {
  if (unheard.tries >= releaseTries || d.s.hold === null) return;
  set(d, { unheard: [...d.s.unheard, { ...unheard, tries: unheard.tries + 1, at: d.at.now + releaseAgainMs }] });
}

function resend(d: GuardDraft): void {
  const due = d.s.unheard.filter((unheard) => d.at.now >= unheard.at);
  if (due.length === 0) return;
  set(d, { unheard: d.s.unheard.filter((unheard) => d.at.now < unheard.at) });
  for (const unheard of due) tell(d, unheard);
}

/** No change was chosen: it goes on in the old epoch with a later round. */
function endHold(d: GuardDraft): void {
  const { hold } = d.s;
  if (hold === null) return;
  set(d, { hold: null, unheard: [], nextRoundAt: d.at.now, restingUntil: Math.max(d.s.restingUntil, d.at.now) });
  if (hold.order)
    trace(d, 'warn', 'order.ended', { order: 'switchover', outcome: 'undone', why: 'no change was chosen in time' });
  else trace(d, 'info', 'release.undone', { cause: hold.cause, epoch: showEpoch(hold.epoch) });
}
