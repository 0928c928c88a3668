import type { Outcome } from '../core/outcome.ts';
import type { Ms } from '../core/time.ts';

/** Runs a program of the operator's own; no shell. Done: it exited 0. */
export type RunCommand = (argv: readonly string[], deadlineMs: Ms) => Promise<Outcome<void>>;
