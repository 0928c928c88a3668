// V5: what is known of the primary's position, from whom, and when it is too old to say what a standby lacks.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { hearStandbysPosition, unseenLimitMs, unseenMs } from '../../../src/core/agent/positions.ts';
import { durableOf, startAgent } from '../../../src/core/agent/state.ts';
import { standbyAdvice } from '../../../src/core/verdict/standby.ts';
import { Session } from '../agent/session.ts';
import { now, standbyReport, state } from '../agent-state.ts';
import { at, epoch, guardStatus, moment, notice, record, round, view } from '../core-builders.ts';

const far = 50_000_000;
const positionOf = (session: Session) => session.state.durable.lastPrimary?.position;
const inquire = (status = guardStatus('site1')) =>
  ({ type: 'inquire', cluster: 'c-1', voters: 'three', status }) as const;
const renew = (position: number) =>
  ({
    type: 'renew',
    cluster: 'c-1',
    voters: 'three',
    epoch: epoch(1),
    site: 'site1',
    round: round(2),
    ttlMs: 6000,
    status: guardStatus('site1', { position }),
  }) as const;

test('V5: a renewal of the primary tells its position', () => {
  const session = new Session(state()).request('site1-guard', renew(far));
  assert.equal(positionOf(session), far);
  assert.equal(session.state.positionAt, session.now);
  assert.match(standbyAdvice(session.state, session.now).why, /lacks \d+ bytes/);
});

test('V5: the peer tells what it knows; of another epoch it means nothing', () => {
  const told = (lastPrimary: { position: number; epoch: ReturnType<typeof epoch> }) => {
    const session = new Session(state().with({ unseenSince: now - 60_000 }));
    session.request('site1-agent', notice({ lastPrimary }));
    assert.equal(session.state.positionAt, state().state.positionAt, 'it was not seen now');
    assert.equal(session.state.unseenSince, session.now, 'but the peer would know what it let go on');
    return positionOf(session);
  };
  assert.equal(told({ position: far, epoch: epoch(1) }), far);
  assert.equal(told({ position: far, epoch: epoch(0) }), 1000);
  assert.equal(told({ position: 900, epoch: epoch(1) }), 1000, 'it never goes back');
});

test('V5: the guard of the standby tells what it was told with a failsafe (L8)', () => {
  const status = guardStatus('site2', { failsafeOf: { position: far, epoch: epoch(1) } });
  assert.equal(positionOf(new Session(state()).request('site2-guard', inquire(status))), far);
});

for (const [database, counts] of [
  ['stopped', true],
  ['starting', true],
  ['stopping', true],
  ['unknown', false],
  ['standby', false],
] as const) {
  test(`V5: a primary that its guard calls ${database} ${counts ? 'writes no further' : 'may write unseen'}`, () => {
    const session = new Session(
      state('site2', 'none')
        .peerSilentFor(60_000)
        .with({ unseenSince: now - 60_000 }),
    );
    session.request('site1-guard', { ...renew(far), status: guardStatus('site1', { position: far, database }) });
    assert.equal(session.state.unseenSince, counts ? session.now : now - 60_000);
    assert.equal(positionOf(session), counts ? far : 1000);
  });
}

for (const [what, primaryPosition, lastMessageAgeMs, counts] of [
  ['tells how far the primary has written', far, 300, true],
  ['that was told long ago tells nothing', far, 9000, false],
  ['that never heard of it tells nothing', null, 300, false],
] as const) {
  test(`V5: a standby ${what}`, () => {
    const session = new Session(
      state()
        .peerSilentFor(60_000)
        .with({ unseenSince: now - 60_000 }),
    );
    const draft = { s: session.state, at: moment(now), send: [], act: [], trace: [] };
    hearStandbysPosition(draft, { ...standbyReport, primaryPosition, lastMessageAgeMs });
    assert.equal(draft.s.unseenSince, counts ? now : now - 60_000);
    assert.equal(draft.s.durable.lastPrimary?.position, counts ? far : 1000);
  });
}

const limitMs = unseenLimitMs(state('site2', 'agent').state);
/** The peer is silent; the register's nonce was first seen, and the primary last seen, so long ago. */
function alone(seenAgoMs: number, nonceAgoMs: number, sync = false) {
  const builder = state().peerSilentFor(60_000);
  const { register } = builder.state;
  const since = now - nonceAgoMs;
  return builder
    .with({ unseenSince: now - seenAgoMs, register: { ...register, watch: { id: register.watch?.id ?? '', since } } })
    .voter({
      durable: { ...builder.state.voter.durable, accepted: at(1, record({ sync })), chosen: at(1, record({ sync })) },
    }).state;
}

for (const [what, seenAgoMs, nonceAgoMs, may] of [
  ['seen until the last lease began', 40_000, 40_000, true],
  ['the last lease was over long before the failover', 300_000, 290_000, true],
  ['two leases and a restart beyond what was seen', 70_000, 25_000, true],
  ['the register was renewed for an hour after that', 3_600_000, 20_000, false],
] as const) {
  test(`V5: without the peer, ${what}: ${may ? 'the standby may take over' : 'what it lacks is unknown'}`, () => {
    const { mayTakeOver, why } = standbyAdvice(alone(seenAgoMs, nonceAgoMs), now);
    assert.equal(mayTakeOver, may, why);
    if (!may) assert.match(why, /may have gone on for \d+ s after its position was last known.*--accept-loss/);
  });
}

test('V5, V8: the operator takes it all the same, and with `sync: true` nothing can lack', () => {
  assert.equal(standbyAdvice(alone(3_600_000, 20_000), now, 'loss').mayTakeOver, true);
  assert.equal(standbyAdvice(alone(3_600_000, 20_000, true), now).mayTakeOver, true);
});

test('V5: the peer that is heard makes up for an old view, as does a witness that is free since long ago', () => {
  assert.equal(standbyAdvice(state().with({ unseenSince: now - 3_600_000 }).state, now).mayTakeOver, true);
  const witness = (freeAt: number) => {
    const heard = { at: now - 100, view: view(), notice: null, noticeAt: null, freeAt };
    return state('site2', 'agent')
      .peerSilentFor(60_000)
      .with({ unseenSince: now - 3_600_000, witness: heard }).state;
  };
  assert.equal(standbyAdvice(witness(now - 3_600_000 + limitMs), now).mayTakeOver, true);
  assert.equal(standbyAdvice(witness(now - 1000), now).mayTakeOver, false);
});

test('V5: a restart does not make a position look new', () => {
  const { state: before } = state();
  const disk = { ...durableOf(before), positionSeen: moment(now).wall - 90_000 };
  const session = new Session(state());
  session.state = startAgent('site2', before.settings, disk, false, session.now);
  session.tick();
  assert.equal(session.state.unseenSince, session.now - 90_000);
  assert.equal(session.state.positionAt, null);
});

const word = (at: number, bindsMs = 0) => ({
  at,
  view: view({ bindsMs }),
  notice: null,
  noticeAt: null,
  freeAt: now - 50_000,
});

test('V5: a witness that is not heard proves nothing', () => {
  const silent = (at: number) =>
    state('site2', 'agent')
      .peerSilentFor(60_000)
      .with({ unseenSince: now - 60_000, witness: word(at) }).state;
  assert.equal(unseenMs(silent(now - 100), now), 10_000);
  assert.equal(unseenMs(silent(now - 5000), now), 60_000);
});

test('V5, I7: while the witness is free what is unseen grows no more, and a restart leaves it so', () => {
  const began = { unseenSince: now - 60_000, witness: word(now) };
  const session = new Session(state('site2', 'agent').peerSilentFor(60_000).with(began));
  session.tick();
  assert.equal(session.state.unseenSince, session.now - 10_000);
  const { state: before } = session;
  const disk = durableOf(before);
  assert.ok(Math.abs(disk.positionSeen - (moment(session.now).wall - 10_000)) <= 5000, `${disk.positionSeen}`);
});
