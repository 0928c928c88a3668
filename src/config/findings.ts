/** From zod's issues to sentences for an operator: what is wrong with the value that is there, what to write instead. */
import type { z } from 'zod';
import { findKey, type Key, keyTree, leaves } from './keys.ts';
import { didYouMean, type Finding } from './problem.ts';

/** The first `limit` of them: what a wrong key may have been meant for costs time, and a file may hold thousands. */
export function findingsOf(error: z.ZodError, data: unknown, limit: number): readonly Finding[] {
  const tree = keyTree();
  const findings = error.issues.slice(0, limit).flatMap((issue) => {
    if (issue.code === 'unrecognized_keys') {
      return issue.keys.slice(0, limit).map((name) => unknownKey(tree, issue.path, name));
    }
    return [valueFinding(tree, issue, data)];
  });
  // A value that is wrong in two ways is one mistake: the first sentence says it.
  return [...new Map(findings.toReversed().map((finding) => [JSON.stringify(finding.path), finding])).values()];
}

function unknownKey(tree: Key, path: readonly PropertyKey[], name: string): Finding {
  const siblings = findKey(path, tree)?.keys?.map((key) => key.name) ?? [];
  const near = didYouMean(name, siblings);
  const elsewhere = leaves(tree).find((key) => key.name === name || key.name === didYouMean(name, [key.name]));
  const where = path.length === 0 ? 'at the top' : `in ${path.join('.')}`;
  return {
    path: [...path, name],
    problem: `there is no key ${name} ${where}`,
    instead:
      near !== undefined
        ? `did you mean ${near}?`
        : elsewhere !== undefined && !elsewhere.path.includes('*')
          ? `did you mean ${elsewhere.path}?`
          : `one of ${siblings.join(', ')}; or remove it`,
  };
}

function valueFinding(tree: Key, issue: z.core.$ZodIssue, data: unknown): Finding {
  const path = discriminatorPath(issue);
  const key = findKey(path, tree);
  const value = valueAt(data, path);
  const instead = advice(key, path);
  if (value === undefined) return { path, problem: 'is missing', instead };
  if (value === null) return { path, problem: 'has no value', instead };
  if (issue.code === 'invalid_key') {
    return { path, problem: issue.issues[0]?.message ?? 'is no name', instead: 'another name' };
  }
  return { path, problem: `${show(value)} ${sentence(issue, key)}`, instead };
}

/** A discriminated union complains about itself; the mistake is in its `kind`. */
function discriminatorPath(issue: z.core.$ZodIssue): readonly PropertyKey[] {
  if (issue.code !== 'invalid_union' || !('discriminator' in issue) || issue.discriminator === undefined) {
    return issue.path;
  }
  return issue.path.at(-1) === issue.discriminator ? issue.path : [...issue.path, issue.discriminator];
}

function sentence(issue: z.core.$ZodIssue, key: Key | undefined): string {
  // The schema's own sentences begin in lower case; zod's begin with a capital.
  if (/^[a-z]/.test(issue.message)) return issue.message;
  if (issue.code === 'invalid_value') return 'is not possible here';
  return `is no ${key?.value ?? 'value of this key'}`;
}

function advice(key: Key | undefined, path: readonly PropertyKey[]): string {
  if (key === undefined) return 'see docs/CONFIG.md';
  const name = path.findLast((part) => typeof part === 'string') ?? key.name;
  if (key.keys !== undefined) {
    const inner = key.keys.map((entry) => (entry.name === '*' ? 'NAME' : entry.name));
    return `a section: ${String(name)}: with ${inner.join(', ')}`;
  }
  if (/ or /.test(key.value) && key.example === undefined) return `${String(name)}: ${key.value}`;
  const written = key.example ?? key.default;
  const choice = /^[\w-]+( or [\w-]+)+$/.test(key.value) ? ` (${key.value})` : '';
  return written === undefined ? `${String(name)}: a ${key.value}` : `${String(name)}: ${flow(written)}${choice}`;
}

const PLAIN = /^[\w./@][\w./@:+= -]*$/;
const NOT_PLAIN = /: | #|^(true|false|null|~)$|:$/i;

/** A value as it would stand in the file, on one line. */
export function flow(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(flow).join(', ')}]`;
  if (typeof value !== 'string') return JSON.stringify(value);
  return PLAIN.test(value) && !NOT_PLAIN.test(value) && Number.isNaN(Number(value)) ? value : JSON.stringify(value);
}

function show(value: unknown): string {
  // Digits beyond what a number can hold are gone by now; others than those written must not be shown.
  if (typeof value === 'number' && Number.isInteger(value) && !Number.isSafeInteger(value)) return 'a number that long';
  const text = JSON.stringify(value);
  return text.length > 60 ? `${text.slice(0, 57)}...` : text;
}

function valueAt(data: unknown, path: readonly PropertyKey[]): unknown {
  let value = data;
  for (const name of path) {
    if (typeof value !== 'object' || value === null) return undefined;
    value = (value as Record<PropertyKey, unknown>)[name];
  }
  return value;
}
