// The errors' catalogue against the code and the documents: what an entry says can be seen is written somewhere, and where
// it sends its reader there is something to read.

import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { errorSigns } from '../../src/catalog/error-signs.ts';
import { errors } from '../../src/catalog/errors.ts';
import { events } from '../../src/catalog/events.ts';
import { metrics } from '../../src/catalog/metrics.ts';

const top = join(import.meta.dirname, '../..');

/** All of src but the catalogue itself. */
const sources = readdirSync(join(top, 'src'), { recursive: true, encoding: 'utf8' })
  .filter((file) => file.endsWith('.ts') && !file.startsWith('catalog/'))
  .map((file) => readFileSync(join(top, 'src', file), 'utf8'));

const headings = (page: string): readonly string[] =>
  [...readFileSync(join(top, 'docs', page), 'utf8').matchAll(/^## (.+)$/gm)].map(([, heading = '']) => heading);

for (const [code, { events: names = [], words = [], metrics: gauges = [] }] of Object.entries(errorSigns)) {
  test(`${code} can be recognised, by what is really written`, () => {
    assert.ok(names.length + words.length + gauges.length > 0, 'nothing to recognise it by');
    const unknown = [...names.filter((name) => !(name in events)), ...gauges.filter((name) => !(name in metrics))];
    assert.deepEqual(unknown, []);
    const nowhere = words.filter((part) => !sources.some((text) => text.includes(part)));
    assert.deepEqual(nowhere, []);
  });
}

for (const [code, entry] of Object.entries(errors)) {
  test(`${code} sends nobody to a section that is not there`, () => {
    for (const [, heading = '', page = ''] of Object.values(entry)
      .join(' ')
      .matchAll(/"([^"]+)" in ([A-Z]+\.md)/g))
      assert.ok(
        headings(page).some((each) => each.startsWith(heading)),
        `${page} has no section ${heading}`,
      );
  });
}
