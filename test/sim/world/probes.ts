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
  const { databases, systemId } = options;
  return {
    primary: (site, deadlineMs) =>
      probe(databases[site], process, machine, deadlineMs, commitLegs, (pg, keptOut, leftMs) =>
        askPrimary(pg, keptOut, leftMs, systemId()),
      ),
    standby: (site, deadlineMs) =>
      probe(databases[site], process, machine, deadlineMs, readLegs, (pg, keptOut) =>
        askStandby(pg, keptOut, systemId()),
      ),
  };
}

/** What a probe learns of a database that let it in; `stalls`: reads answer, the commit does not. */
type Answer<T> = { readonly report: T; readonly stalls: boolean };
/** Or of one that did not: the class of what kept it out. */
type Ask<T> = (pg: Postgres, keptOut: ProbeClass | null, leftMs: Ms) => Answer<T>;

function probe<T>(
  pg: Postgres,
  process: Process,
  machine: Machine,
  deadlineMs: Ms,
  legs: number,
  ask: Ask<T>,
): Promise<T> {
  if (!process.mayAffect()) return Process.never;
  const { scheduler, network } = pg;
  const deadline = scheduler.now + deadlineMs * milli;
  return new Promise((resolve) => {
    const answer = (report: T): void => process.run(() => resolve(report));
    const tell = (found: ProbeClass): void => answer(ask(pg, found, 0).report);
    const tellAt = (at: Micros, found: ProbeClass): void => void scheduler.at(at, () => tell(found));
    const passes = (): boolean => network.reaches(machine, pg.machine) && network.reaches(pg.machine, machine);
    if (!passes()) {
      // A router that knows, or the neighbour cache; mostly nobody says anything.
      const isTold = !pg.machine.up && pg.random.ratio(1, 4);
      return isTold ? tellAt(scheduler.now + 20 * milli, 'unreachable') : tellAt(deadline, 'timeout');
    }
    const took = travel(pg, machine, pg.machine, pg.listens() ? legs : connectLegs) + pg.random.range(500, 5000);
    if (scheduler.now + took >= deadline) return tellAt(deadline, 'timeout');
    scheduler.after(took, () => {
      if (!passes() || (pg.server !== null && pg.frozen)) return tellAt(deadline, 'timeout');
      const refused = keptOutBy(pg);
      if (refused !== null) return tell(refused);
      const { report, stalls } = ask(pg, null, (deadline - scheduler.now) / milli);
      if (stalls) scheduler.at(deadline, () => answer(report));
      else answer(report);
    });
  });
}

function keptOutBy(pg: Postgres): ProbeClass | null {
  if (!pg.listens() || pg.phase === 'booting') return 'refused';
  if (pg.phase !== 'primary' && !pg.inRecovery()) return 'starting-up';
  if (pg.faults.refusesPasswords) return 'auth';
  return pg.faults.tooManyConnections ? 'too-many-connections' : null;
}

/** V1: the commit probe, with synchronous_commit = local. */
function askPrimary(
  pg: Postgres,
  keptOut: ProbeClass | null,
  leftMs: Ms,
  systemId: string | null,
): Answer<PrimaryReport> {
  if (keptOut !== null) return { report: { ...silentPrimary, class: keptOut }, stalls: false };
  const { data, faults } = pg;
  const refused = refusal(pg, systemId);
  const stalls = refused === null && (data.volume.hung || faults.slowCommitMs >= leftMs);
  const report: PrimaryReport = {
    class: refused ?? (stalls ? 'write-stalled' : 'ok'),
    detail: '',
    // Read before the commit itself: it never claims too much.
    position: pg.inRecovery() ? pg.receiver.received() : data.flushed.lsn,
    row: pg.visible().row,
    systemId: pg.systemId,
    timeline: data.flushed.timeline,
  };
  if (refused === null) pg.whenFlushed(data.append('noise'), () => {});
  return { report, stalls };
}

function refusal(pg: Postgres, systemId: string | null): ProbeClass | null {
  if (systemId !== null && systemId !== pg.systemId) return 'wrong-system';
  if (pg.inRecovery()) return 'in-recovery';
  if (pg.faults.readOnly) return 'read-only';
  return pg.data.volume.full ? 'disk-full' : null;
}

function askStandby(pg: Postgres, keptOut: ProbeClass | null, systemId: string | null): Answer<StandbyReport> {
  if (keptOut !== null) return { report: { ...silentStandby, class: keptOut }, stalls: false };
  const { receiver, data } = pg;
  const inRecovery = pg.inRecovery();
  const streaming = inRecovery && receiver.streaming();
  const report: StandbyReport = {
    class: systemId !== null && systemId !== pg.systemId ? 'wrong-system' : 'ok',
    detail: '',
    inRecovery,
    received: inRecovery ? receiver.received() : null,
    replayed: inRecovery ? receiver.replayed().lsn : null,
    row: pg.visible().row,
    systemId: pg.systemId,
    timeline: data.flushed.timeline,
    streaming,
    // One message carries all there was on the primary's disk.
    primaryPosition: streaming ? receiver.received() : null,
  };
  return { report, stalls: false };
}

const nothingSeen = { detail: '', row: null, systemId: null, timeline: null } as const;
const silentPrimary: PrimaryReport = { ...nothingSeen, class: 'timeout', position: null };
const silentStandby: StandbyReport = {
  ...nothingSeen,
  class: 'timeout',
  inRecovery: null,
  received: null,
  replayed: null,
  streaming: null,
  primaryPosition: null,
};
