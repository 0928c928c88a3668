// Seeds that once found something, each with the options that its run needs. They run in `make test`; with `undo` what each
// found is put back, and `make sim-mutants` requires that it is found again. One that does not find it any more, because the
// code draws its random numbers in another order, is searched for anew or told as a story (stories/).

import type { Edit } from './mutants/mutant.ts';
import { standbyComesAndGoes, syncOnBesideStray } from './mutants/zero-loss.ts';
import type { RunOptions } from './options.ts';

export type Pinned = {
  readonly seed: string;
  readonly why: string;
  readonly given: Partial<RunOptions>;
  readonly undo: readonly Edit[];
};

export const pinned: readonly Pinned[] = [
  {
    seed: '4',
    why: 'writes taken between a promotion and the first beat were counted to the epoch before (a hole in a checker)',
    given: {
      minutes: 3,
      brisk: true,
      replication: 'async',
      faultEveryMs: 5000,
      faults: {
        'order-switchover': 10,
        'postgres-crash': 6,
        'promote-misreported': 6,
        'power-loss': 5,
        'disk-slow': 3,
      },
    },
    undo: [
      {
        file: 'test/sim/world/watching.ts',
        find: 'const epoch = noted !== null && (row === null || compareEpochs(noted, row) > 0) ? noted : row;',
        put: 'const epoch = noted === null ? null : row;',
      },
    ],
  },
  {
    seed: 'sync-on-beside-a-half-done-record 44',
    why: 'a half-done record kept `sync: true` from being agreed on for ever, and both agents at it (V8 before Q5)',
    given: { replication: 'zero-loss', faultEveryMs: 6000, faults: standbyComesAndGoes },
    undo: syncOnBesideStray,
  },
  {
    seed: '200912',
    why: 'power was lost in the middle of a start, the signal file away: the boot started PostgreSQL as a primary beside the new one, until the fuse looked (I1, L10)',
    given: {
      minutes: 10,
      faultEveryMs: 20000,
      faults: {
        'cut-sites': 4,
        'cut-place': 10,
        'cut-machines': 8,
        duplicates: 4,
        'crash-daemon': 8,
        reboot: 5,
        'wall-jump': 2,
        'disk-slow': 2,
        'disk-full': 2,
        'state-put-back': 10,
        'register-slow': 3,
        'register-throttled': 8,
        'register-deleted': 6,
        'dns-slow': 4,
        'postgres-hang': 2,
        'postgres-read-only': 9,
        'postgres-full': 6,
        'postgres-connections': 4,
        'replication-lag': 3,
        'start-misreported': 10,
        'instance-crash': 7,
        'reload-lost': 2,
        'application-host-down': 1,
        'balancer-crash': 4,
        'balancer-hang': 1,
        'order-failover': 4,
        'order-restart': 6,
        'isolate-machine': 1,
      },
    },
    undo: [{ file: 'test/sim/world/operator.ts', find: '        world.fuses[site].inhibit();\n', put: '' }],
  },
];
