// A real HAProxy with the configuration that siteward renders, small HTTP servers as the six instances.

import assert from 'node:assert/strict';
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer as createHttpServer, type Server } from 'node:http';
import { type AddressInfo, createServer, type Server as NetServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { createApplications } from '../../src/adapters/applications/applications.ts';
import { createBalancer } from '../../src/adapters/haproxy/balancer.ts';
import { renderHaproxy } from '../../src/adapters/haproxy/render.ts';
import { setServerState } from '../../src/adapters/haproxy/runtime-socket.ts';
import { parseStatistics } from '../../src/adapters/haproxy/statistics.ts';
import { httpGet } from '../../src/adapters/http/http-get.ts';
import { PASSWORD_VARIABLE, runHaproxy } from '../../src/cli/haproxy.ts';
import type { ClusterConfig } from '../../src/config/cluster.ts';
import { loadConfig } from '../../src/config/load.ts';
import { freePort, until } from './ssh-bed.ts';

const tree = join(import.meta.dirname, '../..');
const example = join(tree, 'docs/cluster.example.yaml');
const password = `it's "$HOME" #1 \\ ok`;

type Instance = {
  readonly name: string;
  readonly port: number;
  /** What it answers: readiness, and the service. */
  ready: 'yes' | 'no' | 'silent';
  serve: 'answer' | 'hang' | 'cut';
  requests: number;
  server: Server;
};

const root = mkdtempSync(join(tmpdir(), 'siteward-haproxy-'));
const socket = join(root, 'admin.sock');
const passwordFile = join(root, 'password');
const instances: Instance[] = [];
let ports: { service: number; statistics: number };
let haproxy: ChildProcess;

before(async () => {
  writeFileSync(passwordFile, `${password}\n`);
  for (const site of ['site1', 'site2']) {
    for (let index = 0; index < 3; index += 1) instances.push(await startInstance(site));
  }
  ports = { service: await freePort(), statistics: await freePort() };
  const file = join(root, 'haproxy.cfg');
  writeFileSync(
    file,
    renderHaproxy(config(), { password: { kind: 'value', value: password }, account: null, threads: 1 }),
  );
  const checked = spawnSync('haproxy', ['-c', '-f', file], { encoding: 'utf8' });
  assert.equal(checked.status, 0, checked.stderr);
  haproxy = spawn('haproxy', ['-db', '-f', file], { stdio: 'ignore' });
  await until('all are up', async () => (await statuses()) === 'up up up up up up');
});

after(async () => {
  const ended = new Promise((resolve) => haproxy.once('exit', resolve));
  haproxy.kill('SIGKILL');
  await ended;
  for (const { server } of instances) {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  }
  rmSync(root, { recursive: true, force: true });
});

/** The example's topology, moved to loopback. */
function config(): ClusterConfig {
  const loaded = loadConfig(example);
  assert.equal(loaded.kind, 'good');
  const { config: given } = loaded as Extract<typeof loaded, { kind: 'good' }>;
  const at = (site: 'site1' | 'site2') => {
    const own = instances.filter((each) => each.name.startsWith(site)).map((each) => each.port);
    return { ...given.sites[site], application: { host: `${site}-app`, address: '127.0.0.1', instances: own } };
  };
  return {
    ...given,
    sites: { site1: at('site1'), site2: at('site2') },
    haproxy: {
      ...given.haproxy,
      socket,
      servicePort: ports.service,
      statistics: { ...given.haproxy.statistics, port: ports.statistics, passwordFile },
    },
  };
}

async function startInstance(site: string): Promise<Instance> {
  const server = createHttpServer((request, response) => {
    if (request.url === '/readyz') {
      if (instance.ready === 'silent') return;
      const ready = instance.ready === 'yes';
      response.statusCode = ready ? 200 : 503;
      const database = { host: '172.20.1.30', port: 5432 };
      const epoch = { eraNumber: 0, eraSite: 'site1', epoch: 4 };
      response.end(JSON.stringify({ ready, reason: null, database, writable: true, epoch, holding: 2 }));
      return;
    }
    instance.requests += 1;
    if (instance.serve === 'cut') request.socket.destroy();
    else if (instance.serve === 'answer') response.end(instance.name);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const instance: Instance = { name: `${site}-app-${port}`, port, ready: 'yes', serve: 'answer', requests: 0, server };
  return instance;
}

function balancer(change: { port?: number; passwordFile?: string; path?: string } = {}) {
  const statistics = { port: change.port ?? ports.statistics, path: change.path ?? '/stats', user: 'siteward' };
  return createBalancer(
    {
      addresses: { site1: '127.0.0.1', site2: '127.0.0.1' },
      statistics: { ...statistics, passwordFile: change.passwordFile ?? passwordFile },
      backend: 'birthday',
      socket,
    },
    httpGet,
  );
}

async function statuses(): Promise<string> {
  const { servers } = await balancer().probe('site1', 2000);
  return instances.map(({ name }) => servers.find((each) => each.name === name)?.status).join(' ');
}

function ask(method = 'GET'): Promise<string> {
  const body = method === 'PUT' ? '{"dateOfBirth":"2000-01-01"}' : null;
  return fetch(`http://127.0.0.1:${ports.service}/hello/one`, { method, body }).then((response) => response.text());
}

async function answering(count: number): Promise<ReadonlySet<string>> {
  const names = new Set<string>();
  for (let index = 0; index < count; index += 1) names.add(await ask());
  return names;
}

test('the file in the tree is what the example renders to, and HAProxy takes it', () => {
  const lines: string[] = [];
  const output = { out: (line: string) => void lines.push(line), err: assert.fail };
  assert.equal(runHaproxy(['render', example], output), 0);
  const path = join(tree, 'haproxy/haproxy.cfg');
  assert.equal(
    readFileSync(path, 'utf8'),
    `${lines.join('\n')}\n`,
    'run: siteward haproxy render docs/cluster.example.yaml > haproxy/haproxy.cfg',
  );
  const env = { PATH: process.env['PATH'], [PASSWORD_VARIABLE]: 'x' };
  const checked = spawnSync('haproxy', ['-c', '-f', path], { env, encoding: 'utf8' });
  // Without the account of Debian's package the file is the same but cannot be checked.
  if (!checked.stderr.includes('user id for')) assert.equal(checked.status, 0, checked.stderr);
});

test('what cannot be written into the file is refused', () => {
  const account = { user: 'haproxy', group: 'haproxy' };
  for (const value of ['', 'two\nlines', 'gr\u00fcn']) {
    assert.throws(() => renderHaproxy(config(), { password: { kind: 'value', value }, account }), RangeError);
  }
  const odd = { ...config(), haproxy: { ...config().haproxy, backend: 'a b' } };
  assert.throws(() => renderHaproxy(odd, { password: { kind: 'value', value: 'x' }, account }), RangeError);
});

test('all six instances share the requests', async () => {
  assert.equal((await answering(12)).size, 6);
});

test('drain takes an instance out, ready puts it back', async () => {
  const [first] = instances as [Instance];
  assert.deepEqual(await balancer().set(first.name, 'drain', 1000), { kind: 'done', value: undefined });
  await until('drained', async () => (await statuses()) === 'drain up up up up up');
  assert.equal((await answering(12)).has(first.name), false);
  // Once more is no mistake.
  assert.equal((await balancer().set(first.name, 'drain', 1000)).kind, 'done');
  assert.equal((await balancer().set(first.name, 'ready', 1000)).kind, 'done');
  await until('back', async () => (await statuses()) === 'up up up up up up');
  assert.equal((await answering(12)).has(first.name), true);
});

test('with all drained the answer is 503 at once', async () => {
  for (const { name } of instances) assert.equal((await balancer().set(name, 'drain', 1000)).kind, 'done');
  const response = await fetch(`http://127.0.0.1:${ports.service}/hello/one`);
  assert.equal(response.status, 503);
  assert.equal(response.headers.get('retry-after'), '1');
  await response.text();
  for (const { name } of instances) assert.equal((await balancer().set(name, 'ready', 1000)).kind, 'done');
});

test('an instance that is not ready, or says nothing, is down until it is ready again', async () => {
  const [first, second] = instances as [Instance, Instance];
  first.ready = 'no';
  second.ready = 'silent';
  await until('both are down', async () => (await statuses()) === 'down down up up up up');
  first.ready = 'yes';
  second.ready = 'yes';
  await until('both are up', async () => (await statuses()) === 'up up up up up up');
});

test('an instance that ends in the middle of a request costs no failed request', async () => {
  // All of a site's: with three retries the fourth try meets one of the other site.
  for (const each of instances.slice(0, 3)) each.serve = 'cut';
  for (const method of ['GET', 'PUT', 'PUT', 'GET', 'PUT', 'GET']) assert.match(await ask(method), /^site2-app/);
  for (const each of instances) each.serve = 'answer';
});

test('a request that an instance holds is not sent to another, even when the instance is marked down', async () => {
  for (const each of instances) each.serve = 'hang';
  const before = instances.reduce((sum, each) => sum + each.requests, 0);
  const abort = new AbortController();
  const held = fetch(`http://127.0.0.1:${ports.service}/hello/one`, {
    method: 'PUT',
    body: '{}',
    signal: abort.signal,
  }).then(
    () => 'answered',
    () => 'given up',
  );
  await until('it is held', () => instances.some((each) => each.requests > 0 && each.serve === 'hang'));
  await until('one has it', () => instances.reduce((sum, each) => sum + each.requests, 0) === before + 1);
  for (const each of instances) each.ready = 'no';
  await until('all are down', async () => (await statuses()) === 'down down down down down down');
  assert.equal(
    instances.reduce((sum, each) => sum + each.requests, 0),
    before + 1,
  );
  abort.abort();
  assert.equal(await held, 'given up');
  for (const each of instances) {
    each.serve = 'answer';
    each.ready = 'yes';
  }
  await until('all are up', async () => (await statuses()) === 'up up up up up up');
});

test('the statistics want the password', async () => {
  const wrong = join(root, 'wrong');
  writeFileSync(wrong, 'guess\n');
  assert.equal((await balancer({ passwordFile: wrong }).probe('site1', 1000)).class, 'auth');
  assert.equal((await balancer({ passwordFile: join(root, 'nowhere') }).probe('site1', 1000)).class, 'auth');
  assert.equal((await fetch(`http://127.0.0.1:${ports.statistics}/stats`)).status, 401);
  assert.equal((await fetch(`http://127.0.0.1:${ports.statistics}/`)).status, 404);
});

test('what is no statistics is `protocol`, no answer has its class', async () => {
  const answers: [string, string][] = [
    ['garbage', 'protocol'],
    ['HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello', 'protocol'],
    ['HTTP/1.1 500 no\r\nContent-Length: 0\r\n\r\n', 'protocol'],
    ['HTTP/1.1 302 away\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n', 'protocol'],
    [`HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n${'x'.repeat(600 * 1024)}`, 'protocol'],
    ['HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n# pxname,svname,status\nbirthday,', 'protocol'],
    ['', 'timeout'],
  ];
  for (const [text, expected] of answers) {
    const odd = await listening((connection) => {
      if (text !== '') connection.end(text);
    });
    const report = await balancer({ port: odd.port }).probe('site1', 500);
    assert.equal(report.class, expected, `${text.slice(0, 40)}: ${report.detail}`);
    await odd.close();
  }
  assert.equal((await balancer({ port: await freePort() }).probe('site1', 500)).class, 'refused');
});

test('the runtime socket: unknown servers, no socket, silence, noise', async () => {
  const nobody = await balancer().set('site3-app-1', 'drain', 1000);
  assert.equal(nobody.kind === 'rejected' && nobody.code, 'no-such-server');
  const injected = await balancer().set('x state ready\nshow', 'drain', 1000);
  assert.equal(injected.kind === 'rejected' && injected.code, 'no-such-server');
  const missing = await setServerState(join(root, 'nowhere.sock'), 'birthday/x', 'drain', 1000);
  assert.equal(missing.kind === 'rejected' && missing.code, 'unreachable');

  const path = join(root, 'odd.sock');
  const cases: [string | null, string][] = [
    [null, 'unknown'],
    ['x'.repeat(10_000), 'unknown'],
    ['Permission denied\n\n', 'rejected'],
  ];
  for (const [text, kind] of cases) {
    const odd = await listening((connection) => void (text === null || connection.end(text)), path);
    assert.equal((await setServerState(path, 'birthday/x', 'drain', 300)).kind, kind);
    await odd.close();
  }
  assert.equal(existsSync(path), false);
});

test('the instances themselves: ready, not ready, silent, gone', async () => {
  const [first, second, third] = instances as [Instance, Instance, Instance];
  const gone = await freePort();
  const at = ({ name, port }: { name: string; port: number }) => ({ name, address: '127.0.0.1', port });
  const list = [at(first), at(second), at(third), at({ name: 'gone', port: gone })];
  const applications = createApplications({ readyPath: '/readyz', instances: { site1: list, site2: [] } }, httpGet);
  second.ready = 'no';
  third.ready = 'silent';
  const began = performance.now();
  const reports = await applications.probe('site1', 400);
  assert.ok(performance.now() - began < 1500);
  const epoch = { era: { number: 0, site: 'site1' }, epoch: 4 };
  assert.deepEqual(reports[0], {
    name: first.name,
    class: 'ok',
    detail: '',
    ready: true,
    database: '172.20.1.30:5432',
    writable: true,
    epoch,
    holding: 2,
  });
  assert.deepEqual(
    reports.map((each) => [each.class, each.ready]),
    [
      ['ok', true],
      ['ok', false],
      ['timeout', false],
      ['refused', false],
    ],
  );
  assert.deepEqual(await applications.probe('site2', 400), []);
  second.ready = 'yes';
  third.ready = 'yes';
});

test('statistics in other shapes', () => {
  const text =
    '# pxname,svname,qcur,status,\nbirthday,FRONTEND,,OPEN,\nbirthday,a,0,UP 1/2,\nbirthday,"b,""c",0,NOLB,\nbirthday,d,0,MAINT (via x/y),\nbirthday,e,0,no check,\nother,f,0,UP,\nbirthday,BACKEND,0,UP,\n';
  assert.deepEqual(parseStatistics(text, 'birthday'), [
    { name: 'a', status: 'up' },
    { name: 'b,"c', status: 'drain' },
    { name: 'd', status: 'maint' },
    { name: 'e', status: 'unknown' },
  ]);
  for (const bad of [
    '',
    'x',
    '# pxname,svname,x\n',
    '# pxname,svname,status,\nbirthday,"a',
    '# pxname,svname,qcur,status,\nbirthday,a',
  ]) {
    assert.equal(parseStatistics(bad, 'birthday'), null, bad);
  }
});

async function listening(onConnection: (connection: import('node:net').Socket) => void, path?: string) {
  const sockets = new Set<import('node:net').Socket>();
  const server: NetServer = createServer((connection) => {
    sockets.add(connection);
    connection.on('error', () => {});
    connection.resume();
    onConnection(connection);
  });
  await new Promise<void>((resolve) => {
    if (path === undefined) server.listen(0, '127.0.0.1', resolve);
    else server.listen(path, resolve);
  });
  const address = server.address();
  return {
    port: typeof address === 'object' && address !== null ? address.port : 0,
    close: () =>
      new Promise<void>((resolve) => {
        for (const each of sockets) each.destroy();
        server.close(() => resolve());
      }),
  };
}
