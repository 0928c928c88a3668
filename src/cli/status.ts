// `siteward status`: what an operator wants to know at 3 a.m., on one screen; `--json` has all of it.

import { parseArgs } from 'node:util';
import { EXIT } from '../catalog/exit-codes.ts';
import type { AgentStatus } from '../core/agent/status.ts';
import { type AgentReport, askAgents, clientOptions, clientUsage, openClient } from './client.ts';
import type { Output } from './config.ts';
import { newestFirst } from './driver.ts';
import { notWell } from './well.ts';

const USAGE = `usage: siteward status [--json]

Shows the record, the lease, every part, the votes, what stands in the way of a change, what waits for a person (!) and
what else is not well (-).
Exit code ${EXIT.ok}: all is well; ${EXIT.degraded}: something is not; ${EXIT.unreachable}: no agent answers.
${clientUsage}`;

export async function runStatus(args: readonly string[], output: Output): Promise<number> {
  const values = parse(args);
  if (values === null || values.help === true) {
    (values === null ? output.err : output.out)(USAGE);
    return values === null ? EXIT.usage : EXIT.ok;
  }
  const client = openClient(values);
  try {
    const reports = await askAgents(client);
    const wrong = notWell(reports, client.config);
    if (values.json === true)
      output.out(
        JSON.stringify(
          {
            agents: Object.fromEntries(reports.map((r) => [r.site, r.status ?? { why: r.why }])),
            well: wrong.length === 0,
            notWell: wrong,
          },
          null,
          2,
        ),
      );
    else for (const line of render(reports, wrong)) output.out(line);
    if (reports.every((report) => report.status === null)) return EXIT.unreachable;
    return wrong.length === 0 ? EXIT.ok : EXIT.degraded;
  } finally {
    await client.close();
  }
}

function parse(args: readonly string[]) {
  try {
    return parseArgs({ args: [...args], options: clientOptions }).values;
  } catch {
    return null;
  }
}

const seconds = (ms: number | null): string => (ms === null ? '-' : `${(ms / 1000).toFixed(1)} s`);

export function render(reports: readonly AgentReport[], wrong: readonly string[]): readonly string[] {
  const best = reports.map((r) => r.status).filter((status): status is AgentStatus => status !== null);
  const [newest] = best.toSorted(newestFirst);
  if (newest === undefined) return reports.map(({ site, why }) => `${site}'s agent does not answer: ${why}`);
  const { record } = newest;
  const lines = [
    record === null
      ? 'no record is known: the cluster was not founded (siteward init), or no voter answers'
      : `${record.cluster}  epoch ${record.epoch}${record.era.number > 0 ? ` of era ${record.era.number}.${record.era.site}` : ''}  primary ${record.primary}  entry ${record.entry}  ${record.mode}`,
    record === null ? '' : `  since ${record.at} by ${record.by}: ${record.reason}`,
    `  lease   ${newest.lease.holder ?? 'nobody'}, ${seconds(newest.lease.leftMs)} left`,
    `  standby ${newest.standby.mayTakeOver ? 'may take over' : `may not take over: ${newest.standby.why}`}, ${newest.standby.lagBytes ?? '?'} bytes behind`,
    writesLine(newest.replication),
    nameLine(best),
  ];
  for (const { site, status, why } of reports)
    lines.push(...(status === null ? [`${site}  agent does not answer: ${why}`] : renderSite(status)));
  const needs = new Set(best.flatMap((status) => status.person));
  for (const need of needs) lines.push(`! ${need}`);
  for (const sentence of wrong) if (!needs.has(sentence)) lines.push(`- ${sentence}`);
  return lines.filter((line) => line !== '');
}

/** Where the public name points, as the entry's agent saw it in the zone. */
function nameLine(all: readonly AgentStatus[]): string {
  const status = all.find(({ agent, record }) => record?.entry === agent);
  if (status === undefined || status.dns === null) return '';
  const { entry, value, ageMs } = status.dns;
  return `  name    ${value ?? 'no record'}${entry === null ? '' : ` (${entry})`}, seen ${seconds(ageMs)} ago`;
}

/** Zero-loss mode only: whether commits wait, and what a failover would lose. */
function writesLine({ mode, sync, complete }: AgentStatus['replication']): string {
  if (mode === 'async' || sync === null) return '';
  if (sync) {
    const keeps = complete === true ? 'has all that was acknowledged' : 'does not keep up';
    return `  writes  wait for the standby, which ${keeps}`;
  }
  return mode === 'zero-loss'
    ? '  writes  do not wait for the standby: a lost primary waits for a person until they do again'
    : '  writes  wait for a standby that keeps up';
}

function renderSite(status: AgentStatus): readonly string[] {
  const site = status.agent;
  const guard = status.guards[site];
  const { votes, standsInTheWay: way } = status;
  const waits = [
    way.quarantineMs > 0 ? `start-up wait ${seconds(way.quarantineMs)}` : '',
    way.coolDownMs > 0 ? `cool-down ${seconds(way.coolDownMs)}` : '',
    way.promiseMs > 0 ? `lease promise ${seconds(way.promiseMs)}` : '',
  ].filter((text) => text !== '');
  const here = status.applications.filter((app) => app.site === site);
  const witness = votes.witness;
  return [
    `${site}  ${status.decision.sentence}${status.decision.waitMs > 0 ? ` (for ${seconds(status.decision.waitMs)})` : ''}`,
    `  guard   ${guard === null ? 'not heard' : `database ${guard.database}, fuse ${guard.fuseAlive ? 'alive' : 'NOT ALIVE'}, heard ${seconds(guard.ageMs)} ago`}`,
    `  votes   peer ${votes.peer.heard ? 'heard' : 'silent'}, witness ${witness.kind}${'heard' in witness ? (witness.heard ? ' heard' : ` last heard ${seconds(witness.ageMs ?? null)} ago`) : ''}`,
    `  apps    ${here.filter((app) => app.ready).length} of ${here.length} ready, ${here.reduce((sum, app) => sum + app.holding, 0)} requests held, .env ${status.env[site] ?? '?'}`,
    waits.length === 0 ? '' : `  in the way of a change: ${waits.join(', ')}`,
  ];
}
