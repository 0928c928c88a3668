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
    seed: '6',
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
    seed: 'sync-on-beside-a-half-done-record 96',
    why: 'a half-done record kept `sync: true` from being agreed on for ever, and both agents at it (V8 before Q5)',
    given: { replication: 'zero-loss', faultEveryMs: 6000, faults: standbyComesAndGoes },
    undo: syncOnBesideStray,
  },
  {
    seed: '290',
    why: 'power was lost in the middle of a start, the signal file away: the boot started PostgreSQL as a primary beside the new one, until the fuse looked (I1, L10)',
    given: {
      minutes: 3,
      brisk: true,
      bytesPerWrite: 200000,
      onCrash: 'restart',
      faultEveryMs: 5000,
      ambushOneIn: 2,
      upgrade: false,
      codecEvery: 64,
      grainMs: 0,
      faults: { 'order-restart': 10, 'power-loss': 10, reboot: 10, 'order-switchover': 5, 'postgres-crash': 5 },
    },
    undo: [{ file: 'test/sim/world/operator.ts', find: '        world.fuses[site].inhibit();\n', put: '' }],
  },
  {
    seed: '3100423',
    why: 'an ordered restart whose guard stood still before it had started the database again: the failover was held to be for no reason (a hole in a checker)',
    given: {
      minutes: 1,
      brisk: true,
      bytesPerWrite: 200_000,
      lateOneIn: 4,
      patient: true,
      faultEveryMs: 20000,
      faults: {
        'cut-sites': 2,
        'slow-path': 2,
        duplicates: 6,
        'crash-daemon': 3,
        'stall-daemon': 10,
        'crash-fuse': 3,
        'power-loss': 7,
        suspend: 3,
        'site-loss': 7,
        'wall-jump': 4,
        'disk-slow': 4,
        'state-damaged': 1,
        'state-put-back': 1,
        'register-slow': 2,
        'register-late': 7,
        'register-down': 8,
        'postgres-backend-crash': 5,
        'postgres-disk-hang': 3,
        'postgres-read-only': 7,
        'postgres-full': 3,
        'postgres-connections': 10,
        'replication-stalled': 7,
        'promote-misreported': 7,
        'start-misreported': 5,
        'postgres-started-by-hand': 5,
        'application-host-down': 10,
        'balancer-hang': 8,
        'order-failover': 6,
        'order-entry': 4,
        'order-pause': 7,
        'order-restart': 4,
        'isolate-machine': 8,
        'slot-lost': 7,
        disaster: 10,
      },
    },
    undo: [
      {
        file: 'test/sim/faults/processes.ts',
        find: "world.moves.fault('freeze-daemon', { what: guard.name, lasts, end: nothing });",
        put: '',
      },
    ],
  },
];
