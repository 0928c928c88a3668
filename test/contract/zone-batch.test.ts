// The rules of a change batch and the strictness of its XML, without a server between.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { type Action, applyBatch, type Change, setKey } from '../lab/zone/batch.ts';
import { mergeMode, normalMode } from '../lab/zone/modes.ts';
import { parseTxt } from '../lab/zone/records.ts';
import { ApiError, parseChangeBatch } from '../lab/zone/xml.ts';

const zone = 'register.test.';
const namespace = 'https://route53.amazonaws.com/doc/2013-04-01/';

function change(action: Action, value: string, name = 'a.register.test'): Change {
  return { action, set: { name, type: 'TXT', ttl: 1, values: [value] } };
}

function request(
  set: string,
  action = 'CREATE',
  root = `ChangeResourceRecordSetsRequest xmlns="${namespace}"`,
): string {
  const [end = ''] = root.split(' ');
  const inner = `<Change><Action>${action}</Action><ResourceRecordSet>${set}</ResourceRecordSet></Change>`;
  return `<?xml version="1.0"?><${root}><ChangeBatch><Changes>${inner}</Changes></ChangeBatch></${end}>`;
}

const head = '<Name>a.test</Name><Type>TXT</Type>';
const value = (text: string) =>
  `<ResourceRecords><ResourceRecord><Value>${text}</Value></ResourceRecord></ResourceRecords>`;

describe('change batch', () => {
  const records = new Map([
    [setKey('a.register.test', 'TXT'), { ...change('CREATE', '"1"').set, name: 'a.register.test.' }],
  ]);

  it('refuses every sequence for one set but a single change and DELETE then CREATE', () => {
    const remove = change('DELETE', '"1"');
    const create = change('CREATE', '"2"');
    const upsert = change('UPSERT', '"3"');
    const good = [
      [remove],
      [upsert],
      [remove, create],
      [{ ...remove, set: { ...remove.set, name: 'A.register.TEST.' } }],
    ];
    for (const batch of good) assert.ok('records' in applyBatch(zone, records, batch));
    const bad = [
      [remove, remove],
      [create, remove],
      [remove, create, remove],
      [upsert, upsert],
      [remove, upsert],
      [create],
    ];
    for (const batch of bad) assert.ok('messages' in applyBatch(zone, records, batch));
  });

  it('leaves the records it was given alone', () => {
    applyBatch(zone, records, [change('DELETE', '"1"')]);
    assert.equal(records.size, 1);
  });

  it('has the limits of a request, an UPSERT counting double', () => {
    const long = `"${'x'.repeat(255)}" `.repeat(15).trim();
    const batch = (action: Action, count: number) =>
      Array.from({ length: count }, (_, n) => change(action, long, `n${n}.register.test`));
    assert.ok('records' in applyBatch(zone, new Map(), batch('CREATE', 8)));
    const over = applyBatch(zone, new Map(), batch('UPSERT', 8));
    assert.ok('messages' in over && over.messages.some((text) => /characters limit of 32000/.test(text)));
    const many = Array.from({ length: 501 }, (_, n) => change('UPSERT', '"x"', `n${n}.register.test`));
    assert.ok('messages' in applyBatch(zone, new Map(), many));
  });
});

describe('request XML', () => {
  it('keeps a value exactly, entities and outer blanks included', () => {
    const { changes } = parseChangeBatch(request(`${head}<TTL>5</TTL>${value(' &quot;a &#x26; &lt;b&gt;&#34; ')}`));
    assert.deepEqual(changes[0]?.set, { name: 'a.test', type: 'TXT', ttl: 5, values: [' "a & <b>" '] });
  });

  it('refuses what it does not understand', () => {
    const good = `${head}<TTL>5</TTL>${value('x')}`;
    const cases: readonly [string, RegExp][] = [
      [request(`${head}<TTL>5</TTL>`), /Expected exactly one of \[AliasTarget/],
      [request(`${head}${value('x')}`), /Expected exactly one of \[AliasTarget/],
      [request(`${head}<TTL>-1</TTL>${value('x')}`), /TTL '-1'/],
      [request(`${good}<Weight>1</Weight>`), /does not implement <Weight>/],
      [request(`${good}<TTL>5</TTL>`), /appears twice/],
      [request(good, 'REPLACE'), /Value 'REPLACE'/],
      [request(good, 'CREATE', 'ChangeResourceRecordSetsRequest'), /namespace/],
      [request(good, 'CREATE', `Other xmlns="${namespace}"`), /<Other> is not expected/],
      ['<a>', /Invalid XML/],
    ];
    for (const [body, words] of cases) {
      assert.throws(
        () => parseChangeBatch(body),
        (error) => error instanceof ApiError && error.status === 400 && words.test(error.message),
        body,
      );
    }
  });
});

describe('TXT values', () => {
  it('are quoted strings with octal escapes', () => {
    const strings = parseTxt('"a\\"b\\\\" "\\303\\274"');
    assert.deepEqual(Array.isArray(strings) && strings.map(String), ['a"b\\', 'ü']);
    for (const bad of ['', 'a', '"a', '"a"b', '"\\x"', '"ü"', '"a"\t"b"'])
      assert.equal(typeof parseTxt(bad), 'string', bad);
  });
});

describe('modes', () => {
  it('are merged, and refused when they are none', () => {
    assert.equal(mergeMode(normalMode, { throttle: 3 }).throttle, 3);
    for (const bad of [{ slow: 1 }, { throttle: 'some' }, { delayBeforeMs: -1 }, { drop: true }]) {
      assert.throws(() => mergeMode(normalMode, bad));
    }
  });
});
