/**
 * Text of a cluster file to a ClusterConfig, or everything that is wrong with it. No I/O: `load.ts` reads files.
 */
import { type Document, isMap, isNode, isPair, isScalar, isSeq, LineCounter, type Node, parseDocument } from 'yaml';
import type { ClusterConfig } from './cluster.ts';
import { findingsOf } from './findings.ts';
import { type Key, keyTree } from './keys.ts';
import type { ConfigProblem, Finding } from './problem.ts';
import { resolve } from './resolve.ts';
import { checkRules } from './rules.ts';
import { clusterFileSchema } from './schema.ts';

export type ReadResult =
  | { readonly kind: 'good'; readonly config: ClusterConfig; readonly warnings: readonly ConfigProblem[] }
  | { readonly kind: 'bad'; readonly problems: readonly ConfigProblem[] };

/** Far more than any cluster file needs, far less than would hurt. */
const TEXT_LIMIT = 32 * 1024;
/** Whoever sees so many has another file in hand. */
const PROBLEM_LIMIT = 100;

/** `file` is only a name here, for the messages. */
export function readConfig(text: string, file: string): ReadResult {
  if (text.length > TEXT_LIMIT) return bad([whole(file, `is longer than ${TEXT_LIMIT} bytes`, 'a cluster file')]);
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false, stringKeys: true });
  if (document.errors.length > 0 || document.warnings.length > 0) return bad(yamlProblems(document, lines, text, file));
  if (!isMap(document.contents)) return bad([whole(file, 'holds no settings', 'the sections of docs/CONFIG.md')]);
  let data: unknown;
  try {
    data = fillEmptySections(document.toJS({ maxAliasCount: 20 }), keyTree());
  } catch (error) {
    return bad([whole(file, `cannot be read: ${(error as Error).message}`, 'the values themselves, without aliases')]);
  }
  const locate = (findings: readonly Finding[]) =>
    findings
      .slice(0, PROBLEM_LIMIT)
      .map((finding) => place(finding, document, lines, file))
      .sort((a, b) => a.line - b.line);
  const parsed = clusterFileSchema.safeParse(data);
  if (!parsed.success) return bad(locate(findingsOf(parsed.error, data, PROBLEM_LIMIT)));
  const config = resolve(parsed.data);
  const { refused, warned } = checkRules(config, parsed.data);
  return refused.length > 0 ? bad(locate(refused)) : { kind: 'good', config, warnings: locate(warned) };
}

function bad(problems: readonly ConfigProblem[]): ReadResult {
  return { kind: 'bad', problems };
}

export function whole(file: string, problem: string, instead: string): ConfigProblem {
  return { file, line: 1, column: 1, key: '', problem, instead };
}

const YAML_ADVICE: Readonly<Record<string, string>> = {
  DUPLICATE_KEY: 'one of the two lines',
  TAB_AS_INDENT: 'spaces; YAML allows no tabs for indentation',
  BAD_INDENT: 'the same indentation for all keys of a section',
  MULTILINE_IMPLICIT_KEY: 'a colon after the key, or quotes around the value',
};

function yamlProblems(document: Document, lines: LineCounter, text: string, file: string): readonly ConfigProblem[] {
  return [...document.errors, ...document.warnings].slice(0, 5).map((error) => {
    const { line, col } = lines.linePos(error.pos[0]);
    const twice = error.code === 'DUPLICATE_KEY' ? (/^[^:\s]+/.exec(text.slice(error.pos[0]))?.[0] ?? '') : '';
    const problem = twice === '' ? `is no YAML: ${error.message}` : 'stands there twice in one section';
    return { file, line, column: col, key: twice, problem, instead: YAML_ADVICE[error.code] ?? 'valid YAML' };
  });
}

/** `lease:` with every line below it commented out is an empty section, not a mistake. */
function fillEmptySections(data: unknown, key: Key): unknown {
  if (data === null && key.keys !== undefined) return {};
  if (typeof data !== 'object' || data === null || Array.isArray(data) || key.keys === undefined) return data;
  const inner = new Map(key.keys.map((entry) => [entry.name, entry]));
  return Object.fromEntries(
    Object.entries(data).map(([name, value]) => {
      const known = inner.get(name) ?? inner.get('*');
      return [name, known === undefined ? value : fillEmptySections(value, known)];
    }),
  );
}

/** The line of the key, or of the nearest section around it that is there. */
function place(finding: Finding, document: Document, lines: LineCounter, file: string): ConfigProblem {
  const { path, ...rest } = finding;
  let offset = 0;
  let node: unknown = document.contents;
  for (const name of path) {
    const next = step(node, name);
    if (next === undefined) break;
    offset = next.offset;
    node = next.node;
  }
  const { line, col } = lines.linePos(offset);
  return { file, line: Math.max(1, line), column: Math.max(1, col), key: path.map(String).join('.'), ...rest };
}

function step(node: unknown, name: PropertyKey): { offset: number; node: unknown } | undefined {
  if (isMap(node)) {
    const pair = node.items.find((item) => isPair(item) && isScalar(item.key) && item.key.value === name);
    if (pair === undefined || !isNode(pair.key)) return undefined;
    return { offset: startOf(pair.key), node: pair.value };
  }
  if (isSeq(node) && typeof name === 'number') {
    const item = node.items[name];
    return isNode(item) ? { offset: startOf(item), node: item } : undefined;
  }
  return undefined;
}

function startOf(node: Node): number {
  return node.range?.[0] ?? 0;
}
