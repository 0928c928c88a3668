// A kept connection of the guard through the local socket, as superuser by peer authentication. It is opened when it is
// needed, prepared once, and destroyed at the first deadline or error, so that the next call begins afresh.

import { type Outcome, rejected, unknown } from '../../core/outcome.ts';
import type { Ms } from '../../core/time.ts';
import { type Budget, budgetOf } from './budget.ts';
import { classify, codeOf, detailOf, isRefusal } from './classify.ts';
import { type Connection, connect, phaseOf, type Target } from './connection.ts';
import type { DatabaseSettings } from './settings.ts';

/** A server that is stopped by its own deadline gives up before we do, so that nothing goes on after an answer. */
const statementTimeoutMs: Ms = 5000;

function guardTarget(settings: DatabaseSettings, database: string): Target {
  const { socketDirectory: host, port, superuser: user } = settings;
  return { host, port, user, database, password: null, applicationName: 'siteward guard' };
}

export type Session = {
  /** Runs `work` on the kept connection. Rejected with a ProbeClass or SQLSTATE when the server said no, else unknown. */
  run<T>(deadlineMs: Ms, work: (connection: Connection, budget: Budget) => Promise<Outcome<T>>): Promise<Outcome<T>>;
  destroy(): void;
};

/** For what concerns the server as a whole. The database `postgres` may have been dropped, as its manual says. */
export function anyDatabase({ database }: DatabaseSettings): readonly string[] {
  return ['postgres', database];
}

/** To the first of these databases that exists. Throws what `connect` throws. */
export async function connectLocally(
  settings: DatabaseSettings,
  databases: readonly string[],
  statementMs: Ms,
  budget: Budget,
): Promise<Connection> {
  const [first, ...others] = databases;
  try {
    return await connect(guardTarget(settings, first ?? settings.database), statementMs, budget.left());
  } catch (error) {
    if (codeOf(error) !== '3D000' || others.length === 0) throw error;
    return connectLocally(settings, others, statementMs, budget);
  }
}

export function createSession(
  settings: DatabaseSettings,
  databases: readonly string[],
  prepare: (connection: Connection, budget: Budget) => Promise<void>,
): Session {
  let kept: Connection | null = null;

  return {
    run: async (deadlineMs, work) => {
      const budget = budgetOf(deadlineMs);
      let connection = kept?.usable() === true ? kept : null;
      kept = null;
      try {
        if (connection === null) {
          connection = await connectLocally(settings, databases, statementTimeoutMs, budget);
          await prepare(connection, budget);
        }
        const outcome = await work(connection, budget);
        if (kept === null && connection.usable()) kept = connection;
        else connection.close();
        return outcome;
      } catch (error) {
        const phase = connection?.phase() ?? phaseOf(error);
        connection?.destroy();
        if (!isRefusal(error, phase)) return unknown(detailOf(error));
        const found = classify(error, phase);
        return rejected(found === 'protocol' ? (codeOf(error) ?? found) : found, detailOf(error));
      }
    },
    destroy: () => {
      kept?.destroy();
      kept = null;
    },
  };
}
