// Messages as text and back, in any version that this build speaks. Both directions check against the schemas, so that a
// process finds out itself that what it wants to say would be refused. Nothing here throws.
//
// The envelope {v, m} is the same in every version for ever: whoever cannot read `m` can still say so.

import type { z } from 'zod';
import type { Answer, Request } from '../core/messages.ts';
import type { PeerId } from '../core/site.ts';
import { answer } from './answers.ts';
import { messageBytes } from './limits.ts';
import { request } from './requests.ts';
import { hearingIn, missingIn, tellingIn } from './since.ts';
import { type PeerVersions, showRange, type WireRange } from './versions.ts';

/** A value, or in one sentence what is wrong with it. `version`: not wrong, only not of a version that can be spoken here. */
export type Bad = { readonly kind: 'bad'; readonly code: 'invalid' | 'version'; readonly problem: string };
export type Wire<T> = { readonly kind: 'good'; readonly value: T } | Bad;
/** With the version that it was said in. */
export type Heard<T> = { readonly kind: 'good'; readonly value: T; readonly version: number } | Bad;

export type Codec = {
  readonly range: WireRange;
  encodeRequest(value: Request, version: number): Wire<string>;
  decodeRequest(text: string): Heard<Request>;
  encodeAnswer(value: Answer, version: number): Wire<string>;
  decodeAnswer(text: string): Heard<Answer>;
};

export function createCodec(range: WireRange): Codec {
  const requests = versionsOf<Request>(request, range);
  const answers = versionsOf<Answer>(answer, range);
  return {
    range,
    encodeRequest: (value, version) => encode(requests, range, value, version),
    decodeRequest: (text) => decode(requests, range, text),
    encodeAnswer: (value, version) => encode(answers, range, value, version),
    decodeAnswer: (text) => decode(answers, range, text),
  };
}

/**
 * For this peer: in the version agreed on. What that one cannot say to a peer that has said nothing yet is said in the
 * first version that can: a process that asks only once could never say it else, and the peer at worst refuses it unread.
 */
export function encodeRequestTo(
  codec: Codec,
  versions: PeerVersions,
  peer: PeerId,
  value: Request,
): Wire<{ readonly text: string; readonly version: number }> {
  const last = versions.hasSpoken(peer) ? versions.versionFor(peer) : codec.range.newest;
  for (let version = versions.versionFor(peer); ; version += 1) {
    const encoded = codec.encodeRequest(value, version);
    if (encoded.kind === 'good') return good({ text: encoded.value, version });
    if (encoded.code === 'invalid' || version >= last) return encoded;
  }
}

type Message = { readonly type: string };
/** What is said and heard in one version. */
type Version<T> = {
  readonly types: ReadonlySet<string>;
  readonly telling: z.ZodType<T>;
  readonly hearing: z.ZodType<T>;
};
type Union = z.ZodDiscriminatedUnion<readonly z.ZodObject<{ readonly type: z.ZodLiteral<string> }>[]>;

function versionsOf<T>(union: Union, { oldest, newest }: WireRange): ReadonlyMap<number, Version<T>> {
  const versions = new Map<number, Version<T>>();
  for (let version = oldest; version <= newest; version += 1) {
    const options = union.options.filter((option) => missingIn(version, option) === undefined);
    versions.set(version, {
      types: new Set(options.map((option) => option.shape.type.value)),
      telling: tellingIn(version, union) as z.ZodType<T>,
      hearing: hearingIn(version, union) as z.ZodType<T>,
    });
  }
  return versions;
}

function encode<T extends Message>(
  versions: ReadonlyMap<number, Version<T>>,
  range: WireRange,
  value: T,
  version: number,
): Wire<string> {
  const known = versions.get(version);
  if (known === undefined) return bad('version', foreign(version, range));
  if (!known.types.has(value.type)) return bad('version', `cannot be said in version ${version}`);
  const checked = check(known.telling, value);
  if (checked.kind === 'bad') {
    const newest = versions.get(range.newest) ?? known;
    const isNewer = newest !== known && check(newest.telling, value).kind === 'good';
    return isNewer ? bad('version', `cannot be said in version ${version}`) : checked;
  }
  const text = stringify({ v: version, m: checked.value });
  if (text === null) return bad('invalid', 'is not JSON');
  return byteLength(text) > messageBytes ? bad('invalid', `is longer than ${messageBytes} bytes`) : good(text);
}

function decode<T>(versions: ReadonlyMap<number, Version<T>>, range: WireRange, text: string): Heard<T> {
  // Characters are never more than bytes; the adapter that read them has counted the bytes.
  if (text.length > messageBytes) return bad('invalid', `is longer than ${messageBytes} bytes`);
  const parsed = parse(text);
  if (parsed.kind === 'bad') return parsed;
  const { version, message } = parsed.value;
  const known = versions.get(version);
  if (known === undefined) return bad('version', foreign(version, range));
  const checked = check(known.hearing, message);
  return checked.kind === 'bad' ? checked : { kind: 'good', value: checked.value, version };
}

function foreign(version: number, range: WireRange): string {
  return `is of version ${version}, this process speaks ${showRange(range)}`;
}

function check<T>(schema: z.ZodType<T>, value: unknown): Wire<T> {
  try {
    const result = schema.safeParse(value);
    if (result.success) return good(result.data);
    const issue = result.error.issues[0];
    return bad('invalid', `${issue?.path.map(String).join('.') || 'message'}: ${issue?.message ?? 'is wrong'}`);
  } catch (error) {
    // A value made by a hand, with getters that throw or cycles: not from JSON.
    return bad('invalid', String(error));
  }
}

function parse(text: string): Wire<{ readonly version: number; readonly message: unknown }> {
  let envelope: unknown;
  try {
    envelope = JSON.parse(text);
  } catch {
    return bad('invalid', 'is not JSON');
  }
  if (typeof envelope !== 'object' || envelope === null || Array.isArray(envelope)) {
    return bad('invalid', 'is no envelope');
  }
  const { v: version, m: message, ...others } = envelope as Readonly<Record<string, unknown>>;
  if (!Number.isSafeInteger(version) || message === undefined || Object.keys(others).length > 0) {
    return bad('invalid', 'is no envelope');
  }
  return good({ version: version as number, message });
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
  if (/^[ -~]*$/.test(text)) return text.length;
  let bytes = 0;
  for (const character of text) {
    const code = character.codePointAt(0) ?? 0;
    bytes += code < 0x80 ? 1 : code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
  }
  return bytes;
}

function good<T>(value: T): { readonly kind: 'good'; readonly value: T } {
  return { kind: 'good', value };
}

function bad(code: Bad['code'], problem: string): Bad {
  return { kind: 'bad', code, problem };
}
