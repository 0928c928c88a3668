// `siteward init --primary SITE` (Q0): founds the cluster, once, with all voters and the primary's guard up and no state
// at any voter. It may be repeated with the same record only, so a run that was cut off is simply run again.

import { randomBytes } from 'node:crypto';
import { parseArgs } from 'node:util';
import { EXIT } from '../catalog/exit-codes.ts';
import type { ClusterConfig } from '../config/cluster.ts';
import { CLUSTER_FILE, loadConfig } from '../config/load.ts';
import { formatProblems } from '../config/problem.ts';
import { settingsOf } from '../config/settings.ts';
import type { AgentStatus } from '../core/agent/status.ts';
import type { Accepted } from '../core/quorum/record.ts';
import { agentOf, guardOf, type PeerId, type Site, sites } from '../core/site.ts';
import type { DatabaseAccount } from '../wire/database-account.ts';
import { type Client, clientOptions, clientUsage, openClient, Refused, why } from './client.ts';
import type { Output } from './config.ts';
import { askDatabase, lacksOf, showLacks } from './init/adoption.ts';

const USAGE = `usage: siteward init --primary SITE [--dry-run]

Founds the cluster with the running database of SITE as its primary: epoch 1, paused. Then: siteward resume
  --dry-run      on the database host of SITE: lists what its database lacks, with the words to type, and changes
                 nothing; exit code ${EXIT.refused} when something stands in the way
${clientUsage}`;

export async function runInit(args: readonly string[], output: Output): Promise<number> {
  const values = parse(args);
  const primary = sites.find((site) => site === values?.primary);
  if (values === null || primary === undefined || values.help === true) {
    (values?.help === true ? output.out : output.err)(USAGE);
    return values?.help === true ? EXIT.ok : EXIT.usage;
  }
  if (values['dry-run'] === true) return dryRun(values, primary, output);
  const client = openClient(values);
  try {
    const accepted = await found(client, primary);
    const { cluster } = accepted.record;
    output.out(
      values.json === true
        ? JSON.stringify({ ok: true, cluster, primary })
        : `founded ${cluster}: epoch 1, primary ${primary}, paused. Next: siteward resume`,
    );
    return EXIT.ok;
  } finally {
    await client.close();
  }
}

const options = { ...clientOptions, primary: { type: 'string' }, 'dry-run': { type: 'boolean' } } as const;

/** No key is needed and no daemon has to run: it is asked before there are any. */
function dryRun(values: { readonly config?: string; readonly json?: boolean }, primary: Site, output: Output): number {
  const loaded = loadConfig(values.config ?? CLUSTER_FILE);
  if (loaded.kind === 'bad') throw new Refused(formatProblems(loaded.problems), EXIT.config);
  const lacks = lacksOf(loaded.config, primary, askOwnDatabase(loaded.config, primary));
  const ok = lacks.every(({ optional }) => optional);
  output.out(values.json === true ? JSON.stringify({ ok, lacks }) : showLacks(primary, lacks));
  return ok ? EXIT.ok : EXIT.refused;
}

function askOwnDatabase(config: ClusterConfig, site: Site): DatabaseAccount {
  try {
    return askDatabase(config, site);
  } catch (error) {
    const { stderr, message } = error as Error & { readonly stderr?: string };
    throw new Refused(`the database of this host does not answer: ${stderr?.trim() || message}`, EXIT.unreachable);
  }
}

function parse(args: readonly string[]) {
  try {
    return parseArgs({ args: [...args], options }).values;
  } catch {
    return null;
  }
}

type VoterStatus = Pick<AgentStatus, 'cluster' | 'record' | 'amnesia'> & {
  /** Of an agent. */
  readonly founded?: boolean;
  readonly view?: { readonly accepted: Accepted | null };
};

async function found(client: Client, primary: Site): Promise<Accepted> {
  const { config } = client;
  const voters: readonly PeerId[] = config.voters.flatMap((voter) =>
    voter === 'witness' ? (config.witness.kind === 'agent' ? ['witness' as const] : []) : [agentOf(voter)],
  );
  const held = await Promise.all(voters.map((voter) => statusOf(client, voter)));
  await statusOf(client, guardOf(primary));
  refuseForgetful(voters, held);
  const accepted = held.find((status) => status.record !== null && status.cluster !== null)?.record;
  const proposal = accepted === undefined || accepted === null ? fresh(client, primary) : again(accepted, primary);
  for (const voter of voters) await tell(client, voter, proposal, false);
  if (config.witness.kind === 'route53') await tell(client, agentOf(primary), proposal, true);
  return proposal;
}

/** Q8: once the first lease was held, a voter without a record is none that init has not come to, but one that lost it. */
function refuseForgetful(voters: readonly PeerId[], held: readonly VoterStatus[]): void {
  if (!held.some((status) => status.founded === true)) return;
  const lost = voters.filter((_, index) => held[index]?.record === null);
  if (lost.length === 0) return;
  const command = lost.includes('witness') ? 'siteward witness rejoin' : 'siteward agent rejoin';
  throw new Refused(`${lost.join(', ')} lost its memory of a cluster that exists: ${command}`, EXIT.refused);
}

function fresh(client: Client, primary: Site): Accepted {
  const { config, operator } = client;
  const record = {
    cluster: `${config.cluster}-${randomBytes(4).toString('hex')}`,
    era: { number: 0, site: 'site1' as const },
    epoch: 1,
    primary,
    entry: primary,
    mode: 'paused' as const,
    sync: false,
    voters: settingsOf(config).voters,
    by: `operator:${operator}`,
    at: new Date().toISOString(),
    reason: 'founded',
  };
  return { ballot: { counter: 1, voter: 'site1' }, record };
}

/** A founding that was cut off half way goes on with the very same record; a cluster that lives is left alone. */
function again(record: Accepted['record'], primary: Site): Accepted {
  if (record.epoch === 1 && record.primary === primary && record.mode === 'paused' && record.reason === 'founded') {
    return { ballot: { counter: 1, voter: 'site1' }, record };
  }
  throw new Refused(
    `the cluster ${record.cluster} exists already: epoch ${record.epoch}, primary ${record.primary}`,
    EXIT.refused,
  );
}

async function statusOf(client: Client, peer: PeerId): Promise<VoterStatus> {
  const outcome = await client.ask(peer, { type: 'status' });
  if (outcome.kind !== 'done' || outcome.value.type !== 'status-answer') {
    throw new Refused(
      `${peer} does not answer (${why(outcome)}): all voters and the primary's guard have to be up for init`,
      EXIT.unreachable,
    );
  }
  return outcome.value.status as VoterStatus;
}

async function tell(client: Client, voter: PeerId, accepted: Accepted, createRegister: boolean): Promise<void> {
  const outcome = await client.ask(voter, { type: 'init', accepted, createRegister });
  if (outcome.kind !== 'done' || outcome.value.type !== 'ack')
    throw new Refused(`${voter}: ${why(outcome) || 'a strange answer'}; run init again`, EXIT.unreachable);
  if (outcome.value.ok) return;
  const what = createRegister ? 'could not create the record of the witness' : 'refused';
  throw new Refused(`${voter} ${what}: ${outcome.value.why}`, EXIT.refused);
}
