import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import {
  encodeAnswer,
  encodeOrder,
  type HostAnswer,
  type HostOrder,
  hostRefusals,
  longestOrder,
  parseAnswer,
  parseOrder,
} from '../../src/wire/host-orders.ts';

const site = fc.constantFrom('site1' as const, 'site2' as const);
const count = fc.oneof(fc.nat(), fc.integer({ min: 0, max: 999_999_999_999_999 }));
const plain = { noNullPrototype: true } as const;
const token = fc.record(
  {
    era: fc.record({ number: count, site }, plain),
    epoch: count,
    ballot: fc.record(
      { counter: count, voter: fc.constantFrom('site1' as const, 'site2' as const, 'witness' as const) },
      plain,
    ),
  },
  plain,
);

const orders: fc.Arbitrary<HostOrder> = fc.oneof(
  fc.constantFrom({ verb: 'read' as const }, { verb: 'reload' as const }),
  fc.record({ verb: fc.constant('stage' as const), site }, plain),
  fc.record({ verb: fc.constant('switch' as const), site, token }, plain),
  fc.record({ verb: fc.constant('fence' as const), token }, plain),
);

const answers: fc.Arbitrary<HostAnswer> = fc.oneof(
  fc.record(
    {
      ok: fc.constant(true as const),
      kind: fc.constant('env' as const),
      env: fc.record({ active: fc.option(site), staged: fc.uniqueArray(site), token: fc.option(token) }, plain),
      reloaded: fc.nat(),
    },
    plain,
  ),
  fc.record(
    {
      ok: fc.constant(true as const),
      kind: fc.constant('fenced' as const),
      killed: fc.nat(),
      found: fc.constantFrom('primary' as const, 'standby' as const, 'none' as const),
    },
    plain,
  ),
  fc.record(
    {
      ok: fc.constant(false as const),
      code: fc.constantFrom(...hostRefusals),
      detail: fc.string({ maxLength: 400 }),
      token: fc.option(token),
    },
    plain,
  ),
);

test('every order comes back as it was, on one short line', () => {
  fc.assert(
    fc.property(orders, (order) => {
      const text = encodeOrder(order);
      assert.match(text, /^[a-z0-9 ]+$/);
      assert.ok(text.length <= longestOrder);
      assert.deepEqual(parseOrder(text), order);
    }),
    { numRuns: 2000 },
  );
});

test('what is not exactly an order is none', () => {
  const word = fc.constantFrom(
    'read',
    'switch',
    'stage',
    'fence',
    'reload',
    'site1',
    'site2',
    'witness',
    '0',
    '7',
    '01',
    '-1',
    '1e3',
    '',
    ';',
    '$(id)',
  );
  fc.assert(
    fc.property(
      fc.oneof(
        fc.string(),
        fc.array(word, { maxLength: 8 }).map((words) => words.join(' ')),
      ),
      (text) => {
        const order = parseOrder(text);
        if (order !== null) assert.equal(encodeOrder(order), text);
      },
    ),
    { numRuns: 5000 },
  );
  for (const text of [
    '',
    ' read',
    'read ',
    'READ',
    'read\n',
    'stage',
    'stage site3',
    'stage  site1',
    'read; id',
    'switch site1',
    'switch site1 0 site1 2 5 site1 x',
    'switch site1 0 site1 02 5 site1',
    'fence 0 site1 2 5',
    'fence 0 witness 2 5 site1',
    `fence ${'9'.repeat(16)} site1 2 5 site1`,
  ]) {
    assert.equal(parseOrder(text), null, JSON.stringify(text));
  }
});

test('every answer comes back as it was', () => {
  fc.assert(
    fc.property(answers, (answer) => assert.deepEqual(parseAnswer(encodeAnswer(answer)), answer)),
    { numRuns: 2000 },
  );
});

test('noise is no answer, and nothing is thrown', () => {
  fc.assert(
    fc.property(fc.oneof(fc.string(), fc.json()), (text) => void parseAnswer(text)),
    { numRuns: 5000 },
  );
  fc.assert(
    fc.property(answers, fc.nat(), fc.string(), (answer, at, noise) => {
      const text = encodeAnswer(answer);
      const cut = at % text.length;
      // Half of an answer is none.
      assert.equal(parseAnswer(text.slice(0, cut)), null);
      parseAnswer(`${text.slice(0, cut)}${noise}${text.slice(cut)}`);
    }),
    { numRuns: 2000 },
  );
});
