/**
 * Looks at the world from one place, for as long as the suite runs: a question a line on standard input, an answer a line
 * on standard output. Starting a program for each look would starve the very lab that is looked at.
 */
import { Resolver } from 'node:dns/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import pg from 'pg';
import type { Peers } from '../../../../src/ports/peers.ts';
import type { Question } from './eyes.ts';

async function answer(question: Question): Promise<unknown> {
  switch (question.kind) {
    case 'http': {
      const init = { headers: { ...question.headers }, signal: AbortSignal.timeout(question.timeoutMs) };
      const response = await fetch(question.url, init);
      return { status: response.status, body: await response.text() };
    }
    case 'dns': {
      const resolver = new Resolver({ timeout: question.timeoutMs, tries: 1 });
      resolver.setServers([question.server]);
      return resolver.resolve4(question.name);
    }
    case 'sql':
      return sql(question);
    case 'agent':
      return agent(question);
  }
}

async function sql(question: Extract<Question, { kind: 'sql' }>): Promise<unknown> {
  const { socketDirectory: host, database, query, timeoutMs } = question;
  const times = { connectionTimeoutMillis: timeoutMs, query_timeout: timeoutMs };
  const client = new pg.Client({ host, database, user: 'postgres', ...times });
  client.on('error', () => {});
  await client.connect();
  try {
    const { rows } = await client.query<Record<string, unknown>>(query);
    return rows[0] ?? null;
  } finally {
    void client.end().catch(() => {});
  }
}

let peers: Peers | undefined;

async function agent(question: Extract<Question, { kind: 'agent' }>): Promise<unknown> {
  peers ??= await openPeers(question.etc, question.operator);
  const outcome = await peers.ask(question.peer, { type: 'status' }, question.timeoutMs);
  return outcome.kind === 'done' && outcome.value.type === 'status-answer' ? outcome.value.status : null;
}

/** As `siteward status` does it, with the files of a lab host's disk. */
async function openPeers(etc: string, operator: string): Promise<Peers> {
  const { loadConfig } = await import('../../../../src/config/load.ts');
  const { readIdentity } = await import('../../../../src/adapters/http/identity.ts');
  const { createPeers } = await import('../../../../src/adapters/http/peers.ts');
  const { addressesOf, pinsOf } = await import('../../../../src/roles/addresses.ts');
  const loaded = loadConfig(join(etc, 'cluster.yaml'));
  if (loaded.kind === 'bad') throw new Error('the cluster file is refused');
  const pins = pinsOf(loaded.config);
  const addresses = [...addressesOf(loaded.config)].map(
    ([peer, at]) => [peer, { ...at, pins: pins.get(peer) ?? [] }] as const,
  );
  return createPeers({ identity: readIdentity(join(etc, 'keys'), operator), peers: new Map(addresses) });
}

const lines = createInterface({ input: process.stdin });
lines.on('line', (line) => {
  const { id, question } = JSON.parse(line) as { readonly id: number; readonly question: Question };
  const reply = (value: object) => process.stdout.write(`${JSON.stringify({ id, ...value })}\n`);
  answer(question).then(
    (value) => reply({ value }),
    (error: unknown) => reply({ error: (error as Error).message || String(error) }),
  );
});
// Whoever asks is gone.
lines.on('close', () => process.exit(0));
