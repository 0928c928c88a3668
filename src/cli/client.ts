// The operator's side of the peer API: every order and question goes to the daemons over mutual TLS with the operator's
// own pinned key. No command touches a database, a host or Route 53 by itself.

import { readdirSync } from 'node:fs';
import { readIdentity } from '../adapters/http/identity.ts';
import { createPeers } from '../adapters/http/peers.ts';
import { EXIT } from '../catalog/exit-codes.ts';
import type { ClusterConfig } from '../config/cluster.ts';
import { CLUSTER_FILE, loadConfig } from '../config/load.ts';
import { formatProblems } from '../config/problem.ts';
import type { AgentStatus } from '../core/agent/status.ts';
import type { Answer, Order, Request } from '../core/messages.ts';
import type { Outcome } from '../core/outcome.ts';
import { agentOf, type PeerId, type Site, sites } from '../core/site.ts';
import { addressesOf, pinsOf } from '../roles/addresses.ts';
import { type Living, newestFirst } from './driver.ts';

/** A reason to stop that a person has to mend or decide: a sentence and an exit code, no stack. */
export class Refused extends Error {
  readonly code: number;

  constructor(message: string, code: number) {
    super(message);
    this.code = code;
  }
}

export type Client = {
  readonly config: ClusterConfig;
  readonly operator: string;
  ask(to: PeerId, request: Request): Promise<Outcome<Answer>>;
  close(): Promise<void>;
};

/** Options every operator's command takes. */
export const clientOptions = {
  config: { type: 'string' },
  as: { type: 'string' },
  json: { type: 'boolean' },
  help: { type: 'boolean', short: 'h' },
} as const;

export const clientUsage = `  --config FILE  the cluster file (${CLUSTER_FILE})
  --as NAME      the operator whose key is used (the only one whose key lies on this host)
  --json         machine-readable output`;

/** Longer than any daemon needs: an order is answered at once and then watched. */
const askMs = 4000;

export function openClient(options: {
  readonly config?: string | undefined;
  readonly as?: string | undefined;
}): Client {
  const file = options.config ?? CLUSTER_FILE;
  const loaded = loadConfig(file);
  if (loaded.kind === 'bad') throw new Refused(formatProblems(loaded.problems), EXIT.config);
  const { config } = loaded;
  const operator = options.as ?? onlyOperator(config);
  const identity = identityOf(config, operator);
  const pins = pinsOf(config);
  const peers = createPeers({
    identity,
    peers: new Map([...addressesOf(config)].map(([peer, at]) => [peer, { ...at, pins: pins.get(peer) ?? [] }])),
  });
  return { config, operator, ask: (to, request) => peers.ask(to, request, askMs), close: () => peers.close() };
}

function onlyOperator(config: ClusterConfig): string {
  const names = Object.keys(config.keys.operators);
  const here = new Set(listed(config.keys.directory));
  const [name, ...more] = names.filter((each) => here.has(`${each}.key`));
  if (name !== undefined && more.length === 0) return name;
  const { directory } = config.keys;
  const known = `operators in the cluster file: ${names.join(', ') || 'none'}`;
  throw new Refused(
    name === undefined
      ? `no operator's key lies in ${directory}: give the order on a host that has one, as a rule a service host (${known})`
      : `the keys of ${[name, ...more].join(', ')} are in ${directory}: name one with --as (${known})`,
    EXIT.config,
  );
}

function listed(directory: string): readonly string[] {
  try {
    return readdirSync(directory);
  } catch (error) {
    if (isForbidden(error)) throw new Refused(`this account may not look into ${directory}: use sudo`, EXIT.config);
    return [];
  }
}

function isForbidden(error: unknown): boolean {
  const code = (error as NodeJS.ErrnoException).code;
  return code === 'EACCES' || code === 'EPERM';
}

function identityOf(config: ClusterConfig, operator: string) {
  try {
    return readIdentity(config.keys.directory, operator);
  } catch (error) {
    if (isForbidden(error))
      throw new Refused(
        `this account may not read the key of operator ${operator} in ${config.keys.directory}: use sudo`,
        EXIT.config,
      );
    throw new Refused(
      `the key of operator ${operator}: ${error instanceof Error ? error.message : String(error)}; siteward keys new ${operator} makes one`,
      EXIT.config,
    );
  }
}

export function why(outcome: Outcome<unknown>): string {
  return outcome.kind === 'rejected'
    ? outcome.detail || outcome.code
    : outcome.kind === 'unknown'
      ? outcome.detail
      : '';
}

export type AgentReport = { readonly site: Site; readonly status: AgentStatus | null; readonly why: string };

/** Both agents' status, side by side. */
export async function askAgents(client: Client): Promise<readonly AgentReport[]> {
  return Promise.all(
    sites.map(async (site) => {
      const outcome = await client.ask(agentOf(site), { type: 'status' });
      if (outcome.kind === 'done' && outcome.value.type === 'status-answer')
        return { site, status: outcome.value.status as AgentStatus, why: '' };
      return { site, status: null, why: why(outcome) };
    }),
  );
}

/** The agents that answer, the newest first; at least one. */
export async function livingAgents(client: Client): Promise<readonly Living[]> {
  const reports = await askAgents(client);
  const living = reports.flatMap(({ site, status }) => (status === null ? [] : [{ site, status }]));
  if (living.length === 0)
    throw new Refused(
      `no agent answers: ${reports.map(({ site, why: said }) => `${site}: ${said}`).join('; ')}`,
      EXIT.unreachable,
    );
  return living.toSorted((a, b) => newestFirst(a.status, b.status));
}

export async function giveOrder(
  client: Client,
  to: Site,
  cluster: string,
  order: Order,
): Promise<Extract<Answer, { type: 'ack' }>> {
  const outcome = await client.ask(agentOf(to), { type: 'order', cluster, order });
  if (outcome.kind !== 'done') throw new Refused(`${to}'s agent: ${why(outcome)}`, EXIT.unreachable);
  if (outcome.value.type !== 'ack')
    throw new Refused(`${to}'s agent answered ${outcome.value.type} to an order`, EXIT.bug);
  return outcome.value;
}
