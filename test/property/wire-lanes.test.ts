// The codec's fast lane against its naive twin: zod and JSON, in every version. They must never differ.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { z } from 'zod';
import type { Answer, Request } from '../../src/core/messages.ts';
import { answer } from '../../src/wire/answers.ts';
import { createCodec } from '../../src/wire/codec.ts';
import { laneOf } from '../../src/wire/fast-lane.ts';
import { request } from '../../src/wire/requests.ts';
import { hearingIn, missingIn, tellingIn } from '../../src/wire/since.ts';
import { spoken } from '../../src/wire/versions.ts';
import { answers, requests } from './wire-values.ts';

const plain = <T>(value: T): T => JSON.parse(JSON.stringify(value)) as T;
const codec = createCodec(spoken);
const kinds = [
  ['request', request, requests, codec.encodeRequest, codec.decodeRequest],
  ['answer', answer, answers, codec.encodeAnswer, codec.decodeAnswer],
] as const;

/** Numbers as they come from the core's arithmetic: durations with fractions, or below zero. */
function unrounded(value: unknown, by: number): unknown {
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value).map(([key, inner]) => [
    key,
    key.endsWith('Ms') && key !== 'ttlMs' ? (inner as number) + by : unrounded(inner, by),
  ]);
  return Object.fromEntries(entries) as unknown;
}

for (const [kind, schema, values, encode, decode] of kinds) {
  for (let version = spoken.oldest; version <= spoken.newest; version += 1) {
    const telling = tellingIn(version, schema) as z.ZodType;
    const hearing = hearingIn(version, schema) as z.ZodType;

    test(`a ${kind} in version ${version} is what zod and JSON make of it, both ways`, () => {
      const by = fc.constantFrom(0, 0, 0.5, -0.25, -1e6, 1e9, Number.NaN);
      fc.assert(
        fc.property(values as fc.Arbitrary<Request | Answer>, by, (given, shift) => {
          const value = (shift === 0 ? given : unrounded(plain(given), shift)) as never;
          const naive = telling.safeParse(value);
          const encoded = encode(value, version);
          assert.equal(encoded.kind, naive.success ? 'good' : 'bad');
          if (encoded.kind === 'bad') return;
          assert.equal(encoded.value, JSON.stringify({ v: version, m: naive.data }));
          const heard = hearing.parse((JSON.parse(encoded.value) as { m: unknown }).m);
          const decoded = decode(encoded.value);
          assert.deepEqual(decoded, { kind: 'good', value: heard, version });
          assert.deepEqual(decode(` ${encoded.value}`), decoded, 'the slow lane says the same');
        }),
        { numRuns: 500 },
      );
    });

    test(`what cannot be said as a ${kind} in version ${version} is said by neither lane`, () => {
      const odd = fc.constantFrom<unknown>(undefined, null, -1, 1.5, 2 ** 53, 'x'.repeat(2000), true, {}, [], 'site3');
      fc.assert(
        fc.property(values as fc.Arbitrary<Request | Answer>, fc.nat(), odd, (given, where, other) => {
          const value = changed(plain(given), where, other);
          const naive = telling.safeParse(value);
          const encoded = encode(value as never, version);
          assert.equal(encoded.kind, naive.success ? 'good' : 'bad', JSON.stringify(value));
          if (encoded.kind === 'good') {
            assert.equal(encoded.value, JSON.stringify({ v: version, m: naive.data }));
            assert.equal(decode(encoded.value).kind, 'good', 'what is said is understood');
          }
        }),
        { numRuns: 1000 },
      );
    });
  }
}

test('the messages that are sent all the time are in the fast lane', () => {
  const options = [...request.options, ...answer.options];
  for (const type of ['renew', 'inquire', 'state', 'guard-answer', 'view']) {
    const option = options.find(({ shape }) => shape.type.value === type);
    assert.ok(option && missingIn(1, option) === undefined && laneOf(option, 1) && laneOf(option, 2), type);
  }
});

/** The value with one of its leaves, counted from the first, exchanged. */
function changed(value: unknown, where: number, other: unknown): unknown {
  let leaves = 0;
  const count = (each: unknown): void => {
    if (typeof each === 'object' && each !== null) for (const inner of Object.values(each)) count(inner);
    else leaves += 1;
  };
  count(value);
  let left = where % leaves;
  const change = (each: unknown): unknown => {
    if (typeof each !== 'object' || each === null) {
      left -= 1;
      return left === -1 ? other : each;
    }
    if (Array.isArray(each)) return each.map(change);
    return Object.fromEntries(Object.entries(each).map(([key, inner]) => [key, change(inner)]));
  };
  return change(value);
}
