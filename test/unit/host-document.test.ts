import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { hostRefusals } from '../../src/wire/host-orders.ts';

test('docs/HOSTS.md lists every refusal, and no other', () => {
  const text = readFileSync(join(import.meta.dirname, '../../docs/HOSTS.md'), 'utf8');
  const section = text.slice(text.indexOf('## Refusals'));
  const listed = [...section.matchAll(/^\| `([a-z-]+)`/gm)].map((match) => match[1]);
  assert.deepEqual(listed, [...hostRefusals]);
});
