// Zero-loss mode (V8, V5): each is one half sentence of docs/decisions/0007 left out.

import { asBefore } from '../options.ts';
import type { Edit, Mutant } from './mutant.ts';

const zeroLoss = { replication: 'zero-loss', faultEveryMs: 6000 } as const;
/** A standby that comes and goes, words that travel slowly, and then the primary is lost. */
export const standbyComesAndGoes = {
  'replication-stalled': 8,
  'cut-machines': 6,
  'cut-sites': 4,
  'slow-path': 6,
  'lossy-path': 4,
  'power-loss': 4,
  'postgres-crash': 3,
  'crash-daemon': 4,
  'site-loss': 3,
};

/** Both agents would agree on `sync: true` for ever. */
export const syncOnBesideStray: readonly Edit[] = [
  { file: 'src/core/agent/syncing.ts', find: '  if (d.s.strayedSince !== null) return null;', put: '' },
];

export const zeroLossMutants: readonly Mutant[] = [
  {
    name: 'falls-back-unasked',
    rule: 'V8',
    edits: [
      {
        file: 'src/core/guard/syncing.ts',
        find: '  if (!wants && d.s.durable.waits) driveAsking(d);',
        put: '  if (!wants && d.s.durable.waits) { setDurable(d, { waits: false }); setSync(d, { released: true }); }',
      },
    ],
    seeds: 60,
    options: { ...zeroLoss, faults: standbyComesAndGoes },
  },
  {
    name: 'failover-without-sync',
    rule: 'V5',
    edits: [
      {
        file: 'src/core/verdict/standby.ts',
        find: "  return s.settings.replication !== 'async' && waives === 'nothing';",
        put: "  return s.settings.replication === 'zero-loss-strict' && waives === 'nothing';",
      },
    ],
    seeds: 60,
    options: { ...zeroLoss, faults: standbyComesAndGoes },
  },
  {
    name: 'sync-on-beside-a-half-done-record',
    rule: 'V8',
    edits: syncOnBesideStray,
    seeds: 300,
    skip: 90,
    options: { ...asBefore, ...zeroLoss, faults: standbyComesAndGoes },
  },
];
