// `siteward disarm`, on a database host: hands its database back to the distribution. The guard stops and is disabled,
// the fuse is disarmed and stopped, and where this site is the primary standby.signal goes, so that boot, apt and persons
// start an ordinary PostgreSQL again. A running primary runs on. To guard it again: enable and start fuse and guard.

import { existsSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { parseArgs } from 'node:util';
import { createStore } from '../adapters/disk/store.ts';
import { EXIT } from '../catalog/exit-codes.ts';
import { type ClusterConfig, findHost } from '../config/cluster.ts';
import { CLUSTER_FILE, loadConfig } from '../config/load.ts';
import { formatProblems } from '../config/problem.ts';
import type { GuardDurable } from '../core/guard/state.ts';
import { showEpoch } from '../core/quorum/record.ts';
import { otherSite } from '../core/site.ts';
import { readGuardDurable, stateFormat } from '../wire/state-files.ts';
import { Refused } from './client.ts';
import type { Output } from './config.ts';
import { askBothAgents } from './disarm/ask-agents.ts';
import {
  allowPrimary,
  type DatabasePart,
  disarmFuse,
  guardListens,
  mayBeWritable,
  record,
  systemctl,
} from './disarm/hand-back.ts';
import { type Verdict, verdictOn } from './disarm/verdict.ts';

const usage = `usage: siteward disarm [--config FILE] [--host NAME] [--other-side-is-down]

Hands the database of this host back to the distribution: the guard and the fuse are stopped and disabled, and where this
site is the primary PostgreSQL is an ordinary primary from then on, which nothing stops when the other site takes over.
The cluster has to be paused. Asks for the names of cluster and site to be typed. Run as root.
  --config FILE         the cluster file (${CLUSTER_FILE})
  --host NAME           this host's name in it
  --other-side-is-down  agents that do not answer are gone for good`;

type Options = { readonly config?: string; readonly host?: string; readonly 'other-side-is-down'?: boolean };

function parse(args: readonly string[]): (Options & { readonly help?: boolean }) | null {
  try {
    const { values } = parseArgs({
      args: [...args],
      options: {
        config: { type: 'string' },
        host: { type: 'string' },
        'other-side-is-down': { type: 'boolean' },
        help: { type: 'boolean', short: 'h' },
      },
    });
    return values;
  } catch {
    return null;
  }
}

/** Returns the exit code. */
export async function runDisarm(args: readonly string[], output: Output): Promise<number> {
  const options = parse(args);
  if (options === null || options.help === true) {
    (options === null ? output.err : output.out)(usage);
    return options === null ? EXIT.usage : EXIT.ok;
  }
  if (process.getuid?.() !== 0) throw new Refused('only root can hand a database back', EXIT.usage);
  const loaded = loadConfig(options.config ?? CLUSTER_FILE);
  if (loaded.kind === 'bad') throw new Refused(formatProblems(loaded.problems), EXIT.config);
  const { config } = loaded;
  const part = databasePart(config, options.host ?? hostname());
  const otherSideIsDown = options['other-side-is-down'] === true;
  const verdict = await judge(config, part, otherSideIsDown);
  if (verdict.kind === 'refused') throw new Refused(verdict.why, EXIT.refused);
  if (verdict.kind === 'never-founded' && !isArmed(config)) {
    output.out('there is nothing to hand back: this database was never guarded');
    return EXIT.ok;
  }
  if (verdict.kind === 'may' && verdict.as === 'standby') refuseWhileWritable(config, part);
  await confirm(config, part, verdict, otherSideIsDown, output);
  await handBack(config, part, verdict);
  output.out(
    verdict.kind === 'may' && verdict.as === 'primary'
      ? `${part.host.host}: PostgreSQL is an ordinary primary now, and no one's but the distribution's`
      : `${part.host.host}: the guard and the fuse are off; PostgreSQL stays a standby`,
  );
  return EXIT.ok;
}

function databasePart(config: ClusterConfig, host: string): DatabasePart {
  const part = findHost(config, host);
  if (part?.part === 'database') return { site: part.site, host: part.host };
  throw new Refused(`${host} is no database host of the cluster file: name this host with --host`, EXIT.config);
}

function isArmed({ paths }: ClusterConfig): boolean {
  return existsSync(join(paths.stateDirectory, 'fuse.armed'));
}

async function judge(config: ClusterConfig, part: DatabasePart, otherSideIsDown: boolean): Promise<Verdict> {
  const durable = onDisk(config);
  const words = await askBothAgents(config, part.site, durable?.cluster ?? '');
  return verdictOn(part.site, words, durable?.chosen ?? null, otherSideIsDown);
}

/** What the guard last kept; damaged or absent, the agents alone decide. */
function onDisk({ paths }: ClusterConfig): GuardDurable | null {
  const found = createStore({ path: join(paths.stateDirectory, 'guard.state'), formatVersion: stateFormat }).load();
  return found.kind === 'found' && found.formatVersion === stateFormat ? readGuardDurable(found.document) : null;
}

async function confirm(
  config: ClusterConfig,
  { site, host }: DatabasePart,
  verdict: Verdict,
  otherSideIsDown: boolean,
  output: Output,
): Promise<void> {
  const primary = verdict.kind === 'may' && verdict.as === 'primary';
  output.err(
    primary
      ? `This takes the guard and the fuse off ${host.host}, the primary. It runs on, but nothing stops it any more when
${otherSite(site)} takes over: keep the cluster paused, or stop both agents.`
      : `This takes the guard and the fuse off ${host.host}. Its database stays a standby and can no longer take over.`,
  );
  const wanted = `${config.cluster} ${site}${otherSideIsDown ? ', the other side is down' : ''}`;
  process.stderr.write(`Type: ${wanted}\n> `);
  const lines = createInterface({ input: process.stdin, terminal: false });
  try {
    const typed = await lines[Symbol.asyncIterator]().next();
    if (typed.value?.trim() !== wanted) throw new Refused('not confirmed: nothing was changed', EXIT.refused);
  } finally {
    lines.close();
  }
}

/** An old primary that was not fenced yet must keep its fuse. */
function refuseWhileWritable(config: ClusterConfig, { site, host }: DatabasePart): void {
  if (!mayBeWritable(config)) return;
  throw new Refused(
    `${otherSite(site)} is the primary, but ${host.host} has not given up its lease yet: try again in a few seconds (its fuse is still armed)`,
    EXIT.refused,
  );
}

async function handBack(config: ClusterConfig, part: DatabasePart, verdict: Verdict): Promise<void> {
  const primary = verdict.kind === 'may' && verdict.as === 'primary';
  systemctl('disable', '--now', 'siteward-guard.service');
  if (await guardListens(config, part))
    throw new Refused(`a guard still runs on ${part.host.host}: stop it first; nothing else was changed`, EXIT.refused);
  if (verdict.kind === 'may' && !primary) refuseWhileWritable(config, part);
  disarmFuse(config);
  if (primary) allowPrimary(config);
  record(config, {
    at: new Date().toISOString(),
    by: process.env['SUDO_USER'] ?? process.env['LOGNAME'] ?? 'root',
    site: part.site,
    as: primary ? 'primary' : 'standby',
    epoch: verdict.kind === 'may' ? showEpoch(verdict.record) : null,
  });
  systemctl('disable', '--now', 'siteward-fuse.service', 'siteward-postgresql.socket');
  // A lease that ended meanwhile took the database with it.
  if (primary && config.database.control === 'systemd') systemctl('start', config.database.unit);
}
