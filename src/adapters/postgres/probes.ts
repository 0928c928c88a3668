// The agents' probes (V1, V2, V5): a fresh connection each time, because a kept one would not notice that new clients
// are refused. They report what was seen and never throw; whether it is a failure is decided elsewhere.

import { readFileSync } from 'node:fs';
import { type Lsn, parseLsn } from '../../core/lsn.ts';
import type { ClusterRow, PrimaryReport, ProbeClass, StandbyReport } from '../../core/observe/observation.ts';
import type { AgentId, Site } from '../../core/site.ts';
import type { DatabaseProbes } from '../../ports/database.ts';
import { type Budget, budgetOf } from './budget.ts';
import { ConnectionFault, classify, codeOf, detailOf } from './classify.ts';
import { type Connection, connect, phaseOf, type Row } from './connection.ts';
import { clusterRowQuery, factsQuery, probeQuery, readClusterRow, rowIsMissing } from './queries.ts';

export type ProbeConfig = {
  /** Whose row of siteward.probe the commit probe writes. */
  readonly agent: AgentId;
  readonly addresses: Readonly<Record<Site, { readonly host: string; readonly port: number }>>;
  readonly user: string;
  /** One line; read anew for every probe, so that a new password needs no restart. Null: none is asked for. */
  readonly passwordFile: string | null;
  readonly database: string;
  /** The expected system identifier, configured or learned; null is not checked. */
  readonly systemId: () => string | null;
};

type Facts = {
  readonly inRecovery: boolean;
  readonly readOnly: boolean;
  readonly systemId: string | null;
  readonly timeline: number | null;
  readonly position: Lsn | null;
  readonly received: Lsn | null;
  readonly replayed: Lsn | null;
  readonly streaming: boolean | null;
  readonly primaryPosition: Lsn | null;
  readonly row: ClusterRow | null;
};

export function createDatabaseProbes(config: ProbeConfig): DatabaseProbes {
  const open = (site: Site, budget: Budget): Promise<Connection> => {
    const address = config.addresses[site];
    const target = {
      host: address.host,
      port: address.port,
      user: config.user,
      database: config.database,
      password: config.passwordFile === null ? null : readPassword(config.passwordFile),
      applicationName: `siteward ${config.agent}`,
    };
    // The server gives up a little earlier than we do, else a backend that waits for a lock would outlive its probe.
    return connect(target, budget.left() * 0.9, budget.left());
  };

  return {
    async primary(site, deadlineMs) {
      const budget = budgetOf(deadlineMs);
      let facts: Facts | null = null;
      let connection: Connection | null = null;
      try {
        connection = await open(site, budget);
        facts = await readFacts(connection, budget);
        const wrong = wrongSystem(facts, config.systemId());
        if (wrong !== null) return primaryReport('wrong-system', wrong, facts, null);
        if (facts.inRecovery) return primaryReport('in-recovery', 'the database is in recovery', facts, null);
        if (facts.readOnly) {
          return primaryReport('read-only', 'default_transaction_read_only is on', facts, null);
        }
        connection.setPhase('commit');
        const rows = await connection.query(probeQuery, [config.agent], budget.left());
        return primaryReport('ok', '', facts, lsn(rows[0]?.['position']));
      } catch (error) {
        return primaryReport(classify(error, connection?.phase() ?? phaseOf(error)), detailOf(error), facts, null);
      } finally {
        connection?.close();
      }
    },

    async standby(site, deadlineMs) {
      const budget = budgetOf(deadlineMs);
      let connection: Connection | null = null;
      try {
        connection = await open(site, budget);
        const facts = await readFacts(connection, budget);
        const wrong = wrongSystem(facts, config.systemId());
        return standbyReport(wrong === null ? 'ok' : 'wrong-system', wrong ?? '', facts);
      } catch (error) {
        return standbyReport(classify(error, connection?.phase() ?? phaseOf(error)), detailOf(error), null);
      } finally {
        connection?.close();
      }
    },
  };
}

/** A file of ours that is missing says nothing about the database: it must not look like a refused connection. */
function readPassword(file: string): string {
  try {
    return readFileSync(file, 'utf8').split('\n', 1)[0] ?? '';
  } catch (error) {
    throw new ConnectionFault('no-password', detailOf(error));
  }
}

/** One round trip; a second one only before siteward's tables exist. */
async function readFacts(connection: Connection, budget: Budget): Promise<Facts> {
  try {
    const [facts, row] = await connection.script(`${factsQuery};${clusterRowQuery}`, budget.left());
    return toFacts(facts?.[0], row?.[0]);
  } catch (error) {
    if (!rowIsMissing(codeOf(error))) throw error;
    const rows = await connection.query(factsQuery, [], budget.left());
    return toFacts(rows[0], undefined);
  }
}

function toFacts(facts: Row | undefined, row: Row | undefined): Facts {
  return {
    inRecovery: facts?.['in_recovery'] === true,
    readOnly: facts?.['read_only'] === true,
    systemId: text(facts?.['system_id']),
    timeline: whole(facts?.['timeline']),
    position: lsn(facts?.['position']),
    received: lsn(facts?.['received']),
    replayed: lsn(facts?.['replayed']),
    streaming: typeof facts?.['streaming'] === 'boolean' ? facts['streaming'] : null,
    primaryPosition: lsn(facts?.['primary_position']),
    row: readClusterRow(row),
  };
}

function wrongSystem(facts: Facts, expected: string | null): string | null {
  if (expected === null || facts.systemId === null || facts.systemId === expected) return null;
  return `system identifier ${facts.systemId}, expected ${expected}`;
}

function primaryReport(is: ProbeClass, detail: string, facts: Facts | null, position: Lsn | null): PrimaryReport {
  return {
    class: is,
    detail,
    position: position ?? facts?.position ?? null,
    row: facts?.row ?? null,
    systemId: facts?.systemId ?? null,
    timeline: facts?.timeline ?? null,
  };
}

function standbyReport(is: ProbeClass, detail: string, facts: Facts | null): StandbyReport {
  return {
    class: is,
    detail,
    inRecovery: facts?.inRecovery ?? null,
    received: facts?.received ?? null,
    replayed: facts?.replayed ?? null,
    row: facts?.row ?? null,
    systemId: facts?.systemId ?? null,
    timeline: facts?.timeline ?? null,
    streaming: facts?.streaming ?? null,
    primaryPosition: facts?.primaryPosition ?? null,
  };
}

function lsn(value: unknown): Lsn | null {
  return typeof value === 'string' ? parseLsn(value) : null;
}

function text(value: unknown): string | null {
  return typeof value === 'string' ? value : null;
}

function whole(value: unknown): number | null {
  return typeof value === 'number' && Number.isSafeInteger(value) ? value : null;
}
