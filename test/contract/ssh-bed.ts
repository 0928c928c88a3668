// A real sshd on loopback with the forced command of one host, and a proxy before it that can cut or stall the line.

import { execFileSync, spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import type { Token } from '../../src/core/observe/observation.ts';
import type { VoterId } from '../../src/core/site.ts';

export const hostProgram = [process.execPath, join(import.meta.dirname, '../../src/cli/host.ts')];
export const envOf = { site1: 'dbhost=172.20.1.30\ndbport=5432\n', site2: 'dbhost=172.21.1.30\ndbport=5432\n' };

export function tokenOf(epoch: number, counter = epoch, voter: VoterId = 'site1'): Token {
  return { era: { number: 0, site: 'site1' }, epoch, ballot: { counter, voter } };
}

/** A temporary directory with an application host's files, active on site1. */
export function applicationFiles(): { root: string; directory: string; state: string } {
  const root = mkdtempSync(join(tmpdir(), 'siteward-host-'));
  const directory = join(root, 'srv');
  mkdirSync(directory);
  for (const site of ['site1', 'site2'] as const) writeFileSync(join(directory, `${site}.env`), envOf[site]);
  writeFileSync(join(directory, '.env'), envOf.site1, { mode: 0o640 });
  return { root, directory, state: join(root, 'state') };
}

export type Sshd = Awaited<ReturnType<typeof startSshd>>;

/** sshd with a fresh host key and one accepted client key, which is bound to `forced`. */
export async function startSshd(root: string, forced: readonly string[]) {
  for (const name of ['host_key', 'client_key', 'other_key']) {
    execFileSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-C', name, '-f', join(root, name)]);
  }
  const publicKey = readFileSync(join(root, 'client_key.pub'), 'utf8');
  writeFileSync(join(root, 'authorized_keys'), `command="${forced.join(' ')}",restrict ${publicKey}`);
  const port = await freePort();
  const config = [
    `ListenAddress 127.0.0.1:${port}`,
    `HostKey ${join(root, 'host_key')}`,
    `PidFile ${join(root, 'sshd.pid')}`,
    `AuthorizedKeysFile ${join(root, 'authorized_keys')}`,
    'AuthenticationMethods publickey',
    'PermitRootLogin forced-commands-only',
    // The temporary directory is not root's alone.
    'StrictModes no',
    'UsePAM no',
    'UseDNS no',
    // The forced command's shell must not read the start-up files of whoever runs the tests.
    `SetEnv HOME=${root}`,
  ];
  writeFileSync(join(root, 'sshd_config'), `${config.join('\n')}\n`);
  if (userInfo().uid === 0) mkdirSync('/run/sshd', { recursive: true });
  const sshd = spawn('/usr/sbin/sshd', ['-D', '-e', '-f', join(root, 'sshd_config')], {
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  let log = '';
  sshd.stderr.on('data', (chunk: Buffer) => {
    log += chunk.toString();
  });
  const proxy = await startProxy(port);
  await until(
    'sshd listens',
    () => log.includes('Server listening'),
    () => log,
  );
  return {
    port,
    proxy,
    user: userInfo().username,
    keyFile: join(root, 'client_key'),
    otherKeyFile: join(root, 'other_key'),
    fingerprint: fingerprint(join(root, 'host_key.pub')),
    otherFingerprint: fingerprint(join(root, 'other_key.pub')),
    log: () => log,
    stop: async () => {
      await proxy.stop();
      const ended = new Promise((resolve) => sshd.once('exit', resolve));
      sshd.kill('SIGKILL');
      await ended;
      rmSync(root, { recursive: true, force: true });
    },
  };
}

/** As a person reads it from ssh-keygen, independently of the adapter. */
function fingerprint(file: string): string {
  return execFileSync('ssh-keygen', ['-lf', file], { encoding: 'utf8' }).split(' ')[1] ?? '';
}

export async function startProxy(target: number) {
  const pairs = new Set<readonly [Socket, Socket]>();
  let stalled = false;
  let bytesToTarget = 0;
  let accepted = 0;
  const server: Server = createServer((near) => {
    accepted += 1;
    const far = connect(target, '127.0.0.1');
    const pair = [near, far] as const;
    pairs.add(pair);
    near.on('data', (chunk: Buffer) => {
      bytesToTarget += chunk.length;
      if (!stalled) far.write(chunk);
    });
    far.on('data', (chunk: Buffer) => {
      if (!stalled) near.write(chunk);
    });
    for (const each of pair) {
      each.on('error', () => {});
      each.on('close', () => {
        if (!stalled) for (const socket of pair) socket.destroy();
      });
    }
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const cut = () => {
    for (const pair of pairs) for (const socket of pair) socket.resetAndDestroy();
    pairs.clear();
  };
  return {
    port: (server.address() as AddressInfo).port,
    accepted: () => accepted,
    bytesToTarget: () => bytesToTarget,
    cut,
    /** As a power loss on the other side: connections stay open and nothing comes. */
    stall: () => {
      stalled = true;
    },
    flow: () => {
      stalled = false;
      cut();
    },
    stop: async () => {
      cut();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

export function freePort(): Promise<number> {
  return new Promise((resolve) => {
    const server = createServer();
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address() as AddressInfo;
      server.close(() => resolve(port));
    });
  });
}

export async function until(what: string, holds: () => boolean | Promise<boolean>, detail = () => ''): Promise<void> {
  const end = performance.now() + 10_000;
  while (!(await holds())) {
    if (performance.now() > end) throw new Error(`not within 10 s: ${what}\n${detail()}`);
    await pause(20);
  }
}
