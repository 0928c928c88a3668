// W1: what the register witness holds. `wire/` turns it into one short string and back.

import type { Lsn } from '../lsn.ts';
import type { Site } from '../site.ts';
import type { Ms } from '../time.ts';
import type { Ballot } from './ballot.ts';
import type { Accepted } from './record.ts';
import type { Round } from './round.ts';

/** L5: the mark of a grant. `id` is random, so that a value is never used twice. */
export type Nonce = { readonly id: string; readonly site: Site; readonly round: Round; readonly ttlMs: Ms };

export type RegisterState = {
  readonly cluster: string;
  /** Grows with every write (W3). */
  readonly serial: number;
  readonly promised: Ballot;
  readonly accepted: Accepted;
  readonly nonce: Nonce | 'released';
  /** V5: how far the primary of this record had written when a grant was run for it last; null: that was never told. */
  readonly position: Lsn | null;
};

/** A read of the register: the exact text for a later swap, and what it means. */
export type RegisterRead = { readonly text: string | null; readonly state: RegisterState | 'absent' | 'unreadable' };
