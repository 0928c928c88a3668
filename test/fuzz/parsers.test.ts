// Every parser of bytes that somebody else wrote (issue: never throws past its boundary, bounded time). A new one without
// a row here is noticed by the last test.

import assert from 'node:assert/strict';
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import fc from 'fast-check';
import { type Fuzzed, hugeTexts, inTime, runs, textsLike, tryParse } from './kit.ts';
import { fileParsers } from './parsers-files.ts';
import { wireParsers } from './parsers-wire.ts';

const parsers: readonly Fuzzed[] = [...wireParsers, ...fileParsers];

for (const fuzzed of parsers) {
  test(`${fuzzed.parser}: nothing is thrown, whatever comes`, () => {
    for (const sample of fuzzed.samples) tryParse(fuzzed, sample);
    fc.assert(
      fc.property(textsLike(fuzzed.samples), (text) => tryParse(fuzzed, text)),
      runs(fuzzed.usualRuns),
    );
  });

  test(`${fuzzed.parser}: a mebibyte of anything takes no long time`, () => {
    for (const [what, text] of hugeTexts(fuzzed.samples)) {
      inTime(`${fuzzed.parser}: ${what}`, () => tryParse(fuzzed, text.slice(0, fuzzed.longest)));
    }
  });
}

const marks = /\bJSON\.parse\(|\bsafeParse\(|\bparseDocument\(|\bparseEnv\(|\b(?:parse|decode)[A-Z]\w*\(/;

test('every source that parses something is in the table, and the table names no source that does not', () => {
  const root = join(import.meta.dirname, '../..');
  const known = new Set(parsers.flatMap(({ files }) => files));
  const parsing = globSync('src/**/*.ts', { cwd: root }).filter((path) => {
    const text = readFileSync(join(root, path), 'utf8').replaceAll(/\bparse(?:Args|Int|Float)\(/g, '');
    return marks.test(text);
  });
  const missing = parsing.filter((path) => !known.has(path));
  assert.deepEqual(missing, [], 'they parse something and have no row in test/fuzz');
  const gone = [...known].filter((path) => globSync(path, { cwd: root }).length === 0);
  assert.deepEqual(gone, [], 'they are named in test/fuzz and do not exist');
});
