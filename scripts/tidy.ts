/**
 * The house rules that no other tool knows, over every file that git would commit. Each finding is one line,
 * `file:line: what is wrong`; any finding fails `make check`.
 */
import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, readFileSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';

interface Rule {
  readonly files: RegExp;
  readonly but?: RegExp;
  /** What is wrong with the line, or nothing. */
  check(line: string, path: string): string | undefined;
}

const root = join(import.meta.dirname, '..');

/** The rules of the failover protocol: letter, first number, last number. */
const RULE_IDS: ReadonlyMap<string, readonly [number, number]> = new Map([
  ['Q', [0, 10]],
  ['L', [1, 11]],
  ['V', [1, 8]],
  ['W', [1, 5]],
  ['R', [1, 3]],
  ['I', [1, 8]],
]);

const CODE = /\.(ts|js|cjs|sh|py)$|^(scripts|systemd|test\/lab)\/[^.]*$/;
const THIS_FILE = /^scripts\/tidy\.ts$/;

const lineRules: readonly Rule[] = [
  {
    files: CODE,
    but: THIS_FILE,
    check: (line) => {
      const word = /\b(FIXME|XXX|HACK)\b/.exec(line)?.[1];
      if (word !== undefined) return `${word}: do it, or open an issue and write TODO(#number)`;
      return /\bTODO\b(?!\(#\d+\))/.test(line) ? 'a TODO names its issue: TODO(#number)' : undefined;
    },
  },
  {
    files: /./,
    but: THIS_FILE,
    check: (line) =>
      /(^|[\s"'`=(:])\/(work|root|farm|home\/[a-z]+)\//.test(line)
        ? 'an absolute path of one machine; make it relative, or take it from the environment'
        : undefined,
  },
  {
    files: /(^|\/)package-lock\.json$/,
    check: (line) =>
      /"resolved": "http/.test(line)
        ? 'the lock file names a download host (see .npmrc); remove "resolved"'
        : undefined,
  },
  {
    files: /^src\/.*\.ts$/,
    check: (line) =>
      /\bimport\(\s*['"](?!\.|node:)/.test(line)
        ? 'a package is imported statically by its adapter (bundled CommonJS has no named exports when loaded on demand)'
        : undefined,
  },
  { files: /^(src|test|systemd)\/.*(\.ts|\/[^.]*)$/, check: unknownRuleId },
];

/** A rule id in a comment that the protocol does not have sends its reader nowhere. */
function unknownRuleId(line: string): string | undefined {
  const comment = /(?:\/\/|\/?\*|#)\s(.*)/.exec(line)?.[1];
  for (const [id, letter = '', digits] of comment?.matchAll(/\b([QLVWRI])(\d{1,2})\b/g) ?? []) {
    const range = RULE_IDS.get(letter);
    const number = Number(digits);
    if (range !== undefined && (number < range[0] || number > range[1])) return `${id} is no rule of the protocol`;
  }
  return undefined;
}

function checkLines(path: string, text: string): string[] {
  const rules = lineRules.filter((rule) => rule.files.test(path) && rule.but?.test(path) !== true);
  const findings: string[] = [];
  for (const [index, line] of text.split('\n').entries()) {
    for (const rule of rules) {
      const wrong = rule.check(line, path);
      if (wrong !== undefined) findings.push(`${path}:${index + 1}: ${wrong}`);
    }
  }
  return findings;
}

/** A document has one title; a second one is a second document. */
function checkTitles(path: string, text: string): string[] {
  if (!path.endsWith('.md')) return [];
  const titles = text.replaceAll(/^```.*?^```/gms, '').match(/^# .+$/gm) ?? [];
  return titles.length === 1 ? [] : [`${path}:1: has ${titles.length} first-level headings, not one`];
}

/** A document that sends its reader to a file that is not there. */
function checkLinks(path: string, text: string): string[] {
  if (!path.endsWith('.md')) return [];
  const targets = [...text.matchAll(/\]\(([^)\s#]+)[^)]*\)/g)].map(([, target = '']) => target);
  const dead = targets.filter((target) => !/^[a-z]+:/.test(target) && !existsSync(join(root, dirname(path), target)));
  return dead.map((target) => `${path}:1: links to ${target}, which is not there`);
}

function checkShell(path: string, text: string): string[] {
  const shell = /^#!(?:\/usr)?\/bin\/(?:env )?(sh|bash)\b/.exec(text)?.[1];
  if (shell === undefined) return [];
  const result = spawnSync(shell, ['-n', path], { cwd: root, encoding: 'utf8' });
  const findings = result.status === 0 ? [] : [`${path}:1: ${result.stderr.trim()}`];
  const isExecutable = (statSync(join(root, path)).mode & 0o100) !== 0;
  return isExecutable ? findings : [...findings, `${path}:1: begins with #! but is not executable`];
}

function committedFiles(): string[] {
  const list = execFileSync('git', ['ls-files', '--cached', '--others', '--exclude-standard', '-z'], { cwd: root });
  return list
    .toString()
    .split('\0')
    .filter((path) => path !== '' && existsSync(join(root, path)));
}

const findings: string[] = [];
for (const path of committedFiles()) {
  const bytes = readFileSync(join(root, path));
  if (bytes.includes(0)) continue;
  const text = bytes.toString();
  findings.push(
    ...checkLines(path, text),
    ...checkTitles(path, text),
    ...checkLinks(path, text),
    ...checkShell(path, text),
  );
}
for (const finding of findings) console.log(finding);
console.log(findings.length === 0 ? 'house rules: nothing to say' : `house rules: ${findings.length} findings`);
process.exitCode = findings.length === 0 ? 0 : 1;
