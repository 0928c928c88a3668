// Short timings for the simulated cluster; D and the ratios between them as in the defaults.

import type { Accepted } from '../../src/core/quorum/record.ts';
import type { Settings, WitnessKind } from '../../src/core/settings.ts';

export function clusterSettings(witness: WitnessKind): Settings {
  return {
    cluster: 'test',
    voters: 'three',
    witness,
    dns: false,
    replication: 'async',
    lease: {
      ttlMs: 3000,
      renewEveryMs: 500,
      witnessAfterMs: 250,
      witnessTtlMs: witness === 'route53' ? 6000 : 3000,
      witnessEveryMs: 3000,
      drift: 0.05,
      fenceBudgetMs: 400,
      fuseBudgetMs: 200,
      registerLegMs: 400,
      watchEveryMs: 8000,
      releaseWaitMs: 1500,
      otherDelayMs: 300,
    },
    probe: { everyMs: 500, deadlineMs: 400, confirm: 3, recover: 2 },
    policy: { onCrash: 'fastest', maxLagBytes: 16 << 20, coolDownMs: 500, entryCoolDownMs: 4000 },
    orderTimeoutMs: 5000,
    restartBudgetMs: 5000,
    peerDeadlineMs: 1000,
    outerFenceMs: 4000,
    instances: { site1: ['a1'], site2: ['b1'] },
    databases: { site1: '10.1.0.1', site2: '10.2.0.1' },
  };
}

export const foundedAt: Accepted = {
  ballot: { counter: 1, voter: 'site1' },
  record: {
    cluster: 'test-1',
    era: { number: 0, site: 'site1' },
    epoch: 1,
    primary: 'site1',
    entry: 'site1',
    mode: 'auto',
    sync: false,
    voters: 'three',
    by: 'operator:test',
    at: '2026-01-01T00:00:00.000Z',
    reason: 'founded',
  },
};
