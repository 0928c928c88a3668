// V4 and "Orders" at the agent: whose grants it refuses, and what it takes for the want of its own grant.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Refusal } from '../../../src/core/messages.ts';
import { now, type StateBuilder, state } from '../agent-state.ts';
import { at, ballot, epoch, guardStatus, moved, notice, renew, round, view } from '../core-builders.ts';
import { Session } from './session.ts';

function answer(builder: StateBuilder): readonly [granted: string | null, refusal: Refusal | null, refusing: boolean] {
  const said = new Session(builder).request('site1-guard', renew()).reply();
  assert.ok(said.type === 'guard-answer');
  return [said.granted, said.refusal, said.refusing];
}

/** It has confirmed the failure, and does not see the standby: by itself it would renew for ever. */
const unseeing = () => state('site1').primaryFailed('timeout').standby({ class: 'unreachable' }).peerAgrees();
const peerRefuses = (builder: StateBuilder) => builder.peerSays({ primary: 'failed' }, { refusing: true });
const yes = ['site1', null, false];
const no = [null, 'refusing', true];

test('V4, I6: with its own word that it failed, an agent refuses what its peer refuses, though it does not see the standby', () => {
  assert.deepEqual(answer(unseeing()), yes);
  assert.deepEqual(answer(peerRefuses(unseeing())), no);
});

for (const [what, builder] of [
  ['it has not confirmed the failure', peerRefuses(unseeing().primary('suspect', 'timeout'))],
  [
    'the database answers again',
    peerRefuses(unseeing().with({ primary: { ...unseeing().state.primary, successes: 1 } })),
  ],
  ['the peer is not heard any more', peerRefuses(unseeing()).peerCutFor(2001)],
  [
    'the peer speaks of another epoch',
    unseeing().peerSays({ primary: 'failed' }, { refusing: true, view: view({ chosen: at(5, moved) }) }),
  ],
  ['the standby still receives from it', peerRefuses(unseeing().with({ receivedMovedAt: now }))],
  ['siteward is paused', peerRefuses(unseeing().record({ mode: 'paused' }))],
] as const) {
  test(`V4: not while ${what}`, () => assert.equal(answer(builder)[1] === 'refusing', false));
}

test('V4, I6: one that does not hear its peer lets the lease go for as long as a change takes, again after each cool-down', () => {
  const cut = unseeing().peerCutFor(2001);
  const { policy, restartBudgetMs } = cut.state.settings;
  const { primary } = cut.state;
  type Change = Parameters<StateBuilder['with']>[0];
  const refuses = (ms: number, change: Change = {}): boolean =>
    answer(cut.with({ illSince: now - ms, ...change }))[1] === 'refusing';
  const starting = { primary: { ...primary, lastClass: 'starting-up' } } as const;
  // A turn is the longest promise and five seconds: 20.75 s.
  const times = [2000, 22_000, 45_000, policy.coolDownMs + 22_000, policy.coolDownMs + 45_000];
  assert.deepEqual(
    times.map((ms) => refuses(ms)),
    [false, true, false, true, false],
  );
  assert.deepEqual(
    [2000, restartBudgetMs + 2000, restartBudgetMs + 30_000, policy.coolDownMs + restartBudgetMs + 2000].map((ms) =>
      refuses(ms, starting),
    ),
    [false, true, false, false],
    'a recovery begins anew with each fence',
  );
  assert.equal(refuses(22_000, { positionMovedAt: now - 500 }), false, 'its guard tells that it writes');
  const inEpoch2 = (epochAt: number) => answer(cut.record({ epoch: 2 }).with({ illSince: now - 22_000, epochAt }))[2];
  assert.deepEqual([inEpoch2(now - 60_000), inEpoch2(now - policy.coolDownMs)], [false, true], 'V6');
});

test('V4: what it refuses for its peer it does not tell its peer, which would hold to it in turn', () => {
  const session = new Session(peerRefuses(unseeing())).request('site1-guard', renew()).tick(500);
  assert.deepEqual(
    session.asked('state').map(({ request }) => request.refusing),
    [false],
  );
});

test('"Orders": past a silent guard its renewals are refused until the change is chosen, and by the peer as well', () => {
  const order = {
    order: { kind: 'failover', to: null, dryRun: false, acceptLoss: false, force: false, otherSideIsDown: false },
    id: 1,
    to: 'site2',
    from: epoch(1),
    startedAt: 0,
    until: Number.MAX_SAFE_INTEGER,
    phase: 'proposing',
    checkpoint: null,
  } as const;
  const asked = state('site2').guard('site1', {}, 60_000).with({ order });
  const stopped = { epoch: epoch(1), round: round(1), position: 900, under: ballot(1), at: 0 };
  assert.equal(answer(asked)[1], 'order');
  const told = new Session(asked).tick(500).asked('state');
  assert.deepEqual(
    told.map(({ request }) => request.orderRefuses),
    [true],
  );
  assert.equal(answer(state('site2').with({ order: { ...order, checkpoint: stopped } }))[1], null, 'it was stopped');
});

test('V1, V4: stopped for want of the grant that this agent refuses is no reason to grant again', () => {
  const stopped = guardStatus('site1', { database: 'stopped', leaseLeftMs: 0 });
  const probe = (session: Session): string => {
    session.request('site1-agent', notice({ verdicts: { ...notice().verdicts, primary: 'failed' } }));
    session.request('site1-guard', renew({ status: stopped })).tick(500);
    const report = { class: 'refused' as const, detail: '', position: null, row: null, systemId: null, timeline: null };
    session.acted('probe-primary', { kind: 'done', value: { kind: 'primary', report } });
    return session.state.primary.lastClass;
  };
  const refuses = new Session(state('site2').primaryFailed('timeout').peerAgrees()).tick();
  assert.equal(refuses.state.refusing, true);
  assert.equal(probe(refuses), 'refused');
  assert.equal(probe(new Session(state('site2')).tick()), 'fenced');
});
