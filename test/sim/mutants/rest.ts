// Verdicts, files, zero-loss (V, R, I8).

import type { Mutant } from './mutant.ts';

export const restMutants: readonly Mutant[] = [
  {
    name: 'unknown-taken-as-down',
    rule: 'V1',
    edits: [
      {
        file: 'src/core/verdict/classes.ts',
        find: "'too-many-connections': 'neutral'",
        put: "'too-many-connections': 'bad'",
      },
    ],
    seeds: 60,
    options: { faults: { 'postgres-connections': 5 }, faultsAtOnce: 1, faultEveryMs: 45_000 },
  },
  {
    name: 'env-written-in-place',
    rule: 'I8',
    edits: [{ file: 'test/sim/world/env-files.ts', find: 'inPlace = false;', put: 'inPlace = true;' }],
    seeds: 20,
  },
  {
    name: 'clocks-beyond-the-drift',
    rule: 'L3',
    edits: [{ file: 'test/sim/options.ts', find: 'const ppmLimit = 24_000;', put: 'const ppmLimit = 240_000;' }],
    seeds: 200,
  },
];
