/**
 * The catalogues as pages. Those that may not be there yet are loaded on demand; a page without its catalogue is none.
 */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { errors } from '../src/catalog/errors.ts';
import { exitCodes } from '../src/catalog/exit-codes.ts';

const GENERATED = (file: string) =>
  `<!-- Generated from src/catalog/${file} by \`node scripts/gen-docs.ts\`; change it there. -->`;

type Row = Readonly<Record<string, unknown>>;

export function errorsPage(): string {
  const areas = new Map<string, string[]>();
  for (const [code, entry] of Object.entries(errors)) {
    const area = code.split('-')[1] ?? '';
    const lines = [
      `### ${code}`,
      `**${entry.sentence}**`,
      `- Cause: ${entry.cause}\n- What siteward does next: ${entry.next}\n- What you can do: ${entry.operator}`,
    ];
    areas.set(area, [...(areas.get(area) ?? []), ...lines]);
  }
  return page([
    '# Errors and exit codes',
    GENERATED('errors.ts and exit-codes.ts'),
    '## Exit codes',
    table(
      ['code', 'name', 'meaning'],
      exitCodes.map((entry) => [entry.code, `\`${entry.name}\``, entry.meaning]),
    ),
    ...[...areas].flatMap(([area, lines]) => [`## ${area}`, ...lines]),
  ]);
}

/** Catalogue `events`: dotted name to level, message, documentation. */
export async function eventsPage(): Promise<() => string | undefined> {
  const events = await catalog('events.ts', 'events');
  return () =>
    events &&
    page([
      '# Events',
      GENERATED('events.ts'),
      'Every line of the log is one of these: its name, a constant message, and its fields.',
      table(
        ['event', 'level', 'message', 'what it means'],
        events.map((row) => [name(row), row['level'], row['message'], meaning(row)]),
      ),
    ]);
}

export async function metricsPage(): Promise<() => string | undefined> {
  const metrics = await catalog('metrics.ts', 'metrics');
  return () =>
    metrics &&
    page([
      '# Metrics',
      GENERATED('metrics.ts'),
      'Served in plain text at /metrics on the port `ports.metrics`.',
      table(
        ['metric', 'type', 'labels', 'what it is'],
        metrics.map((row) => [name(row), row['type'], list(row['labels']), meaning(row)]),
      ),
    ]);
}

export async function commandsPage(): Promise<() => string | undefined> {
  const commands = await catalog('commands.ts', 'commands');
  return () =>
    commands &&
    page([
      '# Commands',
      GENERATED('commands.ts'),
      ...commands.flatMap((row) => [
        `## siteward ${String(row['name'])}`,
        meaning(row),
        `\`\`\`\n${text(row['usage'], `siteward ${text(row['name'])}`)}\n\`\`\``,
      ]),
    ]);
}

/** A catalogue as rows: a list of entries, or a table by name. */
async function catalog(file: string, exported: string): Promise<readonly Row[] | undefined> {
  const path = join(import.meta.dirname, '..', 'src', 'catalog', file);
  if (!existsSync(path)) return undefined;
  const module = (await import(path)) as Record<string, unknown>;
  const found = module[exported];
  if (Array.isArray(found)) return found as Row[];
  if (typeof found !== 'object' || found === null) throw new Error(`src/catalog/${file} exports no ${exported}`);
  return Object.entries(found).map(([key, entry]) => ({ name: key, ...(entry as Row) }));
}

const name = (row: Row) => `\`${String(row['name'])}\``;

function text(value: unknown, otherwise = ''): string {
  return typeof value === 'string' || typeof value === 'number' ? String(value) : otherwise;
}

function meaning(row: Row): string {
  return (
    ['description', 'doc', 'help', 'summary', 'meaning'].map((key) => text(row[key])).find((said) => said !== '') ?? ''
  );
}

function list(labels: unknown): string {
  if (Array.isArray(labels)) return labels.map((label) => `\`${String(label)}\``).join(', ');
  return typeof labels === 'object' && labels !== null ? list(Object.keys(labels)) : '';
}

function table(head: readonly string[], rows: readonly (readonly unknown[])[]): string {
  const line = (cells: readonly unknown[]) =>
    `| ${cells.map((cell) => text(cell).replaceAll('|', '\\|')).join(' | ')} |`;
  return [line(head), line(head.map(() => '---')), ...rows.map(line)].join('\n');
}

function page(parts: readonly string[]): string {
  return `${parts.join('\n\n')}\n`;
}
