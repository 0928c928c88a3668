// One running instance of the Birthday application, as the tests drive it: its .env, its signals, its HTTP, and a client that loads it.
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { Agent, request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DB, eventually, freePort, leftovers } from './app-postgres.ts';

const MAIN = join(import.meta.dirname, '..', '..', 'app', 'src', 'main.ts');

export interface Answer {
  readonly status: number;
  readonly headers: NodeJS.Dict<string | string[]>;
  readonly text: string;
}

interface Sending {
  readonly type?: string;
  readonly signal?: AbortSignal;
}

export function envText(port: number, overrides: Record<string, string | number> = {}): string {
  const values = { SECRET_KEY: 'x', dbhost: '127.0.0.1', dbport: port, dbname: DB.name, dbuser: DB.user };
  const all = { ...values, dbpass: `'${DB.password}'`, dbappname: 'birthday-test', ...overrides };
  return Object.entries(all)
    .map(([key, value]) => `${key}=${value}\n`)
    .join('');
}

export class TestInstance {
  readonly folder = mkdtempSync(join(tmpdir(), 'app-instance-'));
  readonly #agent = new Agent({ keepAlive: true });
  #port = 0;
  #process: ChildProcess | null = null;
  output = '';

  async start(databasePort: number, env: Record<string, string> = {}): Promise<void> {
    this.#port = await freePort();
    this.writeEnv(envText(databasePort));
    this.#process = this.#spawn('serve', env);
    await eventually('the instance answers', 10_000, () => this.get('/livez'));
  }

  /** Runs a command of the application to its end; gives its exit code. */
  async run(command: string, env: Record<string, string> = {}): Promise<number | null> {
    const [code] = await once(this.#spawn(command, env), 'exit');
    return code;
  }

  writeEnv(text: string): void {
    writeFileSync(join(this.folder, '.env.new'), text);
    renameSync(join(this.folder, '.env.new'), join(this.folder, '.env'));
  }

  reload(): void {
    this.#process?.kill('SIGHUP');
  }

  async stop(): Promise<number | null> {
    const running = this.#process;
    this.#process = null;
    if (running === null) return null;
    if (running.exitCode !== null) return running.exitCode;
    const exit = once(running, 'exit');
    running.kill('SIGTERM');
    const timer = setTimeout(() => running.kill('SIGKILL'), 15_000);
    const [code] = await exit;
    clearTimeout(timer);
    return code;
  }

  async remove(): Promise<void> {
    await this.stop();
    this.#agent.destroy();
    rmSync(this.folder, { recursive: true, force: true });
  }

  // biome-ignore lint/suspicious/noExplicitAny: the tests look into whatever was answered
  async ready(): Promise<any> {
    const { status, text } = await this.get('/readyz');
    return { ...JSON.parse(text), status };
  }

  async becomes(state: string, withinMs: number): Promise<void> {
    await eventually(`the instance is ${state}`, withinMs, async () => {
      const found = await this.ready();
      if (found.state !== state) throw new Error(JSON.stringify(found));
    });
  }

  get(path: string): Promise<Answer> {
    return this.send('GET', path);
  }

  put(name: string, dateOfBirth: string, signal?: AbortSignal): Promise<Answer> {
    return this.send('PUT', `/hello/${name}`, JSON.stringify({ dateOfBirth }), { ...(signal && { signal }) });
  }

  send(
    method: string,
    path: string,
    body?: string,
    { type = 'application/json', signal }: Sending = {},
  ): Promise<Answer> {
    const { promise, resolve, reject } = Promise.withResolvers<Answer>();
    const headers = body === undefined ? {} : { 'content-type': type, 'content-length': Buffer.byteLength(body) };
    const where = { agent: this.#agent, host: '127.0.0.1', port: this.#port, method, path };
    const sent = request({ ...where, headers, ...(signal && { signal }) }, (answer) => {
      let text = '';
      answer.setEncoding('utf8').on('data', (chunk: string) => {
        text += chunk;
      });
      answer.on('end', () => resolve({ status: answer.statusCode ?? 0, headers: answer.headers, text }));
    });
    sent.on('error', reject).end(body);
    return promise;
  }

  #spawn(command: string, env: Record<string, string>): ChildProcess {
    const child = spawn(process.execPath, [MAIN, command], {
      env: {
        PATH: process.env['PATH'],
        ENV_FILE: join(this.folder, '.env'),
        APP_HOST: '127.0.0.1',
        APP_PORT: String(this.#port || 8000),
        APP_NAME: 'test',
        ...env,
      },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const end = () => child.kill('SIGKILL');
    leftovers.add(end);
    child.once('exit', () => leftovers.delete(end));
    for (const stream of [child.stdout, child.stderr]) {
      stream?.setEncoding('utf8').on('data', (chunk: string) => {
        this.output += chunk;
      });
    }
    return child;
  }
}

/** Clients that read and write one after the other without a pause, until told to stop. */
export class Load {
  readonly #instance: TestInstance;
  readonly #clients: Promise<void>[];
  #stopped = false;
  sent = 0;
  slowestMs = 0;
  readonly failures: string[] = [];

  constructor(instance: TestInstance, clients: number) {
    this.#instance = instance;
    this.#clients = Array.from({ length: clients }, (_, index) => this.#client(index));
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    await Promise.all(this.#clients);
  }

  async #client(index: number): Promise<void> {
    const name = `load${String.fromCharCode(97 + index)}`;
    for (let turn = 0; !this.#stopped; turn += 1) {
      const begun = performance.now();
      const [wanted, sending] =
        turn % 2 === 0 ? [204, this.#instance.put(name, '2000-01-01')] : [200, this.#instance.get(`/hello/${name}`)];
      const outcome = await sending.then(
        ({ status, text }) => (status === wanted ? null : `${status} ${text}`),
        String,
      );
      this.sent += 1;
      this.slowestMs = Math.max(this.slowestMs, performance.now() - begun);
      if (outcome !== null) this.failures.push(outcome);
    }
  }
}
