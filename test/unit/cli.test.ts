// What the command line says to somebody who asks, errs, or is the wrong account.

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { commands } from '../../src/catalog/commands.ts';
import { EXIT } from '../../src/catalog/exit-codes.ts';
import { openClient, Refused } from '../../src/cli/client.ts';
import { runCommand } from '../../src/cli/commands.ts';
import { exampleFile } from '../../src/config/pages.ts';

async function siteward(...args: string[]) {
  const out: string[] = [];
  const err: string[] = [];
  const code = await runCommand(args, { out: (text) => void out.push(text), err: (text) => void err.push(text) });
  return { code, out: out.join('\n'), err: err.join('\n') };
}

for (const { name } of commands) {
  test(`siteward ${name} --help says how it is called`, async () => {
    const asked = await siteward(name, '--help');
    assert.deepEqual([asked.code, asked.err], [EXIT.ok, '']);
    assert.match(asked.out, new RegExp(`^usage: siteward ${name}\\b`));
  });

  test(`siteward ${name} takes no unknown option`, async () => {
    const wrong = await siteward(name, '--no-such-option');
    assert.deepEqual([wrong.code, wrong.out], [EXIT.usage, '']);
    assert.match(wrong.err, /^usage: /);
  });
}

test('an order of an agent or witness says how it is called', async () => {
  for (const who of ['agent', 'witness']) {
    assert.match((await siteward(who, '--help')).out, new RegExp(`siteward ${who} rejoin`));
    assert.match((await siteward(who, 'rejoin', '--help')).out, new RegExp(`^usage: siteward ${who} rejoin`));
  }
});

for (const line of [
  'restart --dry-run',
  'resume --dry-run',
  'pause --dry-run',
  'entry --to site1 --dry-run',
  'entry --to site3',
  'pause --to site1',
  'failover --reason drill',
])
  test(`siteward ${line} is no order: what would be left out might be what was meant`, async () => {
    const wrong = await siteward(...line.split(' '), '--config', '/nonexistent');
    assert.deepEqual([wrong.code, wrong.out], [EXIT.usage, '']);
    assert.match(wrong.err, /^usage: /);
  });

test('what fails says so to programs, too', () => {
  const main = join(import.meta.dirname, '../../src/main.ts');
  const { status, stdout } = spawnSync(process.execPath, [main, 'pause', '--json', '--config', '/nonexistent'], {
    encoding: 'utf8',
  });
  const { ok, why, code } = JSON.parse(stdout) as Readonly<Record<string, unknown>>;
  assert.deepEqual([status, ok, code], [EXIT.config, false, EXIT.config]);
  assert.match(String(why), /\/nonexistent/);
});

const folder = mkdtempSync(join(tmpdir(), 'siteward-cli-'));
after(() => rmSync(folder, { recursive: true, force: true }));
const keys = join(folder, 'keys');
const file = join(folder, 'cluster.yaml');
mkdirSync(keys);
chmodSync(folder, 0o755);
const [directory] = /^ *#? *directory: .*$/m.exec(exampleFile()) ?? [''];
writeFileSync(file, exampleFile().replace(directory, `  directory: ${keys}`));
const operator = 'alice';

/** As an account that is not root, which may read everything. */
function refusal(as?: string): string {
  const root = process.geteuid?.() === 0;
  if (root) process.seteuid?.(65_534);
  try {
    openClient({ config: file, as });
    return '';
  } catch (error) {
    assert.ok(error instanceof Refused, String(error));
    assert.equal(error.code, EXIT.config);
    return error.message;
  } finally {
    if (root) process.seteuid?.(0);
  }
}

test("without an operator's key the order is said to belong elsewhere, or the key to be made", () => {
  assert.match(refusal(), /no operator's key lies in .*a service host/);
  assert.match(refusal(operator), /siteward keys new alice makes one/);
});

test('a key that this account may not read is no missing one: sudo', () => {
  writeFileSync(join(keys, `${operator}.key`), '', { mode: 0o000 });
  chmodSync(keys, 0o755);
  assert.match(refusal(), /may not read the key of operator alice .*: use sudo/);
  chmodSync(keys, 0o000);
  assert.match(refusal(), /may not look into .*: use sudo/);
  assert.match(refusal(operator), /may not read the key of operator alice .*: use sudo/);
  chmodSync(keys, 0o755);
});
