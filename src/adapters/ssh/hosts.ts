// The Hosts port over SSH: orders of wire/host-orders.ts to the forced command of application and database hosts. It
// holds no policy: no retries, no back-off; each call is one order and one outcome.

import type { EnvReport, Token } from '../../core/observe/observation.ts';
import { done, type Outcome, rejected, unknown } from '../../core/outcome.ts';
import type { Site } from '../../core/site.ts';
import type { Ms } from '../../core/time.ts';
import type { Hosts } from '../../ports/hosts.ts';
import { encodeOrder, type HostAnswer, type HostOrder, parseAnswer } from '../../wire/host-orders.ts';
import { SshConnection } from './connection.ts';

export type SshHost = { readonly address: string; readonly hostKeys: readonly string[] };

export type SshOptions = {
  readonly user: string;
  readonly port: number;
  readonly keyFile: string;
  readonly application: Readonly<Record<Site, SshHost>>;
  readonly database: Readonly<Record<Site, SshHost>>;
  /** A quiet connection is asked for a sign of life this often; default 1 s. */
  readonly keepaliveMs?: Ms;
};

export type SshHosts = Hosts & {
  /** Makes `content` the staged file of `primary` on `site`'s application host. */
  stageEnv(site: Site, primary: Site, content: Buffer, deadlineMs: Ms): Promise<Outcome<EnvReport>>;
  /** For the scheduled checks: is there a connection, or can it be made? No order is given. */
  reach(part: 'application' | 'database', site: Site, deadlineMs: Ms): Promise<Outcome<void>>;
};

export function createSshHosts(options: SshOptions): SshHosts {
  const { user, port, keyFile, keepaliveMs = 1000 } = options;
  const connect = ({ address, hostKeys }: SshHost) =>
    new SshConnection({ address, port, user, keyFile, hostKeys, keepaliveMs });
  const hosts = {
    application: { site1: connect(options.application.site1), site2: connect(options.application.site2) },
    database: { site1: connect(options.database.site1), site2: connect(options.database.site2) },
  };

  async function askEnv(site: Site, order: HostOrder, input: Buffer | null, deadlineMs: Ms) {
    return asEnv(await ask(hosts.application[site], order, input, deadlineMs));
  }

  return {
    readEnv: (site, deadlineMs) => askEnv(site, { verb: 'read' }, null, deadlineMs),
    switchEnv: (site: Site, primary: Site, token: Token, deadlineMs: Ms) =>
      askEnv(site, { verb: 'switch', site: primary, token }, null, deadlineMs),
    stageEnv: (site, primary, content, deadlineMs) =>
      askEnv(site, { verb: 'stage', site: primary }, content, deadlineMs),
    fence: async (site, token, deadlineMs) =>
      asFenced(await ask(hosts.database[site], { verb: 'fence', token }, null, deadlineMs)),
    reach: (part, site, deadlineMs) => hosts[part][site].reach(deadlineMs),
    close: async () => {
      const { application, database } = hosts;
      const all = [application.site1, application.site2, database.site1, database.site2];
      await Promise.all(all.map((each) => each.close()));
    },
  };
}

async function ask(
  connection: SshConnection,
  order: HostOrder,
  input: Buffer | null,
  deadlineMs: Ms,
): Promise<Outcome<HostAnswer & { readonly ok: true }>> {
  const outcome = await connection.run(encodeOrder(order), input, deadlineMs);
  if (outcome.kind !== 'done') return outcome;
  const answer = parseAnswer(outcome.value);
  // Something else answers to the key: what it did is not known.
  if (answer === null) return unknown(`no answer of siteward-host: ${JSON.stringify(outcome.value.slice(0, 120))}`);
  return answer.ok ? done(answer) : rejected(answer.code, answer.detail);
}

function asEnv(outcome: Outcome<HostAnswer & { readonly ok: true }>): Outcome<EnvReport> {
  if (outcome.kind !== 'done') return outcome;
  return outcome.value.kind === 'env' ? done(outcome.value.env) : unknown('a database host answered');
}

function asFenced(outcome: Outcome<HostAnswer & { readonly ok: true }>): Outcome<void> {
  if (outcome.kind !== 'done') return outcome;
  return outcome.value.kind === 'fenced' ? done(undefined) : unknown('an application host answered');
}
