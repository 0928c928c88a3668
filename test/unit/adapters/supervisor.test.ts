// What systemd is told, by a stand-in for systemd-notify that takes its time.

import assert from 'node:assert/strict';
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { createSupervisor } from '../../../src/adapters/supervisor/supervisor.ts';
import type { Instant } from '../../../src/core/time.ts';

describe('the supervisor is told', () => {
  const folder = mkdtempSync(join(tmpdir(), 'siteward-supervisor-'));
  const log = join(folder, 'log');
  const path = process.env['PATH'];
  const environment = { NOTIFY_SOCKET: '/run/notify', WATCHDOG_USEC: '4000000' };
  let now = 0;
  const clock = { now: () => now as Instant, wall: () => 0, wakeAt: () => () => {} };

  before(() => {
    const program = join(folder, 'systemd-notify');
    writeFileSync(program, `#!/bin/sh\nsleep 0.1\necho "$*" >>${log}\n`);
    chmodSync(program, 0o755);
    process.env['PATH'] = `${folder}:${path}`;
  });
  after(() => {
    process.env['PATH'] = path;
    rmSync(folder, { recursive: true, force: true });
  });

  const count = (): number => readFileSync(log, 'utf8').trim().split('\n').length;

  async function told(count: number): Promise<string[]> {
    for (let tries = 0; tries < 200; tries += 1) {
      try {
        const lines = readFileSync(log, 'utf8').split('\n').filter(Boolean);
        if (lines.length >= count) return lines;
      } catch {
        // Not yet.
      }
      await pause(20);
    }
    return [];
  }

  test('that it is ready, also right after a sign of life', async () => {
    const supervisor = createSupervisor(environment, clock);
    supervisor.alive();
    supervisor.ready();
    assert.deepEqual(await told(2), ['WATCHDOG=1', '--ready']);
  });

  test('that it lives, at a quarter of the patience and only after a completed cycle', async () => {
    rmSync(log);
    const supervisor = createSupervisor(environment, clock);
    for (now = 10_000; now < 11_000; now += 100) supervisor.alive();
    assert.deepEqual(await told(1), ['WATCHDOG=1']);
    now = 11_000;
    // It stays due while the last word is on its way, however long that takes, and is said once.
    for (let tries = 0; tries < 200 && count() < 2; tries += 1) {
      supervisor.alive();
      await pause(20);
    }
    assert.deepEqual(await told(2), ['WATCHDOG=1', 'WATCHDOG=1']);
    supervisor.stopping();
    assert.deepEqual(await told(3), ['WATCHDOG=1', 'WATCHDOG=1', '--stopping']);
  });

  test('nothing where nobody listens', async () => {
    rmSync(log);
    const supervisor = createSupervisor({}, clock);
    supervisor.ready();
    supervisor.alive();
    await pause(200);
    assert.throws(() => readFileSync(log));
  });
});
