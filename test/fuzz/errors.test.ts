// Errors are bytes of somebody else too: their names, codes and texts come from servers and libraries.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { classify, codeOf, detailOf, isRefusal, type Phase } from '../../src/adapters/postgres/classify.ts';
import { route53Errors, toOutcome } from '../../src/adapters/route53/errors.ts';
import { runs } from './kit.ts';

const names = fc.oneof(
  fc.constantFrom(...Object.keys(route53Errors), 'ECONNREFUSED', '57P01', '08006', ''),
  fc.constantFrom('constructor', '__proto__', 'toString', 'hasOwnProperty'),
  fc.string({ unit: 'binary', maxLength: 12 }),
);
const texts = fc.oneof(fc.string({ unit: 'binary' }), fc.constant('x'.repeat(1024 * 1024)));
const anything = fc.anything({ withNullPrototype: true, withBigInt: true, withDate: true, withMap: true });

/** As libraries throw them: Errors with all kinds of things set on them, and things that are none. */
const errors = fc.oneof(
  anything,
  fc
    .record({
      name: names,
      message: fc.oneof(texts, anything),
      code: fc.oneof(names, anything),
      messages: fc.oneof(fc.array(fc.oneof(texts, anything)), anything),
      $metadata: fc.oneof(fc.record({ httpStatusCode: fc.oneof(fc.nat({ max: 599 }), anything) }), anything),
    })
    .map((parts) => Object.assign(new Error('before'), parts)),
);

/** pg makes Errors of what a server says, all of it text. */
const serverErrors = fc
  .record({ message: texts, code: fc.oneof(names, fc.constant(undefined)), severity: texts, detail: texts })
  .map((parts) => Object.assign(new Error('before'), parts));

const codes = new Set(['conflict', 'invalid', 'missing', 'access', 'too-long', 'unreadable']);

test('an error of Route 53 is rejected with a code of the list, or no answer', () => {
  fc.assert(
    fc.property(errors, (error) => {
      const outcome = toOutcome(error);
      if (outcome.kind === 'rejected') assert.ok(codes.has(outcome.code), String(outcome.code));
      else assert.equal(outcome.kind, 'unknown');
      assert.ok(outcome.detail.length <= 500);
    }),
    runs(),
  );
});

test('a name that is none of the table is no answer, whatever objects inherit', () => {
  for (const name of ['constructor', '__proto__', 'toString', 'hasOwnProperty', 'valueOf']) {
    assert.equal(toOutcome(Object.assign(new Error('x'), { name })).kind, 'unknown', name);
  }
});

test('an error of a PostgreSQL connection has a class and words, whatever it is', () => {
  const phases: readonly Phase[] = ['connect', 'login', 'read', 'commit'];
  fc.assert(
    fc.property(serverErrors, fc.constantFrom(...phases), (error, phase) => {
      assert.equal(typeof classify(error, phase), 'string');
      assert.equal(typeof detailOf(error), 'string');
      assert.equal(typeof isRefusal(error, phase), 'boolean');
      const code = codeOf(error);
      assert.ok(code === null || typeof code === 'string');
    }),
    runs(),
  );
});
