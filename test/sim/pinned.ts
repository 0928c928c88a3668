// Seeds that once found something. They run in `make test`, each with the options it had then.

import { standbyComesAndGoes } from './mutants/zero-loss.ts';
import type { RunOptions } from './options.ts';

export type Pinned = { readonly seed: string; readonly why: string; readonly given?: Partial<RunOptions> };

export const pinned: readonly Pinned[] = [
  {
    seed: '211',
    why: 'writes taken between a promotion and the first beat were counted to the epoch before (a hole in a checker)',
    given: { minutes: 5 },
  },
  {
    seed: 'sync-on-beside-a-half-done-record 86',
    why: 'a half-done record kept `sync: true` from being agreed on for ever, and both agents at it (V8 before Q5)',
    given: { replication: 'zero-loss', faultEveryMs: 6000, faults: standbyComesAndGoes },
  },
];
