// Driving a round of CASPaxos (Q1, Q2, Q6, Q7). One round at a time; it begins with an intent and ends chosen, given up
// or refused. Giving up buries nothing: what is half done is found and ended by Q5 (repairing.ts).

import type { AcceptAnswer, PromiseAnswer } from '../messages.ts';
import type { Outcome } from '../outcome.ts';
import { compareBallots, sameBallot, showBallot } from '../quorum/ballot.ts';
import { type Accepted, type ClusterRecord, compareEras } from '../quorum/record.ts';
import { isCurrent, registerChangesPrimary, withRecord } from '../quorum/register.ts';
import { soleVoterOf } from '../quorum/sole-voter.ts';
import { accept, bindsAgainst, changesPrimary, isLaterAccepted, prepare } from '../quorum/voter.ts';
import { otherSite, peerOfVoter, type VoterId } from '../site.ts';
import { draw, type Ms } from '../time.ts';
import { possibleLoss } from '../verdict/standby.ts';
import { type AgentDraft, ask, set, trace } from './draft.ts';
import { hearsPeer, memoryOf, voterBindsMs, waitsForWords } from './facts.ts';
import { chooseAlone } from './forcing.ts';
import { whyNotEnd } from './half-done.ts';
import { hearChosen, hearVoter } from './hear.ts';
import { applyIntent } from './intent.ts';
import {
  absorbSwap,
  distrustRegister,
  freshNonce,
  isLeftToLease,
  isSwapping,
  mayWriteSamePrimary,
  readSoon,
  registerIsFreeFor,
  swap,
} from './register-io.ts';
import { ballotFor, noteOverruled, takesPart } from './rejoin-rounds.ts';
import type { Intent, Pending, Proposal } from './state.ts';
import { rulesOf } from './state.ts';
import { onIntentChosen } from './syncing.ts';

/** A round that has not ended by then is given up: every leg of it has its own, shorter deadline. */
const roundLimitMs: Ms = 6000;

/** The voters with a clock, besides this agent. */
function clockVoters(d: AgentDraft, intent: Intent): readonly VoterId[] {
  const peer = otherSite(d.s.me);
  const voters: readonly VoterId[] = d.s.settings.witness === 'agent' ? [peer, 'witness'] : [peer];
  return voters.filter((voter) => takesPart(intent, voter));
}

export function begin(d: AgentDraft, intent: Intent): void {
  const cluster = d.s.voter.durable.cluster;
  if (d.s.proposal !== null || cluster === null || d.s.voter.amnesia || d.at.now < d.s.proposeAfter) return;
  // Q0: before the founding guard held its first lease no other record is proposed.
  if (!d.s.durable.founded) return;
  // Q8: our own vote is the first of each majority, so what others remember of it is heard before it counts.
  if (waitsForWords(d.s, d.at.now)) return;
  // In a forced era its one voter chooses alone, and nobody else proposes.
  const sole = soleVoterOf(d.s.voter.durable.chosen?.record ?? null);
  if (sole !== null) {
    const why = sole === d.s.me ? chooseAlone(d, intent) : 'the era was forced by the other agent';
    if (why !== null) set(d, { proposeAfter: d.at.now + 500 });
    return;
  }
  if (isLeftToLease(d, intent)) return set(d, { proposeAfter: d.at.now + 1000 });
  const { voters, peerDeadlineMs, witness } = d.s.settings;
  // Q1: above every ballot seen, and on our own disk, as our own promise, before it is sent.
  const ballot = ballotFor(d, intent);
  const own = prepare(d.s.voter, { type: 'prepare', cluster, voters, ballot }, rulesOf(d.s.settings));
  if (own.refusal !== null) return;
  const id = d.s.nextId;
  const proposal: Proposal = {
    id,
    intent,
    ballot,
    phase: 'prepare',
    startedAt: d.at.now,
    prepared: {},
    record: null,
    accepted: {},
  };
  set(d, { nextId: id + 1, voter: own.voter, proposal });
  const said = intent.kind === 'primary' ? possibleLoss(d.s, d.at.now) : {};
  trace(d, 'info', 'round.begun', { ballot: showBallot(ballot), intent: intent.kind, reason: intent.reason, ...said });
  for (const voter of clockVoters(d, intent)) {
    // A peer that is silent costs no time where the register can stand in for it; Q5 brings it up to date later.
    const skip = voter !== 'witness' && witness !== 'none' && !hearsPeer(d.s, d.at.now);
    notePrepared(d, voter, skip ? 'no' : 'asked', null);
    if (!skip)
      ask(
        d,
        peerOfVoter(voter),
        { type: 'prepare', cluster, voters, ballot },
        { kind: 'prepare', proposal: id, voter, seen: memoryOf(d.s, voter) },
        peerDeadlineMs,
      );
  }
}

function notePrepared(
  d: AgentDraft,
  voter: VoterId,
  vote: 'asked' | 'yes' | 'no',
  view: PromiseAnswer['view'] | null,
): void {
  const p = d.s.proposal;
  if (p !== null) set(d, { proposal: { ...p, prepared: { ...p.prepared, [voter]: { vote, view, at: d.at.now } } } });
}

export function onPrepared(
  d: AgentDraft,
  pending: Extract<Pending, { kind: 'prepare' }>,
  outcome: Outcome<PromiseAnswer>,
): void {
  if (outcome.kind === 'done') hearVoter(d, pending.voter, outcome.value.view, null, pending.seen);
  if (d.s.proposal?.id !== pending.proposal) return;
  const heard = pending.voter === 'witness' ? d.s.witness : d.s.peer;
  // Q8: a voter that forgot what we saw it hold is no voter; hearVoter has marked it.
  const good = outcome.kind === 'done' && outcome.value.promised && heard !== null && !heard.view.amnesia;
  notePrepared(d, pending.voter, good ? 'yes' : 'no', outcome.kind === 'done' ? outcome.value.view : null);
}

/** Q7 where a race was lost; a short wait where nothing was contested. */
function giveUp(d: AgentDraft, why: string, waitMs: Ms): void {
  const p = d.s.proposal;
  if (p !== null) trace(d, 'info', 'round.given-up', { ballot: showBallot(p.ballot), why });
  set(d, { proposal: null, proposeAfter: d.at.now + waitMs });
}

export function raceWaitMs(d: AgentDraft): Ms {
  const { registerLegMs } = d.s.settings.lease;
  const write = d.s.settings.witness === 'route53' ? registerLegMs : Math.ceil(registerLegMs / 4);
  return write + draw(d.at.random, write, 1);
}

/** Level-triggered: looks at the round as it stands and does what is due now. */
export function driveProposal(d: AgentDraft): void {
  const p = d.s.proposal;
  if (p === null) return;
  // Q8: a vote of ours counts no more, whatever was answered.
  if (d.s.voter.amnesia) return giveUp(d, 'this agent lost its memory', raceWaitMs(d));
  // Our own vote and one more are the majority of three; without a witness they are both agents ("Who takes part"). A
  // choice that was counted is one, whatever was promised since.
  if (p.phase === 'accept' && Object.values(p.accepted).includes('yes')) return choose(d, p);
  // "Orders": in an era that the other agent forced it alone proposes.
  const sole = soleVoterOf(d.s.voter.durable.chosen?.record ?? null);
  if (sole !== null && sole !== d.s.me) return giveUp(d, 'the era was forced by the other agent', raceWaitMs(d));
  if (d.at.now - p.startedAt > roundLimitMs) return giveUp(d, 'the round took too long', raceWaitMs(d));
  if (compareBallots(d.s.voter.durable.promised, p.ballot) > 0)
    return giveUp(d, 'a higher ballot was promised', raceWaitMs(d));
  if (p.phase === 'prepare') drivePrepare(d, p);
  else if (p.phase === 'register') driveRegisterRound(d, p);
  else driveAccept(d, p);
}

type Base = { readonly voter: VoterId; readonly record: ClusterRecord };

/**
 * Q2: the record of the highest accepted ballot (of a later era first) among this agent and `other`. Without a witness these
 * are all voters: what only its proposer holds was not chosen, and cannot be any more. So the other's record may serve as
 * well, where a lease that is renewed for ever stands against the first (I7; a forced era has a quorum of its own). What
 * only the other one holds was chosen: its proposer voted for it first, and has lost its memory (Q1, Q8).
 */
function basesFor(d: AgentDraft, other: Accepted | null, theirs: Accepted | null): readonly Accepted[] {
  const own = d.s.voter.durable.accepted;
  const held = own ?? other;
  if (own === null || other === null) return held === null ? [] : [held];
  const [newest, older] = isLaterAccepted(other, own) ? [other, own] : [own, other];
  const ofOneEra =
    compareEras(newest.record.era, older.record.era) === 0 &&
    soleVoterOf(newest.record) === null &&
    soleVoterOf(older.record) === null;
  // Q8: and one that lost its vote for what is known to be chosen may hold it no more; what comes before that is over.
  const isOver = [d.s.voter.durable.chosen, theirs].some(
    (chosen) => chosen !== null && compareBallots(chosen.ballot, older.ballot) > 0,
  );
  const isProposers = newest.ballot.voter === (newest === own ? d.s.me : otherSite(d.s.me));
  const mayPass =
    d.s.settings.witness === 'none' && ofOneEra && !isOver && isProposers && !sameBallot(newest.ballot, older.ballot);
  return mayPass ? [newest, older] : [newest];
}

/** The record that the intent makes of this base, or why it makes none. `other`: what the voter holds that it was found with. */
function compute(
  d: AgentDraft,
  p: Proposal,
  base: Accepted | undefined,
  other: Accepted | null,
): ClusterRecord | string {
  if (base === undefined) return 'no voter holds a record';
  const sole = soleVoterOf(base.record);
  if (sole !== null && sole !== d.s.me) return 'the record found is of an era that the other agent forced';
  if (sole === null && base.record.voters !== d.s.settings.voters)
    return "the record found is of another voter set than this agent's file (Q10)";
  // Who wants just this change has asked whether the standby may take over.
  const unfit = p.intent.kind === 'primary' ? null : whyNotEnd(d, base, other);
  return unfit ?? applyIntent(p.intent, base, d.s, d.at);
}

function drivePrepare(d: AgentDraft, p: Proposal): void {
  const answers = Object.entries(p.prepared) as [VoterId, NonNullable<Proposal['prepared'][VoterId]>][];
  let why = 'no other voter answered';
  let boundMs = 0;
  let overruled: string | null = null;
  for (const [voter, answer] of answers) {
    if (answer.vote !== 'yes' || answer.view === null) continue;
    const heard = { at: answer.at, view: answer.view };
    // Any pair may serve (Q2): with another one the change may hold, and what stands here against it is buried (Q5).
    for (const base of basesFor(d, answer.view.accepted, answer.view.chosen)) {
      const record = compute(d, p, base, answer.view.accepted);
      if (typeof record === 'string') {
        overruled = record;
        continue;
      }
      // Q6: judged now, with the voter's own fresh word. Another answer may be free (Q5).
      const waitMs = Math.max(
        bindsAgainst(d.s.voter, record, d.at.now),
        voterBindsMs(heard, record, d.s.settings.lease.drift, d.at.now),
      );
      if (waitMs === 0) return beginAccept(d, p, { voter, record });
      why = `a lease promise or a restart stands against it for ${waitMs} ms`;
      boundMs = waitMs;
    }
  }
  if (answers.some(([, answer]) => answer.vote === 'asked')) return;
  if (d.s.settings.witness === 'route53' && d.s.register.out === null && takesPart(p.intent, 'witness')) {
    set(d, { proposal: { ...p, phase: 'register' } });
    return driveRegisterRound(d, { ...p, phase: 'register' });
  }
  if (overruled !== null) noteOverruled(d, p.intent, overruled);
  if (overruled !== null && boundMs === 0) return giveUp(d, overruled, 300);
  // A promise may be released at any moment, which a change of primary waits for; a repair only waits with everybody.
  const againMs = p.intent.kind === 'same' ? Math.min(2000, Math.max(200, boundMs)) : 200;
  giveUp(d, why, boundMs === 0 ? raceWaitMs(d) : againMs);
}

/** Q2: the proposer votes for its own record first, then sends `accept` to the others. */
function beginAccept(d: AgentDraft, p: Proposal, base: Base): void {
  const cluster = base.record.cluster;
  const { voters } = d.s.settings;
  const message = { type: 'accept', cluster, voters, ballot: p.ballot, record: base.record } as const;
  const own = accept(d.s.voter, message, rulesOf(d.s.settings), d.at.now);
  if (own.refusal !== null) return giveUp(d, `our own vote: ${own.refusal}`, raceWaitMs(d));
  set(d, { voter: own.voter, proposal: { ...p, phase: 'accept', record: base.record } });
  trace(d, 'info', 'vote.cast', {
    ballot: showBallot(p.ballot),
    epoch: base.record.epoch,
    primary: base.record.primary,
  });
  for (const voter of clockVoters(d, p.intent)) {
    noteAccepted(d, voter, 'asked');
    ask(d, peerOfVoter(voter), message, { kind: 'accept', proposal: p.id, voter, seen: memoryOf(d.s, voter) });
  }
}

function noteAccepted(d: AgentDraft, voter: VoterId, vote: 'asked' | 'yes' | 'no'): void {
  const p = d.s.proposal;
  if (p !== null) set(d, { proposal: { ...p, accepted: { ...p.accepted, [voter]: vote } } });
}

export function onAccepted(
  d: AgentDraft,
  pending: Extract<Pending, { kind: 'accept' }>,
  outcome: Outcome<AcceptAnswer>,
): void {
  if (outcome.kind === 'done') hearVoter(d, pending.voter, outcome.value.view, null, pending.seen);
  if (d.s.proposal?.id !== pending.proposal) return;
  const heard = pending.voter === 'witness' ? d.s.witness : d.s.peer;
  const good = outcome.kind === 'done' && outcome.value.accepted && heard !== null && !heard.view.amnesia;
  noteAccepted(d, pending.voter, good ? 'yes' : 'no');
}

function driveAccept(d: AgentDraft, p: Proposal): void {
  if (!Object.values(p.accepted).includes('asked')) giveUp(d, 'no other voter accepted', raceWaitMs(d));
}

function choose(d: AgentDraft, p: Proposal): void {
  if (p.record === null) return;
  set(d, { proposal: null, strayedSince: null });
  hearChosen(d, { ballot: p.ballot, record: p.record }, 'counted here');
  onIntentChosen(d, p.intent, p.ballot);
}

/**
 * L6: where proposer and register are the majority, prepare and accept there are one CAS, and our own vote follows it.
 * W2: after an unknown outcome the register is read back, and our ballot found there is our vote counted.
 */
function driveRegisterRound(d: AgentDraft, p: Proposal): void {
  const state = d.s.register.held?.state;
  if (d.s.register.out !== null) return giveUp(d, `the register is out: ${d.s.register.out}`, raceWaitMs(d));
  if (isSwapping(d)) return;
  if (state === undefined || !isCurrent(d.s.register)) return readSoon(d);
  if (sameBallot(state.accepted.ballot, p.ballot)) return voteAfterRegister(d, p, state.accepted.record);
  const record = compute(d, p, basesFor(d, state.accepted, null)[0], state.accepted);
  if (typeof record === 'string') return giveUp(d, record, 300);
  if (bindsAgainst(d.s.voter, record, d.at.now) > 0) return giveUp(d, 'our own lease promise stands against it', 200);
  if (!registerIsFreeFor(d, record.primary))
    return giveUp(d, 'the lease nonce in the register is not watched out', 500);
  if (!registerChangesPrimary(state, record) && !changesPrimary(d.s.voter, record) && !mayWriteSamePrimary(d)) {
    return giveUp(d, 'the register is left to the lease for now (Q9)', 1000);
  }
  const next = withRecord(state, p.ballot, record, freshNonce(d));
  if (typeof next === 'string') return giveUp(d, `the register: ${next}`, raceWaitMs(d));
  set(d, { proposal: { ...p, record } });
  swap(d, { kind: 'register-record', proposal: p.id, accept: { ballot: p.ballot, record }, next });
}

function voteAfterRegister(d: AgentDraft, p: Proposal, record: ClusterRecord): void {
  const { voters } = d.s.settings;
  const own = accept(
    d.s.voter,
    { type: 'accept', cluster: record.cluster, voters, ballot: p.ballot, record },
    rulesOf(d.s.settings),
    d.at.now,
  );
  if (own.refusal !== null) return giveUp(d, `our own vote after the register's: ${own.refusal}`, raceWaitMs(d));
  set(d, { voter: own.voter });
  trace(d, 'info', 'vote.cast', {
    ballot: showBallot(p.ballot),
    epoch: record.epoch,
    primary: record.primary,
    with: 'register',
  });
  choose(d, { ...p, record });
}

/** A record's CAS ended, whether for a round of ours or to repair the register (Q5). */
export function onRecordSwapped(
  d: AgentDraft,
  pending: Extract<Pending, { kind: 'register-record' }>,
  outcome: Outcome<{ text: string }>,
): void {
  if (outcome.kind === 'done') {
    absorbSwap(d, outcome.value.text, pending.next);
    set(d, { registerWroteAt: d.at.now });
    trace(d, 'info', 'register.accepted', {
      ballot: showBallot(pending.accept.ballot),
      epoch: pending.accept.record.epoch,
      primary: pending.accept.record.primary,
    });
    return;
  }
  distrustRegister(d);
  if (outcome.kind !== 'rejected') return;
  // A lost CAS (Q7): somebody else wrote; look again after one write's longest time plus jitter.
  if (d.s.proposal !== null && d.s.proposal.id === pending.proposal)
    giveUp(d, 'the register changed meanwhile', raceWaitMs(d));
  else set(d, { due: { ...d.s.due, repair: d.at.now + raceWaitMs(d) } });
}
