// What an agent makes of what others say, and when (Q4, Q5, Q8, V3, W3).

import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { AgentDeedValue } from '../../../src/core/agent/deeds.ts';
import { hearsPeer } from '../../../src/core/agent/facts.ts';
import { durableOf } from '../../../src/core/agent/state.ts';
import type { GuardStatus, StateNotice } from '../../../src/core/messages.ts';
import type { ProbeClass } from '../../../src/core/observe/observation.ts';
import { done, unknown } from '../../../src/core/outcome.ts';
import { now as night, state } from '../agent-state.ts';
import { at, ballot, epoch, guardStatus, moved, notice, record, round, view } from '../core-builders.ts';
import { Session } from './session.ts';

const seen = (counter: number) => ({ seen: { site1: ballot(counter) } });
const holding = (counter: number) => view({ promised: ballot(counter) });

test('Q8: an answer below what was seen before it was asked for: its disk went back', () => {
  const session = new Session(state().remembers(seen(5))).tick();
  session.answered('state', { type: 'view', view: holding(4), lastPrimary: null });
  assert.equal(session.state.peer?.view.amnesia, true);
  assert.equal(hearsPeer(session.state, session.now), false);
  assert.ok(session.traces.includes('voter.forgot'));
});

test('Q8: a disk that has the promise of a ballot and not the vote at it went back, too', () => {
  const voted = { seen: { site1: ballot(5) }, votes: { site1: ballot(5) } };
  const session = new Session(state().remembers(voted)).tick();
  session.answered('state', { type: 'view', view: view({ promised: ballot(5), accepted: at(4) }), lastPrimary: null });
  assert.equal(session.state.peer?.view.amnesia, true);
  const told = new Session(
    state().voter({ durable: { ...state().state.voter.durable, promised: ballot(5), accepted: at(4) } }),
  );
  told.request('site1-agent', notice({ seenOfYou: ballot(5), voteOfYou: ballot(5) }));
  assert.equal(told.state.voter.amnesia, true);
  assert.equal(told.persist?.voter.forgot, true, 'nor after a restart');
});

test('Q8: what it is told to be chosen hides no loss', () => {
  const session = new Session(state().remembers(seen(5)));
  session.request('site1-agent', { type: 'chosen', cluster: 'c-1', chosen: at(8) });
  session.request('site1-agent', notice({ seenOfYou: ballot(6), voteOfYou: ballot(1) }));
  assert.equal(session.state.voter.amnesia, true);
  const other = new Session(state().remembers({ ...seen(5), votes: { site1: ballot(1) } })).tick();
  other.answered('state', { type: 'view', view: view({ promised: ballot(4), chosen: at(8) }), lastPrimary: null });
  assert.equal(other.state.peer?.view.amnesia, true);
});

test('Q8: what an older release remembered of what was chosen is no promise that was lost', () => {
  const behind = state().voter({ durable: { ...state().state.voter.durable, chosen: at(8) } });
  const told = new Session(behind).request('site1-agent', notice({ seenOfYou: ballot(8) }));
  assert.equal(told.state.voter.amnesia, false);
  told.request('site1-agent', notice({ seenOfYou: ballot(9) }));
  assert.equal(told.state.voter.amnesia, true);
  const ours = state().voter({ durable: { ...state().state.voter.durable, promised: ballot(8, 'site2') } });
  const upgraded = new Session(ours.remembers({ seen: { site1: ballot(8, 'site2') } })).tick();
  const chosen = at(8, record(), 'site2');
  upgraded.answered('state', {
    type: 'view',
    view: view({ promised: ballot(6), accepted: at(5), chosen }),
    lastPrimary: null,
  });
  assert.equal(upgraded.state.peer?.view.amnesia, false);
  assert.deepEqual(upgraded.state.durable.seen.site1, ballot(6), 'from now on it is the promise');
  assert.deepEqual(upgraded.state.durable.votes.site1, ballot(5));
});

test('Q4: a view from before the peer knew of a record is old', () => {
  const session = new Session(state()).request('site1-agent', notice({ view: view({ chosen: at(5, moved) }) }));
  session.request('site1-agent', notice({ view: view({ chosen: at(1) }) }));
  assert.deepEqual(session.state.peer?.view.chosen, at(5, moved));
});

test('Q8: what a voter was seen to have accepted goes to disk, and is told to it', () => {
  const session = new Session(state()).request(
    'site1-agent',
    notice({ view: view({ promised: ballot(6), accepted: at(5) }) }),
  );
  assert.deepEqual(session.persist?.votes.site1, ballot(5));
  session.tick(1000);
  const [asked] = session.asked('state').slice(-1);
  assert.ok(asked?.request.type === 'state');
  assert.deepEqual([asked.request.seenOfYou, asked.request.voteOfYou], [ballot(6), ballot(5)]);
});

test('Q1, Q3, Q8: who asks for a promise or a vote at its own ballot has given it itself, and is remembered so', () => {
  const addressed = { cluster: 'c-1', voters: 'three' } as const;
  const session = new Session(state());
  session.request('site1-agent', { type: 'prepare', ...addressed, ballot: ballot(7) });
  assert.deepEqual([session.persist?.seen.site1, session.persist?.votes.site1 ?? null], [ballot(7), null]);
  session.request('site1-agent', { type: 'accept', ...addressed, ballot: ballot(7), record: record() });
  assert.deepEqual([session.persist?.seen.site1, session.persist?.votes.site1], [ballot(7), ballot(7)]);
  // Q5: a repair carries a ballot of somebody else's, and says nothing of who sends it; nor does another cluster's.
  session.request('site1-agent', { type: 'accept', ...addressed, ballot: ballot(8, 'site2'), record: record() });
  session.request('site1-agent', { type: 'prepare', ...addressed, cluster: 'c-0', ballot: ballot(9) });
  assert.deepEqual(session.state.durable.seen.site1, ballot(7));
});

test('Q8: messages overtake each other: what was said earlier and comes later is old, not amnesia', () => {
  const session = new Session(state()).tick();
  const [earlier] = session.asked('state');
  session.request('site1-agent', notice({ view: holding(6) }));
  session.step({
    type: 'answer',
    id: earlier?.id ?? 0,
    outcome: done({ type: 'view', view: holding(3), lastPrimary: null }),
  });
  assert.equal(session.state.peer?.view.amnesia, false);
  assert.deepEqual(session.state.peer?.view.promised, ballot(6), 'and is not taken up');
  session.request('site1-agent', notice({ view: holding(5), verdicts: { ...notice().verdicts, primary: 'failed' } }));
  assert.equal(session.state.peer?.notice?.verdicts.primary, 'healthy');
  assert.equal(hearsPeer(session.state, session.now), true);
});

test('Q8: told that it held more once, it does not vote any more', () => {
  const session = new Session(state()).request('site1-agent', notice({ seenOfYou: ballot(2) }));
  assert.equal(session.state.voter.amnesia, true);
  assert.equal(session.persist?.voter.forgot, true, 'nor after a restart');
  session.request('site1-agent', { type: 'prepare', cluster: 'c-1', voters: 'three', ballot: ballot(9) });
  const reply = session.reply();
  assert.ok(reply.type === 'promise' && !reply.promised);
});

test('Q8: a promise is answered with what was held before it, which it would hide', () => {
  const session = new Session(state());
  session.request('site1-agent', { type: 'prepare', cluster: 'c-1', voters: 'three', ballot: ballot(9) });
  const reply = session.reply();
  assert.ok(reply.type === 'promise' && reply.promised);
  assert.deepEqual(reply.view.promised, ballot(1));
  assert.deepEqual(session.persist?.voter.promised, ballot(9), 'Q3: it is on disk before the answer leaves');
});

test('Q4: whoever counted it or was told so knows what is chosen, whatever voter set he has', () => {
  const told = notice({ voters: 'other', view: view({ chosen: at(5, moved) }) });
  const session = new Session(state()).request('site1-agent', told);
  assert.deepEqual(session.state.voter.durable.chosen, at(5, moved));
  assert.deepEqual(session.state.durable.learned?.epoch, epoch(2));
  assert.equal(session.state.peer?.at, state().state.peer?.at, 'but that one was not heard as a voter');
});

test('verdicts, refusals and what a guard said end with the epoch', () => {
  const session = new Session(state().primaryFailed().peerAgrees().promised(3000).gone()).tick();
  assert.equal(session.state.refusing, true);
  session.request('site1-agent', { type: 'chosen', cluster: 'c-1', chosen: at(5, moved) });
  const { gone, refusing, primary, standbySeen } = session.state;
  assert.deepEqual([gone, refusing, primary.verdict, standbySeen], [null, false, 'unknown', null]);
});

test('Q0: a second chosen record proves that the founding guard once held its lease', () => {
  const session = new Session(state().remembers({ founded: false }));
  session.request('site1-agent', { type: 'chosen', cluster: 'c-1', chosen: at(5, record({ mode: 'auto' })) });
  assert.equal(session.state.durable.founded, true);
});

test("W3: the peer's word of the register is kept on disk", () => {
  const register = { serial: 9, nonce: 'n9', sinceMs: 0, out: false };
  const session = new Session(state()).request('site1-agent', notice({ register }));
  assert.equal(session.state.register.serial, 9);
  assert.equal(session.persist?.registerSerial, 9);
  assert.deepEqual(session.state.register.watch, { id: 'n9', since: session.now }, 'L6: counted from when it came');
});

// ------------------------------------------------------------------------------------ hysteresis and silence

const probed = (session: Session, probe: ProbeClass, ms = 500): Session => {
  session.tick(ms);
  const report = { class: probe, detail: '', position: null, row: null, systemId: null, timeline: null };
  const value: AgentDeedValue = { kind: 'primary', report };
  return session.acted('probe-primary', done(value));
};

test('V3, R2: time in which nobody was heard confirms nothing, and the count begins anew after it', () => {
  const session = new Session(state().peerSilentFor(2001).registerSilent());
  for (let probes = 0; probes < 5; probes += 1) probed(session, 'timeout');
  assert.notEqual(session.state.primary.verdict, 'failed');
  session.request('site1-agent', notice());
  assert.equal(session.state.primary.failures, 0);
  probed(probed(session, 'timeout', 0), 'timeout');
  assert.equal(session.state.primary.verdict, 'suspect');
});

const addressed = { cluster: 'c-1', voters: 'three' } as const;
const lease = { ...addressed, epoch: epoch(1), site: 'site1', ttlMs: 6000 } as const;

test('V1: stopped by its guard for want of a lease is not failed while its rounds arrive', () => {
  const status = guardStatus('site1', { database: 'stopped', leaseLeftMs: 0 });
  const session = new Session(state()).tick();
  for (let probes = 0; probes < 4; probes += 1) {
    const renew = { type: 'renew', ...lease, round: round(probes + 2), status } as const;
    probed(session.request('site1-guard', renew).request('site1-agent', notice()), 'refused');
  }
  assert.deepEqual([session.state.primary.lastClass, session.state.primary.verdict], ['fenced', 'healthy']);
});

test('V1, I6: but no majority lets it in for longer than the longest promise, and then it is', () => {
  const status = guardStatus('site1', { database: 'stopped', leaseLeftMs: 0, missingMs: 20_000 });
  const session = new Session(state()).tick();
  for (let probes = 0; probes < 4; probes += 1) {
    const renew = { type: 'renew', ...lease, round: round(probes + 2), status } as const;
    probed(session.request('site1-guard', renew).request('site1-agent', notice()), 'refused');
  }
  assert.deepEqual([session.state.primary.lastClass, session.state.primary.verdict], ['refused', 'failed']);
});

test('V1, I7: but where it may not ask for a lease, and only inquires, it is', () => {
  const status = guardStatus('site1', { database: 'stopped', leaseLeftMs: 0, fuseAlive: false });
  const session = new Session(state()).tick();
  for (let probes = 0; probes < 4; probes += 1) {
    const inquire = { type: 'inquire', ...addressed, status } as const;
    probed(session.request('site1-guard', inquire).request('site1-agent', notice()), 'refused');
  }
  assert.deepEqual([session.state.primary.lastClass, session.state.primary.verdict], ['refused', 'failed']);
});

test('"Orders": what is being restarted or moved has not failed, and how that ends is judged by what is seen from then on', () => {
  const resting = (restingMs: number) => guardStatus('site1', { database: 'unknown', restingMs });
  const session = new Session(state()).tick();
  const probe = (restingMs: number) => {
    const renew = { type: 'renew', ...lease, round: round(2), status: resting(restingMs) } as const;
    probed(session.request('site1-guard', renew).request('site1-agent', notice()), 'starting-up');
    return session.state.primary.verdict;
  };
  for (let probes = 0; probes < 6; probes += 1) assert.notEqual(probe(9000), 'failed');
  assert.deepEqual([probe(0), probe(0), probe(0)], ['suspect', 'suspect', 'failed']);
});

test('V1: but crashed it is', () => {
  const crashed = guardStatus('site1', { database: 'stopped', leaseLeftMs: 0, crashed: true });
  const session = new Session(state()).tick();
  for (let probes = 0; probes < 4; probes += 1) {
    const inquire = { type: 'inquire', cluster: 'c-1', voters: 'three', status: crashed } as const;
    probed(session.request('site1-guard', inquire).request('site1-agent', notice()), 'refused');
  }
  assert.equal(session.state.primary.verdict, 'failed');
});

test('a probe that began under another record says nothing of this one', () => {
  const session = new Session(state()).tick(500);
  const probe = session.act.find(({ deed }) => deed.kind === 'probe-primary');
  session.now += 10;
  session.request('site1-agent', { type: 'chosen', cluster: 'c-1', chosen: at(5, record({ epoch: 3 })) });
  const report = { class: 'refused' as const, detail: '', position: null, row: null, systemId: null, timeline: null };
  session.step({ type: 'acted', id: probe?.id ?? 0, outcome: done({ kind: 'primary', report }) });
  assert.equal(session.state.primarySeen, null);
});

test('V1: it counts as full while its guard says so, though a probe finds room for its one row', () => {
  const full = guardStatus('site1', { diskFull: true });
  const session = new Session(state()).tick();
  const heard = (status: GuardStatus): void => {
    const inquire = { type: 'inquire', cluster: 'c-1', voters: 'three', status } as const;
    probed(session.request('site1-guard', inquire).request('site1-agent', notice()), 'ok');
  };
  for (let probes = 0; probes < 4; probes += 1) heard(full);
  assert.deepEqual([session.state.primary.lastClass, session.state.primary.verdict], ['disk-full', 'failed']);
  assert.match(session.state.primary.detail, /no room/);
  for (let probes = 0; probes < 2; probes += 1) heard(guardStatus('site1'));
  assert.equal(session.state.primary.verdict, 'healthy');
});

test('Q9: without the peer no ballot is taken for what the register would not be given now', () => {
  const alone = (missingMs: number) =>
    new Session(state('site1').peerSilentFor(2001).guard('site1', { missingMs })).order({ kind: 'pause', reason: '' });
  const left = alone(5000);
  const { promised } = left.state.voter.durable;
  assert.deepEqual([left.state.proposal, promised, left.traces.includes('round.begun')], [null, ballot(1), false]);
  assert.equal(alone(6000).state.proposal?.intent.kind, 'mode', 'quiet grants have been missed for a whole lease');
});

// ------------------------------------------------------------------------------------ repair (Q5)

const behind = () =>
  state()
    .record({ mode: 'paused' })
    .peerView({ promised: ballot(5), accepted: at(1) });

test('Q5: a voter behind is sent the accept of the chosen ballot again', () => {
  const session = new Session(behind()).tick();
  const [accept] = session.asked('accept');
  assert.deepEqual([accept?.to, accept?.request.ballot], ['site1-agent', ballot(5)]);
  assert.equal(session.state.proposal, null);
});

test('Q5: where more was promised a change that alters nothing is made, the primary’s agent first', () => {
  const more = (me: 'site1' | 'site2') =>
    new Session(
      state(me)
        .record({})
        .peerView({ promised: ballot(9), accepted: at(1) })
        .remembers({ seen: {} }),
    ).tick();
  assert.equal(more('site1').state.proposal?.intent.kind, 'same');
  const other = more('site2');
  assert.equal(other.state.proposal, null);
  assert.notEqual(other.state.strayedSince, null);
});

test('Q1: a ballot above every one seen is on our own disk, as our own promise, before it is sent', () => {
  const session = new Session(
    state()
      .remembers(seen(41))
      .peerView({ promised: ballot(41) }),
  ).order({ kind: 'pause', reason: '' });
  const [prepare] = session.asked('prepare');
  assert.deepEqual(prepare?.request.ballot, ballot(42, 'site2'));
  assert.deepEqual(session.persist?.voter.promised, ballot(42, 'site2'));
});

test('Q7: after a lost race it waits one write’s longest time and more', () => {
  const session = new Session(state()).order({ kind: 'pause', reason: '' });
  const refused = { type: 'promise', promised: false, refusal: 'promised-more', view: holding(9) } as const;
  session.answered('prepare', refused);
  for (const send of session.send)
    if (send.kind === 'register-swap')
      session.step({
        type: 'register-swapped',
        id: send.id,
        outcome: { kind: 'rejected', code: 'conflict', detail: '' },
      });
  assert.equal(session.state.proposal, null);
  assert.ok(session.state.proposeAfter - session.now >= 1200);
  assert.equal(session.tick(1199).asked('prepare').length, 0);
});

test('a round whose asks nobody answers ends by itself', () => {
  const session = new Session(state('site2', 'none')).order({ kind: 'pause', reason: '' });
  const [prepare] = session.asked('prepare');
  session.step({ type: 'answer', id: prepare?.id ?? 0, outcome: unknown('time-out') });
  assert.equal(session.state.proposal, null);
});

test('what goes to disk comes back as the same agent', () => {
  const { state: agent } = state();
  assert.deepEqual(durableOf(agent).voter, agent.voter.durable);
  assert.deepEqual(durableOf(agent).lastPrimary, agent.durable.lastPrimary);
});

test('Q8: an agent that starts hears what its peer remembers of it before its first round, for a while', () => {
  const fresh = (since: number, more: Partial<StateNotice> = {}) =>
    new Session(
      state('site1')
        .record({})
        .peerView({ promised: ballot(9), accepted: at(1) })
        .remembers({ seen: {} })
        .peerSays({}, more)
        .with({ startedAt: night - since }),
    ).tick().state.proposal?.intent.kind ?? null;
  assert.equal(fresh(500), null);
  assert.equal(fresh(500, { seenOfYou: ballot(1), voteOfYou: ballot(1) }), 'same');
  assert.equal(fresh(2000), 'same');
});
