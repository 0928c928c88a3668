// A PostgreSQL server of the test's own: in a folder of its own, on a free loopback port, ended by its process id. As root it runs as the
// user `postgres`, which is all that PostgreSQL accepts.
import assert from 'node:assert/strict';
import { execFileSync, type SpawnOptions, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chownSync, cpSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Client } from 'pg';

export const DB = { name: 'revolutdb', user: 'dbuser', password: 'a "quoted" secret' };

const bin = '/usr/lib/postgresql'.concat('/', readdirSync('/usr/lib/postgresql').sort().at(-1) ?? '', '/bin');
const asPostgres: SpawnOptions = process.getuid?.() === 0 ? { uid: idOf('-u'), gid: idOf('-g') } : {};

function idOf(which: '-u' | '-g'): number {
  return Number(execFileSync('id', [which, 'postgres'], { encoding: 'utf8' }));
}

export class TestPostgres {
  readonly folder: string;
  readonly port: number;
  readonly #end = () => {
    this.signalAll('SIGCONT');
    const pid = this.pid();
    if (pid !== null) process.kill(pid, 'SIGQUIT');
  };

  private constructor(folder: string, port: number) {
    this.folder = folder;
    this.port = port;
  }

  /** A new cluster with the application's role and database, running. */
  static async create(): Promise<TestPostgres> {
    const folder = mkdtempSync(join(tmpdir(), 'app-pg-'));
    if (asPostgres.uid !== undefined) chownSync(folder, asPostgres.uid, asPostgres.gid ?? 0);
    const options = ['--auth-local=trust', '--auth-host=scram-sha-256', '-U', 'postgres', '-E', 'UTF8', '--no-sync'];
    execFileSync(join(bin, 'initdb'), ['-D', join(folder, 'data'), ...options], { ...asPostgres, stdio: 'pipe' });
    const server = new TestPostgres(folder, await freePort());
    await server.start();
    await server.sql(`CREATE ROLE ${DB.user} LOGIN PASSWORD '${DB.password}'`, 'postgres');
    await server.sql(`CREATE DATABASE ${DB.name}`, 'postgres');
    return server;
  }

  /** A copy of a stopped server, as a physical standby would be. */
  static async copyOf(source: TestPostgres): Promise<TestPostgres> {
    const folder = mkdtempSync(join(tmpdir(), 'app-pg-'));
    if (asPostgres.uid !== undefined) chownSync(folder, asPostgres.uid, asPostgres.gid ?? 0);
    cpSync(join(source.folder, 'data'), join(folder, 'data'), { recursive: true, preserveTimestamps: true });
    if (asPostgres.uid !== undefined) execFileSync('chown', ['-R', 'postgres:postgres', folder]);
    execFileSync('chmod', ['0700', join(folder, 'data')]);
    return new TestPostgres(folder, await freePort());
  }

  async start(): Promise<void> {
    const data = join(this.folder, 'data');
    const settings = {
      port: this.port,
      listen_addresses: '127.0.0.1',
      unix_socket_directories: this.folder,
      fsync: 'off',
    };
    const flags = Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`]);
    const log = join(this.folder, 'log');
    spawn('sh', ['-c', 'exec "$0" "$@" >>"$LOG" 2>&1', join(bin, 'postgres'), '-D', data, ...flags], {
      ...asPostgres,
      stdio: 'ignore',
      env: { ...process.env, LOG: log },
    }).unref();
    leftovers.add(this.#end);
    await eventually('PostgreSQL answers', 20_000, () => this.sql('SELECT 1', 'postgres'));
  }

  /** Immediate: as a fence does it. */
  async stop(signal: NodeJS.Signals = 'SIGQUIT'): Promise<void> {
    const pid = this.pid();
    if (pid === null) return;
    process.kill(pid, signal);
    await eventually('PostgreSQL is gone', 10_000, () => {
      if (isAlive(pid)) throw new Error('it still runs');
    });
    rmSync(join(this.folder, 'data', 'postmaster.pid'), { force: true });
  }

  /** The postmaster and every process of it. */
  signalAll(signal: 'SIGSTOP' | 'SIGCONT'): void {
    const pid = this.pid();
    if (pid === null) return;
    for (const each of [pid, ...childrenOf(pid)]) {
      try {
        process.kill(each, signal);
      } catch (error) {
        // A backend may end between the look and the signal.
        if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
      }
    }
  }

  makeStandby(): void {
    writeFileSync(join(this.folder, 'data', 'standby.signal'), '');
  }

  makePrimary(): void {
    rmSync(join(this.folder, 'data', 'standby.signal'), { force: true });
  }

  /** What siteward's guard does. */
  async setEpoch(epoch: number, eraNumber = 0, eraSite = 'site1'): Promise<void> {
    await this.sql(`
      CREATE SCHEMA IF NOT EXISTS siteward;
      CREATE TABLE IF NOT EXISTS siteward.cluster
        (cluster text, era_number int, era_site text, epoch bigint, beat bigint, at timestamptz);
      GRANT USAGE ON SCHEMA siteward TO PUBLIC;
      GRANT SELECT ON siteward.cluster TO PUBLIC;
      DELETE FROM siteward.cluster;
      INSERT INTO siteward.cluster VALUES ('test', ${eraNumber}, '${eraSite}', ${epoch}, 1, now())`);
  }

  /** Holds a user's row until the function it gives is called. */
  async lockUser(name: string): Promise<() => Promise<void>> {
    const client = this.#client(DB.name);
    await client.connect();
    await client.query('BEGIN');
    await client.query('SELECT FROM base.users WHERE username = $1 FOR UPDATE', [name]);
    return () => client.end();
  }

  async sql(text: string, database: string = DB.name): Promise<Record<string, unknown>[]> {
    const client = this.#client(database);
    await client.connect();
    try {
      return (await client.query(text)).rows;
    } finally {
      await client.end();
    }
  }

  #client(database: string): Client {
    const client = new Client({ host: this.folder, port: this.port, user: 'postgres', database, query_timeout: 5000 });
    client.on('error', () => {});
    return client;
  }

  async remove(): Promise<void> {
    this.signalAll('SIGCONT');
    await this.stop();
    leftovers.delete(this.#end);
    rmSync(this.folder, { recursive: true, force: true });
  }

  pid(): number | null {
    const file = join(this.folder, 'data', 'postmaster.pid');
    if (!existsSync(file)) return null;
    const pid = Number(readFileSync(file, 'utf8').split('\n')[0]);
    return isAlive(pid) ? pid : null;
  }
}

/** What must not outlive the test run, however that ends. */
export const leftovers = new Set<() => void>();
process.once('exit', () => {
  for (const end of leftovers) end();
});
process.once('SIGTERM', () => process.exit(143));

/** Tries until it does not throw any more; the last reason is told when the time is over. */
export async function eventually<T>(what: string, withinMs: number, attempt: () => T | Promise<T>): Promise<T> {
  const deadline = performance.now() + withinMs;
  for (;;) {
    try {
      return await attempt();
    } catch (error) {
      if (performance.now() > deadline) throw new Error(`not within ${withinMs} ms: ${what}`, { cause: error });
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }
}

export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  if (address === null || typeof address === 'string') throw new Error('no port');
  return address.port;
}

/** A zombie that process 1 has not reaped yet counts as dead. */
function isAlive(pid: number): boolean {
  const state = statOf(pid)?.state;
  return state !== undefined && state !== 'Z';
}

function childrenOf(parent: number): number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name) && statOf(Number(name))?.parent === parent)
    .map(Number);
}

function statOf(pid: number): { state: string | undefined; parent: number } | null {
  try {
    const [state, parent] = readFileSync(`/proc/${pid}/stat`, 'utf8')
      .replace(/^.*\) /s, '')
      .split(' ');
    return { state, parent: Number(parent) };
  } catch {
    return null;
  }
}

/** Before a database: whatever logs in waits for `ms` first. `most` were in that wait at once, `all` in all. */
export async function slowLogins(
  to: number,
  ms: number,
): Promise<{ readonly port: number; most(): number; all(): number; close(): void }> {
  let [waiting, most, all] = [0, 0, 0];
  const server = createServer((client) => {
    waiting += 1;
    all += 1;
    most = Math.max(most, waiting);
    client.on('error', () => {});
    setTimeout(() => {
      waiting -= 1;
      const database = connect(to, '127.0.0.1');
      database.on('error', () => client.destroy());
      client.pipe(database).pipe(client);
    }, ms);
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const address = server.address();
  assert.ok(address !== null && typeof address === 'object');
  return { port: address.port, most: () => most, all: () => all, close: () => server.close() };
}
