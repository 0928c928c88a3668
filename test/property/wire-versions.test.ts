// Two versions side by side: what a process of version 1 wrote and what it can read, kept to the byte in
// test/fixtures/wire (written by that version itself), and how a process learns what its peers speak.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import fc from 'fast-check';
import type { Renew, Request } from '../../src/core/messages.ts';
import { createCodec, encodeRequestTo } from '../../src/wire/codec.ts';
import { formatRegisterState, parseRegisterState } from '../../src/wire/register-codec.ts';
import {
  isReadableFormat,
  readAgentDurable,
  readGuardDurable,
  readWitnessDurable,
  stateDocument,
  stateFormat,
} from '../../src/wire/state-files.ts';
import { createPeerVersions, showRange, spoken } from '../../src/wire/versions.ts';
import { answers, requests } from './wire-values.ts';

const fixture = (name: string): unknown =>
  JSON.parse(readFileSync(new URL(`../fixtures/wire/${name}.json`, import.meta.url), 'utf8'));
const written = fixture('version-1') as Record<'requests' | 'answers' | 'registers', readonly string[]>;

const ours = createCodec(spoken);
const old = createCodec({ oldest: 1, newest: 1 });
const next = createCodec({ oldest: 2, newest: 3 });

test('what version 1 wrote is read by it and by us, and we write it to the byte', () => {
  for (const text of written.requests) {
    for (const codec of [ours, old]) {
      const heard = codec.decodeRequest(text);
      assert.ok(heard.kind === 'good' && heard.version === 1, JSON.stringify(heard));
      assert.deepEqual(codec.encodeRequest(heard.value, 1), { kind: 'good', value: text });
    }
  }
  for (const text of written.answers) {
    for (const codec of [ours, old]) {
      const heard = codec.decodeAnswer(text);
      assert.ok(heard.kind === 'good' && heard.version === 1, JSON.stringify(heard));
      assert.deepEqual(codec.encodeAnswer(heard.value, 1), { kind: 'good', value: text });
    }
  }
});

const renew = ours.decodeRequest(written.requests[0] ?? '');
assert.ok(renew.kind === 'good' && renew.value.type === 'renew');
const syncing: Renew = { ...renew.value, status: { ...renew.value.status, syncAt: { counter: 5, voter: 'site1' } } };
const syncOff: Request = {
  ...{ type: 'sync-off', cluster: syncing.cluster, voters: syncing.voters, epoch: syncing.epoch, site: syncing.site },
  ask: syncing.round,
};
const good = (encoded: { readonly kind: string; readonly value?: string }): string => {
  assert.equal(encoded.kind, 'good', JSON.stringify(encoded));
  return encoded.value ?? '';
};

test('a newer field is not said in an older version, and reads as what its absence means', () => {
  const text = good(ours.encodeRequest(syncing, 1));
  assert.equal(text, written.requests[0]);
  const heard = ours.decodeRequest(text);
  assert.ok(heard.kind === 'good' && heard.value.type === 'renew' && heard.value.status.syncAt === null);
  const newer = ours.decodeRequest(good(ours.encodeRequest(syncing, 2)));
  assert.ok(newer.kind === 'good' && newer.version === 2);
  assert.deepEqual(newer.value, syncing);
});

test('a field of the other version is refused, not passed over', () => {
  const strict = (text: string): void => assert.equal(ours.decodeRequest(text).kind, 'bad', text);
  const one = good(ours.encodeRequest(syncing, 1));
  const two = good(ours.encodeRequest(syncing, 2));
  strict(one.replace('"v":1', '"v":2'));
  strict(two.replace('"v":2', '"v":1'));
});

test('a newer message cannot be said in an older version, and is none there', () => {
  const refused = ours.encodeRequest(syncOff, 1);
  assert.ok(refused.kind === 'bad' && refused.code === 'version', JSON.stringify(refused));
  const text = good(ours.encodeRequest(syncOff, 2));
  assert.equal(ours.decodeRequest(text).kind, 'good');
  assert.equal(ours.decodeRequest(text.replace('"v":2', '"v":1')).kind, 'bad');
});

test('so is what is new within a message that is old', () => {
  const order: Request = { type: 'order', cluster: 'c', order: { kind: 'rejoin', voter: 'site1', acceptLoss: false } };
  const refused = ours.encodeRequest(order, 1);
  assert.ok(refused.kind === 'bad' && refused.code === 'version', JSON.stringify(refused));
  assert.equal(ours.encodeRequest(order, 2).kind, 'good');
  const wrong = ours.encodeRequest({ ...order, cluster: 'x'.repeat(99) }, 1);
  assert.ok(wrong.kind === 'bad' && wrong.code === 'invalid', JSON.stringify(wrong));
});

test('to a peer that has said nothing yet a newer message is said in the first version that can', () => {
  const versions = createPeerVersions(spoken);
  const said = (request: Request) => encodeRequestTo(ours, versions, 'witness', request);
  const versionOf = (encoded: ReturnType<typeof said>) =>
    encoded.kind === 'good' ? encoded.value.version : encoded.code;
  assert.deepEqual([syncing, syncOff].map(said).map(versionOf), [1, 2]);
  versions.heard('witness', null);
  assert.deepEqual([syncing, syncOff].map(said).map(versionOf), [1, 'version']);
  versions.heard('witness', '1-2');
  assert.deepEqual([syncing, syncOff].map(said).map(versionOf), [2, 2]);
});

test('a version that is not spoken is refused as such in both directions, whatever is in it', () => {
  for (const text of ['{"v":3,"m":{"type":"nobody-knows"}}', '{"v":0,"m":null}']) {
    const heard = ours.decodeRequest(text);
    assert.ok(heard.kind === 'bad' && heard.code === 'version' && heard.problem.includes('1-2'), JSON.stringify(heard));
  }
  const told = old.decodeRequest(good(ours.encodeRequest(syncing, 2)));
  assert.ok(told.kind === 'bad' && told.code === 'version');
  const unsaid = ours.encodeRequest(syncing, 3);
  assert.ok(unsaid.kind === 'bad' && unsaid.code === 'version');
  assert.ok(next.range.oldest > 1 && next.encodeRequest(syncing, 1).kind === 'bad');
});

test('all that can be said in version 1 is understood by a process of version 1', () => {
  const told = (text: { readonly kind: string; readonly value?: string }, read: (text: string) => { kind: string }) => {
    if (text.kind === 'good') assert.equal(read(text.value ?? '').kind, 'good', text.value);
  };
  fc.assert(fc.property(requests, (each) => told(ours.encodeRequest(each, 1), old.decodeRequest)));
  fc.assert(fc.property(answers, (each) => told(ours.encodeAnswer(each, 1), old.decodeAnswer)));
});

test('a peer is asked in the newest version both speak, and in the oldest until it said anything', () => {
  const versions = createPeerVersions({ oldest: 2, newest: 4 });
  const peer = 'site2-agent';
  assert.equal(versions.versionFor(peer), 2);
  for (const [said, version] of [
    ['3-9', 4],
    ['2-3', 3],
    ['1-2', 2],
    ['5-9', 4],
    ['1-1', 2],
    ['4-4', 4],
    [null, 2],
    ['9-3', 2],
    ['0-4', 2],
    ['2-4, 2-4', 2],
    ['2 - 4', 2],
    ['2-99999', 2],
    ['nonsense', 2],
  ] as const) {
    versions.heard(peer, said);
    assert.equal(versions.versionFor(peer), version, String(said));
    assert.equal(versions.versionFor('site1-guard'), 2, 'of others it said nothing');
  }
  assert.equal(showRange(spoken), '1-2');
});

test('any two processes that share a version end up in one after one answer each way', () => {
  const range = fc.tuple(fc.integer({ min: 1, max: 6 }), fc.integer({ min: 0, max: 4 }));
  fc.assert(
    fc.property(range, range, ([a, more], [b, others]) => {
      const here = { oldest: a, newest: a + more };
      const there = { oldest: b, newest: b + others };
      const versions = createPeerVersions(here);
      versions.heard('witness', showRange(there));
      const version = versions.versionFor('witness');
      const shared = Math.min(here.newest, there.newest);
      assert.ok(version >= here.oldest && version <= here.newest);
      if (shared >= Math.max(here.oldest, there.oldest)) assert.equal(version, shared);
      else assert.ok(version < there.oldest || version > there.newest, 'nothing is said that could be misread');
    }),
  );
});

test("the register's value is the same in every version", () => {
  for (const line of written.registers) {
    const state = parseRegisterState(line);
    assert.ok(state !== null && formatRegisterState(state) === line, line);
  }
});

test('state files of version 1 are read, and written so that it can read them, while nothing newer is in use', () => {
  const files = fixture('state-1') as Record<'agent' | 'guard' | 'witness', Record<string, unknown>>;
  const read = { agent: readAgentDurable, witness: readWitnessDurable, guard: readGuardDurable };
  for (const role of ['agent', 'guard', 'witness'] as const) {
    const durable = read[role](files[role]);
    assert.ok(durable !== null, role);
    const again: unknown = JSON.parse(JSON.stringify(stateDocument(role, durable)));
    assert.deepEqual(again, files[role], role);
    assert.deepEqual(read[role]({ ...files[role], added: { later: 1 } }), durable, 'a newer key is passed over');
    assert.equal(read[role]({ ...files[role], [role === 'agent' ? 'voter' : 'chosen']: 7 }), null, 'damage is damage');
  }
  const guard = readGuardDurable(files.guard);
  assert.ok(guard && !guard.waits);
  const failsafeOf = { position: 4711, epoch: { era: { number: 0, site: 'site1' as const }, epoch: 3 } };
  const waiting = { ...guard, waits: true, failsafeOf };
  assert.deepEqual(stateDocument('guard', waiting), waiting, 'what is in use is written');
  assert.deepEqual(readGuardDurable(stateDocument('guard', waiting)), waiting);
});

test('a newer key is passed over at any depth of a state file', () => {
  const { agent } = fixture('state-1') as { agent: { voter: { accepted: { record: object } } } };
  const newer = structuredClone(agent);
  Object.assign(newer.voter.accepted.record, { added: 1 });
  assert.deepEqual(readAgentDurable(newer), readAgentDurable(agent));
});

test('a file of a later format is not read, so nothing is done from half of it', () => {
  assert.deepEqual([0, stateFormat, stateFormat + 1, 2 ** 32 - 1].map(isReadableFormat), [false, true, false, false]);
});
