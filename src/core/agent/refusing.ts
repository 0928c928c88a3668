// Which grants this agent refuses: those of a database that it has confirmed as failed (V4), and those that an order past a
// silent guard has to end ("Orders").

import { type EpochId, epochOf, sameEpoch } from '../quorum/record.ts';
import { bindingMs, type Instant, type Ms } from '../time.ts';
import {
  heardForMs,
  hearsPeer,
  peerNotice,
  primaryVerdict,
  recordOf,
  standbyTestifies,
  verdictsRest,
} from './facts.ts';
import type { OrderState } from './order-state.ts';
import type { AgentState } from './state.ts';

/** V4: whether this agent refuses the database of that epoch. */
export function refusesDatabase(s: AgentState, epoch: EpochId, now: Instant): boolean {
  const record = recordOf(s);
  if (record === null || !sameEpoch(epochOf(record), epoch)) return false;
  return s.refusing || followsPeer(s, epoch, now) || yields(s, now);
}

/** A round of the peer's, and what it waits for before it (otherDelay, lost races). */
const peersTurnMs: Ms = 5000;

/**
 * V4, I6: this agent has confirmed the failure and does not hear its peer, which may see the standby, be a majority with the witness and
 * wait for this lease alone. So it lets go of it for as long as a change takes, once the illness has lasted that long, and again after
 * each cool-down. What is starting up may be in a recovery that a fence begins anew: for that once, after its time.
 */
function yields(s: AgentState, now: Instant): boolean {
  const record = recordOf(s);
  const { illSince } = s;
  if (record === null || record.mode !== 'auto' || s.settings.witness === 'none' || hearsPeer(s, now)) return false;
  if (illSince === null || primaryVerdict(s, record, now) !== 'failed' || verdictsRest(s, now)) return false;
  // V2: it is out of this agent's reach, and serves: its standby receives from it, or its guard tells that it writes.
  if (standbyTestifies(s, now) || now - s.positionMovedAt < heardForMs) return false;
  const { coolDownMs } = s.settings.policy;
  // V6: the peer could not act any earlier.
  if (record.epoch > 1 && now - s.epochAt < coolDownMs) return false;
  const turnMs = bindingMs(s.voter.durable.longestTtlMs, s.settings.lease.drift) + peersTurnMs;
  const isStarting = s.primary.lastClass === 'starting-up';
  const sinceMs = now - illSince - (isStarting ? s.settings.restartBudgetMs : turnMs);
  return sinceMs >= 0 && (isStarting ? sinceMs : sinceMs % Math.max(coolDownMs, 10 * turnMs)) < turnMs;
}

/**
 * V4, I6: the peer says that nothing but the lease stands against the change, and this agent has confirmed the failure, too.
 * What it does not see itself (the standby, behind a cut link) is no reason to renew that lease for ever. It is not told to
 * the peer as this agent's own refusal: each would hold the other one to it.
 */
function followsPeer(s: AgentState, epoch: EpochId, now: Instant): boolean {
  const record = recordOf(s);
  if (record === null || record.mode !== 'auto' || primaryVerdict(s, record, now) !== 'failed') return false;
  // V2: what the standby still receives from is out of reach, and serves.
  if (standbyTestifies(s, now)) return false;
  return peerNotice(s, now)?.refusing === true && peerIsIn(s, epoch, now);
}

/** "Orders": until the change is chosen or the order times out; one that stopped the database needs no refusal. */
export function refusesByOrder(order: OrderState | null): boolean {
  return order !== null && (order.phase === 'refusing' || (order.phase === 'proposing' && order.checkpoint === null));
}

/** Both agents do so for it; the next epoch's database it does not touch. */
export function orderRefuses(s: AgentState, epoch: EpochId, now: Instant): boolean {
  const { order } = s;
  if (order !== null && refusesByOrder(order) && sameEpoch(order.from, epoch)) return true;
  return peerNotice(s, now)?.orderRefuses === true && peerIsIn(s, epoch, now);
}

/** A verdict's refusal or an order's. */
export function refusesNow(s: AgentState, epoch: EpochId, now: Instant): boolean {
  return refusesDatabase(s, epoch, now) || orderRefuses(s, epoch, now);
}

function peerIsIn(s: AgentState, epoch: EpochId, now: Instant): boolean {
  const theirs = peerNotice(s, now)?.view.chosen?.record;
  return theirs !== undefined && sameEpoch(epochOf(theirs), epoch);
}
