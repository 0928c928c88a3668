import assert from 'node:assert/strict';
import { chmodSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, test } from 'node:test';
import { EXIT, exitCodes } from '../../../src/catalog/exit-codes.ts';
import { runConfig } from '../../../src/cli/config.ts';
import { lastGoodPath, loadConfig, loadForDaemon, saveLastGood } from '../../../src/config/load.ts';
import { exampleFile } from '../../../src/config/pages.ts';

let folder = '';
let file = '';
let lastGood = '';

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'siteward-config-'));
  file = join(folder, 'cluster.yaml');
  lastGood = lastGoodPath(folder, 'agent');
});
afterEach(() => rmSync(folder, { recursive: true }));

function run(...args: string[]) {
  const out: string[] = [];
  const err: string[] = [];
  const code = runConfig(args, { out: (text) => out.push(text), err: (text) => err.push(text) });
  return { code, out: out.join('\n'), err: err.join('\n') };
}

test('a file that is not there is a problem, not an exception', () => {
  const result = loadConfig(file);
  assert.ok(result.kind === 'bad');
  assert.match(result.problems[0]?.problem ?? '', /ENOENT/);
});

test('nothing new starts on a bad file', () => {
  writeFileSync(file, 'cluster: birthday\n');
  const result = loadForDaemon(file, lastGood);
  assert.ok(result.kind === 'bad');
  assert.ok(result.problems.every((problem) => problem.file === file));
});

test('a daemon that ran before starts on its last good file, and says so', () => {
  writeFileSync(file, exampleFile());
  const first = loadForDaemon(file, lastGood);
  assert.ok(first.kind === 'good');
  assert.equal(first.alert, undefined);
  saveLastGood(lastGood, first.text);

  writeFileSync(file, exampleFile().replace('cluster: birthday', 'cluster: Birth Day'));
  const second = loadForDaemon(file, lastGood);
  assert.ok(second.kind === 'good');
  assert.deepEqual(second.config, first.config);
  assert.match(
    second.alert ?? '',
    /^SW-CONFIG-002 Running on the last good configuration\. .*cluster\.yaml line \d+: cluster "Birth Day" is no cluster name/,
  );

  rmSync(file);
  const third = loadForDaemon(file, lastGood);
  assert.ok(third.kind === 'good');
  assert.match(third.alert ?? '', /ENOENT/);
});

test('the last good copy is replaced as a whole and leaves nothing else behind', () => {
  saveLastGood(lastGood, 'one');
  saveLastGood(lastGood, 'two');
  saveLastGood(lastGood, 'two');
  assert.equal(readFileSync(lastGood, 'utf8'), 'two');
  assert.deepEqual(readdirSync(folder), ['agent.last-good.yaml']);
  assert.equal(statSync(lastGood).mode & 0o777, 0o640);
});

test('config check says that the example is good, and its sums', () => {
  writeFileSync(file, exampleFile());
  const { code, out, err } = run('check', file);
  assert.equal(err, '');
  assert.equal(code, EXIT.ok);
  assert.match(out, /T1 {2}renewEvery 0\.75s .* = 5\.65s < lease\.ttl 6s/);
});

test('config check refuses a secret that others can read, where it exists', () => {
  const secret = join(folder, 'probe.password');
  const text = exampleFile().replace('# passwordFile: /etc/siteward/secrets/probe.password', `passwordFile: ${secret}`);
  writeFileSync(file, text);
  assert.equal(run('check', file).code, EXIT.ok);
  writeFileSync(secret, 'not so secret');
  chmodSync(secret, 0o644);
  const refused = run('check', file);
  assert.equal(refused.code, EXIT.config);
  assert.match(refused.err, /has mode 0644/);
  assert.match(refused.err, /chmod 0600/);
  chmodSync(secret, 0o600);
  assert.equal(run('check', file).code, EXIT.ok);
});

test('config explain prints the sums, the worst cases and what is not guaranteed', () => {
  writeFileSync(file, exampleFile());
  const { code, out } = run('explain', file);
  assert.equal(code, EXIT.ok);
  for (const said of ['T1', 'The database host is lost: at worst', 'The whole site is lost', 'not guaranteed']) {
    assert.ok(out.includes(said), said);
  }
});

test('a wrong command line is told the usage', () => {
  for (const args of [[], ['chek'], ['check', file, 'more'], ['check', '--quiet']]) {
    const { code, err } = run(...args);
    assert.equal(code, EXIT.usage);
    assert.match(err, /^usage: siteward config check/);
  }
  assert.equal(run('--help').code, EXIT.ok);
});

test('each exit code is listed once', () => {
  assert.deepEqual(
    exitCodes.map((entry) => [entry.name, entry.code]),
    Object.entries(EXIT),
  );
});
