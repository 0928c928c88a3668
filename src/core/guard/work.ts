// Deeds on the database itself: one at a time, and every look that began before one says nothing after it.

import type { Outcome } from '../outcome.ts';
import type { Instant, Ms } from '../time.ts';
import type { GuardDeed, GuardDeedValue } from './deeds.ts';
import { type GuardDraft, perform, setDb } from './draft.ts';
import type { DatabaseWork } from './state.ts';

export type DatabaseDeed = Extract<GuardDeed, { readonly kind: DatabaseWork }>;

export type WorkOutcome = Outcome<GuardDeedValue> | { readonly kind: 'expired' } | { readonly kind: 'cancelled' };

export function startWork(d: GuardDraft, work: DatabaseDeed, deadlineMs: Ms, notAfter: Instant | null): void {
  const deed = work.kind;
  const id = perform(d, 'database', work, { kind: 'work', deed }, deadlineMs, notAfter);
  setDb(d, { work: { id, deed, since: d.at.now }, serial: d.s.db.serial + 1, missed: 0, unknownSince: null });
}
