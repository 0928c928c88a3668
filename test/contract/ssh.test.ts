// The Hosts port against a real sshd with the forced command, and against servers that misbehave.

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import ssh2 from 'ssh2';
import { SshConnection } from '../../src/adapters/ssh/connection.ts';
import { createSshHosts, type SshHosts } from '../../src/adapters/ssh/hosts.ts';
import { applicationFiles, envOf, freePort, hostProgram, type Sshd, startSshd, tokenOf, until } from './ssh-bed.ts';

const files = applicationFiles();
let sshd: Sshd;
let hosts: SshHosts;

before(async () => {
  const words = [
    'application',
    '--directory',
    files.directory,
    '--state',
    files.state,
    '--ports',
    '8001',
    '--wait-ms',
    '1000',
  ];
  sshd = await startSshd(files.root, [...hostProgram, ...words, '--pid-file', join(files.root, '{port}.pid')]);
  hosts = hostsAt(sshd.proxy.port);
});

after(async () => {
  await hosts.close();
  await sshd.stop();
});

function hostsAt(port: number, change: { keyFile?: string; fingerprint?: string } = {}): SshHosts {
  const host = { address: '127.0.0.1', hostKeys: [change.fingerprint ?? sshd.fingerprint] };
  const both = { site1: host, site2: host };
  return createSshHosts({
    user: sshd.user,
    port,
    keyFile: change.keyFile ?? sshd.keyFile,
    application: both,
    database: both,
    keepaliveMs: 200,
  });
}

const active = () => readFileSync(join(files.directory, '.env'), 'utf8');

test('reads, switches and stages over one kept-open connection', async () => {
  const connections = sshd.proxy.accepted();
  assert.deepEqual(await hosts.readEnv('site1', 5000), {
    kind: 'done',
    value: { active: 'site1', staged: ['site1', 'site2'], token: null },
  });
  const token = tokenOf(2);
  assert.deepEqual(await hosts.switchEnv('site1', 'site2', token, 5000), {
    kind: 'done',
    value: { active: 'site2', staged: ['site1', 'site2'], token },
  });
  assert.equal(active(), envOf.site2);
  const staged = await hosts.stageEnv('site1', 'site2', Buffer.from(`${envOf.site2}# second\n`), 5000);
  assert.deepEqual(staged, { kind: 'done', value: { active: null, staged: ['site1', 'site2'], token } });
  assert.equal(active(), envOf.site2);
  assert.equal(sshd.proxy.accepted() - connections, 1);
});

test('a lower token is refused and changes nothing', async () => {
  const high = tokenOf(5);
  assert.equal((await hosts.switchEnv('site1', 'site1', high, 5000)).kind, 'done');
  for (const low of [tokenOf(4, 9), tokenOf(5, 4), tokenOf(1)]) {
    const outcome = await hosts.switchEnv('site1', 'site2', low, 5000);
    assert.equal(outcome.kind === 'rejected' && outcome.code, 'lower-token');
  }
  assert.equal(active(), envOf.site1);
  // The same order again is no lower one; the same epoch with another primary is no order.
  assert.equal((await hosts.switchEnv('site1', 'site1', high, 5000)).kind, 'done');
  const other = await hosts.switchEnv('site1', 'site2', tokenOf(5, 6), 5000);
  assert.equal(other.kind === 'rejected' && other.code, 'other-primary');
});

test('an application host does not fence', async () => {
  const outcome = await hosts.fence('site1', tokenOf(6), 5000);
  assert.equal(outcome.kind === 'rejected' && outcome.code, 'not-an-order');
});

test('no other command runs, whatever it is called', async () => {
  const connection = new SshConnection({
    address: '127.0.0.1',
    port: sshd.port,
    user: sshd.user,
    keyFile: sshd.keyFile,
    hostKeys: [sshd.fingerprint],
    keepaliveMs: 1000,
  });
  const witness = join(files.root, 'witness');
  for (const command of [
    `touch ${witness}`,
    `read; touch ${witness}`,
    `$(touch ${witness})`,
    'sh',
    'internal-sftp',
    'read\ntouch x',
    '',
  ]) {
    const outcome = await connection.run(command, null, 5000);
    assert.equal(outcome.kind, 'done', command);
    assert.match(outcome.kind === 'done' ? outcome.value : '', /"code":"not-an-order"/, command);
  }
  await connection.close();
  assert.throws(() => readFileSync(witness), { code: 'ENOENT' });
});

test('another host key is refused before anything but the handshake is sent', async () => {
  const strict = hostsAt(sshd.proxy.port, { fingerprint: sshd.otherFingerprint });
  const log = sshd.log().length;
  const outcome = await strict.readEnv('site1', 5000);
  assert.equal(outcome.kind === 'rejected' && outcome.code, 'host-key');
  assert.match(
    outcome.kind === 'rejected' ? outcome.detail : '',
    new RegExp(sshd.fingerprint.replaceAll(/[+/]/g, '.')),
  );
  await until('sshd noticed', () => sshd.log().length > log);
  assert.doesNotMatch(sshd.log().slice(log), /Accepted|Failed publickey/);
  await strict.close();
});

test('a key that the host does not know, and one that is not there', async () => {
  const wrong = hostsAt(sshd.proxy.port, { keyFile: sshd.otherKeyFile });
  const refused = await wrong.readEnv('site1', 5000);
  assert.equal(refused.kind === 'rejected' && refused.code, 'auth');
  await wrong.close();
  const none = hostsAt(sshd.proxy.port, { keyFile: join(files.root, 'nowhere') });
  const missing = await none.readEnv('site1', 5000);
  assert.equal(missing.kind === 'rejected' && missing.code, 'key-file');
  await none.close();
});

test('nobody listens: rejected as unreachable, and reached once somebody does', async () => {
  const port = await freePort();
  const late = hostsAt(port);
  const outcome = await late.readEnv('site1', 2000);
  assert.equal(outcome.kind === 'rejected' && outcome.code, 'unreachable');
  await late.close();
});

test('a host that accepts and says nothing is unreachable at the deadline', async () => {
  const silent = createServer((socket) => void socket.resume().on('error', () => {}));
  await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve));
  const waiting = hostsAt((silent.address() as AddressInfo).port);
  const began = performance.now();
  const outcome = await waiting.readEnv('site1', 300);
  assert.equal(outcome.kind === 'rejected' && outcome.code, 'unreachable');
  assert.ok(performance.now() - began < 1500);
  await waiting.close();
  await new Promise((resolve) => {
    silent.close(resolve);
  });
});

test('a line that is cut while the host is at it: unknown, then a new connection', async () => {
  assert.equal((await hosts.readEnv('site1', 5000)).kind, 'done');
  const release = await holdLock();
  const switching = hosts.switchEnv('site1', 'site1', tokenOf(7), 5000);
  await pause(300);
  sshd.proxy.cut();
  assert.equal((await switching).kind, 'unknown');
  release();
  const connections = sshd.proxy.accepted();
  assert.equal((await hosts.readEnv('site1', 5000)).kind, 'done');
  assert.equal(sshd.proxy.accepted() - connections, 1);
});

test('a line that goes dead: unknown at the deadline, and nobody waits longer', async () => {
  assert.equal((await hosts.readEnv('site1', 5000)).kind, 'done');
  sshd.proxy.stall();
  const began = performance.now();
  const outcomes = await Promise.all([
    hosts.readEnv('site1', 400),
    hosts.readEnv('site1', 300),
    hosts.readEnv('site1', 450),
  ]);
  assert.ok(performance.now() - began < 1500);
  assert.equal(outcomes[0].kind, 'unknown');
  assert.equal(outcomes[1].kind === 'rejected' && outcomes[1].code, 'busy');
  assert.equal(outcomes[2].kind, 'rejected');
  sshd.proxy.flow();
  assert.equal((await hosts.readEnv('site1', 5000)).kind, 'done');
});

test('a dead quiet line is noticed by its keepalive before the next order', async () => {
  assert.equal((await hosts.readEnv('site1', 5000)).kind, 'done');
  sshd.proxy.stall();
  await pause(1500);
  sshd.proxy.flow();
  assert.equal((await hosts.readEnv('site1', 5000)).kind, 'done');
});

test('who holds the host for too long makes the next one busy', async () => {
  const release = await holdLock();
  const outcome = await hosts.switchEnv('site1', 'site1', tokenOf(8), 5000);
  assert.equal(outcome.kind === 'rejected' && outcome.code, 'busy');
  assert.equal((await hosts.readEnv('site1', 5000)).kind, 'done');
  release();
});

test('many at once: each gets its own answer', async () => {
  const outcomes = await Promise.all(
    Array.from({ length: 8 }, (_, index) =>
      index % 2 === 0 ? hosts.readEnv('site1', 10_000) : hosts.fence('site1', tokenOf(9), 10_000),
    ),
  );
  assert.deepEqual(
    outcomes.map((outcome) => outcome.kind),
    Array.from({ length: 8 }, (_, index) => (index % 2 === 0 ? 'done' : 'rejected')),
  );
});

test('reach makes the connection and gives no order', async () => {
  const log = readFileSync(join(files.state, 'application.json'), 'utf8');
  assert.deepEqual(await hosts.reach('database', 'site2', 5000), { kind: 'done', value: undefined });
  assert.equal(readFileSync(join(files.state, 'application.json'), 'utf8'), log);
});

test('after close nothing is sent', async () => {
  const closed = hostsAt(sshd.proxy.port);
  assert.equal((await closed.readEnv('site1', 5000)).kind, 'done');
  await closed.close();
  const outcome = await closed.readEnv('site1', 5000);
  assert.equal(outcome.kind === 'rejected' && outcome.code, 'closed');
});

const strange: readonly (readonly [what: string, kind: string, answer: (channel: ssh2.ServerChannel) => void])[] = [
  ['no answer at all', 'unknown', (channel) => end(channel, '')],
  ['something that is no answer', 'unknown', (channel) => end(channel, 'Welcome!\n')],
  [
    'two answers',
    'unknown',
    (channel) => end(channel, '{"ok":false,"code":"failed","detail":"","token":null}\n'.repeat(2)),
  ],
  ['half an answer', 'unknown', (channel) => end(channel, '{"ok":true,"kind":"env","env":{"active":"si')],
  ['an unknown code', 'unknown', (channel) => end(channel, '{"ok":false,"code":"rm","detail":"","token":null}')],
  ['no end', 'unknown', (channel) => void channel.write('{"ok":')],
  ['far too much', 'unknown', (channel) => void channel.write('x'.repeat(100_000))],
  ['an answer', 'rejected', (channel) => end(channel, '{"ok":false,"code":"busy","detail":"","token":null}\n')],
];

for (const [what, kind, answer] of strange) {
  test(`a host that gives ${what}: ${kind}`, async () => {
    const server = new ssh2.Server({ hostKeys: [readFileSync(join(files.root, 'host_key'))] }, (client) => {
      client.on('error', () => {});
      client.on('authentication', (context) => context.accept());
      client.on('session', (accept) => {
        accept().on('exec', (acceptExec) => answer(acceptExec()));
      });
    });
    await new Promise<void>((resolve) => {
      server.listen(0, '127.0.0.1', resolve);
    });
    const odd = hostsAt((server.address() as AddressInfo).port);
    const outcome = await odd.readEnv('site1', 1000);
    assert.equal(outcome.kind, kind, JSON.stringify(outcome));
    await odd.close();
    await new Promise<void>((resolve) => {
      server.close(() => resolve());
    });
  });
}

test('a host that does not start the command has done nothing', async () => {
  const server = new ssh2.Server({ hostKeys: [readFileSync(join(files.root, 'host_key'))] }, (client) => {
    client.on('error', () => {});
    client.on('authentication', (context) => context.accept());
    client.on('session', (accept) => {
      accept().on('exec', (_accept, reject) => reject());
    });
  });
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  const odd = hostsAt((server.address() as AddressInfo).port);
  const outcome = await odd.readEnv('site1', 1000);
  assert.equal(outcome.kind === 'rejected' && outcome.code, 'not-started');
  await odd.close();
  await new Promise<void>((resolve) => {
    server.close(() => resolve());
  });
});

function end(channel: ssh2.ServerChannel, text: string): void {
  channel.write(text);
  channel.exit(0);
  channel.end();
}

/** Takes the host's lock as another order would; returns the way to let it go. */
async function holdLock(): Promise<() => void> {
  writeFileSync(join(files.state, 'lock'), '');
  const holder = spawn('flock', [join(files.state, 'lock'), 'sh', '-c', 'echo; exec cat'], {
    stdio: ['pipe', 'pipe', 'ignore'],
  });
  await new Promise((resolve) => holder.stdout.once('data', resolve));
  return () => holder.stdin.end();
}
