import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { Answer, Request } from '../../src/core/messages.ts';
import type { RegisterState } from '../../src/core/quorum/register-state.ts';
import { createCodec } from '../../src/wire/codec.ts';
import { messageBytes } from '../../src/wire/limits.ts';
import { formatRegisterState, parseRegisterState } from '../../src/wire/register-codec.ts';
import { spoken } from '../../src/wire/versions.ts';
import { answers, registerStates, requests } from './wire-values.ts';

const { decodeAnswer, decodeRequest, ...codec } = createCodec(spoken);
const encodeRequest = (request: Request) => codec.encodeRequest(request, spoken.newest);
const encodeAnswer = (answer: Answer) => codec.encodeAnswer(answer, spoken.newest);

/** fast-check's records have no prototype; what comes from JSON has. */
const plain = <T>(value: T): T => JSON.parse(JSON.stringify(value)) as T;

test('every request comes back as it was', () => {
  fc.assert(
    fc.property(requests, (request) => {
      const encoded = encodeRequest(request);
      assert.equal(encoded.kind, 'good', JSON.stringify(encoded));
      assert.deepEqual(decodeRequest(encoded.kind === 'good' ? encoded.value : ''), {
        kind: 'good',
        value: plain(request),
        version: spoken.newest,
      });
    }),
    { numRuns: 1000 },
  );
});

test('every answer comes back as it was', () => {
  fc.assert(
    fc.property(answers, (answer) => {
      const encoded = encodeAnswer(answer);
      assert.equal(encoded.kind, 'good', JSON.stringify(encoded));
      assert.deepEqual(decodeAnswer(encoded.kind === 'good' ? encoded.value : ''), {
        kind: 'good',
        value: plain(answer),
        version: spoken.newest,
      });
    }),
    { numRuns: 1000 },
  );
});

test('no text makes the decoders throw, and none that is not a message is taken for one', () => {
  const noise = fc.oneof(
    fc.string({ unit: 'binary' }),
    fc.json(),
    fc.json().map((inner) => `{"v":1,"m":${inner}}`),
  );
  fc.assert(
    fc.property(noise, (text) => {
      assert.equal(decodeRequest(text).kind, 'bad');
      assert.equal(decodeAnswer(text).kind, 'bad');
    }),
    { numRuns: 2000 },
  );
});

test('a message with one character changed is another message or none', () => {
  fc.assert(
    fc.property(requests, fc.nat(), fc.string({ minLength: 1, maxLength: 1 }), (request, where, character) => {
      const encoded = encodeRequest(request);
      assert.equal(encoded.kind, 'good');
      const text = encoded.kind === 'good' ? encoded.value : '';
      const at = where % text.length;
      assert.doesNotThrow(() => decodeRequest(text.slice(0, at) + character + text.slice(at + 1)));
    }),
  );
});

test('unknown keys, other versions and long messages are refused', () => {
  const refused = (message: unknown) => assert.equal(decodeRequest(JSON.stringify(message)).kind, 'bad');
  assert.equal(decodeRequest('{"v":1,"m":{"type":"status"}}').kind, 'good');
  refused({ v: spoken.newest + 1, m: { type: 'status' } });
  refused({ v: spoken.oldest - 1, m: { type: 'status' } });
  refused({ v: 1, m: { type: 'status', more: 1 } });
  refused({ v: 1, m: { type: 'status' }, more: 1 });
  refused({ v: 1, m: { type: 'order', cluster: 'x', order: { kind: 'pause', reason: 'x'.repeat(401) } } });
  refused({ m: { type: 'status' } });
  assert.equal(decodeRequest(' '.repeat(messageBytes + 1)).kind, 'bad');
  const long = { type: 'status-answer', status: 'é'.repeat(messageBytes / 2) } as const;
  assert.equal(encodeAnswer(long).kind, 'bad', 'bytes count, not characters');
});

test('a duration that ran out is sent as 0 and a part of a millisecond as a whole one', () => {
  const order: Request = {
    type: 'guard-order',
    cluster: 'c',
    epoch: { era: { number: 0, site: 'site1' }, epoch: 1 },
    order: 'restart',
    timeoutMs: -3.5,
  };
  for (const [given, sent] of [
    [-3.5, 0],
    [0.1, 1],
    [7, 7],
  ] as const) {
    const encoded = encodeRequest({ ...order, timeoutMs: given });
    const decoded = encoded.kind === 'good' ? decodeRequest(encoded.value) : encoded;
    assert.ok(decoded.kind === 'good' && decoded.value.type === 'guard-order');
    assert.equal(decoded.value.timeoutMs, sent);
  }
  assert.equal(encodeRequest({ ...order, timeoutMs: Number.NaN }).kind, 'bad');
});

/** What the register keeps of a state: all but the ends of the two texts for people, and no odd characters. */
function kept(state: RegisterState): RegisterState {
  const text = (value: string, limit: number) => value.replaceAll(/[^ -~]/g, '?').slice(0, limit);
  const { record, ballot } = state.accepted;
  const cluster = text(state.cluster, 64);
  return plain({
    ...state,
    cluster,
    accepted: {
      ballot,
      record: {
        ...record,
        cluster,
        voters: text(record.voters, 64),
        by: text(record.by, 32),
        at: text(record.at, 32),
        reason: text(record.reason, 80),
      },
    },
  });
}

test("every register state comes back but for cut texts, and fits a record's value", () => {
  fc.assert(
    fc.property(registerStates, (state) => {
      const line = formatRegisterState(state);
      assert.match(line, /^[ !#-[\]-~]*$/, 'no quote, no backslash, ASCII only');
      assert.ok(line.length < 1500);
      assert.deepEqual(parseRegisterState(line), kept(state));
      assert.equal(formatRegisterState(kept(state)), line, 'cutting twice cuts nothing more');
    }),
    { numRuns: 500 },
  );
});

test('what the register cannot mean is unreadable, never a throw', () => {
  const near = fc
    .tuple(registerStates, fc.nat(), fc.string({ unit: 'binary', maxLength: 2 }))
    .map(([state, at, odd]) => {
      const line = formatRegisterState(state);
      return line.slice(0, at % line.length) + odd + line.slice((at % line.length) + 1);
    });
  fc.assert(
    fc.property(fc.oneof(near, fc.string({ unit: 'binary' })), (text) => {
      const state = parseRegisterState(text);
      if (state !== null) assert.equal(formatRegisterState(state), text);
    }),
    { numRuns: 500 },
  );
});

test('a usual register value is short', () => {
  const state: RegisterState = {
    cluster: 'birthday',
    serial: 1234,
    promised: { counter: 77, voter: 'site2' },
    accepted: {
      ballot: { counter: 77, voter: 'site2' },
      record: {
        cluster: 'birthday',
        era: { number: 0, site: 'site1' },
        epoch: 12,
        primary: 'site2',
        entry: 'site2',
        mode: 'auto',
        sync: false,
        voters: 'c0ffee00c0ffee00',
        by: 'site2-agent',
        at: '2026-11-22T10:00:00.000Z',
        reason: "site1's database is gone: its guard released it, and the standby may take over",
      },
    },
    nonce: { id: 'ab'.repeat(16), site: 'site2', round: { start: 1_790_000_000_000, seq: 9 }, ttlMs: 15_000 },
    position: 0x1_23_45_67_89_00,
  };
  assert.ok(formatRegisterState(state).length < 450, formatRegisterState(state));
});
