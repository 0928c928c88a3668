/** Running commands with a deadline, and reading /proc. Nothing here knows about the lab. */
import { spawn } from 'node:child_process';
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';

export interface RunResult {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
  /** It was killed at its deadline. */
  readonly timedOut: boolean;
}

export interface RunOptions {
  readonly input?: string;
  readonly timeoutMs?: number;
  readonly env?: NodeJS.ProcessEnv;
}

const MAX_OUTPUT = 16 * 1024 * 1024;

/** Runs to the end; never throws for the program's own failure. */
export function run(command: string, args: readonly string[], options: RunOptions = {}): Promise<RunResult> {
  return new Promise((resolve) => {
    const child = spawn(command, args, { stdio: ['pipe', 'pipe', 'pipe'], env: options.env ?? process.env });
    let stdout = '';
    let stderr = '';
    let timedOut = false;
    const timer = setTimeout(() => {
      timedOut = true;
      child.kill('SIGKILL');
    }, options.timeoutMs ?? 60_000);
    const finish = (code: number) => {
      clearTimeout(timer);
      // What a program left behind may hold these open for ever; nobody waits for it here.
      child.stdout.destroy();
      child.stderr.destroy();
      resolve({ code, stdout, stderr, timedOut });
    };
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      if (stdout.length < MAX_OUTPUT) stdout += text;
    });
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      if (stderr.length < MAX_OUTPUT) stderr += text;
    });
    child.on('error', (error) => {
      stderr += error.message;
      finish(127);
    });
    // A daemon that the command left behind may hold its output open: then `close` never comes.
    child.on('exit', (code) => setTimeout(() => finish(code ?? (timedOut ? 124 : 128)), 250));
    child.on('close', (code) => finish(code ?? (timedOut ? 124 : 128)));
    child.stdin.on('error', () => {});
    child.stdin.end(options.input ?? '');
  });
}

/** Runs and insists on success. */
export async function must(command: string, args: readonly string[], options: RunOptions = {}): Promise<string> {
  const result = await run(command, args, options);
  if (result.code === 0) return result.stdout;
  const why = result.timedOut ? 'ran into its deadline' : `failed with ${result.code}`;
  throw new Error(`${[command, ...args].join(' ').slice(0, 400)} ${why}: ${(result.stderr || result.stdout).trim()}`);
}

export const sleep = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms));

/** Asks until the answer is not undefined; undefined when the time is over. */
export async function waitFor<T>(
  ask: () => T | undefined | Promise<T | undefined>,
  timeoutMs: number,
  everyMs = 50,
): Promise<T | undefined> {
  const end = performance.now() + timeoutMs;
  for (;;) {
    const answer = await ask();
    if (answer !== undefined) return answer;
    if (performance.now() > end) return undefined;
    await sleep(everyMs);
  }
}

function read(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
}

export interface ProcessStat {
  readonly pid: number;
  readonly comm: string;
  readonly state: string;
  readonly ppid: number;
  readonly session: number;
  /** Clock ticks since boot: with the pid it names one process for ever. */
  readonly startTime: number;
}

export function readStat(pid: number): ProcessStat | undefined {
  const text = read(`/proc/${pid}/stat`);
  if (text === undefined) return undefined;
  const close = text.lastIndexOf(')');
  const fields = text.slice(close + 2).split(' ');
  return {
    pid,
    comm: text.slice(text.indexOf('(') + 1, close),
    state: fields[0] ?? '?',
    ppid: Number(fields[1]),
    session: Number(fields[3]),
    startTime: Number(fields[19]),
  };
}

export interface ProcessMark {
  readonly pid: number;
  readonly startTime: number;
}

export function markOf(pid: number): ProcessMark | undefined {
  const stat = readStat(pid);
  return stat && { pid, startTime: stat.startTime };
}

/** The very process that was marked, and not a zombie. */
export function isAlive(mark: ProcessMark | undefined): mark is ProcessMark {
  if (mark === undefined) return false;
  const stat = readStat(mark.pid);
  return stat !== undefined && stat.startTime === mark.startTime && stat.state !== 'Z' && stat.state !== 'X';
}

/** A pid is never signalled without a look at its start time. */
export function signalMarked(mark: ProcessMark | undefined, signal: NodeJS.Signals): boolean {
  if (!isAlive(mark)) return false;
  try {
    process.kill(mark.pid, signal);
    return true;
  } catch {
    return false;
  }
}

export function childrenOf(pid: number): readonly number[] {
  return (read(`/proc/${pid}/task/${pid}/children`) ?? '').split(' ').filter(Boolean).map(Number);
}

export interface NamespacedProcess extends ProcessStat {
  /** The id it has in its own namespace. */
  readonly innerPid: number;
}

/** Every process of the PID namespace that `init` is the first process of. */
export function processesBelow(init: number): readonly NamespacedProcess[] {
  const namespace = link(`/proc/${init}/ns/pid`);
  if (namespace === undefined) return [];
  const found: NamespacedProcess[] = [];
  for (const entry of readdirSync('/proc')) {
    const pid = Number(entry);
    if (!Number.isInteger(pid) || link(`/proc/${pid}/ns/pid`) !== namespace) continue;
    const stat = readStat(pid);
    const inner = /^NSpid:.*\s(\d+)$/m.exec(read(`/proc/${pid}/status`) ?? '');
    if (stat !== undefined && inner !== null) found.push({ ...stat, innerPid: Number(inner[1]) });
  }
  return found;
}

function link(path: string): string | undefined {
  try {
    return readlinkSync(path);
  } catch {
    return undefined;
  }
}
