// The guard's brain. READ THIS FIRST. One event in, the next state and the effects out; no clock, random, I/O or throw.
//
//   fence   -> L9 before all else: is it time to die?
//   event   -> taken up by the room it belongs to (rounds, failsafe, hear, orders, observing, database)
//   drive   -> level-triggered: with what is known now, what is due? Any step could be the first after a restart
//   effects -> fence at once; then persist what changed, then send, then act (the driver may not reorder them)
//
// The guard alone lets its database accept writes (L10). What it believes errs on one side: a start that was asked for has
// happened, a silent database may be writable, a clock reading is late, an answer that did not come was no.

import type { StepResult } from '../effects.ts';
import { bothAgents } from '../quorum/holder.ts';
import type { Instant, Moment } from '../time.ts';
import { driveDatabase } from './database.ts';
import { driveDeadline } from './deadline.ts';
import type { GuardDeed, GuardEvent } from './deeds.ts';
import { type GuardDraft, isPending } from './draft.ts';
import { fenceAt } from './facts.ts';
import { driveFailsafe } from './failsafe.ts';
import { driveFencing, expireLease, fenceWhenDue } from './fencing.ts';
import { takeEvent } from './inbox.ts';
import { driveObserving } from './observing.ts';
import { driveOrders } from './orders.ts';
import { driveReleasing } from './releasing.ts';
import { driveRounds } from './rounds.ts';
import { driveStartup } from './startup.ts';
import { durableOf, type GuardDurable, type GuardState } from './state.ts';
import { driveSyncing } from './syncing.ts';

export type GuardStep = StepResult<GuardState, GuardDurable, GuardDeed>;

/** With nothing due the guard still looks around this often; nothing is due more often than the clock moves. */
const idleTickMs = 500;
const shortestTickMs = 10;

export function guardStep(state: GuardState, event: GuardEvent, moment: Moment): GuardStep {
  const d: GuardDraft = { s: state, at: moment, fence: false, send: [], act: [], trace: [] };
  // The driver's alarm and this line ring at one instant. `fenced` itself says that it has rung.
  if (event.type !== 'fenced') fenceWhenDue(d);
  takeEvent(d, event);
  expireLease(d);
  driveStartup(d);
  driveFencing(d);
  driveOrders(d);
  driveReleasing(d);
  driveDatabase(d);
  driveDeadline(d);
  // Before the rounds: no renewal of this step names a ballot that it asks about.
  driveSyncing(d);
  driveRounds(d);
  driveFailsafe(d);
  driveObserving(d);
  const changed = d.s.durable !== d.s.persisted;
  if (changed) d.s = { ...d.s, persisted: d.s.durable };
  return {
    state: d.s,
    effects: { fence: d.fence, persist: changed ? durableOf(d.s) : null, send: d.send, act: d.act },
    trace: d.trace,
    wakeAt: nextWake(d),
  };
}

/** When the clock alone makes something due. What was due before, or is under way, waits for an outcome instead. */
function nextWake(d: GuardDraft): Instant {
  const { s } = d;
  const { now } = d.at;
  let next = now + idleTickMs;
  const at = (time: Instant): void => {
    if (time > now && time < next) next = time;
  };
  at(s.nextRoundAt);
  if (!isPending(d, 'look')) at(s.due.look);
  if (!isPending(d, 'fuse-look', 'fuse-set', 'fuse-clear')) {
    at(s.due.fuse);
    at(s.due.deadline);
  }
  if (!isPending(d, 'ask')) at(s.due.ask);
  if (!isPending(d, 'beat')) at(s.due.beat);
  const fence = fenceAt(s);
  if (fence !== null) at(fence);
  const newest = s.tallies.at(-1);
  if (newest !== undefined && !bothAgents(newest.granted)) at(newest.t0 + s.settings.lease.witnessAfterMs);
  if (s.missingSince !== null) {
    at(s.nextLongAt);
    at(s.nextFailsafeAt);
  }
  if (s.fencing?.retryAt != null) at(s.fencing.retryAt);
  if (s.hold !== null) at(s.hold.until);
  if (s.sync.asking !== null) at(s.sync.asking.nextAt);
  for (const unheard of s.unheard) at(unheard.at);
  at(s.db.retryAt);
  at(s.quarantinedUntil);
  at(s.promisedUntil);
  return Math.max(now + shortestTickMs, next);
}
