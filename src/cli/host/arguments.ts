// The words written in authorized_keys: which kind of host this is and where its things lie. They come from whoever
// deployed the key, never from the other end of the connection.
//
//   siteward-host application --directory /srv/birthday --state /var/lib/siteward-host --ports 8001,8002,8003
//                 [--env-file .env] [--pid-file /run/birthday/{port}.pid] [--wait-ms 3000]
//                 [-- docker kill -s HUP birthday-{port}]
//   siteward-host database --data /var/lib/postgresql/15/main --bin /usr/lib/postgresql/15/bin
//                 --state /var/lib/siteward-host [--guard-epoch /run/siteward/guard.epoch] [--wait-ms 3000]

import { parseArgs } from 'node:util';
import type { ApplicationHost } from './application.ts';
import type { DatabaseHost } from './database.ts';

export type HostKind =
  | { readonly kind: 'application'; readonly host: ApplicationHost; readonly waitMs: number }
  | { readonly kind: 'database'; readonly host: DatabaseHost; readonly waitMs: number };

const stepDeadlineMs = 5000;

/** Throws an Error with a sentence for the person who wrote the words. */
export function parseHostArguments(argv: readonly string[]): HostKind {
  const [kind, ...words] = argv;
  if (kind === 'application') return applicationKind(words);
  if (kind === 'database') return databaseKind(words);
  throw new Error('the first word must be `application` or `database`');
}

function applicationKind(words: readonly string[]): HostKind {
  const end = words.indexOf('--');
  const command = end < 0 ? [] : words.slice(end + 1);
  const { values } = parseArgs({
    args: end < 0 ? [...words] : words.slice(0, end),
    strict: true,
    options: {
      directory: { type: 'string' },
      'env-file': { type: 'string', default: '.env' },
      state: { type: 'string' },
      ports: { type: 'string' },
      'pid-file': { type: 'string', default: '/run/birthday/{port}.pid' },
      'wait-ms': { type: 'string', default: '3000' },
    },
  });
  const ports = required(values.ports, 'ports')
    .split(',')
    .map((word) => wholeNumber(word, 'ports'));
  const envFile = values['env-file'];
  if (envFile.includes('/')) throw new Error('--env-file is a name, not a path');
  return {
    kind: 'application',
    waitMs: wholeNumber(values['wait-ms'], 'wait-ms'),
    host: {
      directory: absolute(values.directory, 'directory'),
      envFile,
      stateDirectory: absolute(values.state, 'state'),
      reload:
        command.length > 0
          ? { kind: 'command', command, ports }
          : { kind: 'sighup', pidFile: absolute(values['pid-file'], 'pid-file'), ports },
      reloadDeadlineMs: stepDeadlineMs,
    },
  };
}

function databaseKind(words: readonly string[]): HostKind {
  const { values } = parseArgs({
    args: [...words],
    strict: true,
    options: {
      data: { type: 'string' },
      bin: { type: 'string' },
      state: { type: 'string' },
      'guard-epoch': { type: 'string', default: '/run/siteward/guard.epoch' },
      'wait-ms': { type: 'string', default: '3000' },
    },
  });
  return {
    kind: 'database',
    waitMs: wholeNumber(values['wait-ms'], 'wait-ms'),
    host: {
      dataDirectory: absolute(values.data, 'data'),
      binDirectory: absolute(values.bin, 'bin'),
      stateDirectory: absolute(values.state, 'state'),
      guardEpochFile: absolute(values['guard-epoch'], 'guard-epoch'),
      killDeadlineMs: stepDeadlineMs,
    },
  };
}

function required(value: string | undefined, name: string): string {
  if (value === undefined || value === '') throw new Error(`--${name} is missing`);
  return value;
}

function absolute(value: string | undefined, name: string): string {
  const path = required(value, name);
  if (!path.startsWith('/')) throw new Error(`--${name} must be an absolute path`);
  return path;
}

function wholeNumber(word: string, name: string): number {
  if (!/^[1-9]\d{0,5}$/.test(word)) throw new Error(`--${name}: "${word}" is no whole number`);
  return Number(word);
}
