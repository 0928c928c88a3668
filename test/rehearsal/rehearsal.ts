/** One run: step after step on one fleet, each with its time; whatever happens the fleet is put away at the end. */
import { join } from 'node:path';
import { eyesOf } from '../lab/scenarios/kit/eyes.ts';
import { keepLogs } from '../lab/scenarios/run/logs.ts';
import type { Lab } from '../lab/src/lab.ts';
import { REPOSITORY } from '../lab/src/paths.ts';
import type { RunResult } from '../lab/src/process.ts';
import { LabError } from '../lab/src/topology.ts';
import type { Archives } from './application-image.ts';
import type { Fleet } from './fleet.ts';
import type { Step } from './plan.ts';

const DEPLOY = join(REPOSITORY, 'deploy');

/** Files: this version, and one that calls itself the next. */
export interface Packages {
  readonly now: string;
  readonly next: string;
}

interface Done {
  readonly name: string;
  readonly ok: boolean;
  readonly seconds: number;
  readonly note: string;
}

export class Rehearsal {
  readonly fleet: Fleet;
  readonly #keep: boolean;
  readonly #begun = performance.now();
  readonly #done: Done[] = [];
  #note = '';
  /** Made once, by the step that builds them. */
  archives: Archives | null = null;
  packages: Promise<Packages> | null = null;

  constructor(fleet: Fleet, keep: boolean) {
    this.fleet = fleet;
    this.#keep = keep;
  }

  get inventory(): string {
    return join(this.fleet.paths.base, 'inventory.yaml');
  }

  /** The hosts end with this run, unless they are to be kept. */
  get tied(): boolean {
    return !this.#keep;
  }

  readonly say = (text: string): void => {
    console.log(`${((performance.now() - this.#begun) / 1000).toFixed(1).padStart(6)} s  ${text}`);
  };

  /** A figure for the closing table. */
  note(text: string): void {
    this.#note = this.#note === '' ? text : `${this.#note}, ${text}`;
  }

  /** Whether all went well; steps that are not begun within so many minutes are left out, and said to be. */
  async run(steps: readonly Step[], minutes: number): Promise<boolean> {
    let ok = true;
    try {
      for (const step of steps) {
        if (performance.now() - this.#begun > minutes * 60_000) {
          this.say(`${step.name}: left out, and all after it: the ${minutes} minutes are over`);
          break;
        }
        ok = await this.#step(step);
        if (!ok) break;
      }
    } finally {
      await this.end();
    }
    const total = (performance.now() - this.#begun) / 1000;
    console.log(`\n${this.#table()}\n`);
    const failed = this.#done.filter((each) => !each.ok).length;
    console.log(
      `rehearsal: ${this.#done.length - failed} passed, ${failed} failed, ${steps.length - this.#done.length} skipped, ${total.toFixed(0)} s`,
    );
    return ok;
  }

  async #step(step: Step): Promise<boolean> {
    const begin = performance.now();
    this.#note = '';
    this.say(`${step.name}: ${step.title}`);
    let why: string | null = null;
    try {
      await step.run(this);
    } catch (error) {
      const known = error instanceof LabError || ['Broken', 'Unsafe'].includes((error as Error).name);
      why = known ? (error as Error).message : String((error as Error).stack);
    }
    const seconds = (performance.now() - begin) / 1000;
    this.#done.push({ name: step.name, ok: why === null, seconds, note: why === null ? this.#note : 'FAILED' });
    this.say(
      `${step.name}: ${why === null ? 'ok' : `FAILED: ${why}`} (${seconds.toFixed(0)} s${this.#note === '' ? '' : `; ${this.#note}`})`,
    );
    if (why !== null && this.fleet.isUp) await this.#keepLogs(step.name);
    return why === null;
  }

  async #keepLogs(name: string): Promise<void> {
    try {
      this.say(`logs: ${await keepLogs(this.fleet as Lab, `rehearsal-${name}`)}`);
    } catch (error) {
      this.say(`no logs: ${String(error)}`);
    }
  }

  #table(): string {
    const width = Math.max(...this.#done.map(({ name }) => name.length));
    return this.#done
      .map(
        ({ name, ok, seconds, note }) =>
          `${name.padEnd(width)}  ${ok ? 'ok' : '--'}  ${seconds.toFixed(0).padStart(4)} s  ${note}`,
      )
      .join('\n');
  }

  async end(): Promise<void> {
    eyesOf(this.fleet).close();
    if (this.#keep || !this.fleet.isUp) return;
    await this.fleet.down();
    this.say('the hosts are put away');
  }

  /** One of the operator's commands in deploy/, from a place that reaches the hosts. Insists on success unless told. */
  async deploy(command: readonly string[], timeoutMs: number, mayFail = false): Promise<RunResult> {
    const [program = '', ...args] = command;
    const result = await this.fleet.operator([join(DEPLOY, program), '--hosts', this.inventory, ...args], timeoutMs);
    if (result.code !== 0 && !mayFail)
      throw new LabError(`deploy/${command.join(' ')}: ${result.stderr.trim().slice(-1500)}`);
    return result;
  }

  /** A playbook of deploy/ansible. */
  async playbook(name: string, timeoutMs: number): Promise<void> {
    const ansible = join(DEPLOY, 'ansible');
    const words = ['-i', `${ansible}/defaults.yaml`, '-i', this.inventory, join(ansible, name)];
    const env = { ANSIBLE_CONFIG: join(ansible, 'ansible.cfg'), ANSIBLE_NOCOLOR: '1' };
    const result = await this.fleet.operator(['ansible-playbook', ...words], timeoutMs, env);
    if (result.code !== 0) throw new LabError(`${name}: ${failuresOf(result)}`);
  }

  /** A stage of deploy/Jenkinsfile, as its server runs it: a script of deploy/ci, the inventory, what it brings. */
  async stage(script: string, args: readonly string[], timeoutMs: number, mayFail = false): Promise<RunResult> {
    const command = [join(DEPLOY, 'ci', script), this.inventory, ...args];
    const result = await this.fleet.operator(command, timeoutMs, { ANSIBLE_NOCOLOR: '1' });
    if (result.code !== 0 && !mayFail) throw new LabError(`deploy/ci/${script}: ${failuresOf(result)}`);
    return result;
  }
}

export function failuresOf({ stdout, stderr }: RunResult): string {
  const lines = stdout.split('\n').filter((line) => /^(fatal|failed|TASK .*)/.test(line));
  const at = lines.findIndex((line) => !line.startsWith('TASK'));
  return (
    at < 0 ? `${stdout.slice(-800)}${stderr.slice(-800)}` : lines.slice(Math.max(0, at - 1), at + 3).join('\n')
  ).slice(0, 3000);
}
