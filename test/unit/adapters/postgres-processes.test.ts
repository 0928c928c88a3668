// What counts as "no process is left" (L7, L9), against a /proc made of files.

import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { createFence } from '../../../src/adapters/postgres/fence.ts';
import { createProcesses } from '../../../src/adapters/postgres/processes.ts';

let root: string;
let data: string;
let proc: string;

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'siteward-proc-'));
  data = join(root, 'data');
  proc = join(root, 'proc');
  for (const directory of [data, proc]) mkdirSync(directory);
});
afterEach(() => rmSync(root, { recursive: true }));

function makeProcess(pid: number, name = 'postgres', parent = 1): string {
  const directory = join(proc, String(pid));
  mkdirSync(directory);
  writeFileSync(join(directory, 'comm'), `${name}\n`);
  writeFileSync(join(directory, 'stat'), `${pid} (${name}) S ${parent} 1 1\n`);
  return directory;
}

test('the postmaster first, then its children; other names, other directories and zombies are not of it', () => {
  symlinkSync(data, join(makeProcess(900, 'postgres', 901), 'cwd'));
  symlinkSync(data, join(makeProcess(901), 'cwd'));
  symlinkSync(data, join(makeProcess(902, 'bash'), 'cwd'));
  symlinkSync('/', join(makeProcess(903), 'cwd'));
  makeProcess(904);
  assert.deepEqual(createProcesses(data, proc).list(), [901, 900]);
});

test('a process that cannot be looked at is not taken for dead: the list fails, and so does a fence', async () => {
  // readlink of a plain file fails with EINVAL: neither gone nor forbidden.
  const cwd = join(makeProcess(900), 'cwd');
  writeFileSync(cwd, '');
  const processes = createProcesses(data, proc);
  assert.throws(() => processes.list(), /EINVAL/);
  writeFileSync(join(data, 'postmaster.pid'), '900\n');
  assert.throws(() => processes.postmaster(), /EINVAL/);
  writeFileSync(join(data, 'standby.signal'), '');
  const inhibited = { present: () => true, put: () => {}, putSoon: () => Promise.resolve(), take: () => {} };
  const fence = createFence(processes, inhibited);
  let ended: string | null = null;
  const dead = fence.kill().then((outcome) => {
    ended = outcome.kind;
  });
  await pause(300);
  assert.equal(ended, null);
  rmSync(cwd);
  await dead;
  assert.equal(ended, 'done');
});

test('L9: a fence whose process stood still after its SIGQUIT kills what is left before it gives up', async (t) => {
  let clock = 0;
  t.mock.method(performance, 'now', () => clock);
  const signals: string[] = [];
  const processes = {
    ...createProcesses(data, proc),
    list: () => [900],
    signal: (pid: number, signal: NodeJS.Signals) => {
      signals.push(`${signal} ${pid}`);
      return true;
    },
  };
  const inhibited = { present: () => true, put: () => {}, putSoon: () => Promise.resolve(), take: () => {} };
  const dead = createFence(processes, inhibited).kill();
  clock = 16_000;
  assert.equal((await dead).kind, 'unknown');
  assert.deepEqual(signals, ['SIGQUIT 900', 'SIGKILL 900']);
});
