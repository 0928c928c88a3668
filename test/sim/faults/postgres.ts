// PostgreSQL as it fails: dead, frozen, hung, full, read-only, slow, behind, and lying about what it did.

import { sites } from '../../../src/core/site.ts';
import type { Random } from '../engine/random.ts';
import { milli, second } from '../engine/scheduler.ts';
import type { Postgres } from '../world/postgres.ts';
import type { Switches } from '../world/postgres-faults.ts';
import { isPrefix } from '../world/wal.ts';
import type { World } from '../world/world.ts';
import { type Fault, type FaultTable, nothing } from './fault.ts';
import { mayDisturb } from './sound.ts';

const lasting = (random: Random): number =>
  random.pick([random.range(200, 2000), random.range(2000, 9000), random.range(9000, 60_000)]) * milli;

/** The primary more often than the standby: that is where failovers come from. */
function target(world: World, random: Random): Postgres {
  const primary = sites.find((site) => world.postgres[site].phase === 'primary');
  const site = primary !== undefined && random.ratio(2, 3) ? primary : random.pick(sites);
  return world.postgres[site];
}

function blow(strike: (pg: Postgres, random: Random) => boolean): Fault {
  return (world, random) => {
    const pg = target(world, random);
    return strike(pg, random) ? { what: `${pg.site}-db`, lasts: 10 * milli, end: nothing } : null;
  };
}

function while_(begin: (pg: Postgres, random: Random) => boolean, end: (pg: Postgres) => void): Fault {
  return (world, random) => {
    const pg = target(world, random);
    return begin(pg, random) ? { what: `${pg.site}-db`, lasts: lasting(random), end: () => end(pg) } : null;
  };
}

function switched(on: (random: Random) => Partial<Switches>, off: Partial<Switches>, why: string): Fault {
  return while_(
    (pg, random) => {
      pg.faults.set(on(random), why);
      return true;
    },
    (pg) => pg.faults.set(off, `no longer ${why}`),
  );
}

function nextTime(set: (pg: Postgres, random: Random) => void): Fault {
  return blow((pg, random) => {
    set(pg, random);
    return true;
  });
}

/** RUNBOOK, "Rebuild the standby", from a backup that is made now and put back a while later. */
const restored: Fault = (world, random) => {
  const pg = sites.map((site) => world.postgres[site]).find(({ phase }) => phase === 'standby');
  if (pg === undefined || pg.data.lacksWal) return null;
  const backup = pg.data.flushed;
  const guard = world.guards[pg.site];
  const age = random.range(5000, 90_000) * milli;
  let isOver = false;
  world.scheduler.after(age, () => {
    if (isOver || pg.phase !== 'standby' || pg.data.lacksWal || !mayDisturb(world, guard)) return;
    if (!isPrefix(backup, pg.data.flushed)) return;
    guard.stop();
    pg.faults.stoppedBySomebodyElse();
    pg.scheduler.after(random.range(1000, 8000) * milli, () => {
      const mayCopy = !pg.processesLeft() && pg.machine.up && !pg.data.volume.hung && !pg.data.volume.full;
      if (mayCopy && pg.data.signalFile && isPrefix(backup, pg.data.flushed)) {
        pg.data.becomesCopyOf(backup);
        pg.trace.line(`${pg.site}-db`, 'restored', `from a backup of ${Math.round(age / second)} s before`);
      }
      guard.start();
    });
  });
  const end = (): void => {
    isOver = true;
  };
  return { what: `${pg.site}-db`, lasts: age + 10 * second, end };
};

export const postgresFaults: FaultTable = {
  'postgres-crash': blow((pg, random) => {
    if (!pg.processesLeft()) return false;
    if (random.ratio(1, 3)) pg.faults.killPostmaster(random.range(10, 3000));
    else pg.faults.crash();
    return true;
  }),
  'postgres-backend-crash': blow((pg) => {
    pg.faults.crashBackend();
    return pg.server !== null;
  }),
  'postgres-hang': while_(
    (pg) => {
      if (pg.server === null || pg.frozen) return false;
      pg.faults.freeze();
      return true;
    },
    (pg) => pg.faults.thaw(),
  ),
  'postgres-disk-hang': while_(
    (pg) => {
      if (pg.data.volume.hung) return false;
      pg.faults.hangDisk();
      return true;
    },
    (pg) => pg.faults.thawDisk(),
  ),
  'postgres-read-only': switched(() => ({ readOnly: true }), { readOnly: false }, 'read-only'),
  'postgres-full': while_(
    (pg) => {
      pg.faults.fillDisk(true);
      return true;
    },
    (pg) => pg.faults.fillDisk(false),
  ),
  'postgres-connections': switched(
    () => ({ tooManyConnections: true }),
    { tooManyConnections: false },
    'out of connections',
  ),
  'socket-refused': switched(() => ({ refusesSocket: true }), { refusesSocket: false }, 'closed to its guard'),
  'password-refused': switched(
    () => ({ refusesPasswords: true }),
    { refusesPasswords: false },
    'refusing every password',
  ),
  'postgres-slow-commit': switched(
    (random) => ({ slowCommitMs: random.range(5, 3000) }),
    { slowCommitMs: 0 },
    'slow to commit',
  ),
  'replication-stalled': while_(
    (pg) => {
      pg.receiver.stall(true);
      return true;
    },
    (pg) => pg.receiver.stall(false),
  ),
  'replication-lag': while_(
    (pg, random) => {
      pg.receiver.lagMs = random.range(50, 8000);
      return true;
    },
    (pg) => {
      pg.receiver.lagMs = 0;
    },
  ),
  // Where a person makes the standby anew while the run goes on: else it would be one without a standby.
  'slot-lost': (world) => {
    if (!world.options.brisk) return null;
    const pg = sites.map((site) => world.postgres[site]).find(({ phase }) => phase === 'standby');
    if (pg === undefined || pg.data.lacksWal) return null;
    pg.receiver.loseSlot();
    return { what: `${pg.site}-db`, lasts: 10 * milli, end: nothing };
  },
  'standby-restored': restored,
  'promote-misreported': nextTime((pg, random) => {
    pg.faults.nextPromote = random.pick(['reports-failure-but-works', 'late', 'fails', 'dies'] as const);
  }),
  'start-misreported': nextTime((pg, random) => {
    pg.faults.nextStart = random.pick(['reports-failure-but-works', 'late', 'fails'] as const);
  }),
  'postgres-started-by-hand': blow((pg) => pg.faults.startedBySomebodyElse()),
  'postgres-stopped-by-hand': blow((pg) => {
    if (pg.server === null) return false;
    pg.faults.stoppedBySomebodyElse();
    return true;
  }),
};
