/** The load of a sequence: test/lab/load's client and writers, and the registers. */
import type { ChildProcessByStdio } from 'node:child_process';
import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Readable, Writable } from 'node:stream';
import { beginLoad } from '../../lab/scenarios/kit/measure.ts';
import { execArguments } from '../../lab/src/hosts.ts';
import type { Lab } from '../../lab/src/lab.ts';
import { stopLoad } from '../../lab/src/load.ts';
import { LabError } from '../../lab/src/topology.ts';

/** Half the usual pace: the machine has more to do here than to write. */
const PACE = { client: { writeEveryMs: 40, readEveryMs: 80 }, writer: { everyMs: 30 } };

export class Load {
  readonly directory: string;
  readonly run: string;
  readonly #lab: Lab;
  readonly #registers: ChildProcessByStdio<Writable, null, Readable>;
  #said = '';

  private constructor(lab: Lab) {
    this.#lab = lab;
    this.directory = join(lab.paths.load, 'out');
    const text = readFileSync(join(lab.paths.load, 'client.json'), 'utf8');
    const { run, out, name, dnsServer } = JSON.parse(text) as Record<string, string>;
    if (run === undefined) throw new LabError('the load has no name');
    this.run = run;
    const config = JSON.stringify({ run, out, name, dnsServer });
    const program = ['nice', '-n', '5', 'node', '/opt/repo/test/chaos/load/registers.ts', '--config', config];
    this.#registers = spawn('nsenter', [...execArguments(lab.paths, 'client', program)], {
      stdio: ['pipe', 'ignore', 'pipe'],
    });
    this.#registers.stdin.on('error', () => {});
    this.#registers.stderr.setEncoding('utf8').on('data', (said: string) => {
      this.#said += said;
    });
  }

  /** Returns once writes are acknowledged at a steady pace. */
  static async start(lab: Lab): Promise<Load> {
    await beginLoad({ lab, load: PACE });
    return new Load(lab);
  }

  /** Undefined while all of it runs: a history without the registers would be half of one. */
  get problem(): string | undefined {
    if (this.#registers.exitCode === null) return undefined;
    return `the registers' load ended with ${this.#registers.exitCode}: ${this.#said.trim().slice(-300)}`;
  }

  async stop(): Promise<void> {
    const ended = new Promise<void>((resolve) => this.#registers.once('exit', () => resolve()));
    this.#registers.stdin.end();
    await Promise.all([ended, stopLoad(this.#lab)]);
  }
}
