import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseEnv } from 'node:util';
import fc from 'fast-check';
import { formatEnvLine, getEnvValue, parseEnvFile, renderEnvFile } from '../../src/core/envfile/env-file.ts';

/** Text in which the codec's own characters are as frequent as can be. */
const noise = fc.oneof(
  fc.string({ unit: 'binary' }),
  fc
    .array(
      fc.constantFrom('A', 'b1', '=', '"', "'", '`', '#', '\\', '\\n', '\n', '\r\n', '\r', ' ', '\t', 'export ', 'é'),
      {
        maxLength: 60,
      },
    )
    .map((parts) => parts.join('')),
);

test('every text comes back byte for byte, and nothing is thrown', () => {
  fc.assert(
    fc.property(noise, (text) => {
      assert.equal(renderEnvFile(parseEnvFile(text)), text);
    }),
    { numRuns: 5000 },
  );
});

test('lines mean the same whatever stands before or behind them', () => {
  fc.assert(
    fc.property(noise, noise, (one, other) => {
      const text = `${one}\n${other}`;
      const lines = parseEnvFile(text).lines;
      for (let cut = 0; cut <= lines.length; cut += 1) {
        const before = lines.slice(0, cut);
        const again = parseEnvFile(renderEnvFile({ lines: before }));
        // A quote that was closed further down is open now; all before it is as it was.
        assert.deepEqual(again.lines.slice(0, cut), before);
      }
    }),
    { numRuns: 500 },
  );
});

test('a file without malformed lines means what it means to the application', () => {
  let compared = 0;
  fc.assert(
    fc.property(noise, (text) => {
      const file = parseEnvFile(text);
      if (file.lines.some((line) => line.kind === 'malformed')) return;
      compared += 1;
      const keys = new Set(file.lines.flatMap((line) => (line.kind === 'entry' ? [line.key] : [])));
      assert.deepEqual(
        Object.fromEntries([...keys].sort().map((key) => [key, getEnvValue(file, key)])),
        Object.fromEntries(Object.entries(parseEnv(text)).sort()),
      );
    }),
    { numRuns: 20_000 },
  );
  assert.ok(compared > 500, `only ${compared} files were compared`);
});

test('a value that can be written is read back, by us and by the application', () => {
  const key = fc.stringMatching(/^[A-Za-z_][A-Za-z0-9_]{0,8}$/);
  fc.assert(
    fc.property(fc.dictionary(key, fc.oneof(noise, fc.string())), (values) => {
      const written = Object.entries(values).flatMap(([name, value]) => {
        const line = formatEnvLine(name, value);
        return line === null ? [] : [{ name, value, line }];
      });
      const text = written.map((each) => each.line).join('');
      for (const { name, value } of written) {
        assert.equal(getEnvValue(parseEnvFile(text), name), value);
        assert.equal(parseEnv(text)[name], value);
      }
    }),
    { numRuns: 2000 },
  );
});
