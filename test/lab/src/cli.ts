/** `test/lab/lab`: the lab for people and shell scripts; everything it does is in `Lab`. */
import { spawnSync } from 'node:child_process';
import { parseArgs } from 'node:util';
import type { WitnessKind } from './cluster-file.ts';
import { WITNESS_KINDS } from './cluster-file.ts';
import { execArguments } from './hosts.ts';
import { Lab } from './lab.ts';
import { burst, reportLoad, startLoad, stopLoad } from './load.ts';
import { labStatus, renderStatus } from './status.ts';
import { LabError, requireHost } from './topology.ts';

const USAGE = `lab [--name NAME] COMMAND

  up [--witness route53|agent|none] [--replication async|zero-loss|zero-loss-strict] [--set KEY=VALUE]...
     [--boot-postgres] [--until hosts|services|healthy]
  down                             ends everything and removes its files
  status                           hosts, services, databases, instances, balancers, name
  exec HOST [--user USER] -- CMD   runs a command in a host
  kill HOST|SITE...                power loss: cable out, SIGKILL to everything
  start HOST|SITE [--boot-postgres]   power on (PostgreSQL started by the boot, before the guard)
  stop|start|restart HOST SERVICE  by init; the service postgres: pg_ctl, by a person
  signal HOST SERVICE SIGNAL       to its main process alone
  freeze|thaw HOST SERVICE         SIGSTOP and SIGCONT to all its processes [--hold-watchdog]
  env HOST SERVICE [KEY=VALUE]...  variables of a daemon from its next start on [--once]
  cut A B [--one-way]              A, B: a host, a site or all; one-way: what A sends to B
  heal [A B]                       takes cuts back
  load start|stop|report|burst     clients and writers [--config JSON]
  logs HOST SERVICE                what it has said (init, postgres too)

Every command takes --json. LAB_NAME names the lab as --name does.`;

const OPTIONS = {
  name: { type: 'string' },
  json: { type: 'boolean', default: false },
  witness: { type: 'string' },
  replication: { type: 'string' },
  set: { type: 'string', multiple: true },
  'boot-postgres': { type: 'boolean', default: false },
  'hold-watchdog': { type: 'boolean', default: false },
  until: { type: 'string' },
  user: { type: 'string' },
  config: { type: 'string' },
  'one-way': { type: 'boolean', default: false },
  once: { type: 'boolean', default: false },
  help: { type: 'boolean', short: 'h', default: false },
} as const;

type Values = ReturnType<typeof parse>['values'];

function parse(args: readonly string[]) {
  return parseArgs({ args: [...args], options: OPTIONS, allowPositionals: true });
}

interface Call {
  readonly lab: Lab;
  readonly words: readonly string[];
  readonly values: Values;
  /** What stands behind `--`. */
  readonly rest: readonly string[];
}

/** Text for people, the value for --json. */
interface Answer {
  readonly text?: string;
  readonly value?: unknown;
}

/** A command that has nothing to say returns nothing. */
type Done = Answer | undefined;

function word(call: Call, index: number, what: string): string {
  const value = call.words[index];
  if (value === undefined) throw new LabError(`${what} is missing\n\n${USAGE}`);
  return value;
}

function oneOf<T extends string>(value: string, allowed: readonly T[], what: string): T {
  const found = allowed.find((entry) => entry === value);
  if (found === undefined) throw new LabError(`${what} is one of ${allowed.join(', ')}, not "${value}"`);
  return found;
}

async function up({ lab, values }: Call): Promise<Answer> {
  const witness: WitnessKind = oneOf(values.witness ?? 'route53', WITNESS_KINDS, '--witness');
  const until = oneOf(values.until ?? 'healthy', ['hosts', 'services', 'healthy'] as const, '--until');
  const lines: string[] = [];
  const progress = (line: string) => {
    lines.push(line.trim());
    if (!values.json) console.log(line);
  };
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.once(signal, () => {
      void lab.down().finally(() => process.exit(130));
    });
  }
  const replication = values.replication === undefined ? [] : [`replication=${values.replication}`];
  await lab.up({
    witness,
    until,
    set: [...replication, ...(values.set ?? [])],
    bootPostgres: values['boot-postgres'],
    progress,
  });
  return { value: { name: lab.paths.name, progress: lines } };
}

function exec({ lab, words, values, rest }: Call): Answer {
  const host = requireHost(words[0] ?? '');
  if (rest.length === 0) throw new LabError('the command is missing: exec HOST -- CMD');
  const args = execArguments(lab.paths, host, rest, values.user);
  const stdio = values.json ? (['inherit', 'pipe', 'pipe'] as const) : 'inherit';
  const result = spawnSync('nsenter', args, { stdio: stdio as 'inherit', encoding: 'utf8' });
  process.exitCode = result.status ?? 128;
  return { value: { code: result.status, stdout: result.stdout, stderr: result.stderr } };
}

async function load(call: Call): Promise<Answer> {
  const action = oneOf(word(call, 0, 'start, stop, report or burst'), ['start', 'stop', 'report', 'burst'], 'load');
  const config = JSON.parse(call.values.config ?? '{}') as Record<string, unknown>;
  switch (action) {
    case 'start':
      await startLoad(call.lab, { client: config });
      return {};
    case 'stop':
      await stopLoad(call.lab);
      return {};
    case 'report':
    case 'burst': {
      const value = await (action === 'report' ? reportLoad(call.lab, config) : burst(call.lab, config));
      return { value, text: JSON.stringify(value, null, 2) };
    }
  }
}

async function start(call: Call): Promise<Answer> {
  const service = call.words[1];
  const host = word(call, 0, 'HOST');
  if (service !== undefined) await call.lab.startService(host, service);
  else if (call.values['boot-postgres']) await call.lab.start(host, { bootPostgres: true });
  else await call.lab.start(host);
  return {};
}

function env(call: Call): Answer {
  const pairs = call.words.slice(2).map((pair): [string, string] => {
    const equals = pair.indexOf('=');
    if (equals < 1) throw new LabError(`"${pair}" is not KEY=VALUE`);
    return [pair.slice(0, equals), pair.slice(equals + 1)];
  });
  call.lab.setServiceEnv(word(call, 0, 'HOST'), word(call, 1, 'SERVICE'), Object.fromEntries(pairs), {
    once: call.values.once,
  });
  return {};
}

async function status({ lab }: Call): Promise<Answer> {
  const value = await labStatus(lab);
  return { value, text: renderStatus(value) };
}

const hostAndService = (call: Call) => [word(call, 0, 'HOST'), word(call, 1, 'SERVICE')] as const;

async function silently(work: void | Promise<void>): Promise<Done> {
  await work;
  return undefined;
}

const COMMANDS: Readonly<Record<string, (call: Call) => Done | Promise<Done>>> = {
  up,
  exec,
  load,
  start,
  env,
  status,
  down: ({ lab }) => silently(lab.down()),
  kill: (call) => {
    word(call, 0, 'HOST');
    return silently(call.lab.kill(...call.words));
  },
  stop: (call) => silently(call.lab.stopService(...hostAndService(call))),
  restart: (call) => silently(call.lab.restartService(...hostAndService(call))),
  freeze: (call) => silently(call.lab.freeze(...hostAndService(call), { holdWatchdog: call.values['hold-watchdog'] })),
  thaw: (call) => silently(call.lab.thaw(...hostAndService(call))),
  signal: (call) => {
    const name = word(call, 2, 'SIGNAL').toUpperCase();
    const signal = (name.startsWith('SIG') ? name : `SIG${name}`) as NodeJS.Signals;
    return silently(call.lab.signal(...hostAndService(call), signal));
  },
  cut: (call) => silently(call.lab.cut(word(call, 0, 'A'), word(call, 1, 'B'), { oneWay: call.values['one-way'] })),
  heal: (call) => silently(call.lab.heal(call.words[0], call.words[1])),
  logs: (call) => {
    const text = call.lab.logs(...hostAndService(call));
    if (text === undefined) throw new LabError('it has said nothing');
    return { value: text, text };
  },
};

async function main(argv: readonly string[]): Promise<void> {
  const dashes = argv.indexOf('--');
  const rest = dashes < 0 ? [] : argv.slice(dashes + 1);
  const { values, positionals } = parse(dashes < 0 ? argv : argv.slice(0, dashes));
  const [name, ...words] = positionals;
  if (values.help || name === undefined) {
    console.log(USAGE);
    process.exitCode = values.help ? 0 : 2;
    return;
  }
  const command = COMMANDS[name];
  if (command === undefined) throw new LabError(`there is no command "${name}"\n\n${USAGE}`);
  if (process.getuid?.() !== 0) throw new LabError('the lab needs root: it makes network namespaces (use sudo)');
  const lab = new Lab(values.name === undefined ? {} : { name: values.name });
  const answer = await command({ lab, words, values, rest });
  if (values.json) console.log(JSON.stringify(answer?.value ?? { done: true }));
  else if (answer?.text !== undefined) console.log(answer.text.trimEnd());
}

try {
  await main(process.argv.slice(2));
} catch (error) {
  const known = error instanceof LabError || (error as { code?: string }).code?.startsWith('ERR_PARSE_ARGS') === true;
  console.error(`lab: ${known ? (error as Error).message : String((error as Error).stack)}`);
  process.exitCode = process.exitCode === undefined || process.exitCode === 0 ? 1 : process.exitCode;
}
