/**
 * The catalogues as pages. Those that may not be there yet are loaded on demand; a page without its catalogue is none.
 */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { alerts } from '../src/catalog/alerts.ts';
import { commonOptions } from '../src/catalog/commands.ts';
import { errorSigns } from '../src/catalog/error-signs.ts';
import { type ErrorCode, errors } from '../src/catalog/errors.ts';
import { exitCodes } from '../src/catalog/exit-codes.ts';
import { runCommand } from '../src/cli/commands.ts';
import { prometheusExample, rulesFile } from './prometheus-pages.ts';

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
      `- Seen as: ${seenAs(code as ErrorCode)}\n- Cause: ${entry.cause}\n- What siteward does next: ${entry.next}\n- What you can do: ${entry.operator}`,
    ];
    areas.set(area, [...(areas.get(area) ?? []), ...lines]);
  }
  return page([
    '# Errors and exit codes',
    GENERATED('errors.ts, error-signs.ts and exit-codes.ts'),
    'A code is printed by few commands. Look for what you see, a line of `siteward status`, the name of an event or the words of a message, under "Seen as".',
    '## Exit codes',
    table(
      ['code', 'name', 'meaning'],
      exitCodes.map((entry) => [entry.code, `\`${entry.name}\``, entry.meaning]),
    ),
    ...[...areas].flatMap(([area, lines]) => [`## ${area}`, ...lines]),
  ]);
}

/** Most codes are never printed: the way from what is seen to the entry. */
function seenAs(code: ErrorCode): string {
  const { events = [], words = [], metrics = [], also } = errorSigns[code];
  const named = (what: string, names: readonly string[]) =>
    names.length === 0
      ? []
      : [`${what}${names.length > 1 ? 's' : ''} ${names.map((each) => `\`${each.trim()}\``).join(', ')}`];
  const words_ = words.map((each) => `"${each.trim()}"`).join(', ');
  const parts = [...named('event', events), ...(words.length === 0 ? [] : [words_]), ...named('metric', metrics)];
  return `${[...parts, ...(also === undefined ? [] : [also])].join('; ')}.`;
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
      GENERATED('metrics.ts and alerts.ts'),
      "Served in plain text at /metrics on the port `ports.metrics` of every agent, guard and witness; each line carries the `cluster`, the `role` of the daemon, and its `site` where the metric has no label of that name. Counters whose labels' values are a closed list are there at 0 from the start of the daemon. No metric says why: that is in `siteward status`, in the log and at /health.",
      '## Alert on',
      `\`${rulesFile}\` has these for Prometheus, with what to do for each. \`page\`: writes or clients are lost, or may be at any moment; \`ticket\`: in the morning. Both are the label \`severity\`. Lay the file (a package has it in \`/usr/share/doc/siteward/examples\`) beside prometheus.yml, and there:`,
      `\`\`\`yaml\n${prometheusExample()}\`\`\``,
      'The hosts are those of the cluster file, the port is `ports.metrics`. A fuse has no port: its guard tells of it. With several clusters each has its own groups of targets in the same job.',
      table(
        ['name', 'severity', 'what', 'for', 'because', 'what to do'],
        alerts.map((alert) => [
          `\`${alert.name}\``,
          alert.severity,
          `\`${alert.expression}\``,
          alert.lasting ?? '-',
          alert.summary,
          alert.whatToDo,
        ]),
      ),
      '## All of them',
      table(
        ['metric', 'type', 'labels', 'what it is'],
        metrics.map((row) => [name(row), row['type'], list(row['labels']), meaning(row)]),
      ),
    ]);
}

/** What each command says of itself, so that an option is described once. */
async function helpOf(...words: readonly string[]): Promise<string> {
  const lines: string[] = [];
  const output = { out: (line: string) => void lines.push(line), err: (line: string) => void lines.push(line) };
  await runCommand([...words, '--help'], output);
  return `\`\`\`\n${lines.join('\n')}\n\`\`\``;
}

export async function commandsPage(): Promise<() => string | undefined> {
  const commands = await catalog('commands.ts', 'commands');
  const helps = new Map<string, string>();
  for (const row of commands ?? []) helps.set(text(row['name']), await helpOf(text(row['name'])));
  for (const who of ['agent', 'witness']) helps.set(`${who} rejoin`, await helpOf(who, 'rejoin'));
  return () =>
    commands &&
    page([
      '# Commands',
      GENERATED('commands.ts'),
      'Orders (`failover`, `entry`, `pause`, `resume`, `restart`, `rejoin`), `init` and `status` need the key of an operator who is in the cluster file. Where it was deployed, that is `sudo` on a service host.',
      table(
        ['option', 'of', 'what it does'],
        commonOptions.map(({ option, taker, what }) => [`\`${option}\``, taker, what]),
      ),
      ...commands.flatMap((row) => [
        `## siteward ${String(row['name'])}`,
        meaning(row),
        helps.get(text(row['name'])) ?? '',
        ...(helps.has(`${text(row['name'])} rejoin`) ? [helps.get(`${text(row['name'])} rejoin`) ?? ''] : []),
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
