// Messages as text and back. Both directions check against the schemas, so that a process finds out itself that what it
// wants to say would be refused. Nothing here throws.

import { z } from 'zod';
import type { Answer, Request } from '../core/messages.ts';
import { answer } from './answers.ts';
import { messageBytes } from './limits.ts';
import { request } from './requests.ts';

/** The version of the peer protocol. A message of another version is refused, never guessed at. */
export const wireVersion = 1;

/** A value, or in one sentence what is wrong with it. */
export type Wire<T> = { readonly kind: 'good'; readonly value: T } | { readonly kind: 'bad'; readonly problem: string };

const envelope = z.strictObject({ v: z.int(), m: z.unknown() });

export function encodeRequest(value: Request): Wire<string> {
  return encode(request, value);
}

export function decodeRequest(text: string): Wire<Request> {
  return decode(request, text);
}

export function encodeAnswer(value: Answer): Wire<string> {
  return encode(answer, value);
}

export function decodeAnswer(text: string): Wire<Answer> {
  return decode(answer, text);
}

function encode<T>(schema: z.ZodType<T>, value: T): Wire<string> {
  const checked = check(schema, value);
  if (checked.kind === 'bad') return checked;
  const text = stringify({ v: wireVersion, m: checked.value });
  if (text === null) return bad('is not JSON');
  return byteLength(text) > messageBytes ? bad(`is longer than ${messageBytes} bytes`) : good(text);
}

function decode<T>(schema: z.ZodType<T>, text: string): Wire<T> {
  // Characters are never more than bytes; the adapter that read them has counted the bytes.
  if (text.length > messageBytes) return bad(`is longer than ${messageBytes} bytes`);
  const parsed = parse(text);
  if (parsed.kind === 'bad') return parsed;
  const outer = check(envelope, parsed.value);
  if (outer.kind === 'bad') return outer;
  if (outer.value.v !== wireVersion) return bad(`is of version ${outer.value.v}, this is version ${wireVersion}`);
  return check(schema, outer.value.m);
}

function check<T>(schema: z.ZodType<T>, value: unknown): Wire<T> {
  try {
    const result = schema.safeParse(value);
    if (result.success) return good(result.data);
    const issue = result.error.issues[0];
    return bad(`${issue?.path.map(String).join('.') || 'message'}: ${issue?.message ?? 'is wrong'}`);
  } catch (error) {
    // A value made by a hand, with getters that throw or cycles: not from JSON.
    return bad(String(error));
  }
}

function parse(text: string): Wire<unknown> {
  try {
    return good(JSON.parse(text));
  } catch {
    return bad('is not JSON');
  }
}

function stringify(value: unknown): string | null {
  try {
    return JSON.stringify(value);
  } catch {
    return null;
  }
}

/** Bytes of UTF-8, counted without node's types: lone surrogates count as the three bytes that replace them. */
function byteLength(text: string): number {
  let bytes = 0;
  for (const character of text) {
    const code = character.codePointAt(0) ?? 0;
    bytes += code < 0x80 ? 1 : code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
  }
  return bytes;
}

function good<T>(value: T): Wire<T> {
  return { kind: 'good', value };
}

function bad(problem: string): { readonly kind: 'bad'; readonly problem: string } {
  return { kind: 'bad', problem };
}
