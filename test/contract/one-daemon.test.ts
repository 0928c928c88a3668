// A state directory has one daemon of a role: the real ones, a second one of each typed by hand beside the first.

import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, renameSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { holdDirectory } from '../../src/adapters/disk/hold.ts';
import { EXIT } from '../../src/catalog/exit-codes.ts';
import { daemonBed, roles } from './daemon-bed.ts';

const bed = daemonBed('one-daemon');
const folder = mkdtempSync(join(tmpdir(), 'siteward-hold-'));
after(() => {
  bed.stop();
  rmSync(folder, { recursive: true, force: true });
});

/** Null after the deadline: it runs on. */
function ended(child: ChildProcess, deadlineMs: number): Promise<number | string | null> {
  return new Promise((resolve) => {
    const timer = setTimeout(() => resolve(null), deadlineMs);
    child.once('close', (code, signal) => {
      clearTimeout(timer);
      resolve(code ?? signal);
    });
  });
}

for (const role of roles) {
  test(`a second ${role} on the same state does not start, and the first works on (Q1, Q3)`, async () => {
    const first = bed.start(role);
    await bed.scrape(role);
    const second = bed.start(role);
    assert.equal(await ended(second, 20_000), EXIT.unsafe, second.said());
    assert.ok(second.said().includes(`another siteward ${role} runs on the state in ${bed.stateDirectory}`));
    assert.ok(second.said().includes(`systemctl status siteward-${role}`));
    assert.doesNotMatch(second.said(), /\n\s+at /);
    await bed.scrape(role);
    assert.equal(first.exitCode ?? first.signalCode, null);

    first.kill('SIGKILL');
    await ended(first, 10_000);
    const third = bed.start(role);
    await bed.scrape(role);
    assert.equal(third.exitCode, null, third.said());
  });
}

function directory(name: string): string {
  mkdirSync(join(folder, name));
  return join(folder, name);
}

test('a directory is the same by any name, and another one by the same name', async () => {
  const path = directory('state');
  assert.equal((await holdDirectory('agent', path)).kind, 'done');
  assert.equal((await holdDirectory('agent', path)).kind, 'rejected');
  assert.equal((await holdDirectory('witness', path)).kind, 'done', 'another role');
  symlinkSync(path, join(folder, 'link'));
  assert.equal((await holdDirectory('agent', join(folder, 'link'))).kind, 'rejected');
  renameSync(path, join(folder, 'aside'));
  assert.equal((await holdDirectory('agent', directory('state'))).kind, 'done');
  assert.equal((await holdDirectory('agent', join(folder, 'nowhere'))).kind, 'unknown');
});

test('what a guard leaves running does not keep the next guard out', async () => {
  const path = directory('guard');
  const script = `
    const { holdDirectory } = await import(${JSON.stringify(import.meta.resolve('../../src/adapters/disk/hold.ts'))});
    const { spawn } = await import('node:child_process');
    if ((await holdDirectory('guard', ${JSON.stringify(path)})).kind !== 'done') process.exit(1);
    const database = spawn('sleep', ['60'], { detached: true, stdio: 'ignore' });
    process.stdout.write(String(database.pid), () => setInterval(() => {}, 1000));`;
  const guard = spawn(process.execPath, ['--input-type=module', '-e', script], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const database = Number(await new Promise((resolve) => guard.stdout.once('data', resolve)));
  try {
    assert.equal((await holdDirectory('guard', path)).kind, 'rejected');
    guard.kill('SIGKILL');
    assert.equal(await ended(guard, 10_000), 'SIGKILL');
    process.kill(database, 0);
    assert.equal((await holdDirectory('guard', path)).kind, 'done');
  } finally {
    guard.kill('SIGKILL');
    process.kill(database, 'SIGKILL');
  }
});
