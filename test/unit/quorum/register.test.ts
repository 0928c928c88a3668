import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  absorbRead,
  absorbValue,
  absorbWord,
  isCurrent,
  type RegisterMind,
  registerBindsMs,
  registerChangesPrimary,
  unseenRegister,
  withGrant,
  withRecord,
  withRelease,
} from '../../../src/core/quorum/register.ts';
import type { Nonce, RegisterState } from '../../../src/core/quorum/register-state.ts';
import { at, ballot, deepFreeze, epoch, moved, record, round } from '../core-builders.ts';

const drift = 0.05;
const wait = { id: 'w', ttlMs: 15_000 };
const nonce = (change: Partial<Nonce> = {}): Nonce => ({
  id: 'n1',
  site: 'site1',
  round: round(4),
  ttlMs: 15_000,
  ...change,
});
const state = (change: Partial<RegisterState> = {}): RegisterState =>
  deepFreeze({
    cluster: 'c-1',
    serial: 7,
    promised: ballot(3),
    accepted: at(3),
    nonce: nonce(),
    position: null,
    ...change,
  });
const read = (value: RegisterState) => ({ text: `text ${value.serial}`, state: value });
const show = (mind: RegisterMind, value: RegisterState, serialAtSend: number, now: number) =>
  deepFreeze(absorbRead(mind, read(value), serialAtSend, 'c-1', now));
const seen = show(unseenRegister, state(), 0, 1000);

test('W3: a read takes up value, serial and the time its nonce was first seen', () => {
  assert.deepEqual(seen.held, { text: 'text 7', state: state() });
  assert.deepEqual(seen.watch, { id: 'n1', since: 1000 });
  assert.deepEqual([seen.serial, seen.out, seen.heardAt], [7, null, 1000]);
});

const outs = [
  ['no record after the bootstrap', { text: null, state: 'absent' }, /does not exist/],
  ['an unreadable value', { text: 'x', state: 'unreadable' }, /cannot be read/],
  ['another cluster', read(state({ cluster: 'c-2', serial: 99 })), /another cluster/],
] as const;
for (const [title, answer, why] of outs) {
  test(`W3: ${title} means that the witness is out`, () => {
    const mind = absorbRead(seen, answer, 7, 'c-1', 2000);
    assert.match(mind.out ?? '', why);
    assert.equal(mind.held, null);
    assert.equal(isCurrent(mind), false);
  });
}

test('W3: a lower serial than known when the read was sent puts it out the second time running, not the first', () => {
  const once = show(seen, state({ serial: 6 }), 7, 2000);
  assert.equal(once.out, null);
  assert.deepEqual(once.held, seen.held, 'an older value is not taken up');
  assert.equal(once.heardAt, 1000, 'and is nothing heard');
  const twice = show(once, state({ serial: 6 }), 7, 3000);
  assert.match(twice.out ?? '', /older value/);
});

test('W3: a good read in between begins the count anew', () => {
  const good = show(show(seen, state({ serial: 6 }), 7, 2000), state(), 7, 3000);
  assert.equal(good.lowReads, 0);
  assert.equal(show(good, state({ serial: 6 }), 7, 4000).out, null);
});

test('W3: a value older than one heard of while the read was under way is no fault, and is not taken up', () => {
  const told = absorbWord(seen, 9, 'n3', 1500);
  const mind = show(told, state({ serial: 8, nonce: nonce({ id: 'n2' }) }), 7, 2000);
  assert.equal(mind.out, null);
  assert.deepEqual(mind.watch, { id: 'n3', since: 1500 });
  assert.deepEqual([mind.serial, isCurrent(mind)], [9, false]);
});

test('W3: a witness that is out comes back with a value as new as any known', () => {
  const out = absorbRead(seen, { text: null, state: 'absent' }, 7, 'c-1', 2000);
  assert.equal(show(out, state({ serial: 6 }), 7, 3000).out, out.out, 'not with an older one');
  assert.equal(show(out, state(), 7, 3000).out, null);
});

test('W3: the peer knows a newer value than the one held: it has to be read before it is used', () => {
  assert.equal(isCurrent(seen), true);
  assert.equal(isCurrent(absorbWord(seen, 8, 'n2', 1500)), false);
  assert.equal(isCurrent(absorbWord(seen, 7, 'n1', 1500)), true);
});

test('L6: a nonce is counted from the first answer that showed it, and from its last showing nothing', () => {
  const again = show(show(seen, state(), 7, 5000), state({ serial: 8, promised: ballot(5) }), 7, 9000);
  assert.deepEqual(again.watch, { id: 'n1', since: 1000 });
  assert.equal(registerBindsMs(again, drift, 9000), 1000 + 15_760 - 9000);
});

test('L6: it is watched out after ttl(1+D) and the grain of the clock, not before', () => {
  assert.equal(registerBindsMs(seen, drift, 1000 + 15_759), 1);
  assert.equal(registerBindsMs(seen, drift, 1000 + 15_760), 0);
});

test('L6: another nonce begins the watch anew', () => {
  const mind = show(seen, state({ serial: 8, nonce: nonce({ id: 'n2', round: round(5) }) }), 7, 16_000);
  assert.equal(registerBindsMs(mind, drift, 16_760), 15_000);
});

test("L6: its writer's word begins the watch; the read that shows the same nonce later does not move it", () => {
  const mind = show(absorbWord(seen, 8, 'n2', 2000), state({ serial: 8, nonce: nonce({ id: 'n2' }) }), 8, 9000);
  assert.deepEqual(mind.watch, { id: 'n2', since: 2000 });
});

test('L6: an old word is no word', () => assert.equal(absorbWord(seen, 7, 'n0', 9000), seen));

test('L6: released, it is free; never seen, it never is', () => {
  const free = absorbValue(seen, 'text 8', state({ serial: 8, nonce: 'released' }), 2000);
  assert.equal(registerBindsMs(free, drift, 2000), 0);
  assert.equal(registerBindsMs(unseenRegister, drift, 1e9), Number.POSITIVE_INFINITY);
});

test('L6: a nonce held whose watch was lost binds for its whole time', () => {
  assert.equal(registerBindsMs({ ...seen, watch: { id: 'other', since: 0 } }, drift, 1e6), 15_760);
});

test('L6: prepare and accept are one swap; another primary releases the nonce, the same one leaves it', () => {
  const same = withRecord(state(), ballot(5, 'site2'), record({ mode: 'paused' }), wait);
  assert.deepEqual(same, {
    cluster: 'c-1',
    serial: 8,
    promised: ballot(5, 'site2'),
    accepted: at(5, record({ mode: 'paused' }), 'site2'),
    nonce: nonce(),
    position: null,
  });
  const other = withRecord(state(), ballot(5), moved, wait);
  assert.ok(typeof other !== 'string');
  assert.equal(other.nonce, 'released');
  assert.equal(registerChangesPrimary(state(), moved), true);
  assert.equal(registerChangesPrimary(state(), record()), false);
});

test('V5: a grant notes how far the primary has written, a record of its epoch keeps it, another one does not', () => {
  const granted = grantTo({ position: 900 }, {}, 1000, 1000);
  assert.ok(typeof granted !== 'string');
  assert.equal(granted.position, 1000);
  const older = grantTo({ position: 2000 }, {}, 1000, 1000);
  assert.ok(typeof older !== 'string' && older.position === 2000, 'it never goes back');
  const paused = withRecord(granted, ballot(5), record({ mode: 'paused' }), wait);
  assert.ok(typeof paused !== 'string' && paused.position === 1000);
  const other = withRecord(granted, ballot(5), moved, wait);
  assert.ok(typeof other !== 'string' && other.position === null);
});

test('Q1: no record below the ballot promised there; the same ballot again is let be', () => {
  assert.equal(withRecord(state({ promised: ballot(6) }), ballot(5), record(), wait), 'promised-more');
  assert.ok(typeof withRecord(state({ promised: ballot(5) }), ballot(5), record(), wait) !== 'string');
});

const ask = {
  cluster: 'c-1',
  voters: 'three',
  epoch: epoch(1),
  site: 'site1',
  round: round(5),
  ttlMs: 15_000,
} as const;
const grantTo = (
  value: Partial<RegisterState>,
  change: Partial<typeof ask> | object = {},
  now = 1000,
  position: number | null = null,
) =>
  withGrant(show(unseenRegister, state(value), 0, 1000), { ...ask, ...change }, { id: 'fresh', position }, drift, now);

test('L5: a grant puts a fresh nonce with guard, round and ttl into the state and leaves record and promise', () => {
  const next = grantTo({ promised: ballot(9) });
  const fresh = { id: 'fresh', site: 'site1', round: round(5), ttlMs: 15_000 };
  assert.deepEqual(next, { ...state({ promised: ballot(9) }), serial: 8, nonce: fresh });
});

const refusals = [
  ['L2: another primary in its own record', grantTo({ accepted: at(3, moved) }), 'not-accepted'],
  ['L2: another epoch in its own record', grantTo({}, { epoch: epoch(2) }), 'not-accepted'],
  ['Q10: another voter set', grantTo({ accepted: at(3, record({ voters: 'two' })) }), 'other-voters'],
  ['L5, C2: never over a later round of the same guard', grantTo({}, { round: round(3) }), 'old-round'],
  ['L5: nor over the same round', grantTo({}, { round: round(4) }), 'old-round'],
  ['L1: a later start is a later round', grantTo({}, { round: round(1, 0) }), 'old-round'],
  ['L5: never for a shorter ttl', grantTo({}, { ttlMs: 6000 }), 'register'],
  [
    'W3: nothing is granted on a value never seen',
    withGrant(unseenRegister, ask, { id: 'x', position: null }, drift, 0),
    'register',
  ],
] as const;
for (const [title, result, refusal] of refusals) test(`${title}: ${refusal}`, () => assert.equal(result, refusal));

const allowed = [
  ['a shorter ttl once the longer one is watched out', grantTo({}, { ttlMs: 6000 }, 1000 + 15_760)],
  ['a shorter ttl over `released`', grantTo({ nonce: 'released' }, { ttlMs: 6000 })],
  ['any round over `released`', grantTo({ nonce: 'released' }, { round: round(1) })],
  ["any round over another guard's nonce", grantTo({ nonce: nonce({ site: 'site2' }) }, { round: round(1) })],
] as const;
for (const [title, result] of allowed) test(`L5: ${title} is granted`, () => assert.equal(typeof result, 'object'));

test('L7: a release swaps the exact nonce of a covered round for `released`', () => {
  assert.deepEqual(withRelease(state(), 'site1', round(4)), { ...state(), serial: 8, nonce: 'released' });
  assert.equal(withRelease(state(), 'site1', round(3)), null, 'a later round is not covered');
  assert.equal(withRelease(state(), 'site2', round(9)), null, "nor is another guard's");
  assert.equal(withRelease(state({ nonce: 'released' }), 'site1', round(9)), null, 'nothing is left to do');
});

const forced = record({ era: { number: 1, site: 'site2' }, epoch: 2, primary: 'site2', voters: 'only:site2' });
test('Orders: a forced record is not written over by an era before, and its end leaves a fresh nonce to wait for', () => {
  const inForce = state({ accepted: at(3, forced), nonce: 'released' });
  assert.equal(withRecord(inForce, ballot(9), moved, wait), 'later-known');
  const ended = withRecord(inForce, ballot(9), { ...forced, voters: 'three' }, wait);
  assert.ok(typeof ended !== 'string');
  assert.deepEqual(ended.nonce, { id: 'w', site: 'site2', round: round(0, 0), ttlMs: 15_000 });
});
