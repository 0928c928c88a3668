import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { formatDuration, formatSize, parseDuration, parseSize } from '../../../src/config/units.ts';

for (const [text, ms] of [
  ['750ms', 750],
  ['0.75s', 750],
  ['0.4s', 400],
  ['1.1s', 1100],
  ['6s', 6000],
  ['5m', 300_000],
  ['24h', 86_400_000],
  ['6', undefined],
  ['6 s', undefined],
  ['-6s', undefined],
  ['6S', undefined],
  ['0.3ms', undefined],
  ['1e3ms', undefined],
  ['', undefined],
] as const) {
  test(`duration ${JSON.stringify(text)} is ${ms ?? 'none'}`, () => assert.equal(parseDuration(text), ms));
}

for (const [text, bytes] of [
  ['16MiB', 16_777_216],
  ['1GiB', 1_073_741_824],
  ['512B', 512],
  ['16MB', undefined],
  ['1.5MiB', undefined],
  ['99999999999GiB', undefined],
] as const) {
  test(`size ${text} is ${bytes ?? 'none'}`, () => assert.equal(parseSize(text), bytes));
}

test('what is printed reads back as the same number', () => {
  fc.assert(fc.property(fc.nat(86_400_000), (ms) => parseDuration(formatDuration(ms)) === ms));
  fc.assert(fc.property(fc.nat(2 ** 31 - 1), (bytes) => parseSize(formatSize(bytes)) === bytes));
});
