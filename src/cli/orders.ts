// `siteward failover`, `entry`, `pause`, `resume`, `restart`: a person's orders. Each is given to one agent, which drives
// it by the cluster's own rules, and is then watched until it has ended.

import { createInterface } from 'node:readline';
import { setTimeout as pause } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { EXIT } from '../catalog/exit-codes.ts';
import type { Order } from '../core/messages.ts';
import { type Site, sites } from '../core/site.ts';
import {
  askAgents,
  type Client,
  clientOptions,
  clientUsage,
  giveOrder,
  livingAgents,
  openClient,
  Refused,
} from './client.ts';
import type { Output } from './config.ts';
import { driverOf } from './driver.ts';

export type OrderCommand = 'failover' | 'entry' | 'pause' | 'resume' | 'restart';

const usages: Readonly<Record<OrderCommand, string>> = {
  failover: `usage: siteward failover [--to SITE] [--dry-run] [--accept-loss] [--force]

Moves the primary to the other site. Nothing is lost where the present primary's guard is heard, unless --accept-loss is
given: --dry-run says so in its first steps (checkpoint, stop, wait). Else the standby is promoted with what it has received.
  --to SITE      site1 or site2; the other site than the primary's when left out: given twice, it moves back
  --dry-run      changes nothing and lists each step
  --accept-loss  goes on although the standby lacks more WAL than policy.maxLagBytes, or nobody knows how much it lacks
                 (the primary's last position is unknown; zero-loss: no record that must be the newest says that it has all).
                 Of a primary that serves it waits for the rest for 2 s only: what has not arrived by then IS LOST
  --force        acts without a majority: asks first for the word that the other side is down, and for the
                 site's name to be typed (both are read from standard input)`,
  entry: 'usage: siteward entry --to SITE\n\nMoves the public name to the service host of SITE.',
  pause:
    'usage: siteward pause [--reason TEXT]\n\nNothing is moved without an order until `siteward resume`; a crashed database is restarted in place.',
  resume: 'usage: siteward resume\n\nEnds a pause.',
  restart:
    'usage: siteward restart\n\nStops and starts the primary under its lease. Ends when its guard took the order; `siteward status` says when it serves again.',
};

/** What each order takes of its own. All else is a mistake that must not act: `restart --dry-run` would restart. */
const options = {
  failover: {
    to: { type: 'string' },
    'dry-run': { type: 'boolean' },
    'accept-loss': { type: 'boolean' },
    force: { type: 'boolean' },
  },
  entry: { to: { type: 'string' } },
  pause: { reason: { type: 'string' } },
  resume: {},
  restart: {},
} as const;

type All = typeof clientOptions & (typeof options)['failover'] & (typeof options)['pause'];
type Values = { readonly [name in keyof All]?: All[name]['type'] extends 'string' ? string : boolean };

function parse(command: OrderCommand, args: readonly string[]): Values | null {
  try {
    return parseArgs({ args: [...args], options: { ...clientOptions, ...options[command] } }).values as Values;
  } catch {
    return null;
  }
}

function siteOf(text: string | undefined): Site | null | undefined {
  if (text === undefined) return null;
  return sites.find((site) => site === text);
}

function orderOf(command: OrderCommand, values: Values): Order | null {
  const to = siteOf(values.to);
  if (to === undefined) return null;
  switch (command) {
    case 'failover':
      return {
        kind: 'failover',
        to,
        dryRun: values['dry-run'] === true,
        acceptLoss: values['accept-loss'] === true,
        force: values.force === true,
        otherSideIsDown: false,
      };
    case 'entry':
      return to === null ? null : { kind: 'entry', to };
    case 'pause':
      return { kind: 'pause', reason: values.reason ?? '' };
    case 'resume':
    case 'restart':
      return { kind: command };
  }
}

/** Returns the exit code. */
export async function runOrder(command: OrderCommand, args: readonly string[], output: Output): Promise<number> {
  const values = parse(command, args);
  const order = values === null ? null : orderOf(command, values);
  if (values === null || order === null || values.help === true) {
    (values?.help === true ? output.out : output.err)(`${usages[command]}\n${clientUsage}`);
    return values?.help === true ? EXIT.ok : EXIT.usage;
  }
  const client = openClient(values);
  try {
    const confirmed =
      order.kind === 'failover' && order.force && !order.dryRun ? await confirmForce(order, output) : order;
    return await carryOut(client, confirmed, values.json === true, output);
  } finally {
    await client.close();
  }
}

type Failover = Extract<Order, { kind: 'failover' }>;

/** "Orders": it says what it risks, asks for the word that the other side is down and for the site's name to be typed. */
async function confirmForce(order: Failover, output: Output): Promise<Order> {
  if (order.to === null)
    throw new Refused('name the site that is to be primary: siteward failover --force --to SITE', EXIT.usage);
  const other = sites.find((site) => site !== order.to) ?? '';
  output.err(`This makes ${order.to} the primary without a majority of the votes.
If ${other}'s database runs after all, two databases accept writes until ${other} hears of it, and one side's writes are lost.
What ${order.to} has not received of ${other}'s last writes is lost in any case.`);
  const lines = createInterface({ input: process.stdin, output: process.stderr, terminal: false });
  try {
    const answers = lines[Symbol.asyncIterator]();
    process.stderr.write(
      `Is everything of ${other} down, and will it stay down until the witness or agents are back? Type: ${other} is down\n> `,
    );
    if ((await answers.next()).value?.trim() !== `${other} is down`)
      throw new Refused('not confirmed: nothing was changed', EXIT.refused);
    process.stderr.write(`Type the name of the site that is to be primary\n> `);
    if ((await answers.next()).value?.trim() !== order.to)
      throw new Refused('not confirmed: nothing was changed', EXIT.refused);
  } finally {
    lines.close();
  }
  return { ...order, otherSideIsDown: true };
}

async function carryOut(client: Client, order: Order, json: boolean, output: Output): Promise<number> {
  const living = await livingAgents(client);
  const { site, status } = driverOf(living, order);
  const ack = await giveOrder(client, site, status.cluster ?? '', order);
  const dry = order.kind === 'failover' && order.dryRun;
  if (dry || !ack.ok) {
    if (json) output.out(JSON.stringify({ ok: ack.ok, why: ack.why, steps: ack.steps, dryRun: dry }));
    else {
      (ack.ok ? output.out : output.err)(ack.ok ? `${ack.why}:` : `refused: ${ack.why}`);
      for (const [index, step] of ack.steps.entries()) output.out(`  ${index + 1}. ${step}`);
      if (dry) output.out('nothing was changed');
    }
    return ack.ok ? EXIT.ok : EXIT.refused;
  }
  if (order.kind === 'restart') {
    output.out(json ? JSON.stringify({ ok: true, why: ack.why }) : ack.why);
    return EXIT.ok;
  }
  return watch(client, site, Number(/^order (\d+)/.exec(ack.why)?.[1] ?? '0'), json, output);
}

/** An order ends by itself: done, or undone after order.timeout (Tmax(1+D) later past a silent guard). */
async function watch(client: Client, site: Site, id: number, json: boolean, output: Output): Promise<number> {
  const { lease, order } = client.config;
  const began = performance.now();
  const limitMs = order.timeoutMs + Math.max(lease.ttlMs, lease.witnessTtlMs) * (1 + lease.drift) + 5000;
  let phase = '';
  while (performance.now() - began < limitMs) {
    const report = (await askAgents(client)).find((each) => each.site === site)?.status;
    const now = report?.order?.id === id ? report.order.phase : phase;
    if (now !== phase && !json) output.out(`${((performance.now() - began) / 1000).toFixed(1)} s  ${now}`);
    phase = now;
    const ended = report?.lastOrder?.id === id ? report.lastOrder : null;
    if (ended !== null) {
      const tookMs = Math.round(performance.now() - began);
      if (json) output.out(JSON.stringify({ ok: ended.outcome === 'done', ...ended, tookMs }));
      else
        (ended.outcome === 'done' ? output.out : output.err)(
          `${ended.what}: ${ended.outcome}${ended.why === '' ? '' : `, ${ended.why}`} (${(tookMs / 1000).toFixed(1)} s)`,
        );
      return ended.outcome === 'done' ? EXIT.ok : EXIT.timeout;
    }
    await pause(100);
  }
  throw new Refused(
    `${site}'s agent does not say how order ${id} ended: siteward status shows where things stand`,
    EXIT.timeout,
  );
}
