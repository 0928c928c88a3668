// The Hosts port: a process's kept-open SSH connections to the application and database hosts, and the database host's
// one order, `fence`.

import { checkToken, type Note } from '../../../src/cli/host/note.ts';
import { Refusal } from '../../../src/cli/host/refusal.ts';
import type { EnvReport, Token } from '../../../src/core/observe/observation.ts';
import { done, type Outcome, rejected, unknown } from '../../../src/core/outcome.ts';
import { compareEpochs, type EpochId, showEpoch } from '../../../src/core/quorum/record.ts';
import type { Site } from '../../../src/core/site.ts';
import type { Hosts } from '../../../src/ports/hosts.ts';
import { encodeOrder, type HostAnswer, type HostOrder, parseAnswer } from '../../../src/wire/host-orders.ts';
import type { Random } from '../engine/random.ts';
import { cancel, milli } from '../engine/scheduler.ts';
import type { ApplicationHost } from './application-host.ts';
import { ForcedCommand, type Work } from './forced-command.ts';
import type { Machine } from './machine.ts';
import type { Network } from './network.ts';
import { Process } from './process.ts';

/** What `fence` finds and does on a database host; the model of PostgreSQL is joined to this. */
export type FenceTarget = {
  /** What runs now. */
  find(): 'primary' | 'standby' | 'none';
  /** The guard's note of the epoch it runs the database in; null when there is none. */
  guardEpoch(): EpochId | null;
  /** standby.signal in place, durably. */
  inhibitStart(): void;
  /** SIGKILL to all of it, begun at once; `killed` when none is left. */
  kill(killed: (count: number) => void): void;
};

/** The forced command of a database host, by src/cli/host/database.ts. */
export function databaseCommand(machine: Machine, random: Random, target: FenceTarget): ForcedCommand {
  let note: Note = { token: null, primary: null, reloadDue: false };
  const fence = (token: Token): Work => {
    let found: 'primary' | 'standby' | 'none' = 'none';
    let killed = 0;
    return {
      steps: [
        (next) => {
          checkToken(note, token, null);
          note = { token, primary: null, reloadDue: false };
          next();
        },
        (next) => {
          found = target.find();
          const running = target.guardEpoch();
          if (running !== null && compareEpochs(running, token) >= 0) {
            throw new Refusal('higher-epoch', `the guard runs the database in epoch ${showEpoch(running)}`);
          }
          if (found !== 'primary') return next();
          target.kill((count) => {
            killed = count;
            next();
          });
        },
        (next) => {
          target.inhibitStart();
          next();
        },
      ],
      answer: () => ({ ok: true, kind: 'fenced', killed, found }),
    };
  };
  const obey = (order: HostOrder): Work => {
    if (order.verb === 'fence') return fence(order.token);
    const refuse = (): never => {
      throw new Refusal('not-an-order', `${order.verb} is no order for database hosts`);
    };
    return { steps: [refuse], answer: refuse };
  };
  return new ForcedCommand(machine, random, obey, () => note.token);
}

export type SshHosts = {
  readonly applications: Readonly<Record<Site, ApplicationHost>>;
  readonly databases: Readonly<Record<Site, ForcedCommand>>;
};

type Connection = { readonly command: ForcedCommand; isOpen: boolean };
type Heard = Outcome<HostAnswer & { readonly ok: true }>;

export function hostsOf(network: Network, hosts: SshHosts, process: Process): Hosts {
  const { applications, databases } = hosts;
  const open = (command: ForcedCommand): Connection => ({ command, isOpen: false });
  const application = { site1: open(applications.site1.command), site2: open(applications.site2.command) };
  const database = { site1: open(databases.site1), site2: open(databases.site2) };
  const ask = (connection: Connection, order: HostOrder, deadlineMs: number): Promise<Heard> =>
    process.mayAffect() ? exchangeOrder(network, process, connection, encodeOrder(order), deadlineMs) : Process.never;
  return {
    readEnv: async (site, deadlineMs) => asEnv(await ask(application[site], { verb: 'read' }, deadlineMs)),
    switchEnv: async (site, primary, token, deadlineMs) =>
      asEnv(await ask(application[site], { verb: 'switch', site: primary, token }, deadlineMs)),
    fence: async (site, token, deadlineMs) => asFenced(await ask(database[site], { verb: 'fence', token }, deadlineMs)),
    close: () => Promise.resolve(),
  };
}

/** As src/adapters/ssh: before the order has left nothing has happened, afterwards only its answer tells. */
function exchangeOrder(
  network: Network,
  process: Process,
  connection: Connection,
  order: string,
  deadlineMs: number,
): Promise<Heard> {
  const from = process.machine;
  const { command } = connection;
  return new Promise((resolve) => {
    let sent = false;
    let settled = false;
    const settle = (outcome: Heard): void => {
      if (settled) return;
      settled = true;
      cancel(deadline);
      // A session that may still say something must not be there when the next one begins.
      if (outcome.kind === 'unknown' || !sent) connection.isOpen = false;
      process.run(() => resolve(outcome));
    };
    const deadline = from.scheduler.deadline(deadlineMs * milli, () =>
      settle(sent ? unknown('no answer in time') : rejected('unreachable', `no connection within ${deadlineMs} ms`)),
    );
    const execute = (): void => {
      if (settled) return;
      sent = true;
      network.send(from, command.machine, () =>
        command.run(order, (answer) => network.send(command.machine, from, () => settle(heard(answer)))),
      );
    };
    if (connection.isOpen) return execute();
    // Key exchange and authentication: three round trips; this stands for all of them.
    network.send(from, command.machine, () => {
      const { door } = command;
      if (door === 'silent') return;
      network.send(command.machine, from, () => {
        if (door === 'refused') return settle(rejected('unreachable', 'ECONNREFUSED'));
        process.after(20 * milli, () => {
          connection.isOpen = true;
          execute();
        });
      });
    });
  });
}

function heard(text: string | null): Heard {
  if (text === null) return unknown('the connection was lost before the answer');
  const answer = parseAnswer(text);
  if (answer === null) return unknown('no answer of siteward-host');
  return answer.ok ? done(answer) : rejected(answer.code, answer.detail);
}

function asEnv(outcome: Heard): Outcome<EnvReport> {
  if (outcome.kind !== 'done') return outcome;
  return outcome.value.kind === 'env' ? done(outcome.value.env) : unknown('a database host answered');
}

function asFenced(outcome: Heard): Outcome<void> {
  if (outcome.kind !== 'done') return outcome;
  return outcome.value.kind === 'fenced' ? done(undefined) : unknown('an application host answered');
}
