/** The load of a scenario: started before the fault, reported after it, and judged by what no scenario may ever break. */

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { LoadReport } from '../../src/load.ts';
import { reportLoad, startLoad } from '../../src/load.ts';
import type { Round } from './scenario.ts';
import { insist, insistSafe, nowMs, seconds } from './scenario.ts';
import { until } from './wait.ts';

export interface ClientStatus {
  readonly at: number;
  readonly acknowledged: number;
  readonly failed: number;
  readonly inFlight: number;
  readonly lastAckAgoMs: number;
  readonly address: string | null;
}

export function clientStatus({ lab }: Pick<Round, 'lab'>): ClientStatus | null {
  try {
    return JSON.parse(readFileSync(join(lab.paths.load, 'out/client.status.json'), 'utf8')) as ClientStatus;
  } catch {
    return null;
  }
}

/** Returns once writes are acknowledged at a steady pace. */
export async function beginLoad(round: Pick<Round, 'lab' | 'load'>): Promise<void> {
  await startLoad(round.lab, round.load);
  await until('the client writes', 15_000, () => {
    const status = clientStatus(round);
    return status !== null && status.acknowledged > 50 && status.lastAckAgoMs < 200 ? undefined : 'not yet';
  });
}

/** Writes go through again, and have for two seconds: then an outage is over and can be measured. */
export async function writesAgain(round: Round, sinceMs: number, deadlineMs: number): Promise<void> {
  let flowingSince: number | null = null;
  await until(
    'the client writes again',
    deadlineMs,
    () => {
      const status = clientStatus(round);
      const flows = status !== null && status.at > sinceMs + 500 && status.lastAckAgoMs < 300;
      if (!flows) flowingSince = null;
      else flowingSince ??= status.at;
      if (flowingSince !== null && nowMs() - flowingSince > 2000) return undefined;
      return status === null ? 'no status of the client' : `last acknowledgement ${status.lastAckAgoMs} ms ago`;
    },
    100,
  );
}

export interface Expectation {
  /** Acknowledged writes may be missing afterwards: the tail that an asynchronous standby lacked. */
  readonly mayLose?: boolean;
  readonly mayFail?: boolean;
}

/** The report of everything since `fromMs`; overlap is never allowed. */
export async function endLoad(round: Round, fromMs: number, expect: Expectation = {}): Promise<LoadReport> {
  const report = await reportLoad(round.lab, { fromMs });
  const { client } = report;
  insist(report.problems.length === 0, `the load could not be measured: ${report.problems.join('; ')}`);
  round.figure('acked', client.acknowledged);
  round.figure('lost', lostIn(report));
  round.figure('overlap', report.overlap);
  insistSafe(report.overlap === 0, `${report.overlap} writes were acknowledged by two databases at once`);
  insistSafe(expect.mayLose === true || lostIn(report) === 0, `${lostIn(report)} acknowledged writes are lost`);
  const failures = Object.entries(client.failures).map(([kind, count]) => `${count} ${kind}`);
  if (client.failed > 0) round.figure('failed', `${client.failed} (${failures.join(', ')})`);
  insist(expect.mayFail === true || client.failed === 0, `${client.failed} requests failed: ${failures.join(', ')}`);
  return report;
}

/** By the client and by the writers at the databases' sockets, which are stricter: neither may miss one. */
export function lostIn(report: LoadReport): number {
  return Math.max(report.client.lost, report.writersLost);
}

/** Gives the client's longest write outage since the fault to the table and to the bound. */
export function noteOutage(round: Round, report: LoadReport): number {
  const ms = report.client.longestOutageMs;
  round.figure('outage', seconds(ms));
  round.outage(ms);
  return ms;
}
