// Hearing another voter: what it holds (Q4, Q8), what it knows to be chosen, and since when we hear anybody (R2, V3).

import type { Accept, Prepare, StateNotice, ViewAnswer, VoterView } from '../messages.ts';
import { type Ballot, compareBallots, noBallot, sameBallot, showBallot } from '../quorum/ballot.ts';
import { type Accepted, compareEpochs, epochOf, sameEpoch, showEpoch } from '../quorum/record.ts';
import { absorbWord } from '../quorum/register.ts';
import {
  forget,
  holdsLess,
  isLaterChosen,
  learnChosen,
  type Memory,
  memoryIn,
  memoryOfUs,
  takeLongest,
  viewOf,
} from '../quorum/voter.ts';
import type { Site, VoterId } from '../site.ts';
import { beginAnew } from '../verdict/track.ts';
import { type AgentDraft, set, trace } from './draft.ts';
import { hearsMajority, memoryOf } from './facts.ts';
import { hearPosition, notePeak } from './positions.ts';

/**
 * Takes up another voter's view of itself: from an answer, with what was remembered of it when that was asked for, or
 * from its own notice (`seenAtSend` is null).
 */
export function hearVoter(
  d: AgentDraft,
  voter: VoterId,
  told: VoterView,
  notice: StateNotice | null,
  seenAtSend: Memory | null,
): void {
  // Answers name no cluster, and a host that was put back to a former life has the same keys.
  const { cluster } = d.s.voter.durable;
  const theirs = (told.accepted ?? told.chosen)?.record.cluster ?? cluster;
  if (cluster !== null && theirs !== cluster) return;
  hearBallots(d, [told.promised, told.accepted?.ballot, told.chosen?.ballot]);
  const seen = memoryOf(d.s, voter);
  // Q8: asked after we saw it hold more: its disk went back. It counts for nothing until it has rejoined.
  const lost = seenAtSend !== null && holdsLess(told, seenAtSend);
  const before = voter === 'witness' ? d.s.witness : d.s.peer;
  // Messages overtake each other: what was said before something newer that came first is old, not amnesia.
  if (!lost && (holdsLess(told, seen) || (!told.amnesia && isEarlier(told, before?.view ?? null)))) return;
  const view = lost ? { ...told, amnesia: true } : told;
  if (lost && before?.view.amnesia !== true) trace(d, 'error', 'voter.forgot', { voter, ...showLoss(told, seen) });
  const noticeAt = notice === null ? (before?.noticeAt ?? null) : d.at.now;
  const tells = before?.tells ?? true;
  const heard = { at: d.at.now, view, notice: notice ?? before?.notice ?? null, noticeAt, tells };
  set(d, voter === 'witness' ? { witness: heard } : { peer: heard });
  if (view.amnesia) return;
  set(d, { voter: takeLongest(d.s.voter, voter, view) });
  // Not less than before in anything, so these are the highest.
  const { promised, voted } = memoryIn(view);
  if (seen.voted === null || !sameBallot(promised, seen.promised) || !sameBallot(voted, seen.voted)) {
    const { durable } = d.s;
    const all = { ...durable.seen, [voter]: promised };
    set(d, { durable: { ...durable, seen: all, votes: { ...durable.votes, [voter]: voted } } });
  }
  if (view.chosen !== null) hearChosen(d, view.chosen, `told by ${voter}`);
  // Of the record that this very notice may have told.
  if (notice === null) return;
  hearPosition(d, notice.lastPrimary);
  notePeak(d, notice.standbyPeak);
}

/** V5: with its answer a voter tells how far the primary has written; one of an older release cannot say. */
export function hearTelling(d: AgentDraft, voter: VoterId, told: ViewAnswer['lastPrimary']): void {
  const before = voter === 'witness' ? d.s.witness : d.s.peer;
  const tells = told !== 'unsaid';
  if (before !== null && before.tells !== tells)
    set(d, voter === 'witness' ? { witness: { ...before, tells } } : { peer: { ...before, tells } });
  if (told !== 'unsaid') hearPosition(d, told);
}

/**
 * Q1, Q3, Q8: who asks for a promise or a vote at a ballot of its own has given both itself, and has them on its disk. This
 * may be all that is ever seen of its vote.
 */
export function hearProposer(d: AgentDraft, voter: VoterId, request: Prepare | Accept): void {
  const { ballot } = request;
  if (ballot.voter !== voter || request.cluster !== d.s.voter.durable.cluster) return;
  notePromise(d, ballot);
  const { durable } = d.s;
  if (request.type === 'prepare' || compareBallots(ballot, durable.votes[voter] ?? noBallot) <= 0) return;
  set(d, { durable: { ...durable, votes: { ...durable.votes, [voter]: ballot } } });
}

/** Whether it knew less to be chosen then than it said since. */
function isEarlier({ chosen }: VoterView, before: VoterView | null): boolean {
  const known = before?.chosen ?? null;
  return known !== null && (chosen === null || isLaterChosen(known, chosen));
}

/** Q8: others remember more of us than we hold: our disk went back, so we do not vote. */
export function hearMemoryOfUs(d: AgentDraft, notice: StateNotice): void {
  // Also where nothing is left: who was seen to hold anything is no new voter, and `init` is not for it (Q0).
  const seen = memoryOfUs(notice);
  if (seen === null || d.s.voter.amnesia) return;
  const view = viewOf(d.s.voter, d.at.now);
  if (!holdsLess(view, seen)) return;
  set(d, { voter: forget(d.s.voter) });
  trace(d, 'error', 'voter.amnesia', showLoss(view, seen));
}

/** Of the two ballots the one that is missing. */
function showLoss(view: VoterView, { promised, voted }: Memory): { readonly holds: string; readonly seen: string } {
  const holds = memoryIn(view);
  if (voted === null || compareBallots(holds.promised, promised) < 0)
    return { holds: showBallot(holds.promised), seen: showBallot(promised) };
  return { holds: showBallot(holds.voted), seen: showBallot(voted) };
}

/**
 * Q1, Q8: a ballot is on its proposer's disk, as its own promise, before anybody else hears of it. So whoever shows one of
 * ours above our promise remembers more of us than we hold; one of the peer's is remembered of the peer.
 */
export function hearBallots(d: AgentDraft, ballots: readonly (Ballot | undefined)[]): void {
  const { cluster } = d.s.voter.durable;
  for (const ballot of ballots) {
    // Before the foundation there is nothing to have forgotten; the peer tells a host that lost all of it (above).
    if (ballot === undefined || ballot.counter === 0 || cluster === null) continue;
    if (ballot.voter !== d.s.me) {
      notePromise(d, ballot);
      continue;
    }
    const { promised } = d.s.voter.durable;
    if (d.s.voter.amnesia || compareBallots(ballot, promised) <= 0) continue;
    set(d, { voter: forget(d.s.voter) });
    trace(d, 'error', 'voter.amnesia', { holds: showBallot(promised), seen: showBallot(ballot) });
  }
}

function notePromise(d: AgentDraft, ballot: Ballot): void {
  const { durable } = d.s;
  const before = durable.seen[ballot.voter] ?? noBallot;
  if (compareBallots(ballot, before) <= 0) return;
  set(d, { durable: { ...durable, seen: { ...durable.seen, [ballot.voter]: ballot } } });
}

export function hearRegisterWord(d: AgentDraft, notice: StateNotice): void {
  if (notice.register === null || d.s.settings.witness !== 'route53') return;
  const mind = absorbWord(d.s.register, notice.register.serial, notice.register.nonce, d.at.now);
  if (mind === d.s.register) return;
  const durable =
    mind.serial > d.s.durable.registerSerial ? { ...d.s.durable, registerSerial: mind.serial } : d.s.durable;
  set(d, { register: mind, longRoundAt: null, durable });
}

/** Two `state` intervals of a voter that was busy accepting. */
const settleMs = 1000;

/** Q4: a record is known to be chosen. Everything that hangs on a new record hangs here. */
export function hearChosen(d: AgentDraft, chosen: Accepted, how: string): void {
  const { chosen: known, cluster } = d.s.voter.durable;
  if (chosen.record.cluster === cluster) hearBallots(d, [chosen.ballot]);
  if (known !== null && !isLaterChosen(chosen, known)) return;
  const voter = learnChosen(d.s.voter, chosen);
  if (voter === d.s.voter) return;
  const { record } = chosen;
  const newEpoch = known === null || !sameEpoch(epochOf(known.record), epochOf(record));
  const movedEntry = known !== null && known.record.entry !== record.entry;
  const durable = {
    ...d.s.durable,
    learned: newEpoch ? { epoch: epochOf(record), wall: d.at.wall } : d.s.durable.learned,
    entryMoved: movedEntry ? d.at.wall : d.s.durable.entryMoved,
    // Q0: no second record is proposed before the founding guard held its first lease, so one that is chosen proves it.
    founded: d.s.durable.founded || known !== null,
  };
  // A new chosen record is told at once: to the other voters by `state`, to the guards by reconcile (told: null).
  set(d, {
    voter,
    durable,
    told: { site1: null, site2: null },
    // What is known of the others' votes is from before it: they are judged anew when their next word is in (Q5).
    strayedSince: null,
    due: { ...d.s.due, state: d.at.now, reconcile: d.at.now, repair: d.at.now + settleMs },
  });
  if (newEpoch) dropStaleFacts(d);
  // V8: `sync: true` speaks of the copy that is there now.
  if (record.sync && known !== null && !known.record.sync)
    set(d, { standbyPeak: null, durable: { ...d.s.durable, standbyPeak: null } });
  // A name that was looked at before the entry moved may have been moved on since.
  if (movedEntry) set(d, { dns: null });
  trace(d, 'info', 'record.chosen', {
    ballot: showBallot(chosen.ballot),
    epoch: showEpoch(epochOf(record)),
    primary: record.primary,
    entry: record.entry,
    mode: record.mode,
    reason: record.reason,
    how,
  });
}

/** Verdicts, releases and refusals speak of one epoch's primary; another primary begins with a clean sheet. */
function dropStaleFacts(d: AgentDraft): void {
  const clean = { verdict: 'unknown', failures: 0, successes: 0, firstFailureAt: null, changedAt: d.at.now } as const;
  set(d, {
    primary: { ...d.s.primary, ...clean },
    standby: { ...d.s.standby, ...clean },
    primarySeen: null,
    standbySeen: null,
    standbyPeak: null,
    receivedMovedAt: null,
    readySince: null,
    refusing: false,
    epochAt: d.at.now,
    illSince: null,
    gone: d.s.gone !== null && isCurrentEpoch(d, d.s.gone.epoch) ? d.s.gone : null,
    stopped: d.s.stopped !== null && isCurrentEpoch(d, d.s.stopped.epoch) ? d.s.stopped : null,
  });
}

function isCurrentEpoch(d: AgentDraft, epoch: { era: { number: number; site: Site }; epoch: number }): boolean {
  const record = d.s.voter.durable.chosen?.record;
  return record !== undefined && compareEpochs(epoch, epochOf(record)) === 0;
}

/** V3, R2: keeps since when any other voter is heard; when one is heard again, `confirm` begins anew. */
export function noteHearing(d: AgentDraft): void {
  const hears = hearsMajority(d.s, d.at.now);
  if (hears === (d.s.hearingSince !== null)) return;
  if (!hears) {
    trace(d, 'warn', 'voters.silent', {});
    set(d, { hearingSince: null });
    return;
  }
  set(d, { hearingSince: d.at.now, primary: beginAnew(d.s.primary), readySince: null });
  trace(d, 'info', 'voters.heard', {});
}
