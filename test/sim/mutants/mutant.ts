// What a negative control is: one careless reading of one rule, as a change of the source text.

import type { RunOptions } from '../options.ts';

export type Edit = { readonly file: string; readonly find: string; readonly put: string };

export type Mutant = {
  readonly name: string;
  /** The rule that it breaks. */
  readonly rule: string;
  readonly edits: readonly Edit[];
  /** Runs it must be caught within. */
  readonly seeds: number;
  /** Its first runs that catch nothing, as measured: left out, so that all controls together take minutes. */
  readonly skip?: number;
  /** What the runs are made of, where the usual mixture meets the weakness too seldom. */
  readonly options?: Partial<RunOptions>;
};

/** One that runs would meet too seldom: a golden story, which passes without it, has to fail with it. */
export type StoryMutant = {
  readonly name: string;
  readonly rule: string;
  readonly edits: readonly Edit[];
  /** File in test/sim/stories. */
  readonly story: string;
};
