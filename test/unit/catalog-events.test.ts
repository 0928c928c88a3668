// The log's catalogue against the code: what is written but not listed cannot be looked up at night.

import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { events } from '../../src/catalog/events.ts';

const sources = join(import.meta.dirname, '../../src');

/** Names given to `trace(d, level, NAME` and to a log's `event(level, NAME`, choices between two included. */
function written(): Map<string, string> {
  const found = new Map<string, string>();
  for (const entry of readdirSync(sources, { recursive: true, encoding: 'utf8' })) {
    if (!entry.endsWith('.ts') || entry.startsWith('catalog/')) continue;
    const text = readFileSync(join(sources, entry), 'utf8');
    for (const [, call = ''] of text.matchAll(/(?:\btrace|\.event)\(([^{]*)[{]/g)) {
      for (const [, name = ''] of call.matchAll(/'([a-z]+(?:-[a-z]+)*\.[a-z]+(?:-[a-z]+)*)'/g)) found.set(name, entry);
    }
  }
  return found;
}

test('every event that is written is in the catalogue', () => {
  const missing = [...written()].filter(([name]) => !(name in events));
  assert.deepEqual(missing, []);
});

test('every event of the catalogue is written somewhere', () => {
  const names = written();
  const idle = Object.keys(events).filter((name) => !names.has(name));
  // Written through a variable: the log's own line about lines left out.
  assert.deepEqual(idle, ['log.dropped']);
});

for (const [name, { message, doc }] of Object.entries(events)) {
  test(`${name} says what it means in a sentence`, () => {
    assert.match(message, /^\S.*[^.]$/);
    assert.match(doc, /^[A-Z`].*\.$/);
  });
}
