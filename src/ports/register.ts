import type { Outcome } from '../core/outcome.ts';
import type { Ms } from '../core/time.ts';

/**
 * The register witness as a string and a compare-and-swap (W1, W2). `null` is "no record". A conflict is
 * `rejected('conflict')`; Throttling, PriorRequestNotComplete, 5xx and time-outs are `unknown`: no answer.
 */
export type Register = {
  read(deadlineMs: Ms): Promise<Outcome<string | null>>;
  swap(expected: string | null, next: string, deadlineMs: Ms): Promise<Outcome<void>>;
};
