/**
 * Reads the cluster file. Nothing new starts on a bad file; a daemon that ran before starts on its last good copy and
 * says so. The only file of this room that touches the disk.
 */
import { chmodSync, closeSync, fsyncSync, openSync, readFileSync, renameSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { errorLine } from '../catalog/errors.ts';
import type { ClusterConfig } from './cluster.ts';
import type { ConfigProblem } from './problem.ts';
import { type ReadResult, readConfig, whole } from './read.ts';

export const CLUSTER_FILE = '/etc/siteward/cluster.yaml';

export type LoadResult = ReadResult & { readonly text: string };

export function loadConfig(path: string = CLUSTER_FILE): LoadResult {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    const problem = `cannot be read: ${(error as NodeJS.ErrnoException).code ?? String(error)}`;
    return {
      kind: 'bad',
      text: '',
      problems: [
        whole(
          path,
          problem,
          'a readable file; /usr/share/doc/siteward/examples/cluster.example.yaml is one to begin with',
        ),
      ],
    };
  }
  return { ...readConfig(text, path), text };
}

export type DaemonConfig =
  | {
      readonly kind: 'good';
      readonly config: ClusterConfig;
      readonly warnings: readonly ConfigProblem[];
      /** For `saveLastGood`, once the daemon has started. */
      readonly text: string;
      /** Set when the file is bad and the last good copy is used: to be logged, shown and counted until it is mended. */
      readonly alert?: string;
      /** What is wrong with the file, then. */
      readonly problems: readonly ConfigProblem[];
    }
  | { readonly kind: 'bad'; readonly problems: readonly ConfigProblem[] };

/** Where a daemon keeps its last good copy. */
export function lastGoodPath(stateDirectory: string, role: 'agent' | 'guard' | 'witness'): string {
  return join(stateDirectory, `${role}.last-good.yaml`);
}

export function loadForDaemon(path: string, lastGood: string): DaemonConfig {
  const now = loadConfig(path);
  if (now.kind === 'good') return { ...now, problems: [] };
  const before = loadConfig(lastGood);
  if (before.kind === 'bad') return { kind: 'bad', problems: now.problems };
  const first = now.problems[0];
  const what = first === undefined ? 'is bad' : `line ${first.line}: ${`${first.key} ${first.problem}`.trim()}`;
  const alert = `${errorLine('SW-CONFIG-002')} ${path} ${what}; run siteward config check`;
  return { ...before, alert, problems: now.problems };
}

/** Atomic and durable; called once the daemon has started with this text, so that it never keeps one that it could not
 *  start with. Does nothing when the copy is there already. */
export function saveLastGood(lastGood: string, text: string): void {
  if (readOrEmpty(lastGood) === text) return;
  const staged = `${lastGood}.new`;
  writeDurably(staged, text);
  renameSync(staged, lastGood);
  const directory = openSync(dirname(lastGood), 'r');
  try {
    fsyncSync(directory);
  } finally {
    closeSync(directory);
  }
}

function readOrEmpty(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}

function writeDurably(path: string, text: string): void {
  const file = openSync(path, 'w', 0o640);
  try {
    chmodSync(path, 0o640);
    writeFileSync(file, text);
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
}

/** Files with secrets that exist on this host and that others than their owner can read or write. */
export function checkSecretFiles(config: ClusterConfig, file: string): readonly ConfigProblem[] {
  return secretFiles(config).flatMap(({ key, path }) => {
    const mode = modeOf(path);
    if (mode === undefined || (mode & 0o077) === 0) return [];
    const octal = (mode & 0o777).toString(8).padStart(4, '0');
    const problem = `${path} has mode ${octal}: others than its owner can read or write it`;
    return [{ ...whole(file, problem, `chmod 0600 ${path}`), key }];
  });
}

function secretFiles(config: ClusterConfig): readonly { readonly key: string; readonly path: string }[] {
  const { database, ssh, haproxy, witness, dns, keys } = config;
  const names = [...Object.keys(keys.pins), ...Object.keys(keys.operators)];
  const files = [
    { key: 'database.probe.passwordFile', path: database.probe.passwordFile },
    { key: 'database.replication.passwordFile', path: database.replication.passwordFile },
    { key: 'ssh.keyFile', path: ssh.keyFile },
    { key: 'haproxy.statistics.passwordFile', path: haproxy.statistics.passwordFile },
    ...names.map((name) => ({ key: 'keys.directory', path: join(keys.directory, `${name}.key`) })),
  ];
  for (const [key, part] of Object.entries({ witness, dns })) {
    if (part.kind === 'route53' && part.route53.credentialsFile !== undefined) {
      files.push({ key: `${key}.route53.credentialsFile`, path: part.route53.credentialsFile });
    }
  }
  return files;
}

function modeOf(path: string): number | undefined {
  try {
    return statSync(path).mode;
  } catch {
    // Not on this host, or not for this account to see: nothing to say about it here.
    return undefined;
  }
}
