// The guard's one way to its own PostgreSQL (port Database). Everything here begins, ends or waits within its deadline; a
// server that does not answer, frozen or hung, is `unknown` by then and its connection is gone.

import { setTimeout as pause } from 'node:timers/promises';
import { parseLsn } from '../../core/lsn.ts';
import type { ServerReport } from '../../core/observe/observation.ts';
import { done, type Outcome, rejected, unknown } from '../../core/outcome.ts';
import type { Ms } from '../../core/time.ts';
import type { Database } from '../../ports/database.ts';
import { dropOwnSlot, ensureTables, type Report } from './bootstrap.ts';
import { type Budget, budgetOf } from './budget.ts';
import { codeOf, detailOf } from './classify.ts';
import type { Connection, Row } from './connection.ts';
import { createControl } from './control.ts';
import { createControlFile } from './control-file.ts';
import { createFence } from './fence.ts';
import type { Parts } from './parts.ts';
import { createProcesses } from './processes.ts';
import { beatQuery, beatValues, clusterRowQuery, factsQuery, readClusterRow, rowIsMissing } from './queries.ts';
import { anyDatabase, createSession } from './session.ts';
import type { DatabaseSettings, ProcessControl } from './settings.ts';
import { createSignalFile } from './signal-file.ts';
import { createSpace } from './space.ts';
import { createStarts } from './start.ts';
import { createUpkeep } from './upkeep.ts';
import { readSync, setWaits, syncQuery, writeWaits } from './waiting.ts';

/** Between two looks while something is awaited. */
const pollMs: Ms = 15;
/** A running server's control data may be this old in a look. */
const controlAgeMs: Ms = 1000;

/** `report` takes what went wrong beside the outcomes, e.g. a role that could not be made. */
export function createDatabase(
  settings: DatabaseSettings,
  control: ProcessControl,
  report: Report = () => undefined,
): Database & { close(): void } {
  const processes = createProcesses(settings.dataDirectory);
  const signalFile = createSignalFile(settings.dataDirectory);
  const parts: Parts = {
    settings,
    processes,
    signalFile,
    controlFile: createControlFile(settings.dataDirectory, settings.binDirectory),
    control: createControl(settings, control, processes),
    fence: createFence(processes, signalFile),
    roles: createSession(settings, anyDatabase(settings), () => Promise.resolve()),
    space: createSpace(settings.dataDirectory),
    report,
  };
  let tidied = false;
  const questions = createSession(settings, [settings.database], () => {
    tidied = false;
    return Promise.resolve();
  });
  const upkeep = createUpkeep(settings, report);
  const beats = createSession(settings, [settings.database], (connection, budget) => {
    upkeep.reset();
    return ensureTables(connection, budget);
  });
  const closeAll = () => {
    for (const one of [parts.roles, questions, beats, upkeep]) one.destroy();
  };

  return {
    ...createStarts(parts),
    setWaits: (on, deadlineMs) => setWaits(parts, on, budgetOf(deadlineMs)),
    look: () => look(parts),
    ask: async (deadlineMs) => {
      const budget = budgetOf(deadlineMs);
      const ofApplication = await questions.run(budget.left(), async (connection, left) => {
        const answer = await askServer(settings, connection, left);
        if (answer.kind === 'done' && answer.value.streaming && !tidied) {
          tidied = true;
          await dropOwnSlot(settings, connection, left).catch((error: unknown) => report(detailOf(error)));
          // Long before a promotion: then no process of the server can have missed it (V8).
          if (settings.alwaysWaits) void writeWaits(parts, true, budgetOf(deadlineMs));
        }
        return answer;
      });
      // The application's database is missing: whether this one accepts writes must be known all the same.
      const isMissing = ofApplication.kind === 'rejected' && ofApplication.code === 'auth';
      const answer = isMissing
        ? await parts.roles.run(budget.left(), (connection, left) => askServer(settings, connection, left))
        : ofApplication;
      return answer.kind === 'done' ? done(answer.value.server) : answer;
    },
    stopFast: async (deadlineMs) => {
      const budget = budgetOf(deadlineMs);
      // Before the stop, so that little is left to write while nobody may. Without it the stop makes its own.
      const early = await parts.roles.run(budget.left() / 2, checkpoint);
      if (early.kind !== 'done') report(`checkpoint: ${early.detail}`);
      const stopped = await stop(parts, budget);
      return stopped.kind === 'done' ? shutdownCheckpoint(parts) : stopped;
    },
    stop: (deadlineMs) => stop(parts, budgetOf(deadlineMs)),
    kill: () => {
      const killed = parts.fence.kill();
      closeAll();
      return killed;
    },
    beat: async (row, deadlineMs) => {
      const beaten = await beats.run(deadlineMs, async (connection, budget) => {
        // A promotion that ended after its deadline deleted it, or a person did.
        if (!signalFile.present()) signalFile.put();
        const rows = await connection.query(beatQuery, beatValues(row), budget.left());
        if (rows.length === 0) return rejected('lower-epoch', 'siteward.cluster carries a later epoch');
        const position = parseLsn(String(rows[0]?.['position']));
        return position === null ? unknown('no position came back') : done({ position });
      });
      if (beaten.kind === 'done') upkeep.afterBeat();
      return beaten;
    },
    close: closeAll,
  };
}

async function look(parts: Parts): ReturnType<Database['look']> {
  try {
    const postmaster = parts.processes.postmaster() !== null;
    const running = postmaster || parts.processes.list().length > 0;
    const control = await parts.controlFile.read(running ? controlAgeMs : 0);
    return done({
      running,
      postmaster,
      signalFile: parts.signalFile.present(),
      controlState: control?.state ?? null,
      systemId: control?.systemId ?? null,
      timeline: control?.timeline ?? null,
      full: parts.space.isFull(),
    });
  } catch (error) {
    return unknown(detailOf(error));
  }
}

type Answer = { readonly server: ServerReport; readonly streaming: boolean };

async function askServer(settings: DatabaseSettings, connection: Connection, budget: Budget): Promise<Outcome<Answer>> {
  const { facts, sync, row } = await readServer(settings, connection, budget);
  const position = parseLsn(String(facts?.['position']));
  if (typeof facts?.['in_recovery'] !== 'boolean' || position === null) return unknown('no position came back');
  const inRecovery = facts['in_recovery'];
  const server = {
    inRecovery,
    position,
    row: readClusterRow(row),
    sync: inRecovery ? null : readSync(settings, sync),
  };
  return done({ server, streaming: facts['streaming'] === true });
}

type ServerRows = { readonly facts: Row | undefined; readonly sync: Row | undefined; readonly row: Row | undefined };

async function readServer(settings: DatabaseSettings, connection: Connection, budget: Budget): Promise<ServerRows> {
  const always = `${factsQuery};${syncQuery(settings)}`;
  try {
    const [facts, sync, row] = await connection.script(`${always};${clusterRowQuery}`, budget.left());
    return { facts: facts?.[0], sync: sync?.[0], row: row?.[0] };
  } catch (error) {
    if (!rowIsMissing(codeOf(error))) throw error;
    const [facts, sync] = await connection.script(always, budget.left());
    return { facts: facts?.[0], sync: sync?.[0], row: undefined };
  }
}

async function checkpoint(connection: Connection, budget: Budget): Promise<Outcome<void>> {
  await connection.script('CHECKPOINT', budget.left());
  return done(undefined);
}

async function stop(parts: Parts, budget: Budget): Promise<Outcome<void>> {
  try {
    if (!parts.signalFile.present()) parts.signalFile.put();
    const asked = await parts.control.stopFast(budget.left());
    if (asked.kind === 'rejected') return asked;
    while (parts.processes.list().length > 0) {
      if (budget.left() === 0) return unknown('some of its processes still run');
      await pause(pollMs);
    }
    return done(undefined);
  } catch (error) {
    return unknown(detailOf(error));
  }
}

async function shutdownCheckpoint(parts: Parts): ReturnType<Database['stopFast']> {
  const control = await parts.controlFile.read(0);
  if (control === null) return unknown('pg_controldata cannot be read');
  if (control.state !== 'shut down') return rejected('not-clean', `pg_controldata says: ${control.state}`);
  return done({ checkpoint: control.checkpoint });
}
