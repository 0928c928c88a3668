import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { parse } from 'yaml';
import { type Key, keyTree, leaves } from '../../../src/config/keys.ts';
import { exampleFile, jsonSchema, referencePage } from '../../../src/config/pages.ts';
import { formatProblems } from '../../../src/config/problem.ts';
import { readConfig } from '../../../src/config/read.ts';

function every(key: Key): readonly Key[] {
  return [key, ...(key.keys ?? []).flatMap(every)];
}

test('each key says what it is, since when, and shows an example or a default', () => {
  const wanting = every(keyTree())
    .filter((key) => key.path !== '')
    .filter((key) => {
      const shown = key.keys !== undefined || key.example !== undefined || key.default !== undefined;
      return key.description === '' || key.since === '' || !shown;
    })
    .map((key) => key.path);
  assert.deepEqual(wanting, []);
});

test('the example passes its own check, without a warning', () => {
  const result = readConfig(exampleFile(), 'cluster.example.yaml');
  assert.equal(result.kind === 'bad' ? formatProblems(result.problems) : '', '');
  assert.ok(result.kind === 'good');
  assert.deepEqual(result.warnings, []);
});

test('the example with every default written out says the same', () => {
  const written = exampleFile().replaceAll(/^(\s*)# ([\w-]+: \S.*)$/gm, (line, space: string, pair: string) => {
    const name = pair.split(':')[0] ?? '';
    const optional = ['endpoint', 'credentialsFile', 'agent', 'host', 'address', 'witness', 'configFile'];
    const chosen = ['systemIdentifier', 'command', 'yaml-language-server'];
    const known = leaves(keyTree()).some((key) => key.name === name);
    return known && ![...optional, ...chosen].includes(name) ? `${space}${pair}` : line;
  });
  assert.notEqual(written, exampleFile());
  const before = readConfig(exampleFile(), 'x');
  const after = readConfig(written, 'x');
  assert.equal(after.kind === 'bad' ? formatProblems(after.problems) : '', '');
  assert.deepEqual(after, before);
});

test('the documents in docs/ are what the schema says now', () => {
  const docs = join(import.meta.dirname, '..', '..', '..', 'docs');
  const read = (name: string) => readFileSync(join(docs, name), 'utf8');
  assert.equal(read('CONFIG.md'), referencePage());
  assert.equal(read('cluster.example.yaml'), exampleFile());
  assert.equal(read('cluster.schema.json'), jsonSchema());
});

test('the JSON Schema knows every section and forbids other keys', () => {
  const schema = JSON.parse(jsonSchema()) as Record<string, unknown>;
  assert.equal(schema['additionalProperties'], false);
  assert.deepEqual(
    Object.keys(schema['properties'] as object),
    (keyTree().keys ?? []).map((key) => key.name),
  );
  const needed = schema['required'] as readonly string[];
  assert.deepEqual(
    needed.filter((name) => !(name in (parse(exampleFile()) as object))),
    [],
  );
});
