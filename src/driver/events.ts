// What a driver tells a core, and what a core may be built on. Every role's own event type (AgentEvent, GuardEvent) is a
// part of this union: an agent never fences, a guard has no register.

import type { Answer, Request } from '../core/messages.ts';
import type { Outcome } from '../core/outcome.ts';
import type { RegisterRead } from '../core/quorum/register-state.ts';
import type { PeerId } from '../core/site.ts';
import type { Instant, Ms } from '../core/time.ts';

export type DriverEvent<Value> =
  | { readonly type: 'tick' }
  | { readonly type: 'request'; readonly from: PeerId; readonly request: Request; readonly replyTo: number }
  | { readonly type: 'answer'; readonly id: number; readonly outcome: Outcome<Answer> }
  | { readonly type: 'register-read'; readonly id: number; readonly outcome: Outcome<RegisterRead> }
  | { readonly type: 'register-swapped'; readonly id: number; readonly outcome: Outcome<{ readonly text: string }> }
  | { readonly type: 'acted'; readonly id: number; readonly outcome: ActOutcome<Value> }
  | { readonly type: 'fenced'; readonly outcome: Outcome<void> }
  /** In the order of their arrival; none of them is `several` or `fenced`. */
  | { readonly type: 'several'; readonly events: readonly DriverEvent<Value>[] };

export type ActOutcome<Value> = Outcome<Value> | { readonly kind: 'expired' } | { readonly kind: 'cancelled' };

/** What one act is carried out under. `mayGoOn` is asked again right before each of its side effects (L9). */
export type ActTerms = { readonly deadlineMs: Ms; readonly notAfter: Instant | null; readonly mayGoOn: () => boolean };

/** Carries out one deed; one outcome, after `deadlineMs` at the latest. */
export type Perform<Deed, Value> = (deed: Deed, terms: ActTerms) => Promise<Outcome<Value>>;

/** The guard's way past every queue (L9). Other roles have none. */
export type FenceControl<State> = {
  /** Begins to kill the database before it returns; resolves when no process is left, or says why not. */
  now(): Promise<Outcome<void>>;
  /** When the database must begin to die if nothing changes, as the state alone tells; null while it need not. */
  at(state: State): Instant | null;
};
