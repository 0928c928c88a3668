// The guard's events and deeds: its only contact with the world.

import type { Lsn } from '../lsn.ts';
import type { Answer, Request } from '../messages.ts';
import type { ClusterRow, ProcessReport, ServerReport } from '../observe/observation.ts';
import type { Outcome } from '../outcome.ts';
import type { PeerId } from '../site.ts';
import type { Instant } from '../time.ts';

export type FuseReport = {
  readonly armed: boolean;
  readonly deadline: Instant | null;
  readonly lastLook: Instant | null;
};

export type GuardDeed =
  | { readonly kind: 'look' }
  | { readonly kind: 'ask-server' }
  | { readonly kind: 'look-fuse' }
  /**
   * Leaves the deadline, then arms the fuse where it is not: armed without one it would kill a primary that has no signal
   * file yet (Q0). Done before any start or promotion.
   */
  | { readonly kind: 'set-deadline'; readonly at: Instant }
  | { readonly kind: 'clear-deadline' }
  | { readonly kind: 'start-primary'; readonly waits: boolean }
  | { readonly kind: 'start-standby' }
  | { readonly kind: 'promote'; readonly waits: boolean }
  | { readonly kind: 'stop-fast' }
  | { readonly kind: 'stop' }
  /** V8, on a target of its own: it may take as long as the standby does. */
  | { readonly kind: 'set-waits'; readonly on: boolean }
  | { readonly kind: 'beat'; readonly row: ClusterRow };

export type GuardDeedValue =
  | { readonly kind: 'looked'; readonly process: ProcessReport }
  | { readonly kind: 'server'; readonly server: ServerReport }
  | { readonly kind: 'fuse'; readonly fuse: FuseReport }
  | { readonly kind: 'stopped-fast'; readonly checkpoint: Lsn }
  | { readonly kind: 'beaten'; readonly position: Lsn }
  | { readonly kind: 'plain' };

export type GuardEvent =
  | { readonly type: 'tick' }
  /** Taken up one after the other, then driven once. */
  | { readonly type: 'several'; readonly events: readonly GuardEvent[] }
  | { readonly type: 'request'; readonly from: PeerId; readonly request: Request; readonly replyTo: number }
  | { readonly type: 'answer'; readonly id: number; readonly outcome: Outcome<Answer> }
  | {
      readonly type: 'acted';
      readonly id: number;
      readonly outcome: Outcome<GuardDeedValue> | { readonly kind: 'expired' } | { readonly kind: 'cancelled' };
    }
  | { readonly type: 'fenced'; readonly outcome: Outcome<void> };
