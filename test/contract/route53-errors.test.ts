// The normaliser's table, row by row, and the TXT codec, which need no server.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { route53Errors, toOutcome } from '../../src/adapters/route53/errors.ts';
import { decodeTxt, encodeTxt } from '../../src/adapters/route53/txt.ts';
import { parseTxt } from '../lab/zone/records.ts';

function failure(name: string, message = 'words', httpStatusCode = 400, extra = {}): Error {
  return Object.assign(new Error(message), { name, $metadata: { httpStatusCode } }, extra);
}

function summary(error: unknown): string {
  const outcome = toOutcome(error);
  return outcome.kind === 'rejected' ? outcome.code : outcome.kind;
}

describe('route53 errors', () => {
  it('has a reason for every row', () => {
    for (const [name, row] of Object.entries(route53Errors)) assert.ok(row.why.length > 20, name);
  });

  it('follows the table', () => {
    for (const [name, row] of Object.entries(route53Errors)) {
      assert.equal(summary(failure(name)), row.means === 'batch' ? 'invalid' : row.means, name);
    }
  });

  it('tells a lost race from a bad batch by the words of the API', () => {
    const set = "resource record set [name='witness.example.', type='TXT']";
    const rows = [
      [`[Tried to delete ${set} but the values provided do not match the current values]`, 'conflict'],
      [`[Tried to delete ${set} but it was not found]`, 'conflict'],
      [`[Tried to create ${set} but it already exists]`, 'conflict'],
      ["[The request contains an invalid set of changes for a resource record set 'TXT witness.example.']", 'invalid'],
      ['[RRSet with DNS name a. is not permitted in zone b.]', 'invalid'],
    ] as const;
    for (const [message, code] of rows) {
      assert.equal(summary(failure('InvalidChangeBatch', message)), code);
      assert.equal(summary(failure('InvalidChangeBatch', '', 400, { messages: [message] })), code);
    }
  });

  it('takes everything else for no answer', () => {
    const reset = Object.assign(new Error('read ECONNRESET'), { code: 'ECONNRESET' });
    const others = [reset, failure('SomethingNew'), failure('InvalidInput', 'x', 502), 'text', null, undefined];
    for (const error of others) assert.equal(summary(error), 'unknown');
    assert.match((toOutcome(reset) as { detail: string }).detail, /ECONNRESET/);
  });
});

describe('txt values', () => {
  it('come back as they went, through the server’s own reading too', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 900 }), (text) => {
        const value = encodeTxt(text);
        if (value === null) return;
        assert.equal(decodeTxt(value), text);
        const strings = parseTxt(value);
        assert.ok(typeof strings !== 'string', String(strings));
        assert.equal(Buffer.concat(strings).toString('utf8'), text);
      }),
    );
  });

  it('are refused when they are none', () => {
    for (const value of ['', 'plain', '"open', '"a"b"', '"a" b', '"\\8"', '"é"', '"\\303"']) {
      assert.equal(decodeTxt(value), null, value);
    }
  });
});
