// The load's programs against a real primary and standby, the zone's DNS and a small service in front of a map. At the
// end the old primary is started beside the new one on purpose: the report has to find that.

import assert from 'node:assert/strict';
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chownSync, existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Report } from '../lab/load/report-text.ts';
import { entryZone, type RunningZone, startZone } from '../lab/zone/start.ts';

const postgresRoot = '/usr/lib/postgresql';
const version = existsSync(postgresRoot)
  ? readdirSync(postgresRoot).sort((a, b) => Number(b) - Number(a))[0]
  : undefined;
const bin = join(postgresRoot, version ?? '', 'bin');
const skip = process.getuid?.() !== 0 || version === undefined ? 'needs root and a PostgreSQL server package' : false;

const name = 'birthday.siteward.test';
const load = new URL('../lab/load/', import.meta.url).pathname;

function id(flag: string): number {
  return Number(execFileSync('id', [flag, 'postgres'], { encoding: 'utf8' }));
}

function start(program: string, config: object): ChildProcess {
  return spawn(process.execPath, [join(load, `${program}.ts`), '--config', JSON.stringify(config)], {
    stdio: 'inherit',
  });
}

async function end(child: ChildProcess): Promise<number | null> {
  if (child.exitCode !== null) return child.exitCode;
  const exited = once(child, 'exit');
  child.kill('SIGTERM');
  await exited;
  return child.exitCode;
}

async function output<T>(program: string, config: object): Promise<{ json: T; code: number | null }> {
  const child = spawn(process.execPath, [join(load, `${program}.ts`), '--config', JSON.stringify(config)]);
  let text = '';
  child.stdout.on('data', (chunk) => {
    text += String(chunk);
  });
  child.stderr.pipe(process.stderr);
  await once(child, 'close');
  return { json: JSON.parse(text) as T, code: child.exitCode };
}

/** A service in front of nothing: names in a map, and a switch that makes it hold what arrives. */
class Service {
  readonly names = new Set<string>();
  readonly server: Server;
  isHolding = false;

  constructor() {
    this.server = createServer((request, response) => void this.#answer(request, response));
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const user = (request.url ?? '').slice('/hello/'.length);
    while (this.isHolding) await sleep(10);
    if (request.method === 'PUT') this.names.add(user);
    const status = request.method === 'PUT' ? 204 : this.names.has(user) ? 200 : 404;
    response.writeHead(status).end();
  }

  async listen(port: number, host: string): Promise<number> {
    await new Promise<void>((resolve) => this.server.listen(port, host, resolve));
    return (this.server.address() as { port: number }).port;
  }
}

describe('load', { skip }, () => {
  const root = mkdtempSync(join(tmpdir(), 'siteward-load-'));
  const out = join(root, 'out');
  const sockets = { site1: join(root, 's1'), site2: join(root, 's2') };
  const data = { site1: join(root, 'd1'), site2: join(root, 'd2') };
  const service = new Service();
  const children: ChildProcess[] = [];
  const databases = { site1: { socketDir: sockets.site1 }, site2: { socketDir: sockets.site2 } };
  let zone: RunningZone;
  let target: { name: string; dnsServer: string; port: number };

  const postgres = (command: string, ...args: string[]) =>
    execFileSync(join(bin, command), args, {
      uid: id('-u'),
      gid: id('-g'),
      cwd: root,
      stdio: 'pipe',
      encoding: 'utf8',
    });
  const control = (site: 'site1' | 'site2', ...args: string[]) =>
    postgres('pg_ctl', '-s', '-w', '-D', data[site], '-l', join(root, `${site}.log`), ...args);
  const sql = (site: 'site1' | 'site2', text: string) =>
    postgres('psql', '-qXAt', '-h', sockets[site], '-d', 'revolutdb', '-c', text);
  const configure = (site: 'site1' | 'site2') => {
    const lines = [`listen_addresses = ''`, `unix_socket_directories = '${sockets[site]}'`, 'max_connections = 40'];
    writeFileSync(join(data[site], 'postgresql.auto.conf'), `${lines.join('\n')}\nwal_level = replica\nfsync = off\n`, {
      flag: site === 'site1' ? 'w' : 'a',
    });
  };

  before(async () => {
    mkdirSync(out);
    for (const path of [root, out, ...Object.values(sockets)]) {
      mkdirSync(path, { recursive: true });
      chownSync(path, id('-u'), id('-g'));
    }
    postgres('initdb', '-A', 'trust', '-U', 'postgres', '-N', '-D', data.site1);
    configure('site1');
    control('site1', 'start');
    postgres('createdb', '-h', sockets.site1, 'revolutdb');
    sql(
      'site1',
      'CREATE SCHEMA siteward; CREATE TABLE siteward.cluster (era int, epoch int); INSERT INTO siteward.cluster VALUES (0, 1)',
    );
    postgres('pg_basebackup', '-h', sockets.site1, '-D', data.site2, '-R', '-c', 'fast');
    configure('site2');
    control('site2', 'start');
    zone = await startZone();
    const port = await service.listen(0, '127.0.0.1');
    await zone.control.putRecord(entryZone.id, { name, type: 'A', ttl: 1, values: ['127.0.0.1'] });
    target = { name, dnsServer: `${zone.dns.host}:${zone.dns.port}`, port };
  });
  after(async () => {
    for (const child of children) await end(child);
    for (const site of ['site1', 'site2'] as const) {
      try {
        control(site, 'stop', '-m', 'immediate');
      } catch {
        // It did not run.
      }
    }
    service.server.closeAllConnections();
    service.server.close();
    await zone?.[Symbol.asyncDispose]();
    rmSync(root, { recursive: true, force: true });
  });

  it('sees a quiet run, an outage and a failover as they were', async () => {
    for (const site of ['site1', 'site2'] as const) {
      children.push(start('writer', { run: 'abc', out, site, ...databases[site] }));
    }
    children.push(start('client', { run: 'abc', out, ...target }));
    await sleep(2500);
    const quiet = await output<Report>('report', { run: 'abc', out, ...target, databases });
    assert.deepEqual(quiet.json.problems, []);
    assert.equal(quiet.code, 0);
    assert.equal(quiet.json.primary, 'site1');
    assert.ok(quiet.json.client.acknowledged > 60, 'the client kept its pace');
    assert.ok(quiet.json.writers['site1']!.acknowledged > 60, 'the writer kept its pace');
    assert.equal(quiet.json.writers['site2']!.acknowledged, 0);
    assert.ok((quiet.json.writers['site2']!.errors['25006'] ?? 0) > 0, 'a standby refuses to be written');

    service.isHolding = true;
    control('site1', 'stop', '-m', 'immediate');
    await sleep(300);
    control('site2', 'promote');
    sql('site2', 'UPDATE siteward.cluster SET epoch = 2');
    await sleep(500);
    service.isHolding = false;
    await sleep(700);
    const moved = await output<Report>('report', { run: 'abc', out, ...target, databases });
    const { client, writers } = moved.json;
    assert.deepEqual(moved.json.problems, []);
    assert.equal(moved.json.primary, 'site2');
    assert.ok(client.longestOutageMs > 700 && client.longestOutageMs < 3000, `outage ${client.longestOutageMs}`);
    assert.deepEqual([client.failed, client.lost, client.staleReads], [0, 0, 0]);
    assert.ok(writers['site2']!.acknowledged > 20);
    assert.equal(writers['site2']!.epochs.at(-1)?.epoch, 2);
    assert.ok(moved.json.writersOutageMs >= 290, `writers' outage ${moved.json.writersOutageMs}`);
    assert.equal(moved.json.overlap, 0);
  });

  it('finds two databases that accept writes at once', async () => {
    control('site1', 'start');
    await sleep(700);
    const split = await output<Report>('report', { run: 'abc', out, ...target, databases });
    assert.ok(split.json.overlap > 5, `overlap ${split.json.overlap}`);
    assert.match(split.json.problems.join(), /2 databases are primaries/);
    assert.equal(split.code, 1);
    control('site1', 'stop', '-m', 'immediate');
    const after = await output<Report>('report', { run: 'abc', out, ...target, databases });
    assert.ok(after.json.writersLost > 5, 'what only the old primary has is lost');
  });

  it('finds a lost write of the client, and follows the name to another address', async () => {
    const other = new Service();
    for (const user of service.names) other.names.add(user);
    const [gone = ''] = service.names;
    other.names.delete(gone);
    await other.listen(target.port, '127.0.0.2');
    await zone.control.putRecord(entryZone.id, { name, type: 'A', ttl: 1, values: ['127.0.0.2'] });
    await sleep(2000);
    // From here on only the second address has an answer; the client has to be there by now.
    service.isHolding = true;
    await sleep(700);
    for (const user of service.names) if (user !== gone) other.names.add(user);
    const found = await output<Report>('report', { run: 'abc', out, ...target, databases });
    assert.deepEqual(found.json.client.lostNames, [gone]);
    assert.deepEqual(
      found.json.client.addresses.map((entry) => entry.address),
      ['127.0.0.1', '127.0.0.2'],
    );
    assert.ok(found.json.client.longestOutageMs < 3000);
    service.isHolding = false;
    const burst = await output<{ requests: number; failed: number }>('burst', {
      ...target,
      connections: 20,
      requests: 20,
    });
    assert.equal(burst.code, 0);
    assert.deepEqual([burst.json.requests, burst.json.failed], [400, 0]);
    for (const child of children.splice(0)) assert.equal(await end(child), 0);
    other.server.closeAllConnections();
    other.server.close();
  });
});
