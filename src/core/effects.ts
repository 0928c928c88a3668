// What a step asks of the world. The driver carries it out in this order and may not change it: fence at once and past
// every queue, then persist, then send, then act. A vote that leaves before it is on disk cannot be written by accident.

import type { Answer, Request } from './messages.ts';
import type { RegisterState } from './quorum/register-state.ts';
import type { PeerId } from './site.ts';
import type { Instant, Moment, Ms } from './time.ts';

/** Each send but a reply comes back as one event with the same `id`. */
export type Send =
  | {
      readonly kind: 'ask';
      readonly id: number;
      readonly to: PeerId;
      readonly request: Request;
      readonly deadlineMs: Ms;
    }
  | { readonly kind: 'reply'; readonly replyTo: number; readonly answer: Answer }
  | { readonly kind: 'register-read'; readonly id: number; readonly deadlineMs: Ms }
  /** `expected` is the exact text read before (null: no record). A CAS is a send. */
  | {
      readonly kind: 'register-swap';
      readonly id: number;
      readonly expected: string | null;
      readonly next: RegisterState;
      readonly deadlineMs: Ms;
    };

/** One thing to do in the world. Acts on one target run one at a time, in order; a fence cancels all that wait. */
export type Act<Deed> = {
  readonly id: number;
  readonly target: string;
  /** Checked against the clock right before doing it; past it the act is reported `expired` (L9). */
  readonly notAfter: Instant | null;
  readonly deadlineMs: Ms;
  readonly deed: Deed;
};

export type Effects<Durable, Deed> = {
  /** Guard only: kill the database now. Waits for nothing. Comes back as a `fenced` event when no process is left. */
  readonly fence: boolean;
  /** The whole durable state, when it changed. A persist that fails drops this step's sends and acts and ends the process. */
  readonly persist: Durable | null;
  /** Nothing that leaves rests on it: a disk that refuses this one is told of, and no reason to end. */
  readonly mayFail?: boolean;
  readonly send: readonly Send[];
  readonly act: readonly Act<Deed>[];
};

/** A line for the log: an event of the catalogue and its fields. */
export type Trace = {
  readonly event: string;
  readonly level: 'debug' | 'info' | 'warn' | 'error';
  readonly fields: Readonly<Record<string, unknown>>;
};

export type StepResult<State, Durable, Deed> = {
  readonly state: State;
  readonly effects: Effects<Durable, Deed>;
  readonly trace: readonly Trace[];
  /** The next tick is due then at the latest. */
  readonly wakeAt: Instant;
};

/** A role's brain: total, synchronous, without clock, random, I/O or throw. */
export type StepFunction<State, Event, Durable, Deed> = (
  state: State,
  event: Event,
  moment: Moment,
) => StepResult<State, Durable, Deed>;
