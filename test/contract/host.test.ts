// The forced command on an application host: files on a real disk, real processes to reload, stopped at every step.

import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { chmodSync, chownSync, readdirSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { userInfo } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import {
  type ApplicationHost,
  notePath,
  readEnv,
  reloadEnv,
  type SwitchStep,
  stageEnv,
  switchEnv,
} from '../../src/cli/host/application.ts';
import { parseHostArguments } from '../../src/cli/host/arguments.ts';
import { type HostAnswer, parseAnswer } from '../../src/wire/host-orders.ts';
import { applicationFiles, envOf, hostProgram, tokenOf, until } from './ssh-bed.ts';

let files: ReturnType<typeof applicationFiles>;
let host: ApplicationHost;
const children: ReturnType<typeof spawn>[] = [];

beforeEach(() => {
  files = applicationFiles();
  const pidFile = join(files.root, '{port}.pid');
  host = {
    directory: files.directory,
    envFile: '.env',
    stateDirectory: files.state,
    reload: { kind: 'sighup', pidFile, ports: [8001, 8002, 8003] },
    reloadDeadlineMs: 5000,
  };
});

afterEach(() => {
  for (const child of children.splice(0)) child.kill('SIGKILL');
  rmSync(files.root, { recursive: true, force: true });
});

const active = () => readFileSync(join(files.directory, '.env'), 'utf8');
const refusedAs = (code: string) => (error: unknown) =>
  error instanceof Error && 'code' in error && error.code === code;

/** A process that counts its SIGHUPs in a file, with the pid file of `port`. */
async function instance(port: number): Promise<() => number> {
  const count = join(files.root, `${port}.count`);
  const script = `printf x > ${count}; trap 'printf x >> ${count}' HUP; echo $$ > ${join(files.root, `${port}.pid`)}; while :; do sleep 0.02; done`;
  children.push(spawn('sh', ['-c', script], { stdio: 'ignore' }));
  await until(
    `instance ${port} runs`,
    () => readdirSync(files.root).includes(`${port}.pid`) && readFileSync(join(files.root, `${port}.pid`)).length > 1,
  );
  return () => readFileSync(count).length - 1;
}

const steps: readonly SwitchStep[] = [
  'token-noted',
  'temp-created',
  'temp-written',
  'temp-synced',
  'renamed',
  'directory-synced',
  'reloaded',
  'reload-noted',
];

for (const step of steps) {
  test(`killed after ${step}: one complete file, and the next order finishes it`, async () => {
    const reloads = await instance(8001);
    const child = spawnSync(process.execPath, [
      fileURLToPath(import.meta.resolve('./host-stop.ts')),
      files.directory,
      files.state,
      step,
      join(files.root, '{port}.pid'),
    ]);
    assert.equal(child.signal, 'SIGKILL', child.stderr.toString());

    const replaced = steps.indexOf(step) >= steps.indexOf('renamed');
    assert.equal(active(), replaced ? envOf.site2 : envOf.site1);
    // Until the instances were told, no agent takes the switch for done.
    const finished = step === 'reload-noted';
    assert.deepEqual(readEnv(host), {
      active: finished ? 'site2' : null,
      staged: ['site1', 'site2'],
      token: tokenOf(2),
    });
    await assert.rejects(switchEnv(host, 'site1', tokenOf(1)), refusedAs('lower-token'));

    assert.equal(await switchEnv(host, 'site2', tokenOf(2)), 1);
    assert.equal(active(), envOf.site2);
    assert.equal(readEnv(host).active, 'site2');
    assert.deepEqual(readdirSync(files.directory).sort(), ['.env', 'site1.env', 'site2.env']);
    await until('the instance was told', () => reloads() > 0);
  });
}

test('owner and mode of the active file stay', async () => {
  const path = join(files.directory, '.env');
  chmodSync(path, 0o640);
  const isRoot = userInfo().uid === 0;
  if (isRoot) chownSync(path, 12345, 23456);
  await switchEnv(host, 'site2', tokenOf(2));
  const { mode, uid, gid } = statSync(path);
  assert.equal(mode & 0o7777, 0o640);
  if (isRoot) assert.deepEqual([uid, gid], [12345, 23456]);
});

test('where there is no active file, it is made as the staged one', async () => {
  rmSync(join(files.directory, '.env'));
  chmodSync(join(files.directory, 'site2.env'), 0o604);
  assert.equal(readEnv(host).active, null);
  await switchEnv(host, 'site2', tokenOf(2));
  assert.equal(statSync(join(files.directory, '.env')).mode & 0o777, 0o604);
});

test('a link in place of the active file is not written through, nor replaced', async () => {
  const path = join(files.directory, '.env');
  rmSync(path);
  symlinkSync(join(files.directory, 'site1.env'), path);
  await assert.rejects(switchEnv(host, 'site2', tokenOf(2)), refusedAs('write-failed'));
  assert.equal(active(), envOf.site1);
});

test('what is not usable is not staged', async () => {
  const path = join(files.directory, 'site2.env');
  for (const content of ['', '# nothing\n', 'x'.repeat(70_000)]) {
    writeFileSync(path, content);
    assert.deepEqual(readEnv(host).staged, ['site1']);
    await assert.rejects(switchEnv(host, 'site2', tokenOf(2)), refusedAs('not-staged'));
  }
  rmSync(path);
  await assert.rejects(switchEnv(host, 'site2', tokenOf(2)), refusedAs('not-staged'));
  // A stray line does not stop a failover.
  writeFileSync(path, `junk\n${envOf.site2}`);
  await switchEnv(host, 'site2', tokenOf(2));
  // Nor was the token of the refused orders noted.
  assert.deepEqual(readEnv(host).token, tokenOf(2));
});

test('a damaged note refuses, and says so', async () => {
  await switchEnv(host, 'site2', tokenOf(2));
  const note = readFileSync(notePath(host));
  for (const damage of [
    note.subarray(0, note.length - 5),
    Buffer.from('{}'),
    Buffer.alloc(0),
    Buffer.from('{"format":2}'),
  ]) {
    writeFileSync(notePath(host), damage);
    assert.throws(() => readEnv(host), refusedAs('note-damaged'));
    await assert.rejects(switchEnv(host, 'site1', tokenOf(9)), refusedAs('note-damaged'));
    assert.equal(active(), envOf.site2);
  }
});

test('a stage replaces the staged file alone, and only by a good one', async () => {
  stageEnv(host, 'site2', Buffer.from('export dbhost="172.21.1.31" # new\r\n'));
  assert.equal(active(), envOf.site1);
  assert.equal(readFileSync(join(files.directory, 'site2.env'), 'latin1'), 'export dbhost="172.21.1.31" # new\r\n');
  for (const bad of [
    '',
    'dbport=1\n',
    'dbhost=\n',
    'junk\ndbhost=x\n',
    'dbhost="x\n',
    'dbhost=x\0\n',
    'dbhost=\xff\n',
  ]) {
    assert.throws(
      () => stageEnv(host, 'site2', Buffer.from(bad, 'latin1')),
      refusedAs('invalid-env'),
      JSON.stringify(bad),
    );
  }
  rmSync(join(files.directory, 'site1.env'));
  stageEnv(host, 'site1', Buffer.from(envOf.site1));
  assert.equal(statSync(join(files.directory, 'site1.env')).mode & 0o777, 0o640);
});

test('every switch tells the instances that run, an equal one too', async () => {
  const [one, three] = [await instance(8001), await instance(8003)];
  const tellings = [
    () => switchEnv(host, 'site2', tokenOf(2)),
    () => switchEnv(host, 'site2', tokenOf(2)),
    () => reloadEnv(host),
  ];
  for (const [told, tell] of tellings.entries()) {
    assert.equal(await tell(), 2);
    await until('both were told once more', () => one() === told + 1 && three() === told + 1);
  }
});

test('a reload command runs for each port, and its failure is told while the file is switched', async () => {
  const marks = join(files.root, 'marks');
  const by = (...command: string[]): ApplicationHost => ({
    ...host,
    reload: { kind: 'command', command, ports: [8001, 8002] },
  });
  assert.equal(await switchEnv(by('sh', '-c', `echo {port} >> ${marks}`), 'site2', tokenOf(2)), 2);
  assert.deepEqual(readFileSync(marks, 'utf8').trim().split('\n').sort(), ['8001', '8002']);
  assert.equal(await switchEnv(by('true'), 'site2', tokenOf(2)), 1);

  await assert.rejects(switchEnv(by('false'), 'site1', tokenOf(3)), refusedAs('reload-failed'));
  assert.equal(active(), envOf.site1);
  assert.equal(readEnv(host).active, null);
  await assert.rejects(switchEnv(by('/nowhere/program'), 'site1', tokenOf(3)), refusedAs('reload-failed'));
  await assert.rejects(
    switchEnv({ ...by('sleep', '5'), reloadDeadlineMs: 100 }, 'site1', tokenOf(3)),
    refusedAs('reload-failed'),
  );
  await reloadEnv(by('true'));
  assert.equal(readEnv(host).active, 'site1');
});

/** The command as sshd starts it. */
function order(text: string | null, input = ''): { answer: HostAnswer | null; status: number | null } {
  const words = [
    'application',
    '--directory',
    files.directory,
    '--state',
    files.state,
    '--ports',
    '8001',
    '--pid-file',
    join(files.root, '{port}.pid'),
  ];
  const [program = '', script = ''] = hostProgram;
  const env = text === null ? {} : { SSH_ORIGINAL_COMMAND: text };
  const child = spawnSync(program, [script, ...words], { env: { PATH: process.env['PATH'], ...env }, input });
  return { answer: parseAnswer(child.stdout.toString()), status: child.status };
}

test('the command itself: one line of answer and an exit status', () => {
  assert.deepEqual(order('read'), {
    answer: { ok: true, kind: 'env', env: { active: 'site1', staged: ['site1', 'site2'], token: null }, reloaded: 0 },
    status: 0,
  });
  const big = order('stage site2', `dbhost=x\n#${'x'.repeat(70_000)}\n`).answer;
  assert.equal(big?.ok === false && big.code, 'invalid-env');
  const staged = order('stage site2', 'dbhost=x\n');
  assert.equal(staged.status, 0);
  for (const text of [null, '', 'sh', 'read now', 'fence 0 site1 2 5 site1']) {
    const { answer, status } = order(text);
    assert.equal(answer?.ok === false && answer.code, 'not-an-order', String(text));
    assert.equal(status, 1);
  }
  assert.equal(order('switch site2 0 site1 7 7 site1').status, 0);
  const low = order('switch site2 0 site1 6 9 site1').answer;
  assert.deepEqual(low?.ok === false && low.token, tokenOf(7));
});

test('two switches at once run one after the other', async () => {
  const words = [
    'application',
    '--directory',
    files.directory,
    '--state',
    files.state,
    '--ports',
    '8001',
    '--',
    'sleep',
    '0.3',
  ];
  const [program = '', script = ''] = hostProgram;
  const both = (['site1', 'site2'] as const).map((site, index) => {
    const env = { PATH: process.env['PATH'], SSH_ORIGINAL_COMMAND: `switch ${site} 0 site1 ${index + 2} 5 site1` };
    const child = spawn(program, [script, ...words], { env, stdio: ['ignore', 'pipe', 'inherit'] });
    children.push(child);
    let text = '';
    child.stdout.on('data', (chunk: Buffer) => {
      text += chunk.toString();
    });
    return new Promise<HostAnswer | null>((resolve) => child.once('close', () => resolve(parseAnswer(text))));
  });
  const [first, second] = await Promise.all(both);
  // Whichever came first, the higher epoch has the last word.
  assert.equal(active(), envOf.site2);
  assert.equal(second?.ok, true);
  assert.ok(first?.ok === true || (first?.ok === false && first.code === 'lower-token'));
});

test('mistakes in authorized_keys are told, not guessed', () => {
  for (const words of [
    [],
    ['client'],
    ['application'],
    ['application', '--directory', 'srv', '--state', '/s', '--ports', '1'],
    ['application', '--directory', '/srv', '--state', '/s', '--ports', 'x'],
    ['application', '--directory', '/srv', '--state', '/s', '--ports', '1', '--shell', 'yes'],
    ['application', '--directory', '/srv', '--state', '/s', '--ports', '1', '--env-file', '../x'],
    ['database', '--data', '/d'],
    ['database', '--data', '/d', '--bin', '/b', '--state', '/s', 'more'],
  ]) {
    assert.throws(() => parseHostArguments(words), Error, words.join(' '));
  }
  const good = parseHostArguments([
    'application',
    '--directory',
    '/srv',
    '--state',
    '/s',
    '--ports',
    '1,2',
    '--',
    'docker',
    'kill',
    '--signal',
    'HUP',
    'b-{port}',
  ]);
  assert.deepEqual(good.kind === 'application' && good.host.reload, {
    kind: 'command',
    command: ['docker', 'kill', '--signal', 'HUP', 'b-{port}'],
    ports: [1, 2],
  });
});
