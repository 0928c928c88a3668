// The fast lane of the codec: for messages made of plain parts it reads and writes, in one pass and without a tree in
// between, exactly the text that JSON.stringify makes of a checked value. It is derived from the schemas, and whatever it
// does not know, in a schema or in a text, it leaves to the slow lane: zod and JSON. test/property/wire-lanes.test.ts holds
// one against the other.

import { z } from 'zod';
import { accepted, epochId, ms } from './fields.ts';
import { longestMs } from './limits.ts';
import { missingIn } from './since.ts';

/** Null and undefined: not in the fast lane. */
export type Lane = {
  write(value: unknown): string | null;
  /** `text` from `at` on, up to the one character that closes the envelope. */
  read(text: string, at: number): unknown;
};

type Schema = z.core.$ZodType;
type Cursor = { readonly text: string; at: number };
type Part = { readonly read: (cursor: Cursor) => unknown; readonly write: (value: unknown) => string };

/** Never leaves this file. */
const strange = new Error('not in the fast lane');
const never = (): never => {
  throw strange;
};

/** Goes with almost every message, and is the same for days. */
const steady: ReadonlySet<Schema> = new Set([accepted, epochId]);

/** The lane of one message in one version; null when it has none. */
export function laneOf(schema: Schema, version: number): Lane | null {
  const part = partOf(schema, version);
  if (part === null) return null;
  return {
    write: (value) => {
      try {
        return part.write(value);
      } catch {
        return null;
      }
    },
    read: (text, at) => {
      const cursor = { text, at };
      try {
        const value = part.read(cursor);
        return cursor.at === text.length - 1 && text.endsWith('}') ? value : undefined;
      } catch {
        return undefined;
      }
    },
  };
}

function partOf(schema: Schema, version: number): Part | null {
  if (schema === ms) return wholeNumber(0, longestMs, (value) => Math.min(longestMs, Math.max(0, Math.ceil(value))));
  if (schema instanceof z.ZodObject) {
    const object = objectOf(schema, version);
    return steady.has(schema) && object !== null ? remembered(object) : object;
  }
  if (schema instanceof z.ZodNullable) return nullable(partOf(schema.unwrap(), version));
  if (schema instanceof z.ZodEnum) return oneOf(schema.options);
  if (schema instanceof z.ZodLiteral) return oneOf([...schema.values]);
  if (schema instanceof z.ZodBoolean) return boolean;
  if (schema instanceof z.ZodNumber && onlyChecks(schema, 'number_format', 'greater_than', 'less_than')) {
    const { minValue, maxValue, isInt } = schema;
    return isInt && minValue !== null && minValue >= 0
      ? wholeNumber(minValue, maxValue ?? Number.MAX_SAFE_INTEGER)
      : null;
  }
  if (schema instanceof z.ZodString && onlyChecks(schema, 'min_length', 'max_length')) {
    return textOf(schema.minLength ?? 0, schema.maxLength ?? Number.MAX_SAFE_INTEGER);
  }
  return null;
}

function onlyChecks(schema: z.ZodNumber | z.ZodString, ...known: readonly string[]): boolean {
  return (schema.def.checks ?? []).every(({ _zod }) => known.includes(_zod.def.check));
}

/**
 * Compiled, as zod compiles its own: an object built key by key costs three times as much. Only names from the schemas
 * are in the code, nothing that was read. Where compiling is forbidden the slow lane serves.
 */
function objectOf(schema: z.ZodObject, version: number): Part | null {
  const parts: Part[] = [];
  const reads: string[] = [];
  const builds: string[] = [];
  const writes: string[] = [];
  const before: unknown[] = [];
  for (const [key, field] of Object.entries<Schema>(schema.shape)) {
    const name = JSON.stringify(key);
    const missing = missingIn(version, field);
    if (missing !== undefined) {
      builds.push(`${name}: before[${before.push(missing.before) - 1}]`);
      continue;
    }
    const part = partOf(field, version);
    if (part === null) return null;
    const index = parts.push(part) - 1;
    const lead = JSON.stringify(`${index === 0 ? '{' : ','}${name}:`);
    reads.push(`if (!text.startsWith(${lead}, cursor.at)) never();
      cursor.at += ${JSON.parse(lead).length};
      const value${index} = read${index}(cursor);`);
    builds.push(`${name}: value${index}`);
    writes.push(`${lead} + write${index}(value[${name}])`);
  }
  if (parts.length === 0 || Object.hasOwn(schema.shape, '__proto__')) return null;
  const code = `return {
    read(cursor) {
      const text = cursor.text;
      ${reads.join('\n')}
      if (text.charCodeAt(cursor.at) !== 125) never();
      cursor.at += 1;
      return { ${builds.join(', ')} };
    },
    write(value) { return ${writes.join(' + ')} + '}'; },
  }`;
  try {
    const reading = parts.map((_, index) => `read${index}`);
    const writing = parts.map((_, index) => `write${index}`);
    const compile = new Function('before', 'never', ...reading, ...writing, code) as (...given: unknown[]) => Part;
    return compile(before, never, ...parts.map(({ read }) => read), ...parts.map(({ write }) => write));
  } catch {
    return null;
  }
}

/** The last texts and values of it are kept. */
function remembered(part: Part): Part {
  const written = new WeakMap<object, string>();
  const read: { text: string; value: unknown }[] = [];

  return {
    write: (value) => {
      const known = written.get(value as object);
      if (known !== undefined) return known;
      const text = part.write(value);
      written.set(value as object, text);
      return text;
    },
    read: (cursor) => {
      const { text, at } = cursor;
      for (const known of read) {
        if (text.slice(at, at + known.text.length) !== known.text) continue;
        cursor.at += known.text.length;
        return known.value;
      }
      const value = part.read(cursor);
      read.unshift({ text: text.slice(at, cursor.at), value });
      if (read.length > 2) read.pop();
      return value;
    },
  };
}

function nullable(part: Part | null): Part | null {
  if (part === null) return null;
  return {
    write: (value) => (value === null ? 'null' : part.write(value)),
    read: (cursor) => {
      if (!cursor.text.startsWith('null', cursor.at)) return part.read(cursor);
      cursor.at += 4;
      return null;
    },
  };
}

function oneOf(options: readonly unknown[]): Part | null {
  if (!options.every((option) => typeof option === 'string')) return null;
  const quoted = new Map(options.map((option) => [option, JSON.stringify(option)]));
  const texts = [...quoted];
  return {
    write: (value) => quoted.get(value as string) ?? never(),
    read: (cursor) => {
      for (const [option, text] of texts) {
        if (!cursor.text.startsWith(text, cursor.at)) continue;
        cursor.at += text.length;
        return option;
      }
      return never();
    },
  };
}

const boolean: Part = {
  write: (value) => (value === true ? 'true' : value === false ? 'false' : never()),
  read: (cursor) => {
    const value = cursor.text.startsWith('true', cursor.at);
    if (!value && !cursor.text.startsWith('false', cursor.at)) never();
    cursor.at += value ? 4 : 5;
    return value;
  },
};

function wholeNumber(least: number, most: number, rounded = (value: number) => value): Part {
  return {
    write: (value) => {
      if (typeof value !== 'number' || !Number.isFinite(value)) return never();
      const whole = rounded(value);
      return Number.isSafeInteger(whole) && whole >= least && whole <= most ? String(whole) : never();
    },
    read: (cursor) => {
      const { text, at } = cursor;
      let value = 0;
      let end = at;
      for (let code = text.charCodeAt(end); code >= 48 && code <= 57; code = text.charCodeAt(end)) {
        value = value * 10 + (code - 48);
        end += 1;
      }
      const digits = end - at;
      if (digits === 0 || digits > 16 || (digits > 1 && text.charCodeAt(at) === 48)) never();
      if (value < least || value > most) never();
      cursor.at = end;
      return value;
    },
  };
}

/** Printable ASCII without quote and backslash: what stands in JSON as it is. */
const plain = /^[ !#-[\]-~]*$/;

function textOf(least: number, most: number): Part {
  return {
    write: (value) => {
      if (typeof value !== 'string' || value.length < least || value.length > most) return never();
      return plain.test(value) ? `"${value}"` : JSON.stringify(value);
    },
    read: (cursor) => {
      const { text, at } = cursor;
      const end = text.indexOf('"', at + 1);
      const length = end - at - 1;
      if (text.charCodeAt(at) !== 34 || end < 0 || length < least || length > most) return never();
      const value = text.slice(at + 1, end);
      cursor.at = end + 1;
      return plain.test(value) ? value : never();
    },
  };
}
