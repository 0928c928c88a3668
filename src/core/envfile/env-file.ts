// The .env codec. A file is kept line by line exactly as it was written - comments, order, quotes, CRLF, duplicate keys,
// `export` prefixes - so that render(parse(text)) is text, whatever the text. What a line means is what Node's
// `util.parseEnv` says, because that is how the application reads it; a line on which the two could differ is
// `malformed` and means nothing here. Pure and total: it never throws and holds nothing back.

export type EnvLine =
  | { readonly kind: 'blank' | 'comment' | 'malformed'; readonly raw: string }
  /** `raw` spans several lines of text where the quoted value does. */
  | { readonly kind: 'entry'; readonly raw: string; readonly key: string; readonly value: string };

export type EnvFile = { readonly lines: readonly EnvLine[] };

export function parseEnvFile(text: string): EnvFile {
  const lines: EnvLine[] = [];
  let at = 0;
  while (at < text.length) {
    const line = readLine(text, at);
    lines.push(line);
    at += line.raw.length;
  }
  return { lines };
}

export function renderEnvFile(file: EnvFile): string {
  return file.lines.map((line) => line.raw).join('');
}

/** The value of a key; the last entry wins, as in parseEnv. */
export function getEnvValue(file: EnvFile, key: string): string | null {
  const entry = file.lines.findLast((line) => line.kind === 'entry' && line.key === key);
  return entry?.kind === 'entry' ? entry.value : null;
}

/** The numbers (from 1) of the lines of text that mean nothing. */
export function malformedLines(file: EnvFile): readonly number[] {
  const numbers: number[] = [];
  let number = 1;
  for (const line of file.lines) {
    if (line.kind === 'malformed') numbers.push(number);
    number += line.raw.split('\n').length - 1;
  }
  return numbers;
}

const KEY = /^[A-Za-z_][A-Za-z0-9_.-]*$/;
const PLAIN_VALUE = /^[A-Za-z0-9_./:@%+,=-]+$/;

/** A line that says `key` is `value`, or null when no way of quoting can say it. */
export function formatEnvLine(key: string, value: string): string | null {
  // Node drops every CR, and `export` alone before `=` is read as a prefix without a key by other readers.
  if (!KEY.test(key) || key === 'export' || value.includes('\r') || value.includes('\0')) return null;
  if (PLAIN_VALUE.test(value)) return `${key}=${value}\n`;
  // In double quotes a backslash and n would come back as a line feed.
  const quote = ["'", '`', '"'].find((each) => !value.includes(each) && (each !== '"' || !value.includes('\\n')));
  return quote === undefined ? null : `${key}=${quote}${value}${quote}\n`;
}

const ASSIGNMENT = /[ \t]*(export[ \t]+)?([A-Za-z_][A-Za-z0-9_.-]*)[ \t]*=([ \t]*)/y;
const AFTER_QUOTE = /[ \t]*(?:#[^\n]*)?(?:\r?\n|$)/y;

function readLine(text: string, start: number): EnvLine {
  const raw = physicalLine(text, start);
  const body = raw.replace(/\r?\n$/, '');
  if (/^[ \t]*$/.test(body)) return { kind: 'blank', raw };
  // Behind another comment, Node takes an indented one with `=` in it for an entry.
  if (/^[ \t]*#/.test(body)) return { kind: /^[ \t]/.test(body) && body.includes('=') ? 'malformed' : 'comment', raw };

  const head = matchAt(ASSIGNMENT, text, start);
  const key = head?.[2];
  if (head === null || key === undefined || key === 'export') return { kind: 'malformed', raw };
  const at = start + head[0].length;
  const first = text.charAt(at);
  if (first === '"' || first === "'" || first === '`') {
    return readQuoted(text, start, at, key) ?? { kind: 'malformed', raw };
  }
  // At the end of a file Node takes `export KEY=` for a key of two words.
  if (head[1] !== undefined && head[0] === body) return { kind: 'malformed', raw };
  return readPlain(raw, body.slice(head[0].length), head[3] ?? '', key);
}

/** A value that begins with a quote but does not end with it on the same terms is malformed. */
function readQuoted(text: string, start: number, at: number, key: string): EnvLine | null {
  const quote = text.charAt(at);
  const end = text.indexOf(quote, at + 1);
  if (end < 0) return null;
  const rest = matchAt(AFTER_QUOTE, text, end + 1);
  if (rest === null) return null;
  const inner = text.slice(at + 1, end).replaceAll('\r', '');
  const value = quote === '"' ? inner.replaceAll('\\n', '\n') : inner;
  return { kind: 'entry', raw: text.slice(start, end + 1 + rest[0].length), key, value };
}

function readPlain(raw: string, rest: string, blanks: string, key: string): EnvLine {
  // Blanks and nothing else after `=`: Node's reader takes the next line for the value.
  if (rest === '' && blanks !== '') return { kind: 'malformed', raw };
  const value = withoutEndBlanks(rest.split('#')[0] ?? '');
  // A CR inside a line is dropped by Node and kept by others.
  if (rest.includes('\r')) return { kind: 'malformed', raw };
  return { kind: 'entry', raw, key, value };
}

/** No pattern: `[ \t]+$` looks at a run of blanks within a line once for each of them. */
function withoutEndBlanks(text: string): string {
  let end = text.length;
  while (end > 0 && (text[end - 1] === ' ' || text[end - 1] === '\t')) end -= 1;
  return text.slice(0, end);
}

function physicalLine(text: string, start: number): string {
  const end = text.indexOf('\n', start);
  return end < 0 ? text.slice(start) : text.slice(start, end + 1);
}

function matchAt(pattern: RegExp, text: string, at: number): RegExpExecArray | null {
  pattern.lastIndex = at;
  return pattern.exec(text);
}
