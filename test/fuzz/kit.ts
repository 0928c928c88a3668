// Bytes as they may come: noise, and valid samples that were cut, bent, spliced and made odd on purpose. FUZZ_RUNS=N runs
// every property N times (a few hundred without it, so that all of them together take seconds).

import assert from 'node:assert/strict';
import fc from 'fast-check';

const given = Number(process.env['FUZZ_RUNS'] ?? '0');
export const runs = (usual = 300): { readonly numRuns: number } => ({ numRuns: given > 0 ? given : usual });

/** What parsers of the wrong kind stumble over. */
const oddities = [
  ...['\0', '\uFEFF', '\r\n', '\r', '\n', '\u2028', '\uD800', '\uDC00x', '\u202E', '\x1b[31m', '\x7f', '\xff'],
  ...['__proto__', 'constructor', 'toString', 'hasOwnProperty', '"__proto__":{"admin":true}', '{"toString":1}'],
  ...['null', 'true', '[]', '{}', '""', '-0', '1e999', '-1', '9007199254740993', '0x10', '1_000', 'NaN', 'Infinity'],
  ...['99999999999999999999999999', '0.1', '1.5', '00', '+1', '٣', '１'],
  ...['"', "'", '`', '\\', '\\u0000', '\\ud800', '%', '%zz', '%00', '#', ';', ':', '=', ',', '/', ' ', '\t'],
  ...['[[[[[[[[', '{"a":{"a":{"a":', '&a [*a,*a]', '<<: *a', '!!js/function', '---\n', '../../etc/passwd'],
];

const odd = fc.constantFrom(...oddities);
const place = fc.double({ min: 0, max: 1, noNaN: true });
const at = (text: string, where: number): number => Math.floor(where * text.length);

/** Noise, and whatever can become of the samples on the way. */
export function textsLike(samples: readonly string[]): fc.Arbitrary<string> {
  const sample = fc.constantFrom(...samples);
  const cut = fc.tuple(sample, place, place).map(([text, from, to]) => text.slice(at(text, from * to), at(text, to)));
  const inserted = fc
    .tuple(sample, fc.array(fc.tuple(place, place, fc.oneof(odd, fc.string({ unit: 'binary', maxLength: 4 }))), size))
    .map(([text, edits]) => edits.reduce(edited, text));
  const flipped = fc.tuple(sample, fc.array(fc.tuple(place, fc.nat({ max: 7 })), size)).map(([text, flips]) => {
    const bytes = Buffer.from(text);
    for (const [where, bit] of flips) {
      const index = Math.floor(where * bytes.length);
      if (index < bytes.length) bytes[index] = (bytes[index] ?? 0) ^ (1 << bit);
    }
    return bytes.toString('utf8');
  });
  const spliced = fc
    .tuple(sample, sample, place, place)
    .map(([one, other, end, begin]) => one.slice(0, at(one, end)) + other.slice(at(other, begin)));
  const repeated = fc.tuple(sample, place, place, fc.integer({ min: 2, max: 40 })).map(([text, from, to, times]) => {
    const [begin, end] = [at(text, from), at(text, to)].sort((a, b) => a - b) as [number, number];
    return text.slice(0, begin) + text.slice(begin, end).repeat(times) + text.slice(end);
  });
  const noise = fc.oneof(fc.string({ unit: 'binary', maxLength: 200 }), fc.string({ maxLength: 80 }), fc.json(), odd);
  return fc.oneof(noise, sample, cut, inserted, inserted, flipped, spliced, repeated, bent(samples));
}

const size = { minLength: 1, maxLength: 4 };

function edited(text: string, [from, length, insert]: [number, number, string]): string {
  const begin = at(text, from);
  const removed = length < 0.5 ? 0 : Math.floor((length - 0.5) * 20);
  return text.slice(0, begin) + insert + text.slice(begin + removed);
}

/** Samples of JSON with values of other types, in other places, twice, or far too large. */
function bent(samples: readonly string[]): fc.Arbitrary<string> {
  const parsed = samples.flatMap((sample) => {
    try {
      return [JSON.parse(sample) as unknown];
    } catch {
      return [];
    }
  });
  if (parsed.length === 0) return odd;
  const other = fc.oneof(
    fc.constantFrom<unknown>(null, true, -1, 1.5, 1e308, 2 ** 53, '', 'x'.repeat(5000), [], {}, [[]], undefined),
    fc.jsonValue(),
    odd,
    fc.constantFrom(...parsed),
    fc.integer({ min: 1, max: 2000 }).map(nested),
  );
  const edit = fc.tuple(fc.nat(), other, fc.constantFrom('change', 'add', 'remove', 'proto', 'twice'));
  return fc.tuple(fc.constantFrom(...parsed), fc.array(edit, size)).map(([value, edits]) => {
    let text = JSON.stringify(value);
    for (const [where, inner, kind] of edits) text = bend(text, where, inner, kind);
    return text;
  });
}

/** On the text, so that keys can be there twice and `__proto__` is a key like any other. */
function bend(text: string, where: number, inner: unknown, kind: string): string {
  const values = [...text.matchAll(/"[A-Za-z_]\w*":("(?:[^"\\]|\\.)*"|[\w.+-]+|\{|\[)/g)];
  const found = values[where % Math.max(1, values.length)];
  if (found === undefined) return text;
  const [pair = '', old = ''] = found;
  const begin = found.index;
  const insert = JSON.stringify(inner) ?? 'undefined';
  const key = pair.slice(0, pair.length - old.length);
  const replaced = (by: string): string => text.slice(0, begin) + by + text.slice(begin + pair.length);
  if (kind === 'add') return replaced(`"added":${insert},${pair}`);
  if (kind === 'proto') return replaced(`"__proto__":${insert},${pair}`);
  if (kind === 'twice') return replaced(`${key}${insert},${pair}`);
  if (old === '{' || old === '[') return replaced(`${key}${insert},"moved":${old}`);
  return replaced(kind === 'remove' ? `"moved":${old}` : key + insert);
}

function nested(depth: number): unknown {
  let value: unknown = 0;
  for (let level = 0; level < depth; level += 1) value = level % 2 === 0 ? [value] : { a: value };
  return value;
}

const large = 1024 * 1024;
const manyPlaces = 64 * 1024;

/** A mebibyte of what may cost more than its length, and much of it at many places of the samples. */
export function* hugeTexts(samples: readonly string[]): Generator<readonly [what: string, text: string]> {
  const pieces = [...' \t\n"\\#=:,;[]{}(0aA-_', '""', '\\"', '{"a":', '" "', '""",', 'a=', '\r\n'];
  for (const piece of pieces) {
    yield [`${JSON.stringify(piece)} alone`, piece.repeat(Math.ceil(large / piece.length))];
    yield [`${JSON.stringify(piece)} behind`, `${samples[0]}${piece.repeat(Math.ceil(large / piece.length))}x`];
  }
  for (const sample of samples.slice(0, 2)) {
    for (const piece of [' ', '\t', '\r', '"', '\\', '0', '[']) {
      const filling = piece.repeat(manyPlaces);
      for (const part of [0.1, 0.4, 0.7, 0.95]) {
        const middle = at(sample, part);
        yield [`${JSON.stringify(piece)} at ${middle}`, `${sample.slice(0, middle)}${filling}${sample.slice(middle)}`];
      }
    }
  }
  yield* keysOf(large);
}

function* keysOf(length: number): Generator<readonly [string, string]> {
  const count = Math.floor(length / 12);
  yield ['many keys', `{${Array.from({ length: count }, (_, index) => `"k${index}":1`).join(',')}}`];
  yield ['many lines', Array.from({ length: count }, (_, index) => `key${index}: 1`).join('\n')];
  yield ['many assignments', Array.from({ length: count }, (_, index) => `K${index}='a`).join('\n')];
}

/** Of this process alone, since the machine may be busy; none takes half a second on an idle one. What is quadratic in a mebibyte takes minutes. */
const patienceMs = 10_000;

export function inTime(what: string, work: () => void): void {
  const began = process.cpuUsage();
  work();
  const { user, system } = process.cpuUsage(began);
  const tookMs = Math.round((user + system) / 1000);
  assert.ok(tookMs < patienceMs, `${what} took ${tookMs} ms`);
}

/** One parser of bytes that somebody else wrote. */
export type Fuzzed = {
  readonly parser: string;
  /** The sources that read with it; test/fuzz/parsers.test.ts finds those that are in no row. */
  readonly files: readonly string[];
  readonly samples: readonly string[];
  readonly parse: (text: string) => unknown;
  /** Its boundary is an error of its own; without it nothing may be thrown. */
  readonly mayThrow?: (error: unknown) => boolean;
  /** What must hold of whatever came out. */
  readonly check?: (result: unknown, text: string) => void;
  /** Runs when FUZZ_RUNS says nothing; fewer where each takes long. */
  readonly usualRuns?: number;
  /** Whoever calls it has refused longer ones. */
  readonly longest?: number;
};

export function tryParse({ parse, mayThrow, check }: Fuzzed, text: string): void {
  let result: unknown;
  try {
    result = parse(text);
  } catch (error) {
    if (mayThrow?.(error) === true) return;
    throw error;
  }
  check?.(result, text);
}
