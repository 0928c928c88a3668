import assert from 'node:assert/strict';
import { copyFileSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { readIdentity } from '../../src/adapters/http/identity.ts';
import { EXIT } from '../../src/catalog/exit-codes.ts';
import { runKeys } from '../../src/cli/keys.ts';

const directory = mkdtempSync(join(tmpdir(), 'siteward-keys-'));
after(() => rmSync(directory, { recursive: true, force: true }));

function keys(...args: string[]) {
  const out: string[] = [];
  const err: string[] = [];
  const code = runKeys(args, { out: (text) => void out.push(text), err: (text) => void err.push(text) });
  return { code, out: out.join('\n'), err: err.join('\n') };
}

test('new makes a key for its owner only and prints the pin that both files have', () => {
  const made = keys('new', 'site1-agent', '--directory', directory);
  assert.equal(made.code, EXIT.ok, made.err);
  assert.match(made.out, /^[A-Za-z0-9+/]{43}=$/);
  assert.equal(statSync(join(directory, 'site1-agent.key')).mode & 0o777, 0o600);
  assert.deepEqual(readdirSync(directory).sort(), ['site1-agent.crt', 'site1-agent.key']);
  for (const end of ['key', 'crt']) assert.equal(keys('pin', join(directory, `site1-agent.${end}`)).out, made.out);
  assert.equal(readIdentity(directory, 'site1-agent').pin, made.out);
});

test('nothing is ever overwritten', () => {
  const before = readFileSync(join(directory, 'site1-agent.key'));
  const again = keys('new', 'site1-agent', '--directory', directory);
  assert.equal(again.code, EXIT.config);
  assert.match(again.err, /there already/);
  assert.deepEqual(readFileSync(join(directory, 'site1-agent.key')), before);
});

test('a key and a certificate that do not belong together are no identity', () => {
  keys('new', 'other', '--directory', directory);
  copyFileSync(join(directory, 'site1-agent.crt'), join(directory, 'mixed.crt'));
  copyFileSync(join(directory, 'other.key'), join(directory, 'mixed.key'));
  assert.throws(() => readIdentity(directory, 'mixed'), /not of one key/);
});

test('what is no key has no pin; what is no command line is told the usage', () => {
  assert.match(keys('pin', import.meta.filename).err, /is no key or certificate/);
  assert.equal(keys('pin', join(directory, 'nowhere')).code, EXIT.config);
  for (const args of [[], ['new'], ['new', '../x'], ['pin', 'a', 'b'], ['old', 'x'], ['new', 'x', '--force']]) {
    assert.equal(keys(...args).code, EXIT.usage, args.join(' '));
  }
  assert.equal(keys('--help').code, EXIT.ok);
});
