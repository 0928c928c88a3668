// systemd/siteward-postgresql and its client: three verbs, one unit, and nothing of what was sent becomes part of a
// command. A stand-in for systemctl, and for systemd's socket, which hands each connection over as standard input.

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { askHelper } from '../../src/adapters/postgres/unit-helper.ts';

const helper = join(import.meta.dirname, '../../systemd/siteward-postgresql');
const unit = 'postgresql@15-main.service';

describe('siteward-postgresql', () => {
  const folder = mkdtempSync(join(tmpdir(), 'siteward-helper-'));
  const socket = join(folder, 'socket');
  const log = join(folder, 'log');
  let server: Server;

  before(async () => {
    const systemctl = join(folder, 'systemctl');
    writeFileSync(systemctl, `#!/bin/sh\necho "$*" >>${log}\n[ "$1" != stop ] || { echo 'Access denied'; exit 1; }\n`);
    chmodSync(systemctl, 0o755);
    server = createServer((connection) => {
      const environment = { PATH: `${folder}:/usr/bin:/bin`, SITEWARD_DATABASE_UNIT: unit };
      const child = spawn(helper, [], { env: environment, stdio: ['pipe', 'pipe', 'inherit'] });
      child.stdin.on('error', () => {});
      connection.on('error', () => {});
      connection.pipe(child.stdin);
      child.stdout.pipe(connection);
    });
    await new Promise<void>((resolve) => server.listen(socket, resolve));
  });
  after(() => {
    server.close();
    rmSync(folder, { recursive: true, force: true });
  });

  const ran = (): string => (existsSync(log) ? readFileSync(log, 'utf8') : '');

  test('does its verbs to its unit', async () => {
    assert.deepEqual(await askHelper(socket, 'reset-failed', unit, 5000), { kind: 'done', value: undefined });
    assert.deepEqual(await askHelper(socket, 'restart', unit, 5000), { kind: 'done', value: undefined });
    assert.equal(ran(), `reset-failed -- ${unit}\nrestart --no-block -- ${unit}\n`);
  });

  test('hands on what systemctl says', async () => {
    const outcome = await askHelper(socket, 'stop', unit, 5000);
    assert.deepEqual(outcome, { kind: 'rejected', code: 'control', detail: 'systemctl: Access denied' });
  });

  test('refuses other units, other verbs, and words that a shell might take for more', async () => {
    const before = ran();
    const asked = [
      ['restart', 'ssh.service'],
      ['restart', `${unit} ssh.service`],
      ['mask', unit],
      ['restart;reboot', unit],
      ['$(reboot)', unit],
      ['', unit],
      ['*', '*'],
    ] as const;
    for (const [verb, what] of asked) {
      const outcome = await askHelper(socket, verb, what, 5000);
      assert.equal(outcome.kind, 'rejected', `${verb} ${what}`);
    }
    assert.equal(ran(), before);
  });

  test('nobody listens; somebody listens and says nothing', async () => {
    const nobody = await askHelper(join(folder, 'nobody'), 'restart', unit, 5000);
    assert.deepEqual([nobody.kind, nobody.kind === 'rejected' && nobody.code], ['rejected', 'control']);
    const silent = createServer((connection) => void connection.resume());
    const path = join(folder, 'silent');
    await new Promise<void>((resolve) => silent.listen(path, resolve));
    try {
      assert.equal((await askHelper(path, 'restart', unit, 100)).kind, 'unknown');
    } finally {
      silent.close();
    }
  });
});
