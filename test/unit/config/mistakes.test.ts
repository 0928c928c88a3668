/**
 * One mistake per file of test/fixtures/config, named after it; what `config check` says to it stands beside it. After a
 * change of wording: SITEWARD_WRITE_EXPECTED=1 node --test test/unit/config/mistakes.test.ts, then read the difference.
 */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { formatProblems } from '../../../src/config/problem.ts';
import { readConfig } from '../../../src/config/read.ts';

const folder = join(import.meta.dirname, '..', '..', 'fixtures', 'config');
const files = readdirSync(folder).filter((name) => name.endsWith('.yaml'));
const mistakes = files.filter((name) => !name.startsWith('good-'));

for (const file of mistakes) {
  test(`refused: ${file.replace('.yaml', '').replaceAll('-', ' ')}`, () => {
    const result = readConfig(readFileSync(join(folder, file), 'utf8'), file);
    assert.equal(result.kind, 'bad');
    const said = `${formatProblems(result.problems)}\n`;
    const beside = join(folder, file.replace('.yaml', '.expected'));
    if (process.env['SITEWARD_WRITE_EXPECTED'] === '1') writeFileSync(beside, said);
    assert.equal(said, readFileSync(beside, 'utf8'));
    assert.equal(result.problems.length, 1, 'one mistake, one problem');
  });
}

for (const file of files.filter((name) => name.startsWith('good-'))) {
  test(`accepted: ${file}`, () => {
    const result = readConfig(readFileSync(join(folder, file), 'utf8'), file);
    assert.equal(result.kind === 'bad' ? formatProblems(result.problems) : 'good', 'good');
  });
}

test('every expected message has its file', () => {
  const expected = readdirSync(folder).filter((name) => name.endsWith('.expected'));
  assert.deepEqual(expected.map((name) => name.replace('.expected', '.yaml')).toSorted(), mistakes.toSorted());
});
