// What the database should be, and the next deed towards it (L10). Level-triggered: nothing is remembered of how it came
// to be what it is; any call could be the first after a restart.

import { sameEpoch } from '../quorum/record.ts';
import type { Instant } from '../time.ts';
import { followsOther, inBootstrap, isFounding, leaseUsable, mayBeginAt } from './facts.ts';
import type { GuardState } from './state.ts';

export type NextDeed = 'start-primary' | 'promote' | 'stop' | 'start-standby';

/** null: leave it as it is, or wait. */
export function nextDeed(s: GuardState, now: Instant): NextDeed | null {
  if (inBootstrap(s) || s.startup !== 'over' || s.fencing !== null || s.leaving !== null || s.db.work !== null)
    return null;
  if (now < s.db.retryAt) return null;
  if (leaseUsable(s, now)) return s.order?.phase === 'stopping' ? null : towardsPrimary(s, now);
  if (followsOther(s)) return s.db.role === 'none' ? 'start-standby' : null;
  // This site is named but holds no lease: what is stopped stays stopped, a standby keeps following.
  return null;
}

function towardsPrimary(s: GuardState, now: Instant): NextDeed | null {
  const epoch = s.lease?.epoch;
  if (epoch === undefined) return null;
  const { beatenIn } = s.durable;
  const allowed = now >= mayBeginAt(s, epoch);
  // Its timeline is this epoch's already: another promotion would fork it.
  const wasPrimary = beatenIn !== null && sameEpoch(beatenIn, epoch);
  if (s.db.role === 'standby') return wasPrimary ? 'stop' : allowed ? 'promote' : null;
  if (s.db.role !== 'none') return null;
  if (wasPrimary || foundedHere(s)) return allowed ? 'start-primary' : null;
  return 'start-standby';
}

/** Q0: the founding database was a primary before there was a guard; nobody made it one, and it is nobody's standby. */
function foundedHere(s: GuardState): boolean {
  if (s.lease === null || !isFounding(s.lease.epoch)) return false;
  const state = s.db.process?.value.controlState ?? null;
  return state !== null && !state.includes('recovery');
}
