import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ConnectionFault, classify, isRefusal, type Phase } from '../../../src/adapters/postgres/classify.ts';
import type { ProbeClass } from '../../../src/core/observe/observation.ts';

const coded = (code: string) => Object.assign(new Error('in any language'), { code });

const rows: readonly (readonly [ProbeClass, Phase, unknown])[] = [
  ['refused', 'connect', coded('ECONNREFUSED')],
  ['refused', 'connect', coded('ENOENT')],
  ['refused', 'login', coded('ECONNRESET')],
  ['refused', 'login', new Error('Connection terminated unexpectedly')],
  ['refused', 'read', coded('57P01')],
  ['refused', 'commit', coded('57P02')],
  ['unreachable', 'connect', coded('EHOSTUNREACH')],
  ['unreachable', 'connect', coded('ENETUNREACH')],
  ['unreachable', 'connect', new AggregateError([coded('ENETUNREACH')])],
  ['timeout', 'connect', coded('ETIMEDOUT')],
  ['timeout', 'connect', new ConnectionFault('deadline', '')],
  ['timeout', 'login', new ConnectionFault('deadline', '')],
  ['timeout', 'read', new ConnectionFault('deadline', '')],
  ['timeout', 'read', coded('57014')],
  ['write-stalled', 'commit', new ConnectionFault('deadline', '')],
  ['write-stalled', 'commit', coded('57014')],
  ['write-stalled', 'commit', coded('55P03')],
  ['write-stalled', 'commit', coded('58030')],
  ['disk-full', 'commit', coded('53100')],
  ['too-many-connections', 'login', coded('53300')],
  ['starting-up', 'login', coded('57P03')],
  ['read-only', 'commit', coded('25006')],
  ['auth', 'login', coded('28P01')],
  ['auth', 'login', coded('28000')],
  ['auth', 'login', coded('3D000')],
  ['auth', 'commit', coded('42501')],
  ['protocol', 'login', coded('08P01')],
  ['protocol', 'login', new ConnectionFault('garbage', '')],
  // Whatever nobody thought of alerts and never moves a primary.
  ['protocol', 'commit', coded('42P01')],
  ['protocol', 'commit', coded('XX000')],
  ['protocol', 'read', new TypeError('no code at all')],
];

for (const [expected, phase, error] of rows) {
  const name =
    error instanceof ConnectionFault
      ? error.fault
      : error instanceof Error
        ? `${error.name} ${(error as NodeJS.ErrnoException).code ?? error.message}`
        : '';
  test(`${name} during ${phase} is ${expected}`, () => assert.equal(classify(error, phase), expected));
}

test('an outcome is a refusal only when nothing can have been done', () => {
  assert.equal(isRefusal(coded('ECONNREFUSED'), 'connect'), true);
  assert.equal(isRefusal(coded('57P03'), 'login'), true);
  assert.equal(isRefusal(coded('25006'), 'read'), true);
  assert.equal(isRefusal(new ConnectionFault('deadline', ''), 'login'), false);
  assert.equal(isRefusal(new ConnectionFault('deadline', ''), 'read'), false);
  assert.equal(isRefusal(coded('ECONNRESET'), 'read'), false);
  assert.equal(isRefusal(coded('EPIPE'), 'read'), false);
  assert.equal(isRefusal(coded('57P01'), 'read'), false);
  assert.equal(isRefusal(new Error('Connection terminated unexpectedly'), 'read'), false);
});
