// The agents' probes over the model, class by class as src/adapters/postgres (probes.ts, classify.ts) reports them. A
// probe that gets through costs one event: what its handshake takes in round trips is added up beforehand.

import type { PrimaryReport, ProbeClass, StandbyReport } from '../../../src/core/observe/observation.ts';
import type { Site } from '../../../src/core/site.ts';
import type { Ms } from '../../../src/core/time.ts';
import type { DatabaseProbes } from '../../../src/ports/database.ts';
import { type Micros, milli } from '../engine/scheduler.ts';
import { travel } from './legs.ts';
import type { Machine } from './machine.ts';
import type { Postgres } from './postgres.ts';
import { Process } from './process.ts';

/** There and back: TCP, start-up and SCRAM (three), the question. */
const connectLegs = 2;
const readLegs = 10;
const commitLegs = 12;

export type ProbeOptions = {
  readonly databases: Readonly<Record<Site, Postgres>>;
  /** Expected system identifier, configured or learned; null is not checked. */
  readonly systemId: () => string | null;
};

export function probesOf(process: Process, machine: Machine, options: ProbeOptions): DatabaseProbes {
  return {
    primary: (site, deadlineMs) => {
      if (!process.mayAffect()) return Process.never;
      const pg = options.databases[site];
      return probe(pg, process, machine, deadlineMs, commitLegs, (reached) =>
        typeof reached === 'string' ? primaryReport(null, reached) : primary(reached, options.systemId()),
      );
    },
    standby: (site, deadlineMs) => {
      if (!process.mayAffect()) return Process.never;
      const pg = options.databases[site];
      return probe(pg, process, machine, deadlineMs, readLegs, (reached) => standby(pg, reached, options.systemId()));
    },
  };
}

/** `report` gets the database once it has let the probe in, or the class of what kept it out. */
function probe<T>(
  pg: Postgres,
  process: Process,
  machine: Machine,
  deadlineMs: Ms,
  legs: number,
  report: (reached: Postgres | ProbeClass) => T | 'hangs',
): Promise<T> {
  const { scheduler, network } = pg;
  const deadline = scheduler.now + deadlineMs * milli;
  return new Promise((resolve) => {
    const answer = (value: T): void => process.run(() => resolve(value));
    const tell = (found: ProbeClass): void => answer(report(found) as T);
    const silence = (at: Micros, found: ProbeClass): void => void scheduler.at(at, () => tell(found));
    const passes = (): boolean => network.reaches(machine, pg.machine) && network.reaches(pg.machine, machine);
    if (!passes()) {
      // A router that knows, or the neighbour cache; mostly nobody says anything.
      const told = !pg.machine.up && pg.random.ratio(1, 4);
      return told
        ? silence(scheduler.now + travel(pg, machine, pg.machine, 2), 'unreachable')
        : silence(deadline, 'timeout');
    }
    const took = travel(pg, machine, pg.machine, pg.listens() ? legs : connectLegs) + pg.random.range(500, 5000);
    if (scheduler.now + took >= deadline) return silence(deadline, 'timeout');
    scheduler.after(took, () => {
      if (!passes() || (pg.server !== null && pg.frozen)) return silence(deadline, 'timeout');
      const refused = keptOut(pg);
      if (refused !== null) return tell(refused);
      const value = report(pg);
      // Reads answer, the commit does not.
      if (value === 'hangs') silence(deadline, 'write-stalled');
      else answer(value);
    });
  });
}

function keptOut(pg: Postgres): ProbeClass | null {
  if (!pg.listens() || pg.phase === 'booting') return 'refused';
  if (pg.phase !== 'primary' && !pg.inRecovery()) return 'starting-up';
  if (pg.faults.refusesPasswords) return 'auth';
  return pg.faults.tooManyConnections ? 'too-many-connections' : null;
}

/** V1: the commit probe, with synchronous_commit = local. */
function primary(pg: Postgres, systemId: string | null): PrimaryReport | 'hangs' {
  const { data, faults } = pg;
  if (systemId !== null && systemId !== pg.systemId) return primaryReport(pg, 'wrong-system');
  if (pg.inRecovery()) return primaryReport(pg, 'in-recovery');
  if (faults.readOnly) return primaryReport(pg, 'read-only');
  if (data.volume.full) return primaryReport(pg, 'disk-full');
  const report = primaryReport(pg, 'ok');
  pg.whenFlushed(data.append('noise'), () => {});
  const slow = data.volume.hung || faults.slowCommitMs > 400;
  return slow ? 'hangs' : report;
}

function primaryReport(pg: Postgres | null, found: ProbeClass): PrimaryReport {
  if (pg === null) return { class: found, detail: '', position: null, row: null, systemId: null, timeline: null };
  return {
    class: found,
    detail: '',
    position: pg.data.flushed.lsn,
    row: pg.visible().row,
    systemId: pg.systemId,
    timeline: pg.data.flushed.timeline,
  };
}

function standby(pg: Postgres, reached: Postgres | ProbeClass, systemId: string | null): StandbyReport {
  if (typeof reached === 'string') return { ...silentStandby, class: reached };
  const inRecovery = pg.inRecovery();
  const { scheduler, receiver, data } = pg;
  const streaming = receiver.streaming();
  const age = Math.round((scheduler.now - receiver.lastMessageAt) / milli);
  return {
    class: systemId !== null && systemId !== pg.systemId ? 'wrong-system' : 'ok',
    detail: '',
    inRecovery,
    received: inRecovery ? data.flushed.lsn : null,
    replayed: inRecovery ? receiver.replayed().lsn : null,
    row: pg.visible().row,
    systemId: pg.systemId,
    timeline: data.flushed.timeline,
    streaming: inRecovery ? streaming : null,
    lastMessageAgeMs: inRecovery && streaming ? age : null,
  };
}

const silentStandby: StandbyReport = {
  class: 'timeout',
  detail: '',
  inRecovery: null,
  received: null,
  replayed: null,
  row: null,
  systemId: null,
  timeline: null,
  streaming: null,
  lastMessageAgeMs: null,
};
