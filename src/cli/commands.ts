// The table of commands: name to the file that runs it.

import { parseArgs } from 'node:util';
import { type CommandName, commands } from '../catalog/commands.ts';
import { EXIT } from '../catalog/exit-codes.ts';
import { CLUSTER_FILE } from '../config/load.ts';
import type { RoleOptions } from '../roles/base.ts';
import type { Output } from './config.ts';

type Command = (args: readonly string[], output: Output) => Promise<number | null> | number;

const table: Readonly<Record<CommandName, Command>> = {
  agent: (args, output) =>
    args[0] === 'rejoin'
      ? rejoin('agent', args.slice(1), output)
      : daemon(args, async (options) => (await import('../roles/agent.ts')).runAgent(options)),
  guard: (args) => daemon(args, async (options) => (await import('../roles/guard.ts')).runGuard(options)),
  witness: (args, output) =>
    args[0] === 'rejoin'
      ? rejoin('witness', args.slice(1), output)
      : daemon(args, async (options) => (await import('../roles/witness.ts')).runWitness(options)),
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

async function daemon(args: readonly string[], run: (options: RoleOptions) => Promise<void>): Promise<null> {
  const { values } = parseArgs({
    args: [...args],
    options: { config: { type: 'string' }, host: { type: 'string' }, state: { type: 'string' } },
  });
  await run({
    file: values.config ?? CLUSTER_FILE,
    host: values.host,
    stateDirectory: values.state ?? '/var/lib/siteward',
  });
  return null;
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
