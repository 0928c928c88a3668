/** One looking process a host of a lab, made when it is first needed and again after each power loss. */
import type { ChildProcessByStdio } from 'node:child_process';
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Readable, Writable } from 'node:stream';
import type { PeerId } from '../../../../src/core/site.ts';
import { execArguments, initOf } from '../../src/hosts.ts';
import type { Lab } from '../../src/lab.ts';
import type { HostName } from '../../src/topology.ts';

export type Question = { readonly timeoutMs: number } & (
  | { readonly kind: 'http'; readonly url: string; readonly headers: Readonly<Record<string, string>> }
  | { readonly kind: 'dns'; readonly server: string; readonly name: string }
  | { readonly kind: 'sql'; readonly socketDirectory: string; readonly database: string; readonly query: string }
  | { readonly kind: 'agent'; readonly etc: string; readonly operator: string; readonly peer: PeerId }
);

/** An error's text stands for every reason why there is no answer. */
export type Seen<T> = { readonly value: T } | { readonly error: string };

interface Eye {
  readonly init: number;
  readonly child: ChildProcessByStdio<Writable, Readable, null>;
  readonly waiting: Map<number, (seen: Seen<unknown>) => void>;
}

export class Eyes {
  readonly #lab: Lab;
  readonly #eyes = new Map<HostName, Eye>();
  #last = 0;

  constructor(lab: Lab) {
    this.#lab = lab;
  }

  async ask<T>(host: HostName, question: Question): Promise<Seen<T>> {
    const init = initOf(this.#lab.paths, host);
    if (init === undefined) return { error: 'host is off' };
    let eye = this.#eyes.get(host);
    if (eye === undefined || eye.init !== init || eye.child.exitCode !== null) {
      eye?.child.kill('SIGKILL');
      eye = this.#open(host, init);
      this.#eyes.set(host, eye);
    }
    const { waiting, child } = eye;
    this.#last += 1;
    const id = this.#last;
    return new Promise((resolve) => {
      // The process has a deadline of its own; this one is for a process that is starved or gone.
      const timer = setTimeout(() => take({ error: 'no answer' }), question.timeoutMs + 15_000);
      const take = (seen: Seen<unknown>) => {
        clearTimeout(timer);
        waiting.delete(id);
        resolve(seen as Seen<T>);
      };
      waiting.set(id, take);
      child.stdin.write(`${JSON.stringify({ id, question })}\n`);
    });
  }

  close(): void {
    for (const { child } of this.#eyes.values()) child.kill('SIGKILL');
    this.#eyes.clear();
  }

  #open(host: HostName, init: number): Eye {
    const child = spawn('nsenter', this.#command(host, init), {
      stdio: ['pipe', 'pipe', 'ignore'],
    }) as ChildProcessByStdio<Writable, Readable, null>;
    const waiting: Eye['waiting'] = new Map();
    const lost = () => {
      for (const take of [...waiting.values()]) take({ error: 'the looking process ended' });
    };
    child.stdin.on('error', () => {});
    child.on('error', lost);
    child.on('exit', lost);
    createInterface(child.stdout).on('line', (line) => {
      const { id, ...seen } = JSON.parse(line) as { readonly id: number } & Seen<unknown>;
      waiting.get(id)?.(seen);
    });
    return { init, child, waiting };
  }

  /** In the client's host as postgres, whom the databases' sockets let in; elsewhere only in the host's network. */
  #command(host: HostName, init: number): readonly string[] {
    const program = 'test/lab/scenarios/kit/eye-process.ts';
    if (host === 'client') return execArguments(this.#lab.paths, host, ['node', `/opt/repo/${program}`], 'postgres');
    return ['-t', String(init), '-n', '--', process.execPath, join(import.meta.dirname, 'eye-process.ts')];
  }
}

const all = new WeakMap<Lab, Eyes>();

export function eyesOf(lab: Lab): Eyes {
  const eyes = all.get(lab) ?? new Eyes(lab);
  all.set(lab, eyes);
  return eyes;
}
