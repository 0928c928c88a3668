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

function makeProcess(pid: number, name = 'postgres', parent = 1, born = 7): string {
  const directory = join(proc, String(pid));
  mkdirSync(directory);
  writeFileSync(join(directory, 'comm'), `${name}\n`);
  writeFileSync(join(directory, 'stat'), `${pid} (${name}) S ${parent}${' 1'.repeat(17)} ${born} 1\n`);
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

test('a server that was started as `postmaster` is one', () => {
  symlinkSync(data, join(makeProcess(901, 'postmaster'), 'cwd'));
  assert.deepEqual(createProcesses(data, proc).list(), [901]);
});

test('what ran in the data directory belongs to it when that is renamed, with what it bears, and nothing else does', () => {
  symlinkSync(data, join(makeProcess(901), 'cwd'));
  const processes = createProcesses(data, proc);
  assert.deepEqual(processes.list(), [901]);
  const moveTo = (pid: number, directory: string): void => {
    rmSync(join(proc, String(pid), 'cwd'));
    symlinkSync(directory, join(proc, String(pid), 'cwd'));
  };
  moveTo(901, `${data}.old`);
  symlinkSync(`${data}.old`, join(makeProcess(905, 'postgres', 901), 'cwd'));
  symlinkSync('/elsewhere', join(makeProcess(906), 'cwd'));
  assert.deepEqual(processes.list(), [901, 905]);
  writeFileSync(join(proc, '905', 'stat'), `905 (postgres) Z 901${' 1'.repeat(17)} 7 1\n`);
  assert.deepEqual(processes.list(), [901], 'a zombie is none, though it has a parent and a number');
  for (const pid of [901, 905]) rmSync(join(proc, String(pid)), { recursive: true });
  symlinkSync('/elsewhere', join(makeProcess(901, 'postgres', 1, 8), 'cwd'));
  assert.deepEqual(processes.list(), [], 'its number was given to another server');
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
