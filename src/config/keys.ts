/**
 * The schema seen as a tree of keys: what CONFIG.md, the example file and the advice of `config check` are made from.
 */
import { z } from 'zod';
import { clusterFileSchema } from './schema.ts';

export interface Key {
  readonly name: string;
  /** Names from the top, joined by dots; `*` stands for a name that the operator chooses. */
  readonly path: string;
  readonly description: string;
  readonly since: string;
  /** Kind of value, in words. */
  readonly value: string;
  readonly example: unknown;
  readonly default: unknown;
  readonly required: boolean;
  /** Keys inside, in the order of the schema; undefined when the value is no section. */
  readonly keys: readonly Key[] | undefined;
}

interface Meta {
  readonly description?: string;
  readonly since?: string;
  readonly value?: string;
  readonly examples?: readonly unknown[];
}

/** The whole tree, beginning with the nameless top. */
export function keyTree(): Key {
  return describe('', '', clusterFileSchema);
}

/** The key at this path; a chosen name matches `*`, a list's index stays at the list. */
export function findKey(path: readonly PropertyKey[], from: Key = keyTree()): Key | undefined {
  let key: Key | undefined = from;
  for (const name of path) {
    if (typeof name === 'number') return key;
    key = key?.keys?.find((inner) => inner.name === name || inner.name === '*');
  }
  return key;
}

/** Every key below this one that is no section, top down. */
export function leaves(key: Key): readonly Key[] {
  return key.keys === undefined ? [key] : key.keys.flatMap((inner) => leaves(inner));
}

function describe(path: string, name: string, schema: z.core.$ZodType): Key {
  const meta = (z.globalRegistry.get(schema) ?? {}) as Meta;
  const { inner, value, hasDefault, optional, fallback } = unwrap(schema);
  return {
    name,
    path,
    description: meta.description ?? '',
    since: meta.since ?? '',
    value: meta.value ?? value ?? wordFor(inner),
    example: meta.examples?.[0],
    default: hasDefault ? fallback : undefined,
    required: !hasDefault && !optional,
    keys: keysOf(path, inner),
  };
}

function unwrap(schema: z.core.$ZodType) {
  let inner = schema;
  let value: string | undefined;
  let fallback: unknown;
  let hasDefault = false;
  let optional = false;
  for (;;) {
    value ??= (z.globalRegistry.get(inner) as Meta | undefined)?.value;
    if (inner instanceof z.ZodOptional) {
      optional = true;
      inner = inner.def.innerType;
    } else if (inner instanceof z.ZodPrefault) {
      hasDefault = true;
      fallback = inner.def.defaultValue;
      inner = inner.def.innerType;
    } else if (inner instanceof z.ZodPipe) {
      inner = inner.def.in;
    } else return { inner, value, hasDefault, optional, fallback };
  }
}

function wordFor(schema: z.core.$ZodType): string {
  if (schema instanceof z.ZodEnum) return schema.options.join(' or ');
  if (schema instanceof z.ZodLiteral) return [...schema.values].join(' or ');
  if (schema instanceof z.ZodArray) return 'list';
  if (schema instanceof z.ZodURL) return 'http(s) address';
  return 'section';
}

function keysOf(path: string, schema: z.core.$ZodType): readonly Key[] | undefined {
  const at = (name: string) => (path === '' ? name : `${path}.${name}`);
  if (schema instanceof z.ZodObject) {
    return Object.entries(schema.shape).map(([name, inner]) => describe(at(name), name, inner as z.core.$ZodType));
  }
  if (schema instanceof z.ZodRecord) return [describe(at('*'), '*', schema.def.valueType)];
  if (schema instanceof z.ZodDiscriminatedUnion) return unionKeys(path, schema);
  return undefined;
}

/** The keys of all members, each once; a key that not every member has is not required. */
function unionKeys(path: string, schema: z.ZodDiscriminatedUnion): readonly Key[] {
  const members = schema.options.map((option) => keysOf(path, option) ?? []);
  const found = new Map<string, Key>();
  for (const key of members.flat()) {
    const earlier = found.get(key.name);
    if (earlier === undefined) found.set(key.name, { ...key, required: members.every((keys) => has(keys, key)) });
    else if (earlier.value !== key.value)
      found.set(key.name, { ...earlier, value: `${earlier.value} or ${key.value}` });
  }
  return [...found.values()];
}

function has(keys: readonly Key[], key: Key): boolean {
  return keys.some((other) => other.name === key.name);
}
