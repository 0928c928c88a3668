// The model of PostgreSQL as the forced command `fence` of its host meets it.

import type { EpochId } from '../../../src/core/quorum/record.ts';
import { milli } from '../engine/scheduler.ts';
import type { Postgres } from './postgres.ts';
import type { FenceTarget } from './ssh.ts';

export function fenceTargetOf(pg: Postgres, guardEpoch: () => EpochId | null): FenceTarget {
  return {
    find: () => {
      if (!pg.processesLeft()) return 'none';
      return pg.data.signalFile && pg.phase !== 'primary' ? 'standby' : 'primary';
    },
    guardEpoch,
    inhibitStart: () => {
      pg.data.putSignalFile();
    },
    kill: (killed) => {
      const had = pg.processesLeft();
      pg.scheduler.after(30 * milli, () => {
        pg.killAll('fenced by ssh');
        killed(had ? 5 : 0);
      });
    },
  };
}
