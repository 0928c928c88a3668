// W1, W2: the register adapter against the double of Route 53.

import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { createRegister, type Route53Register } from '../../src/adapters/route53/register.ts';
import { type RunningZone, registerZone, startZone } from '../lab/zone/start.ts';

const name = 'witness.register.test';
const deadlineMs = 2000;

describe('route53 register', () => {
  let zone: RunningZone;
  let register: Route53Register;
  let other: Route53Register;

  const open = (overrides = {}): Route53Register =>
    createRegister({
      hostedZoneId: registerZone.id,
      name,
      ttlSeconds: 60,
      endpoint: zone.endpoint,
      credentialsFile: zone.credentialsFile,
      ...overrides,
    });
  const reset = async (text: string | null): Promise<void> => {
    await zone.control.clearMode('all');
    await zone.control.deleteRecord(registerZone.id, name, 'TXT');
    if (text !== null) assert.equal((await register.swap(null, text, deadlineMs)).kind, 'done');
  };

  before(async () => {
    zone = await startZone();
    register = open();
    other = open();
  });
  after(async () => {
    register.close();
    other.close();
    await zone[Symbol.asyncDispose]();
  });

  it('reads null where there is no record, also before another name and type', async () => {
    await reset(null);
    await zone.control.putRecord(registerZone.id, { name, type: 'A', ttl: 60, values: ['192.0.2.1'] });
    await zone.control.putRecord(registerZone.id, {
      name: `x.${name}`,
      type: 'TXT',
      ttl: 60,
      values: ['"other"'],
    });
    assert.deepEqual(await register.read(deadlineMs), { kind: 'done', value: null });
  });

  it('creates only where there is none', async () => {
    await reset('first');
    assert.deepEqual(await other.read(deadlineMs), { kind: 'done', value: 'first' });
    const again = await other.swap(null, 'second', deadlineMs);
    assert.equal(again.kind === 'rejected' && again.code, 'conflict');
    assert.deepEqual(await other.read(deadlineMs), { kind: 'done', value: 'first' });
  });

  it('swaps the exact string and refuses any other', async () => {
    await reset('one');
    assert.equal((await other.swap('one', 'two', deadlineMs)).kind, 'done');
    const late = await register.swap('one', 'three', deadlineMs);
    assert.equal(late.kind === 'rejected' && late.code, 'conflict');
    assert.deepEqual(await register.read(deadlineMs), { kind: 'done', value: 'two' });
    assert.equal((await register.swap('two', 'three', deadlineMs)).kind, 'done');
  });

  it('lets exactly one of two racing swaps win', async () => {
    await reset('start');
    for (let round = 0; round < 10; round += 1) {
      const from = round === 0 ? 'start' : await register.read(deadlineMs).then((o) => o.kind === 'done' && o.value);
      assert.ok(typeof from === 'string');
      const results = await Promise.all([
        register.swap(from, `left ${round}`, deadlineMs),
        other.swap(from, `right ${round}`, deadlineMs),
      ]);
      assert.deepEqual(results.map((result) => result.kind).sort(), ['done', 'rejected']);
    }
  });

  it('carries any text without loss, long ones in several strings', async () => {
    await reset('seed');
    const texts = ['', '"quoted" \\ and \\101', `{"a":[${'1,'.repeat(600)}2]}`, 'ünï ☃ 😀\n\t', `"${'\\'.repeat(400)}`];
    let current = 'seed';
    for (const text of texts) {
      assert.equal((await register.swap(current, text, deadlineMs)).kind, 'done', text);
      assert.deepEqual(await other.read(deadlineMs), { kind: 'done', value: text });
      current = text;
    }
  });

  it('says too-long before it sends', async () => {
    await reset('short');
    const seen = (await zone.control.log()).length;
    const outcome = await register.swap('short', 'x'.repeat(4000), deadlineMs);
    assert.equal(outcome.kind === 'rejected' && outcome.code, 'too-long');
    assert.equal((await zone.control.log()).length, seen);
  });

  it('swaps a record that a person restored in another form, after reading it', async () => {
    await reset('gone');
    await zone.control.putRecord(registerZone.id, { name, type: 'TXT', ttl: 300, values: ['"by " "ha\\156d"'] });
    const blind = await other.swap('by hand', 'next', deadlineMs);
    assert.equal(blind.kind === 'rejected' && blind.code, 'conflict');
    assert.deepEqual(await other.read(deadlineMs), { kind: 'done', value: 'by hand' });
    assert.equal((await other.swap('by hand', 'next', deadlineMs)).kind, 'done');
  });

  it('calls a set of two values, or a damaged text, unreadable', async () => {
    await reset(null);
    await zone.control.putRecord(registerZone.id, { name, type: 'TXT', ttl: 60, values: ['"a"', '"b"'] });
    const two = await register.read(deadlineMs);
    assert.equal(two.kind === 'rejected' && two.code, 'unreadable');
    await zone.control.putRecord(registerZone.id, { name, type: 'TXT', ttl: 60, values: ['"\\377\\376"'] });
    const bytes = await register.read(deadlineMs);
    assert.equal(bytes.kind === 'rejected' && bytes.code, 'unreadable');
  });

  it('knows nothing of a write whose answer was lost, and finds it by reading back', async () => {
    await reset('before');
    await zone.control.setMode(registerZone.id, { delayAfterMs: 1000, only: 'change' });
    const startedAt = performance.now();
    const outcome = await register.swap('before', 'after', 300);
    assert.equal(outcome.kind, 'unknown');
    assert.ok(performance.now() - startedAt < 700, 'the deadline holds');
    assert.deepEqual(await register.read(deadlineMs), { kind: 'done', value: 'after' });
    await zone.control.clearMode(registerZone.id);
    assert.equal((await register.swap('after', 'next', deadlineMs)).kind, 'done');
  });

  it('knows nothing of a write that was slow to begin, which may still happen', async () => {
    await reset('before');
    await zone.control.setMode(registerZone.id, { delayBeforeMs: 600, only: 'change' });
    assert.equal((await register.swap('before', 'after', 200)).kind, 'unknown');
    assert.deepEqual(await register.read(deadlineMs), { kind: 'done', value: 'before' });
    await new Promise((resolve) => setTimeout(resolve, 700));
    assert.deepEqual(await register.read(deadlineMs), { kind: 'done', value: 'after' });
  });

  it('takes throttling, an unfinished prior request, 5xx and silence for no answer', async () => {
    await reset('same');
    const modes = [
      [{ throttle: 'all' }, /Throttling: Rate exceeded/],
      [{ priorRequest: true }, /PriorRequestNotComplete/],
      [{ fail: 500 }, /InternalFailure/],
      [{ fail: 503 }, /ServiceUnavailable/],
      [{ drop: 'before' }, /no answer within 300 ms/],
    ] as const;
    for (const [mode, words] of modes) {
      await zone.control.clearMode('all');
      await zone.control.setMode(registerZone.id, mode);
      const outcome = await register.swap('same', 'other', 300);
      assert.equal(outcome.kind, 'unknown');
      assert.match(outcome.kind === 'unknown' ? outcome.detail : '', words);
    }
    await zone.control.clearMode('all');
    assert.deepEqual(await register.read(deadlineMs), { kind: 'done', value: 'same' });
  });

  it('sends every request once', async () => {
    await reset('once');
    const before = (await zone.control.log()).at(-1)?.seq ?? 0;
    await zone.control.setMode(registerZone.id, { fail: 500 });
    await register.read(deadlineMs);
    assert.equal((await zone.control.log(before)).length, 1);
  });

  it('is rejected without rights, zone or credentials file', async () => {
    await reset(null);
    const cases = [
      [{ hostedZoneId: 'ZNOTHERE' }, 'missing'],
      [{ credentialsFile: `${zone.directory}/absent` }, 'access'],
      [{ name: 'elsewhere.test' }, 'invalid'],
    ] as const;
    for (const [overrides, code] of cases) {
      const one = open(overrides);
      const outcome = await one.swap(null, 'x', deadlineMs);
      assert.equal(outcome.kind === 'rejected' && outcome.code, code);
      one.close();
    }
  });

  it('gets no answer from a zone that is down, and goes on when it is back with its records', async () => {
    await reset('kept');
    const away = open({ endpoint: 'http://127.0.0.1:9' });
    assert.equal((await away.read(deadlineMs)).kind, 'unknown');
    away.close();
    await zone.restart();
    let outcome = await register.read(deadlineMs);
    if (outcome.kind === 'unknown') outcome = await register.read(deadlineMs);
    assert.deepEqual(outcome, { kind: 'done', value: 'kept' });
  });
});
