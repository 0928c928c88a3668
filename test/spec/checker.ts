/** One run of spin: the model becomes a program of its own, which searches every state that the bounds allow. */
import { spawn } from 'node:child_process';
import { mkdirSync, rmSync } from 'node:fs';
import { join, relative } from 'node:path';
import type { Case } from './cases.ts';

export interface Outcome {
  readonly kind: 'holds' | 'broken' | 'failed';
  /** The invariant of the assertion that failed. */
  readonly invariant?: string;
  /** Steps from the start to the failed assertion: the fewest, since weakened rules are searched breadth first. */
  readonly steps?: number;
  readonly states: number;
  /** On one processor. */
  readonly seconds: number;
  readonly mebibytes: number;
  /** What went wrong with the run itself. */
  readonly why?: string;
}

export interface Limits {
  readonly mebibytes: number;
  readonly seconds: number;
}

const root = join(import.meta.dirname, '../..');
const running = new Set<number>();

/** Ends what is still running: each command is a process group of its own. */
export function stopAll(): void {
  for (const pid of running) {
    try {
      process.kill(-pid, 'SIGKILL');
    } catch {
      // It has ended by itself.
    }
  }
}

export function folderOf(name: string): string {
  return join(root, '.state/spec', name);
}

export async function check(each: Case, limits: Limits): Promise<Outcome> {
  const folder = folderOf(each.name);
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  const macros = each.options.split(' ').filter((option) => option !== '');
  const model = relative(folder, join(import.meta.dirname, `${each.model}.pml`));
  const translated = await run(folder, ['spin', '-a', ...macros.map((macro) => `-D${macro}`), model], 60);
  if (translated.code !== 0 || /error/i.test(translated.output)) return failure('spin', translated.output);
  // Breadth first gives the shortest way to a broken invariant, and is so soon there that optimising takes longer; depth
  // first needs less memory where there is nothing to find.
  const search = each.expect.kind === 'caught' && each.depthFirst !== true ? ['-DBFS', '-O0'] : ['-O1'];
  const flags = ['-w', '-DSAFETY', '-DNOREDUCE', '-DNOFAIR', '-DVECTORSZ=256', `-DMEMLIM=${limits.mebibytes}`];
  const compiled = await run(folder, ['gcc', ...flags, ...search, '-o', 'pan', 'pan.c'], 120);
  if (compiled.code !== 0) return failure('gcc', compiled.output);
  const searched = await run(folder, ['sh', '-c', './pan -m100000 -w24; times'], limits.seconds);
  const outcome = read(searched.output);
  if (outcome.kind === 'holds') rmSync(folder, { recursive: true, force: true });
  return outcome;
}

/** What the search printed. Anything but a completed search or a failed assertion is a failure of the run. */
function read(output: string): Outcome {
  const number = (pattern: RegExp): number => Number(pattern.exec(output)?.[1] ?? Number.NaN);
  const states = number(/^ *(\d+(?:\.\d+)?(?:e\+\d+)?) states, stored/m);
  const mebibytes = Math.round(number(/([\d.]+)\s+total actual memory usage/));
  const seconds = processorSeconds(output);
  const measured = { states, seconds, mebibytes };
  const broken = /assertion violated \(*100(\d)\b.*\(at depth (\d+)\)/.exec(output);
  if (broken !== null) {
    return { kind: 'broken', invariant: `I${broken[1]}`, steps: Number(broken[2]), ...measured };
  }
  const complete =
    /errors: 0$/m.test(output) && !/too small|not completed|hit MEMLIM|truncated|out of memory/i.test(output);
  if (complete && states > 0) return { kind: 'holds', ...measured };
  return { ...failure('search', output), ...measured };
}

/** What the shell's `times` says of its children: time on a processor, whatever else the machine is busy with. */
function processorSeconds(output: string): number {
  const last = output.trimEnd().split('\n').at(-1) ?? '';
  const parts = [...last.matchAll(/(\d+)m([\d.]+)s/g)].map(([, minutes, rest]) => Number(minutes) * 60 + Number(rest));
  return parts.reduce((sum, part) => sum + part, 0);
}

function failure(what: string, output: string): Outcome {
  const why = `${what}: ${output.trim().split('\n').slice(0, 4).join(' | ')}`;
  return { kind: 'failed', why, states: 0, seconds: 0, mebibytes: 0 };
}

interface Ended {
  readonly code: number | undefined;
  readonly output: string;
}

function run(folder: string, command: readonly string[], limitSeconds: number): Promise<Ended> {
  return new Promise((resolve) => {
    const [program = '', ...args] = command;
    const child = spawn(program, args, { cwd: folder, detached: true, stdio: ['ignore', 'pipe', 'pipe'] });
    let output = '';
    const note = (bytes: Buffer): void => {
      output += bytes.toString();
    };
    child.stdout.on('data', note);
    child.stderr.on('data', note);
    const { pid } = child;
    if (pid !== undefined) running.add(pid);
    const timer = setTimeout(() => {
      output += `\nnot completed within ${limitSeconds} s`;
      child.kill('SIGKILL');
    }, limitSeconds * 1000);
    const end = (code: number | undefined): void => {
      clearTimeout(timer);
      if (pid !== undefined) running.delete(pid);
      resolve({ code, output });
    };
    child.on('error', (error) => {
      output += error.message;
      end(undefined);
    });
    child.on('close', (code) => end(code ?? undefined));
  });
}
