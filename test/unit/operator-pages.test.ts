// The manual pages and the completion say what the catalogue says, and are what man and bash read.

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { test } from 'node:test';
import { bashCompletion, completionOf, hostManualPage, manualPage } from '../../scripts/operator-pages.ts';
import { commands } from '../../src/catalog/commands.ts';

const options = { version: '1.2.3', date: '2026-11-22' };

test('every command is in the manual page', () => {
  const page = manualPage(options);
  for (const { usage } of commands) {
    const line = usage.replace('siteward ', '').replaceAll('-', '\\-');
    assert.ok(page.includes(`.B ${line}\n`), usage);
  }
  assert.match(page, /^\.TH SITEWARD 8 2026-11-22 "siteward 1\.2\.3"$/m);
});

test('groff has nothing to say about the pages', (t) => {
  for (const page of [manualPage(options), hostManualPage(options)]) {
    const { status, stderr, error } = spawnSync('groff', ['-man', '-ww', '-z', '-Tutf8'], { input: page });
    if (error !== undefined) return t.skip('there is no groff here');
    assert.deepEqual([status, stderr.toString()], [0, '']);
  }
});

test('words and options are read out of the usage lines', () => {
  assert.deepEqual(completionOf({ name: 'x', usage: 'siteward x check|say-it [FILE] [--to SITE]', description: '' }), {
    words: ['check', 'say-it'],
    options: ['--to', '--config', '--help'],
  });
});

function complete(...line: readonly string[]): string[] {
  const words = line.map((word) => `'${word}'`).join(' ');
  const script = `${bashCompletion()}\nCOMP_WORDS=(${words}); COMP_CWORD=${line.length - 1}; _siteward; printf '%s\\n' "\${COMPREPLY[@]}"`;
  const { status, stdout, stderr } = spawnSync('bash', ['--norc', '-c', script], { cwd: '/' });
  assert.equal(status, 0, stderr.toString());
  return stdout.toString().trim().split('\n');
}

test('bash completes commands, words, options and sites', () => {
  assert.deepEqual(complete('siteward', 'fail'), ['failover']);
  assert.deepEqual(complete('siteward', 'keys', 'n'), ['new']);
  assert.ok(complete('siteward', 'failover', '--').includes('--accept-loss'));
  assert.deepEqual(complete('siteward', 'failover', '--to', ''), ['site1', 'site2']);
  assert.ok(complete('siteward', 'config', 'check', '/us').includes('/usr'));
});
