/**
 * The schema written out for people and editors: the reference page, the commented example, the JSON Schema.
 * `scripts/gen-docs.ts` puts them into docs/.
 */
import { z } from 'zod';
import { exampleCluster } from './example.ts';
import { flow } from './findings.ts';
import { type Key, keyTree } from './keys.ts';
import { clusterFileSchema } from './schema.ts';

const GENERATED = 'Generated from src/config/schema.ts by `node scripts/gen-docs.ts`; change it there.';

export function referencePage(): string {
  const top = keyTree();
  const sections = (top.keys ?? []).filter((key) => key.keys !== undefined);
  const single = (top.keys ?? []).filter((key) => key.keys === undefined);
  return [
    '# The cluster file',
    `<!-- ${GENERATED} -->`,
    [
      'One file, `/etc/siteward/cluster.yaml`, the same on every host. It holds no secret, only the paths of files that',
      'hold one. Check it with `siteward config check`, see what it means with `siteward config explain`, begin with',
      '[cluster.example.yaml](cluster.example.yaml). Editors that know JSON Schema complete and check it with',
      '[cluster.schema.json](cluster.schema.json).',
    ].join('\n'),
    [
      'Durations are a number and `ms`, `s`, `m` or `h`; sizes a whole number and `B`, `KiB`, `MiB` or `GiB`. An unknown',
      'key, a missing one and a sum of timings that does not hold are errors: nothing new starts on such a file, and a',
      'daemon that ran before starts on its last good copy and says so (`config.fallback`). A change takes effect when',
      'the daemons are restarted, one host after another: the next one when `siteward status` names no start-up wait any',
      'more. `witness` is not changed so (see there). On hosts that were deployed the file is written from the',
      "inventory's `siteward_cluster`: change it there, and `deploy/deploy` does the rest.",
    ].join('\n'),
    '## The top',
    table(single, ''),
    ...sections.flatMap((key) => [`## ${key.name}`, key.description, table(rows(key), `${key.path}.`)]),
    '',
  ]
    .join('\n\n')
    .replace(/\n+$/, '\n');
}

/** Leaves of a section; of the two sites, which are alike, only the first. */
function rows(key: Key): readonly Key[] {
  if (key.path === 'sites') return (key.keys?.[0]?.keys ?? []).flatMap(rows);
  return key.keys === undefined ? [key] : key.keys.flatMap(rows);
}

function table(keys: readonly Key[], prefix: string): string {
  const lines = keys.map((key) => {
    const name = key.path
      .replace(prefix, '')
      .replace(/^site1\./, 'SITE.')
      .replace('*', 'NAME');
    const fallback = key.default === undefined ? (key.required ? '**required**' : '') : code(key.default);
    return `| \`${name}\` | ${key.value} | ${fallback} | ${cell(key.description)}${example(key)} | ${key.since} |`;
  });
  return ['| key | value | default | what it is | since |', '| --- | --- | --- | --- | --- |', ...lines].join('\n');
}

function example(key: Key): string {
  if (key.example === undefined || JSON.stringify(key.example) === JSON.stringify(key.default)) return '';
  return ` Example: ${code(key.example)}`;
}

const code = (value: unknown) => `\`${flow(value).replaceAll('|', '\\|')}\``;
const cell = (text: string) => text.replaceAll('|', '\\|');

/** Keys with a default are commented out and show it; the others are filled in for the example cluster. */
export function exampleFile(): string {
  const head = [
    '# The cluster file of siteward: /etc/siteward/cluster.yaml, the same on every host. No secrets in here.',
    '# yaml-language-server: $schema=./cluster.schema.json',
    `# ${GENERATED}`,
    '# A key that is commented out shows its default. Check the file with: siteward config check FILE',
  ];
  return `${[...head, ...sectionLines(keyTree(), exampleCluster(), '')].join('\n')}\n`;
}

function sectionLines(section: Key, values: unknown, indent: string): readonly string[] {
  return (section.keys ?? []).flatMap((key) => {
    const space = indent === '' ? [''] : [];
    if (key.name !== '*') return [...space, ...keyLines(key, valueIn(values, key.name), indent)];
    return Object.entries((values ?? {}) as object).flatMap(([name, value]) => nameLines(key, name, value, indent));
  });
}

function keyLines(key: Key, value: unknown, indent: string): readonly string[] {
  const comment = wrap(key.description, 118 - indent.length).map((line) => `${indent}# ${line}`);
  if (key.keys === undefined) {
    if (value !== undefined) return [...comment, `${indent}${key.name}: ${flow(value)}`];
    const shown = key.default ?? key.example;
    return [...comment, `${indent}# ${key.name}:${shown === undefined ? '' : ` ${flow(shown)}`}`];
  }
  if (value === undefined && !key.required && key.default === undefined) {
    return [...comment, ...commentOut(sectionLines(key, exampleOf(key), `${indent}  `), key.name, indent)];
  }
  return [...comment, `${indent}${key.name}:`, ...sectionLines(key, value, `${indent}  `)];
}

function nameLines(key: Key, name: string, value: unknown, indent: string): readonly string[] {
  return key.keys === undefined
    ? [`${indent}${name}: ${flow(value)}`]
    : [`${indent}${name}:`, ...sectionLines(key, value, `${indent}  `)];
}

function commentOut(lines: readonly string[], name: string, indent: string): readonly string[] {
  const bare = lines.filter((line) => !/^\s*#/.test(line)).map((line) => `${indent}# ${line.slice(indent.length)}`);
  return [`${indent}# ${name}:`, ...bare];
}

function exampleOf(section: Key): Record<string, unknown> {
  return Object.fromEntries((section.keys ?? []).filter((key) => key.required).map((key) => [key.name, key.example]));
}

function valueIn(values: unknown, name: string): unknown {
  return typeof values === 'object' && values !== null ? (values as Record<string, unknown>)[name] : undefined;
}

function wrap(text: string, width: number): readonly string[] {
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(' ')) {
    if (line !== '' && line.length + 1 + word.length > width) {
      lines.push(line);
      line = '';
    }
    line = line === '' ? word : `${line} ${word}`;
  }
  return line === '' ? lines : [...lines, line];
}

export function jsonSchema(): string {
  const schema = z.toJSONSchema(clusterFileSchema, {
    io: 'input',
    override: ({ jsonSchema: target, zodSchema }) => {
      // What only our own pages use, and what zod leaves out where a value is transformed.
      delete target['since'];
      delete target['value'];
      const examples = z.globalRegistry.get(zodSchema)?.['examples'];
      if (examples !== undefined) target.examples = examples as unknown[];
    },
  });
  return `${JSON.stringify(schema, null, 2)}\n`;
}
