// Whom a switch sends SIGHUP, by pid files as note-pid leaves them, as older releases did, and as a power loss does: an
// instance that runs is told, or the order refused; a stranger is left alone.

import assert from 'node:assert/strict';
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import {
  chmodSync,
  copyFileSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { type ApplicationHost, readEnv, switchEnv } from '../../src/cli/host/application.ts';
import { applicationFiles, tokenOf, until } from './ssh-bed.ts';

let files: ReturnType<typeof applicationFiles>;
let host: ApplicationHost;
const children: ChildProcess[] = [];

beforeEach(() => {
  files = applicationFiles();
  host = {
    directory: files.directory,
    envFile: '.env',
    stateDirectory: files.state,
    reload: { kind: 'sighup', pidFile: join(files.root, '{port}.pid'), ports: [8001, 8002] },
    reloadDeadlineMs: 5000,
  };
});

afterEach(() => {
  for (const child of children.splice(0)) child.kill('SIGKILL');
  rmSync(files.root, { recursive: true, force: true });
});

const pidFile = (port: number): string => join(files.root, `${port}.pid`);
const refused = { code: 'reload-failed' };

/** A process that counts its SIGHUPs, run by a shell of another name: any name is possible. */
async function instance(name: string): Promise<{ pid: number; hups: () => number }> {
  const shell = join(files.root, name);
  const count = `${shell}.count`;
  copyFileSync('/bin/sh', shell);
  chmodSync(shell, 0o755);
  const child = spawn(shell, ['-c', `trap 'printf x >>"$0"' HUP; : >"$0"; while :; do sleep 0.02; done`, count]);
  children.push(child);
  const hups = (): number => readFileSync(count).length;
  await until(`${name} runs`, () => {
    try {
      return hups() === 0;
    } catch {
      return false;
    }
  });
  return { pid: child.pid ?? 0, hups };
}

/** The script that a host gets, with a Docker engine that knows one pid. */
function notePid(port: number, pid: number): number | null {
  const template = join(import.meta.dirname, '../../deploy/ansible/roles/application/templates/note-pid');
  const bin = join(files.root, 'bin');
  const script = readFileSync(template, 'utf8')
    .replaceAll("{{ '{{' }}", '{{')
    .replaceAll("{{ '}}' }}", '}}')
    .replaceAll('/run/birthday', files.root);
  mkdirSync(bin, { recursive: true });
  writeFileSync(join(bin, 'docker'), `#!/bin/sh\necho ${pid}\n`, { mode: 0o755 });
  writeFileSync(join(bin, 'note-pid'), script, { mode: 0o755 });
  const env = { ...process.env, PATH: `${bin}:${process.env['PATH']}`, MAINPID: String(process.pid) };
  return spawnSync(join(bin, 'note-pid'), [String(port)], { env }).status;
}

/** A step of the wall clock moves the time of the boot, and with it all start times; files keep their dates. */
function clockPutForward(port: number, seconds: number): void {
  const then = new Date(Date.now() - seconds * 1000);
  utimesSync(pidFile(port), then, then);
}

test('an instance that note-pid noted is told, whatever the clock did since', async () => {
  const one = await instance('sh) S 1 1');
  assert.equal(notePid(8001, one.pid), 0);
  assert.equal(await switchEnv(host, 'site2', tokenOf(2)), 1);
  await until('it was told', () => one.hups() === 1);
  for (const seconds of [5, 3600, -3600]) {
    const before = one.hups();
    clockPutForward(8001, seconds);
    assert.equal(await switchEnv(host, 'site2', tokenOf(2)), 1);
    await until('it was told again', () => one.hups() === before + 1);
  }
  assert.equal(readEnv(host).active, 'site2');
});

test('note-pid notes nothing of a process that is gone', () => {
  assert.notEqual(notePid(8001, 999_999_999), 0);
  assert.deepEqual(
    readdirSync(files.root).filter((name) => name.startsWith('8001')),
    [],
  );
});

test('a number that was given to another process since does not hurt that, and keeps no switch from its end', async () => {
  const stranger = await instance('stranger');
  assert.equal(notePid(8001, stranger.pid), 0);
  assert.equal(readFileSync(pidFile(8001), 'utf8'), `${stranger.pid}\n`, 'what older releases read');
  const [pid, began] = readFileSync(`${pidFile(8001)}.start`, 'utf8')
    .trim()
    .split(' ');
  writeFileSync(`${pidFile(8001)}.start`, `${pid} ${Number(began) - 1}\n`);
  writeFileSync(pidFile(8002), '999999999\n');
  writeFileSync(`${pidFile(8002)}.start`, '999999999 4711\n');
  assert.equal(await switchEnv(host, 'site2', tokenOf(2)), 0);
  assert.equal(readEnv(host).active, 'site2');
  await pause(100);
  assert.equal(stranger.hups(), 0);
});

test('a number without a start, as older releases noted it: told where it is the older one', async () => {
  const one = await instance('one');
  writeFileSync(pidFile(8001), `${one.pid}\n`);
  // Left behind by a unit that did not know of it.
  writeFileSync(`${pidFile(8001)}.start`, `${one.pid + 1} 4711\n`);
  writeFileSync(pidFile(8002), '999999999\n');
  assert.equal(await switchEnv(host, 'site2', tokenOf(2)), 1);
  await until('it was told', () => one.hups() === 1);
});

test('where a running process may be the instance or another one, it is not told and the switch stays due', async () => {
  const [unsure, sure] = [await instance('unsure'), await instance('sure')];
  writeFileSync(pidFile(8001), `${unsure.pid}\n`);
  clockPutForward(8001, 5);
  assert.equal(notePid(8002, sure.pid), 0);
  await assert.rejects(switchEnv(host, 'site2', tokenOf(2)), refused);
  await until('the other one was told all the same', () => sure.hups() === 1);
  assert.equal(readEnv(host).active, null, 'the agents give the order again');
  assert.equal(unsure.hups(), 0);

  assert.equal(notePid(8001, unsure.pid), 0);
  assert.equal(await switchEnv(host, 'site2', tokenOf(2)), 2);
  assert.equal(readEnv(host).active, 'site2');
});

test('a pid file that cannot be read as one is no sign of an instance that does not run', async () => {
  for (const text of ['', 'no number\n', '12 34\n', '0\n', '-1\n']) {
    writeFileSync(pidFile(8001), text);
    await assert.rejects(switchEnv(host, 'site2', tokenOf(2)), refused, JSON.stringify(text));
  }
  rmSync(pidFile(8001));
  assert.equal(await switchEnv(host, 'site2', tokenOf(2)), 0);
});
