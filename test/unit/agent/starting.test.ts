// The first moments of an agent's process: what it says rests on the disk (Q3, L4), and what others remember of it is heard
// before its word counts (Q8).

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { coolDownLeftMs, entryCoolDownLeftMs } from '../../../src/core/agent/facts.ts';
import { durableOf, emptyAgentDurable, startAgent } from '../../../src/core/agent/state.ts';
import type { RegisterState } from '../../../src/core/quorum/register-state.ts';
import { onlyVoter } from '../../../src/core/quorum/sole-voter.ts';
import { formatRegisterState } from '../../../src/wire/register-codec.ts';
import { now, oldNonce, StateBuilder, state } from '../agent-state.ts';
import {
  at,
  ballot,
  but,
  durable,
  epoch,
  guardStatus,
  moved,
  notice,
  record,
  round,
  settings,
  view,
} from '../core-builders.ts';
import { Session } from './session.ts';

const disk = { ...emptyAgentDurable, voter: durable({ longestTtlMs: 3000 }), founded: true };
const started = (witness: 'route53' | 'agent') =>
  new StateBuilder(startAgent('site2', settings(witness), disk, false, now));
const word = notice({ seenOfYou: ballot(1), voteOfYou: ballot(1) });
/** The peer has told what it remembers of it. */
const booted = (witness: 'route53' | 'agent') =>
  new Session(started(witness).with({ peer: { at: now, view: view(), notice: word, noticeAt: now, tells: true } }));

const renew = (seq: number) =>
  ({
    type: 'renew',
    cluster: 'c-1',
    voters: 'three',
    epoch: epoch(1),
    site: 'site1',
    round: round(seq),
    ttlMs: 3000,
    status: guardStatus('site1'),
  }) as const;

function granted(session: Session): unknown {
  const answer = session.reply();
  assert.ok(answer.type === 'guard-answer');
  return answer.granted ?? answer.refusal;
}

test('Q3, L4: the first step persists what the start found, and the longest lease of the configuration with it', () => {
  const session = new Session(started('agent')).tick();
  assert.deepEqual(session.persist, durableOf(session.state));
  assert.equal(session.tick().persist, null, 'once is enough');
  const { persist } = booted('route53').tick();
  assert.deepEqual([disk.voter.longestTtlMs, persist?.voter.longestTtlMs], [3000, 15_000]);
});

const registerOf = (counter: number, voter: 'site1' | 'site2'): RegisterState => ({
  cluster: 'c-1',
  serial: 9,
  promised: ballot(counter, voter),
  accepted: at(counter, moved, voter),
  nonce: oldNonce,
  position: null,
});

function reads(session: Session, value: RegisterState): Session {
  const [read] = session.send.filter((sent) => sent.kind === 'register-read');
  assert.ok(read !== undefined);
  const outcome = { kind: 'done', value: { text: formatRegisterState(value), state: value } } as const;
  return session.step({ type: 'register-read', id: read.id, outcome });
}

test('Q8: nothing is granted before the register was read, for two seconds at most', () => {
  const session = booted('route53').tick().request('site1-guard', renew(3));
  assert.equal(granted(session), 'busy');
  session.tick(1999);
  session.request('site1-guard', renew(4), 1);
  assert.equal(granted(session), 'site2');
  const sooner = booted('route53').tick();
  reads(sooner, registerOf(1, 'site1')).request('site1-guard', renew(3));
  assert.equal(granted(sooner), 'site2');
});

test('Q8: nor before the peer told what it remembers: the state may be an old one that was put back', () => {
  const session = new Session(started('agent')).request('site1-guard', renew(3));
  assert.equal(granted(session), 'busy');
  session.request('site1-agent', notice({ seenOfYou: ballot(9), voteOfYou: ballot(9) }));
  session.request('site1-guard', renew(4));
  assert.equal(granted(session), 'amnesia');
  const unheard = new Session(started('agent')).tick(1999);
  unheard.request('site1-guard', renew(3), 1);
  assert.equal(granted(unheard), 'site2', 'a peer that is down keeps no lease away');
});

const asks = [
  { type: 'prepare', cluster: 'c-1', voters: 'three', ballot: ballot(5) },
  { type: 'accept', cluster: 'c-1', voters: 'three', ballot: ballot(5), record: record({ mode: 'paused' }) },
] as const;

test('Q8: nor is anything promised or voted for, by whatever was put back', () => {
  for (const ask of asks) {
    const session = new Session(started('agent').with({ witness: null })).request('site1-agent', ask);
    const answer = session.reply();
    assert.ok(answer.type === 'promise' || answer.type === 'accepted');
    assert.equal(answer.refusal, 'busy');
    assert.deepEqual(session.state.voter.durable.promised, ballot(1));
    session.request('site1-agent', ask, 2000);
    const later = session.reply();
    assert.ok(later.type === 'promise' || later.type === 'accepted');
    assert.equal(later.refusal, null, 'who is down keeps no vote away');
  }
});

test('Q8: a witness that is an agent is heard first as well: it may know what was chosen without this agent', () => {
  const session = booted('agent').tick().request('site1-guard', renew(3));
  assert.equal(granted(session), 'busy');
  const [state] = session
    .tick(500)
    .asked('state')
    .filter(({ to }) => to === 'witness');
  assert.ok(state !== undefined);
  const chosen = at(9, moved, 'site1');
  const value = {
    type: 'view',
    view: view({ promised: ballot(9), accepted: chosen, chosen }),
    lastPrimary: null,
  } as const;
  session.step({ type: 'answer', id: state.id, outcome: { kind: 'done', value } });
  assert.equal(granted(session.request('site1-guard', renew(4))), 'later-known');
});

test('Q1, Q8: a ballot of our own above our promise, in the register, tells that our disk went back', () => {
  const session = reads(booted('route53').tick(), registerOf(9, 'site2'));
  assert.equal(session.state.voter.amnesia, true);
  assert.equal(session.persist?.voter.forgot, true, 'nor after a restart');
  assert.equal(granted(session.request('site1-guard', renew(3))), 'amnesia');
});

test('Q1, Q8: so it does in what another voter holds, or was told to be chosen', () => {
  for (const said of [
    { promised: ballot(9, 'site2') },
    { accepted: at(9, moved, 'site2') },
    { chosen: at(9, moved, 'site2') },
  ]) {
    const session = new Session(state()).request('site1-agent', notice({ view: view(said) }));
    assert.equal(session.state.voter.amnesia, true);
  }
  const told = new Session(state()).request('site1-agent', {
    type: 'chosen',
    cluster: 'c-1',
    chosen: at(9, moved, 'site2'),
  });
  assert.equal(told.state.voter.amnesia, true);
});

test('Q1, Q8: a ballot of the peer, in the register, is remembered of the peer', () => {
  const session = reads(booted('route53').tick(), registerOf(9, 'site1'));
  assert.equal(session.state.voter.amnesia, false);
  assert.deepEqual(session.persist?.seen.site1, ballot(9));
});

test('a register of another cluster tells nothing of ours', () => {
  const session = reads(booted('route53').tick(), { ...registerOf(9, 'site2'), cluster: 'c-2' });
  assert.equal(session.state.voter.amnesia, false);
});

test('an answer of a former life of the cluster tells nothing: its host was put back, not ours', () => {
  const former = record({ cluster: 'c-0' });
  const session = new Session(state()).tick();
  session.answered('state', {
    type: 'view',
    view: view({ promised: ballot(412), accepted: at(412, former, 'site2'), chosen: null }),
    lastPrimary: null,
  });
  assert.equal(session.state.voter.amnesia, false);
  assert.deepEqual(session.state.durable.seen, state().state.durable.seen);
});

test('Q8: with the memory the round under way is lost, too', () => {
  const failed = state('site2').peerSilentFor(30_000).primaryFailed('timeout').guard('site1', {}, 30_000);
  const session = new Session(failed);
  for (let tick = 0; tick < 20 && session.state.proposal?.phase !== 'register'; tick += 1) session.tick(50);
  assert.equal(session.state.proposal?.phase, 'register');
  session.request('site1-agent', notice({ seenOfYou: ballot(9, 'site2'), voteOfYou: ballot(9, 'site2') }));
  assert.deepEqual([session.state.voter.amnesia, session.state.proposal, session.swap()], [true, null, undefined]);
});

test('"Orders": a round ends when it learns that the other agent has forced an era', () => {
  const session = new Session(state().peerAgrees().primaryFailed('timeout'));
  for (let tick = 0; tick < 40 && session.state.proposal === null; tick += 1) session.tick(100);
  assert.notEqual(session.state.proposal, null);
  const forced = record({ era: { number: 1, site: 'site1' }, epoch: 2, voters: onlyVoter('site1') });
  session.request('site1-agent', { type: 'chosen', cluster: 'c-1', chosen: at(9, forced) });
  assert.deepEqual([session.state.proposal, session.swap()], [null, undefined]);
});

test('V6, V7: a cool-down that began in the future ends once the wall clock is right, after no more than its length', () => {
  const wall = 1_700_000_000_000 + now;
  const ahead = wall + 7_200_000;
  const later = state('site2').record({ epoch: 2, primary: 'site1' });
  const session = new Session(later.remembers({ learned: { epoch: epoch(2), wall: ahead }, entryMoved: ahead })).tick();
  const { coolDownMs, entryCoolDownMs } = session.state.settings.policy;
  for (const ms of [0, 60_000, Math.max(coolDownMs, entryCoolDownMs)]) {
    assert.equal(coolDownLeftMs(session.state, wall + ms), Math.max(0, coolDownMs - ms));
    assert.equal(entryCoolDownLeftMs(session.state, wall + ms), Math.max(0, entryCoolDownMs - ms));
  }
  assert.equal(session.persist?.entryMoved, wall);
  // A clock that is behind since the boot, and is put right a moment later: nothing was ahead.
  const young = later.with({ startedAt: now - 1000 }).remembers({ learned: { epoch: epoch(2), wall: ahead } });
  const booting = new Session(young).tick().state;
  assert.equal(coolDownLeftMs(booting, wall), coolDownMs);
  assert.equal(coolDownLeftMs(booting, ahead + 10_000), coolDownMs - 10_000);
});

test('L7: what a guard said with its release is over where the peer sees its database serve', () => {
  const gone = { epoch: epoch(1), round: round(9), at: now - 3000 };
  const failed = state('site2').primaryFailed('timeout').with({ gone });
  const session = new Session(failed).tick();
  assert.notEqual(session.state.decision.code, 'peer-objects', 'the verdict may be as old as the release');
  const later = new Session(failed.with({ gone: but(gone, { at: now - 5000 }) })).tick();
  assert.equal(later.state.decision.code, 'peer-objects');
});

test('a register that fails at once is read twice a second by all that wait for it', () => {
  const session = booted('route53').tick();
  const release = { type: 'release', cluster: 'c-1', voters: 'three', epoch: epoch(1), site: 'site2' } as const;
  let reads = 0;
  const fail = (): void => {
    for (const { id } of session.send.filter((sent) => sent.kind === 'register-read')) {
      reads += 1;
      session.step({ type: 'register-read', id, outcome: { kind: 'unknown', detail: 'Throttling' } });
    }
  };
  fail();
  session.request('site2-guard', { ...release, round: round(9), gone: false, position: null });
  for (let ms = 0; ms < 10_000; ms += 50) {
    fail();
    session.tick(50);
  }
  assert.ok(reads > 5 && reads <= 21, `${reads} reads in ten seconds`);
});
