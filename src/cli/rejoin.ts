// `siteward agent rejoin`, `siteward witness rejoin` (Q8, W4): a voter that lost its memory gets it again. The order goes to
// an agent that has its memory, which drives it, and is then watched until it has ended.

import { createInterface } from 'node:readline';
import { setTimeout as pause } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { EXIT } from '../catalog/exit-codes.ts';
import type { AgentStatus } from '../core/agent/status.ts';
import type { Order } from '../core/messages.ts';
import { otherSite, type Site, sites, type VoterId } from '../core/site.ts';
import {
  type AgentReport,
  askAgents,
  type Client,
  clientOptions,
  clientUsage,
  giveOrder,
  openClient,
  Refused,
} from './client.ts';
import type { Output } from './config.ts';

const usages = {
  agent: `usage: siteward agent rejoin [--site SITE] [--accept-loss] [--json]

Gives the agent that lost its state (missing, damaged, or put back to an older one) its memory and its vote again, from
the two other voters, which both have to be up. Changes of primary wait for the longest lease after that (16 s with a
route53 witness, else 4 s: siteward config explain).
  --site SITE    whose agent; the one that says so itself when left out
  --accept-loss  without a witness, where it ended with "a half-done change of primary": goes on although that moves the
                 primary to a standby that may lack what was acknowledged. What it lacks IS LOST; docs/RUNBOOK.md, "An agent
                 lost its memory", names the way that loses nothing where the old primary's disk is whole`,
  witness: `usage: siteward witness rejoin [--json]

Makes the record of a register anew that is missing, unreadable or was put back, from both agents; gives an agent
witness that lost its state its memory again. Both agents have to be up, and to have their memory.`,
} as const;

const options = {
  ...clientOptions,
  site: { type: 'string' },
  'accept-loss': { type: 'boolean' },
  yes: { type: 'string' },
} as const;

type RejoinOrder = Extract<Order, { kind: 'rejoin' }>;

/** Returns the exit code. */
export async function runRejoin(who: 'agent' | 'witness', args: readonly string[], output: Output): Promise<number> {
  const values = parse(args);
  const site = values?.site === undefined ? null : (sites.find((each) => each === values.site) ?? undefined);
  const acceptLoss = values?.['accept-loss'] === true;
  const wrong = values === null || site === undefined || (who === 'witness' && (site !== null || acceptLoss));
  if (wrong || values.help === true) {
    const asked = values?.help === true;
    (asked ? output.out : output.err)(
      `${usages[who]}
  --yes NAME     the name that is asked for otherwise (from standard input)
${clientUsage}`,
    );
    return asked ? EXIT.ok : EXIT.usage;
  }
  const client = openClient(values);
  try {
    const reports = await askAgents(client);
    const voter = who === 'witness' ? 'witness' : forgetful(reports, site);
    const driver = driverFor(reports, voter);
    const order = { kind: 'rejoin', voter, acceptLoss } as const;
    await confirm(order, values.yes, output);
    return await carryOut(client, driver, order, values.json === true, output);
  } finally {
    await client.close();
  }
}

function parse(args: readonly string[]) {
  try {
    return parseArgs({ args: [...args], options }).values;
  } catch {
    return null;
  }
}

function lost(status: AgentStatus | null): boolean {
  return status !== null && (status.amnesia || status.cluster === null);
}

/** The agent that says that it lost its memory; two at once are more than any majority can make good. */
function forgetful(reports: readonly AgentReport[], named: Site | null): Site {
  const found = reports.filter(({ status }) => lost(status)).map(({ site }) => site);
  if (found.length > 1) {
    const isNew = reports.every(({ status }) => status?.amnesia === false);
    throw new Refused(
      `${isNew ? 'neither agent knows a cluster. If none was founded yet: siteward init --primary SITE. If one was, ' : ''}both agents lost their memory: this cannot be made good by a rejoin (docs/RUNBOOK.md, "An agent lost its memory")`,
      EXIT.refused,
    );
  }
  const [site] = found;
  if (named !== null && site !== named) {
    const silent = reports.some((report) => report.site === named && report.status === null);
    if (silent) throw new Refused(`${named}'s agent does not answer: it has to run to rejoin`, EXIT.unreachable);
    throw new Refused(`${named}'s agent has its memory: there is nothing to rejoin`, EXIT.refused);
  }
  if (site !== undefined) return site;
  const mute = reports.find(({ status }) => status === null);
  if (mute !== undefined)
    throw new Refused(
      `${mute.site}'s agent does not answer (${mute.why}); the other one has its memory`,
      EXIT.unreachable,
    );
  throw new Refused('both agents have their memory: there is nothing to rejoin', EXIT.refused);
}

/** For the witness one that holds it to be out, the agent of the primary's site rather, which writes there first (Q5). */
function driverFor(reports: readonly AgentReport[], voter: VoterId): { site: Site; cluster: string } {
  const able = reports.flatMap(({ site, status }) =>
    status === null || lost(status) ? [] : [{ site, cluster: status.cluster ?? '', rank: rankFor(status) }],
  );
  const driver =
    voter === 'witness'
      ? able.toSorted((a, b) => b.rank - a.rank)[0]
      : able.find(({ site }) => site === otherSite(voter));
  if (driver === undefined)
    throw new Refused('no agent that has its memory answers, which the order would be given to', EXIT.unreachable);
  return driver;
}

function rankFor({ agent, record, votes: { witness } }: AgentStatus): number {
  const out = ('out' in witness && witness.out !== null) || ('amnesia' in witness && witness.amnesia === true);
  return (out ? 2 : 0) + (record?.primary === agent ? 1 : 0);
}

async function confirm({ voter, acceptLoss }: RejoinOrder, given: string | undefined, output: Output): Promise<void> {
  if (given === undefined) {
    output.err(
      voter === 'witness'
        ? `This writes the witness's memory anew from what both agents hold. What stands in its place is replaced.
Neither agent's state may have been put back to an older one by anybody: together they are all that is remembered.`
        : `This gives ${voter}'s agent its memory anew from what the other voters hold.
The state of none of the others may have been put back to an older one by anybody: they are all that is remembered.`,
    );
    if (acceptLoss)
      output.err(`Where a change of primary was cut off half way, it is carried out. What its standby lacks is lost.`);
    process.stderr.write(`Type the name of the voter that is to rejoin: ${voter}\n> `);
  }
  const typed = given ?? (await firstLine());
  if (typed.trim() !== voter) throw new Refused('not confirmed: nothing was changed', EXIT.refused);
}

async function firstLine(): Promise<string> {
  const lines = createInterface({ input: process.stdin, terminal: false });
  try {
    for await (const line of lines) return line;
    return '';
  } finally {
    lines.close();
  }
}

async function carryOut(
  client: Client,
  driver: { readonly site: Site; readonly cluster: string },
  order: RejoinOrder,
  json: boolean,
  output: Output,
): Promise<number> {
  const { voter } = order;
  const ack = await giveOrder(client, driver.site, driver.cluster, order);
  if (!ack.ok) {
    if (json) output.out(JSON.stringify({ ok: false, voter, why: ack.why }));
    else output.err(`refused: ${ack.why}`);
    return EXIT.refused;
  }
  return watch(client, driver.site, voter, Number(/^order (\d+)/.exec(ack.why)?.[1] ?? '0'), json, output);
}

/** The driver ends it by itself, done or undone; without a witness it may have to wait for the longest lease twice. */
async function watch(
  client: Client,
  site: Site,
  voter: VoterId,
  id: number,
  json: boolean,
  output: Output,
): Promise<number> {
  const { lease, order } = client.config;
  const began = performance.now();
  const limitMs = order.timeoutMs + 4 * Math.max(lease.ttlMs, lease.witnessTtlMs) * (1 + lease.drift) + 5000;
  let said = '';
  while (performance.now() - began < limitMs) {
    const status = (await askAgents(client)).find((each) => each.site === site)?.status;
    const rejoin = status?.rejoin?.id === id ? status.rejoin : null;
    const now = rejoin === null ? said : `${rejoin.phase}${rejoin.why === '' ? '' : `: ${rejoin.why}`}`;
    // A sentence whose figures alone change is not said again.
    if (shapeOf(now) !== shapeOf(said) && !json)
      output.out(`${((performance.now() - began) / 1000).toFixed(1)} s  ${now}`);
    said = now;
    const ended = status?.lastOrder?.id === id ? status.lastOrder : null;
    if (ended !== null) return end(ended, voter, Math.round(performance.now() - began), json, output);
    await pause(200);
  }
  throw new Refused(
    `${site}'s agent does not say how order ${id} ended: siteward status shows whether ${voter} still has to rejoin`,
    EXIT.timeout,
  );
}

function shapeOf(sentence: string): string {
  return sentence.replaceAll(/\d+/g, '0');
}

function end(
  ended: NonNullable<AgentStatus['lastOrder']>,
  voter: VoterId,
  tookMs: number,
  json: boolean,
  output: Output,
): number {
  const ok = ended.outcome === 'done';
  if (json) output.out(JSON.stringify({ ok, voter, ...ended, tookMs }));
  else if (ok) output.out(`${ended.what}: done (${(tookMs / 1000).toFixed(1)} s); it votes again`);
  else
    output.err(
      `${ended.what}: undone, ${ended.why}. siteward status shows who votes; until ${voter} does, it can be given again`,
    );
  return ok ? EXIT.ok : EXIT.timeout;
}
