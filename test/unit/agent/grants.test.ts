// Renewals, releases and what a guard said with them (L2, L5, L7, V4), at the agent.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Refusal, Release, Renew } from '../../../src/core/messages.ts';
import { done, rejected, unknown } from '../../../src/core/outcome.ts';
import { type StateBuilder, state } from '../agent-state.ts';
import { at, epoch, guardStatus, moved, notice, record, renew as renewal, round } from '../core-builders.ts';
import { Session } from './session.ts';

const addressed = { cluster: 'c-1', voters: 'three', epoch: epoch(1), site: 'site1' } as const;
const renew = (seq: number, change: Partial<Renew> = {}): Renew => renewal({ round: round(seq), ...change });
const release = (seq: number, gone: boolean, position: number | null = null): Release => ({
  type: 'release',
  ...addressed,
  round: round(seq),
  gone,
  position,
});
const registerGrant = (seq: number) =>
  ({ type: 'register-grant', ...addressed, round: round(seq), ttlMs: 15_000 }) as const;

function verdict(session: Session): readonly [granted: string | null, refusal: Refusal | null] {
  const answer = session.reply();
  assert.ok(answer.type === 'guard-answer');
  return [answer.granted, answer.refusal];
}

test('L2: a renewal is granted, and answered with the chosen record and what is known of the standby', () => {
  const session = new Session(state()).request('site1-guard', renew(2));
  const answer = session.reply();
  assert.ok(answer.type === 'guard-answer');
  assert.deepEqual([answer.granted, answer.refusal, answer.round], ['site2', null, round(2)]);
  assert.deepEqual(answer.chosen, at(1));
  assert.deepEqual([answer.standby.mayTakeOver, answer.refusing, answer.hearsPeer], [true, false, true]);
});

test('L2: a guard asks for its own site only, and is answered whatever it asks', () => {
  const strange = new Session(state()).request('site2-guard', renew(2));
  assert.deepEqual(verdict(strange), [null, 'not-accepted']);
  assert.deepEqual(verdict(new Session(state()).request('site2-guard', release(2, false))), [null, 'not-accepted']);
  assert.deepEqual(verdict(new Session(state()).request('site2-guard', registerGrant(2))), [null, 'not-accepted']);
});

test('I7: a round that nobody else can grant does not renew the promise that keeps this agent from the later record', () => {
  const builder = state().peerSilentFor(2001);
  const { register } = builder.state;
  assert.ok(register.held !== null);
  const held = { ...register.held, state: { ...register.held.state, accepted: at(2, moved) } };
  const alone = builder.with({ register: { ...register, held } });
  const without = { status: guardStatus('site1', { leaseLeftMs: 0 }) };
  const asked = (of: StateBuilder, change: Partial<Renew>) =>
    verdict(new Session(of).request('site1-guard', renew(2, change)));
  assert.deepEqual(asked(alone, without), [null, 'not-free']);
  assert.deepEqual(asked(alone, {}), ['site2', null], 'I5: a lease that is in force is another matter');
  assert.deepEqual(asked(state().with({ register: { ...register, held } }), without), ['site2', null]);
  assert.deepEqual(asked(builder, without), ['site2', null]);
});

test('I7: nor does one that only the peer could grant, which voted for a later record while the witness is out', () => {
  const without = { status: guardStatus('site1', { leaseLeftMs: 0 }) };
  const asked = (of: StateBuilder, change: Partial<Renew>) =>
    verdict(new Session(of).request('site1-guard', renew(2, change)));
  const later = state().peerView({ accepted: at(2, moved) });
  const out = later.with({ register: { ...later.state.register, held: null, out: 'there is no record' } });
  assert.deepEqual(asked(out, without), [null, 'not-free']);
  assert.deepEqual(asked(out, {}), ['site2', null], 'I5: a lease that is in force is another matter');
  assert.deepEqual(asked(later, without), ['site2', null], 'the witness may grant it');
});

const confirmed = () => state().primaryFailed().peerAgrees().promised(3000);

test('V4: refuses the database it confirmed as failed, and tells the guard so at once', () => {
  const session = new Session(confirmed()).tick();
  assert.equal(session.state.refusing, true);
  assert.deepEqual(
    session.asked('refusing').map((ask) => [ask.to, ask.request.refusing]),
    [['site1-guard', true]],
  );
  assert.deepEqual(verdict(session.request('site1-guard', renew(2))), [null, 'refusing']);
});

test('V4: grants again as soon as something else stands in the way: without a lease it could not even start', () => {
  const session = new Session(confirmed()).tick().request('site1-agent', notice());
  assert.equal(session.state.refusing, false);
  assert.deepEqual(
    session.asked('refusing').map((ask) => ask.request.refusing),
    [false],
  );
  assert.deepEqual(verdict(session.request('site1-guard', renew(2))), ['site2', null]);
});

test('Orders: while the peer drives a failover past a silent guard, this agent refuses its renewals too', () => {
  const session = new Session(state().peerSays({}, { orderMs: 5000, orderRefuses: true }));
  assert.deepEqual(verdict(session.request('site1-guard', renew(2))), [null, 'order']);
  const later = new Session(
    state().record({ epoch: 2 }).peerSays({}, { view: state().state.peer!.view, orderRefuses: true }),
  );
  assert.deepEqual(
    verdict(later.request('site1-guard', renew(2, { epoch: epoch(2) }))),
    ['site2', null],
    'not those of the next epoch',
  );
});

test('L7: gone is over when its guard goes on with a later round', () => {
  const session = new Session(state().promised(3000)).request('site1-guard', release(2, true));
  assert.equal(session.state.voter.promise, null);
  assert.deepEqual(session.state.gone?.round, round(2));
  session.request('site1-guard', renew(3));
  assert.equal(session.state.gone, null);
});

test('L7: a release that comes late or again says nothing any more', () => {
  const session = new Session(state()).request('site1-guard', renew(3)).request('site1-guard', release(2, true));
  assert.equal(session.state.gone, null);
  assert.notEqual(session.state.voter.promise, null);
});

test('L7: a release without gone leaves the position of the shutdown checkpoint', () => {
  const session = new Session(state()).request('site1-guard', release(2, false, 4711));
  assert.equal(session.state.gone, null);
  assert.equal(session.state.stopped?.position, 4711);
  assert.equal(session.request('site1-guard', renew(3)).state.stopped, null);
});

test('L7: a release of another epoch is none', () => {
  const session = new Session(state()).request('site1-guard', { ...release(2, true), epoch: epoch(0) });
  assert.equal(session.state.gone, null);
});

test('Q0: the first lease of the founding guard lets records be proposed', () => {
  const status = guardStatus('site1', { leaseLeftMs: 0 });
  const session = new Session(state().remembers({ founded: false })).request('site1-guard', renew(2, { status }));
  assert.equal(session.state.durable.founded, false);
  session.request('site1-guard', renew(3));
  assert.equal(session.state.durable.founded, true);
  assert.equal(session.persist?.founded, true);
});

// ------------------------------------------------------------------------------------ the register's grant

const long = () => new Session(state()).request('site1-guard', renew(2, { ttlMs: 15_000 }));

test('L5: an agent that granted the round runs the grant of the register, from exactly the value it holds', () => {
  const session = long().request('site1-guard', registerGrant(2));
  const swap = session.swap();
  assert.equal(swap?.expected, 'v4');
  assert.ok(swap?.next.nonce !== 'released');
  assert.deepEqual([swap?.next.serial, swap?.next.nonce.round, swap?.next.nonce.ttlMs], [5, round(2), 15_000]);
  session.step({ type: 'register-swapped', id: swap?.id ?? 0, outcome: done({ text: 'v5' }) });
  assert.deepEqual(verdict(session), ['witness', null]);
  assert.deepEqual(
    session.asked('state').map((ask) => ask.request.register?.serial),
    [5],
    'and tells its peer the nonce at once',
  );
});

test('L5: one that did not grant it does not', () => {
  assert.deepEqual(verdict(new Session(state()).request('site1-guard', registerGrant(2))), [null, 'not-granted']);
  assert.deepEqual(verdict(long().request('site1-guard', registerGrant(1))), [null, 'not-granted']);
});

test('A1, V4: nor one that refuses the database', () => {
  const session = long();
  session.state = new Session(state().with({ ...session.state, refusing: true })).state;
  assert.deepEqual(verdict(session.request('site1-guard', registerGrant(2))), [null, 'refusing']);
});

test('L5, L7: a grant that waited for a read is not run once its round was released', () => {
  const session = long();
  session.state = new Session(
    state().with({ ...session.state, register: { ...session.state.register, serial: 9 } }),
  ).state;
  session.request('site1-guard', registerGrant(2));
  assert.equal(session.swap(), undefined, 'it waits for the newest value');
  session.request('site1-guard', release(2, false));
  assert.equal(session.swap(), undefined);
  assert.deepEqual(session.state.queuedGrants, []);
});

test('L1: what is not granted is answered with the latest round of that guard that is known here', () => {
  const roundOf = (session: Session) => {
    const answer = session.reply();
    assert.ok(answer.type === 'guard-answer');
    return answer.round;
  };
  const session = new Session(state()).request('site1-guard', renew(9));
  session.request('site1-guard', release(3, false));
  assert.deepEqual(roundOf(session), round(9), 'granted later than this release');
  session.request('site1-guard', release(12, false));
  assert.deepEqual(roundOf(session), round(12));
  session.request('site1-guard', renew(4));
  assert.deepEqual(verdict(session), [null, 'released']);
  assert.deepEqual(roundOf(session), round(12));
});

test('L1: likewise for a later round in the register', () => {
  const session = long();
  const { held } = session.state.register;
  assert.ok(held !== null);
  const nonce = { id: 'n', site: 'site1', round: round(7), ttlMs: 15_000 } as const;
  session.state = {
    ...session.state,
    register: { ...session.state.register, held: { ...held, state: { ...held.state, nonce } } },
  };
  session.request('site1-guard', registerGrant(2));
  const read = session.send.find((send) => send.kind === 'register-read');
  assert.ok(read !== undefined, 'a refusal rests on a read that is newer than the ask');
  session.now += 10;
  session.step({ type: 'register-read', id: read.id, outcome: done({ text: 'v6', state: { ...held.state, nonce } }) });
  const answer = session.reply();
  assert.ok(answer.type === 'guard-answer');
  assert.deepEqual([answer.refusal, answer.round], ['old-round', round(7)]);
});

test('W2: an answer that was lost is looked for, and one found is a grant', () => {
  const session = long().request('site1-guard', registerGrant(2));
  const swap = session.swap();
  assert.ok(swap !== undefined);
  session.step({ type: 'register-swapped', id: swap.id, outcome: unknown('time-out') });
  const read = session.send.find((send) => send.kind === 'register-read');
  assert.ok(read !== undefined, 'it reads back');
  session.step({ type: 'register-read', id: read.id, outcome: done({ text: 'v5', state: swap.next }) });
  assert.deepEqual(verdict(session), ['witness', null]);
});

test('W2: not found, it is no grant', () => {
  const session = long().request('site1-guard', registerGrant(2));
  const swap = session.swap();
  assert.ok(swap !== undefined);
  const before = session.state.register.held?.state;
  session.step({ type: 'register-swapped', id: swap.id, outcome: unknown('time-out') });
  const read = session.send.find((send) => send.kind === 'register-read');
  session.now += 50;
  session.step({
    type: 'register-read',
    id: read?.id ?? 0,
    outcome: done({ text: 'v4', state: before ?? 'unreadable' }),
  });
  assert.deepEqual(verdict(session), [null, 'register']);
});

test('L5: a race that was lost is tried once more after a read', () => {
  const session = long().request('site1-guard', registerGrant(2));
  const swap = session.swap();
  session.step({ type: 'register-swapped', id: swap?.id ?? 0, outcome: rejected('conflict', '') });
  const read = session.send.find((send) => send.kind === 'register-read');
  const newer = { ...swap!.next, accepted: at(1, record()), nonce: 'released' as const };
  session.step({ type: 'register-read', id: read?.id ?? 0, outcome: done({ text: 'v5', state: newer }) });
  const again = session.swap();
  assert.equal(again?.expected, 'v5');
  session.step({ type: 'register-swapped', id: again?.id ?? 0, outcome: rejected('conflict', '') });
  assert.deepEqual(verdict(session), [null, 'register']);
});
