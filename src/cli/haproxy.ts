/** `siteward haproxy render [--with-password] [FILE]`: haproxy.cfg of a service host, from the cluster file. */
import { readFileSync } from 'node:fs';
import { renderHaproxy } from '../adapters/haproxy/render.ts';
import { errorLine } from '../catalog/errors.ts';
import { EXIT } from '../catalog/exit-codes.ts';
import { CLUSTER_FILE, loadConfig } from '../config/load.ts';
import { formatProblems } from '../config/problem.ts';
import type { Output } from './config.ts';

export const PASSWORD_VARIABLE = 'HAPROXY_STATISTICS_PASSWORD';

const USAGE = `usage: siteward haproxy render [--with-password] [FILE]

Prints haproxy.cfg for the service hosts; it is the same on both. The password of the statistics page is taken from the
variable ${PASSWORD_VARIABLE} when HAProxy starts, or, with --with-password, written into the output from
the file that the cluster file names: keep that output out of reach of others.

FILE is ${CLUSTER_FILE} when absent.`;

/** Returns the exit code. */
export function runHaproxy(args: readonly string[], output: Output): number {
  const words = args.filter((word) => word !== '--with-password');
  const [command, file = CLUSTER_FILE, ...more] = words;
  if (command === '--help' || command === '-h') {
    output.out(USAGE);
    return EXIT.ok;
  }
  if (command !== 'render' || more.length > 0 || file.startsWith('-')) {
    output.err(USAGE);
    return EXIT.usage;
  }
  const loaded = loadConfig(file);
  if (loaded.kind === 'bad') {
    output.err(`${formatProblems(loaded.problems)}\n${errorLine('SW-CONFIG-001')}`);
    return EXIT.config;
  }
  const account = { user: 'haproxy', group: 'haproxy' };
  if (words.length === args.length) {
    const password = { kind: 'environment', name: PASSWORD_VARIABLE } as const;
    output.out(renderHaproxy(loaded.config, { password, account }).trimEnd());
    return EXIT.ok;
  }
  const { passwordFile } = loaded.config.haproxy.statistics;
  try {
    const value = (readFileSync(passwordFile, 'utf8').split('\n')[0] ?? '').trimEnd();
    output.out(renderHaproxy(loaded.config, { password: { kind: 'value', value }, account }).trimEnd());
    return EXIT.ok;
  } catch (error) {
    output.err(`${passwordFile}: ${error instanceof Error ? error.message : String(error)}`);
    return EXIT.config;
  }
}
