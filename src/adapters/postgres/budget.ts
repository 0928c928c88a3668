import type { Ms } from '../../core/time.ts';

/** What is left of one call's deadline; all its steps share it. */
export type Budget = { left(): Ms };

export function budgetOf(deadlineMs: Ms): Budget {
  const end = performance.now() + deadlineMs;
  return { left: () => Math.max(0, end - performance.now()) };
}
