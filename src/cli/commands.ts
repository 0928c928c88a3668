// The table of commands: name to the file that runs it.

import { parseArgs } from 'node:util';
import { type CommandName, commands } from '../catalog/commands.ts';
import { EXIT } from '../catalog/exit-codes.ts';
import { CLUSTER_FILE } from '../config/load.ts';
import type { Role, RoleOptions } from '../roles/base.ts';
import type { Output } from './config.ts';

const STATE_DIRECTORY = '/var/lib/siteward';

type Command = (args: readonly string[], output: Output) => Promise<number | null> | number;

const table: Readonly<Record<CommandName, Command>> = {
  agent: (args, output) =>
    args[0] === 'rejoin'
      ? rejoin('agent', args.slice(1), output)
      : daemon('agent', args, output, async (options) => (await import('../roles/agent.ts')).runAgent(options)),
  guard: (args, output) =>
    daemon('guard', args, output, async (options) => (await import('../roles/guard.ts')).runGuard(options)),
  witness: (args, output) =>
    args[0] === 'rejoin'
      ? rejoin('witness', args.slice(1), output)
      : daemon('witness', args, output, async (options) => (await import('../roles/witness.ts')).runWitness(options)),
  init: async (args, output) => (await import('./init.ts')).runInit(args, output),
  status: async (args, output) => (await import('./status.ts')).runStatus(args, output),
  failover: async (args, output) => (await import('./orders.ts')).runOrder('failover', args, output),
  entry: async (args, output) => (await import('./orders.ts')).runOrder('entry', args, output),
  pause: async (args, output) => (await import('./orders.ts')).runOrder('pause', args, output),
  resume: async (args, output) => (await import('./orders.ts')).runOrder('resume', args, output),
  restart: async (args, output) => (await import('./orders.ts')).runOrder('restart', args, output),
  disarm: async (args, output) => (await import('./disarm.ts')).runDisarm(args, output),
  config: async (args, output) => (await import('./config.ts')).runConfig(args, output),
  keys: async (args, output) => (await import('./keys.ts')).runKeys(args, output),
  haproxy: async (args, output) => (await import('./haproxy.ts')).runHaproxy(args, output),
};

/** The exit code, or null for a daemon that has started and lives on. */
export async function runCommand(args: readonly string[], output: Output): Promise<number | null> {
  const [name, ...rest] = args;
  if (name === undefined || name === 'help' || name === '--help' || name === '-h') {
    output.out(help());
    return name === undefined ? EXIT.usage : EXIT.ok;
  }
  if (name === '--version' || name === '-V') {
    output.out((await import('./version.ts')).showVersion());
    return EXIT.ok;
  }
  const known = commands.find((command) => command.name === name);
  if (known === undefined) {
    output.err(`siteward: there is no command ${name}; siteward help lists them`);
    return EXIT.usage;
  }
  return table[known.name](rest, output);
}

async function rejoin(who: 'agent' | 'witness', args: readonly string[], output: Output): Promise<number> {
  return (await import('./rejoin.ts')).runRejoin(who, args, output);
}

async function daemon(
  name: Role,
  args: readonly string[],
  output: Output,
  run: (options: RoleOptions) => Promise<void>,
): Promise<number | null> {
  const values = daemonOptions(args);
  if (values === null || values.help === true) {
    (values === null ? output.err : output.out)(daemonUsage(name));
    return values === null ? EXIT.usage : EXIT.ok;
  }
  await run({
    file: values.config ?? CLUSTER_FILE,
    host: values.host,
    stateDirectory: values.state ?? STATE_DIRECTORY,
  });
  return null;
}

function daemonOptions(args: readonly string[]) {
  const options = {
    config: { type: 'string' },
    host: { type: 'string' },
    state: { type: 'string' },
    help: { type: 'boolean', short: 'h' },
  } as const;
  try {
    return parseArgs({ args: [...args], options }).values;
  } catch {
    return null;
  }
}

function daemonUsage(name: Role): string {
  const rejoin =
    name === 'guard' ? '' : `\n       siteward ${name} rejoin ...  (an order: siteward ${name} rejoin --help)`;
  return `usage: siteward ${name} [--config FILE] [--host NAME] [--state DIRECTORY]${rejoin}

The daemon that systemd runs as siteward-${name}.service; it stays in the foreground.
  --config FILE      the cluster file (${CLUSTER_FILE})
  --host NAME        this host's name in it (what hostname says)
  --state DIRECTORY  where its last good copy of the cluster file is looked for (${STATE_DIRECTORY})`;
}

function help(): string {
  const width = Math.max(...commands.map((command) => command.name.length));
  return [
    'usage: siteward COMMAND ...',
    '',
    ...commands.map(({ name, description }) => `  ${name.padEnd(width)}  ${description}`),
    '',
    'siteward COMMAND --help says more.',
  ].join('\n');
}
