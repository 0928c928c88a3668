// The deadline that the guard leaves for the fuse (L9): there before anything is started or promoted, moved with every
// longer lease, and gone once nothing may be writable, so that the fuse lets a standby live.

import type { Outcome } from '../outcome.ts';
import type { Instant } from '../time.ts';
import type { GuardDeedValue } from './deeds.ts';
import { nextDeed } from './desired.ts';
import { type GuardDraft, isPending, perform, set, setDue } from './draft.ts';
import {
  countsAsPrimary,
  fuseAlive,
  fuseInstant,
  inBootstrap,
  leaseInForce,
  leaseUsable,
  mayBeWritable,
} from './facts.ts';
import type { GuardState, Pending } from './state.ts';

const fuseLookEveryMs = 250;
const fuseDeadlineMs = 1000;
const againMs = 100;

/** What has to be in the file now; null when nothing has to. */
function wanted(s: GuardState, now: Instant): Instant | null {
  if (s.lease === null || !leaseInForce(s, now) || inBootstrap(s)) return null;
  if (mayBeWritable(s)) return fuseInstant(s, s.lease);
  const next = nextDeed(s, now);
  return next === 'start-primary' || next === 'promote' ? fuseInstant(s, s.lease) : null;
}

/** L9's order: a deadline of this lease, written, before the signal file goes away or the promotion begins. */
export function deadlineIsSet(s: GuardState, now: Instant): boolean {
  if (s.lease === null || !leaseUsable(s, now) || typeof s.deadline !== 'number') return false;
  return s.deadline > now && s.deadline <= fuseInstant(s, s.lease);
}

export function driveDeadline(d: GuardDraft): void {
  const { s, at } = d;
  if (at.now >= s.due.fuse && !isPending(d, 'fuse-look', 'fuse-set', 'fuse-clear')) {
    setDue(d, { fuse: at.now + fuseLookEveryMs });
    perform(d, 'fuse', { kind: 'look-fuse' }, { kind: 'fuse-look' }, fuseDeadlineMs);
  }
  if (at.now < s.due.deadline || isPending(d, 'fuse-set', 'fuse-clear')) return;
  const target = wanted(s, at.now);
  if (target !== null) {
    if (s.deadline === target) return;
    perform(d, 'fuse', { kind: 'set-deadline', at: target }, { kind: 'fuse-set', to: target }, fuseDeadlineMs);
  } else if (s.deadline !== null && mayClear(s)) {
    perform(d, 'fuse', { kind: 'clear-deadline' }, { kind: 'fuse-clear' }, fuseDeadlineMs);
  }
}

/** Only when the database is known not to be a primary, nor about to become one. */
function mayClear(s: GuardState): boolean {
  if (inBootstrap(s) || s.fencing !== null) return false;
  const becoming = s.db.work?.deed === 'start-primary' || s.db.work?.deed === 'promote';
  return (s.db.role === 'none' || s.db.role === 'standby') && !countsAsPrimary(s) && !becoming;
}

type FusePending = Extract<Pending, { kind: 'fuse-look' | 'fuse-set' | 'fuse-clear' }>;

export function onFuse(d: GuardDraft, pending: FusePending, value: Outcome<GuardDeedValue> | null): void {
  if (value === null || value.kind !== 'done') {
    // It may or may not have happened; the next look tells.
    if (pending.kind !== 'fuse-look') set(d, { deadline: 'unknown' });
    setDue(d, { fuse: d.at.now, deadline: d.at.now + againMs });
    return;
  }
  if (pending.kind === 'fuse-set') return set(d, { deadline: pending.to });
  if (pending.kind === 'fuse-clear') return set(d, { deadline: null });
  if (value.value.kind !== 'fuse') return;
  const fuse = value.value.fuse;
  const wasAlive = fuseAlive(d.s, d.at.now);
  set(d, { fuse: { at: d.at.now, value: fuse } });
  // L1: a guard whose fuse comes alive asks for its lease at once.
  if (!wasAlive && fuseAlive(d.s, d.at.now)) set(d, { nextRoundAt: d.at.now });
  // A deadline that is being written or cleared is newer than what this look saw.
  if (fuse.deadline !== d.s.deadline && !isPending(d, 'fuse-set', 'fuse-clear')) set(d, { deadline: fuse.deadline });
}
