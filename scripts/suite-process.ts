/**
 * Starts the command of one suite, writes what it says to a log, and ends it when its time is over. Used by run-suites.ts.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { createWriteStream } from 'node:fs';
import { join } from 'node:path';
import type { Suite } from './suites.ts';

const root = join(import.meta.dirname, '..');
/** After the limit a suite gets this long to put away what it made (a lab has namespaces and mounts). */
const CLEAN_UP_SECONDS = 30;
/** Something that a suite left behind may hold its output open; it does not hold up the others. */
const LEFT_BEHIND_SECONDS = 5;

const running = new Map<ChildProcess, Suite>();

/** Whether it ended well. Its lines go to the log and, for a suite that is shown, to standard output. */
export function runCommand(suite: Suite, logPath: string): Promise<boolean> {
  const { promise, resolve } = Promise.withResolvers<boolean>();
  const path = `${join(root, 'node_modules/.bin')}:${process.env['PATH'] ?? ''}`;
  const [file = '', ...args] = withRights(suite, path);
  const log = createWriteStream(logPath);
  // A group of its own, so that all of it can be ended, and so that a Ctrl-C reaches it once: from here.
  const child = spawn(file, args, {
    cwd: root,
    env: { ...process.env, PATH: path, NO_COLOR: '1', FORCE_COLOR: undefined },
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: !usesSudo(suite),
  });
  running.set(child, suite);
  const limit = setTimeout(() => {
    log.write(`\nended after its limit of ${suite.limitSeconds} s\n`);
    end(child, suite);
  }, suite.limitSeconds * 1000);
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (chunk: Buffer) => {
      log.write(chunk);
      if (suite.shown === true) process.stdout.write(chunk);
    });
  }
  child.on('error', (error) => log.write(`${file}: ${error.message}\n`));
  child.on('exit', () => {
    clearTimeout(limit);
    setTimeout(
      () => [child.stdout, child.stderr].map((stream) => stream.destroy()),
      LEFT_BEHIND_SECONDS * 1000,
    ).unref();
  });
  child.on('close', (code) => {
    running.delete(child);
    log.end(() => resolve(code === 0));
  });
  return promise;
}

export function endAll(): void {
  for (const [child, suite] of running) end(child, suite);
}

function usesSudo(suite: Suite): boolean {
  return suite.asRoot === true && process.getuid?.() !== 0;
}

/** What needs root gets it through sudo, whose PATH is not ours, and which only root can signal: so timeout(1) ends it. */
function withRights(suite: Suite, path: string): readonly string[] {
  if (!usesSudo(suite)) return suite.command;
  const limit = ['timeout', '--foreground', `--kill-after=${CLEAN_UP_SECONDS}`, String(suite.limitSeconds)];
  return ['sudo', '--', 'env', `PATH=${path}`, ...limit, ...suite.command];
}

/** A suite that runs as root puts its own children away, and is told alone; of the others the whole group is ended. */
function end(child: ChildProcess, suite: Suite): void {
  signal(child, 'SIGTERM', suite.asRoot !== true);
  setTimeout(() => signal(child, 'SIGKILL', true), CLEAN_UP_SECONDS * 1000).unref();
}

function signal(child: ChildProcess, name: NodeJS.Signals, wholeGroup: boolean): void {
  if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) return;
  try {
    process.kill(wholeGroup ? -child.pid : child.pid, name);
  } catch {
    // It has just ended by itself, or runs under sudo.
  }
}
