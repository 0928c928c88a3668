// The agent witness: a third voter with a clock and no opinion. It promises, votes and grants by the same rules as an
// agent's voter (Q3, L2 to L4, L7); it probes nothing, proposes nothing and decides nothing.

import type { Send, StepResult } from '../effects.ts';
import type { Answer, GuardAnswer, Refusal, Request, StateNotice } from '../messages.ts';
import { furthest, isWorthSaving, type PrimaryPosition, positionOf } from '../observe/position.ts';
import { sameBallot } from '../quorum/ballot.ts';
import { giveTicket, remember } from '../quorum/rejoin.ts';
import type { Round } from '../quorum/round.ts';
import {
  accept,
  emptyVoterDurable,
  forget,
  grant,
  hearFirstMs,
  holdsLess,
  latestRound,
  learnChosen,
  memoryOfUs,
  prepare,
  release,
  startVoter,
  takeLongest,
  toldOfGrant,
  type Voter,
  type VoterDurable,
  type VoterRules,
  viewOf,
  withDurable,
} from '../quorum/voter.ts';
import { guardSite, type PeerId, sites, type VoterId, voterOf } from '../site.ts';
import type { Instant, Moment } from '../time.ts';

/** V5: with its vote, how far the primary had written by the renewals that it heard. */
export type WitnessDurable = VoterDurable & { readonly lastPrimary: PrimaryPosition | null };

export const emptyWitnessDurable: WitnessDurable = { ...emptyVoterDurable, lastPrimary: null };

export type WitnessState = {
  readonly voter: Voter;
  readonly lastPrimary: PrimaryPosition | null;
  /** As it is on disk, and since when. */
  readonly savedPosition: PrimaryPosition | null;
  readonly positionSavedAt: Instant;
  readonly rules: VoterRules;
  /** False before the first step, which persists what the start found and made of it (as an agent's, and for the same reasons). */
  readonly saved: boolean;
  readonly startedAt: Instant;
  /** Q8: the agents that have told since the start what they remember of this voter. */
  readonly toldBy: readonly VoterId[];
};

export type WitnessEvent =
  | { readonly type: 'tick' }
  /** Taken up one after the other. */
  | { readonly type: 'several'; readonly events: readonly WitnessEvent[] }
  | { readonly type: 'request'; readonly from: PeerId; readonly request: Request; readonly replyTo: number };

/** Nothing is ever due here; this only keeps the process's own watchdog fed. */
const idleTickMs = 500;

export function startWitness(disk: WitnessDurable, amnesia: boolean, rules: VoterRules, now: Instant): WitnessState {
  const { lastPrimary, ...voter } = disk;
  return {
    voter: startVoter(voter, amnesia, rules, now),
    lastPrimary,
    savedPosition: lastPrimary,
    positionSavedAt: now,
    rules,
    saved: false,
    startedAt: now,
    toldBy: [],
  };
}

export function witnessStep(
  state: WitnessState,
  event: WitnessEvent,
  moment: Moment,
): StepResult<WitnessState, WitnessDurable, never> {
  const send: Send[] = [];
  const next = takeEvent(state, event, moment, send);
  const { voter, lastPrimary } = next;
  const isDue = isWorthSaving(state.savedPosition, lastPrimary, moment.now - state.positionSavedAt);
  const changed = !state.saved || isDue || voter.durable !== state.voter.durable;
  const mayFail = state.saved && voter.durable === state.voter.durable;
  const onDisk = changed ? { savedPosition: lastPrimary, positionSavedAt: moment.now } : {};
  return {
    state: { ...next, ...onDisk, saved: true },
    // V5: a position that is not on disk is told all the same, and known again with the next renewal.
    effects: { fence: false, persist: changed ? { ...voter.durable, lastPrimary } : null, mayFail, send, act: [] },
    trace: [],
    wakeAt: moment.now + idleTickMs,
  };
}

function takeEvent(state: WitnessState, event: WitnessEvent, moment: Moment, send: Send[]): WitnessState {
  switch (event.type) {
    case 'tick':
      return state;
    case 'several':
      return event.events.reduce((so, one) => takeEvent(so, one, moment, send), state);
    case 'request': {
      const { voter, answer } = take(state, event.from, event.request, moment);
      send.push({ kind: 'reply', replyTo: event.replyTo, answer });
      const { from, request } = event;
      const told = request.type === 'renew' && request.site === guardSite(from) ? positionOf(request.status) : null;
      return {
        ...state,
        voter,
        lastPrimary: furthest(state.lastPrimary, told),
        toldBy: withTeller(state, from, request),
      };
    }
  }
}

/** The first notice of a process is in version 1, without the vote. */
function withTeller({ voter, toldBy }: WitnessState, from: PeerId, request: Request): readonly VoterId[] {
  const teller = voterOf(from);
  if (teller === null || toldBy.includes(teller) || request.type !== 'state') return toldBy;
  return request.cluster === voter.durable.cluster && request.voteOfYou !== null ? [...toldBy, teller] : toldBy;
}

/** Q8: as an agent does (agent/facts.ts), and for the same reason: what was put back here, only they know. */
function waitsForWords({ voter, toldBy, startedAt }: WitnessState, now: Instant): boolean {
  return !voter.amnesia && toldBy.length < sites.length && now - startedAt < hearFirstMs;
}

type Taken = { readonly voter: Voter; readonly answer: Answer };

function ack(voter: Voter, ok: boolean, why = ''): Taken {
  return { voter, answer: { type: 'ack', ok, why, steps: [] } };
}

function take(state: WitnessState, from: PeerId, request: Request, at: Moment): Taken {
  const { voter, rules, startedAt } = state;
  const { now } = at;
  const busy = waitsForWords(state, now) ? busyWith(voter, request, now) : null;
  if (busy !== null) return { voter, answer: busy };
  if (guardSite(from) !== null) return takeFromGuard(voter, rules, from, request, now);
  const asker = voterOf(from);
  if (asker !== null) return takeFromVoter(state, asker, request, at);
  if (request.type === 'init') return found(voter, rules, request);
  if (request.type !== 'status') return ack(voter, false, `a witness takes no ${request.type} from ${from}`);
  const status = {
    witness: true,
    upMs: now - startedAt,
    cluster: voter.durable.cluster,
    record: voter.durable.chosen?.record ?? null,
    view: viewOf(voter, now),
  };
  return { voter, answer: { type: 'status-answer', status } };
}

/** What is answered to whatever asks this voter for its word; null: it asks for none. */
function busyWith(voter: Voter, request: Request, now: Instant): Answer | null {
  switch (request.type) {
    case 'renew':
      return guardAnswer(voter, refused('busy'), latestRound(voter, request));
    case 'prepare':
      return { type: 'promise', promised: false, refusal: 'busy', view: viewOf(voter, now) };
    case 'accept':
      return { type: 'accepted', accepted: false, refusal: 'busy', view: viewOf(voter, now) };
    default:
      return null;
  }
}

function takeFromGuard(voter: Voter, rules: VoterRules, from: PeerId, request: Request, now: Instant): Taken {
  const answer = (next: Voter, words: Words, round: Round | null): Taken => ({
    voter: next,
    answer: guardAnswer(next, words, round),
  });
  switch (request.type) {
    case 'renew': {
      if (request.site !== guardSite(from)) return ack(voter, false, `${from} is not the guard of ${request.site}`);
      const result = grant(voter, request, false, rules, now);
      if (result.refusal !== null) return answer(result.voter, refused(result.refusal), latestRound(voter, request));
      return answer(result.voter, toldOfGrant('witness', request, rules), request.round);
    }
    case 'release': {
      const own = request.site === guardSite(from) && request.cluster === voter.durable.cluster;
      const round = own ? latestRound(voter, request) : request.round;
      return answer(own ? release(voter, request) : voter, refused(null), round);
    }
    case 'inquire':
      return answer(voter, refused(null), null);
    default:
      return ack(voter, false, `a witness takes no ${request.type} from a guard`);
  }
}

type Words = Pick<GuardAnswer, 'granted' | 'refusal' | 'grantedFor'>;

function refused(refusal: Refusal | null): Words {
  return { granted: null, refusal, grantedFor: null };
}

/** It knows nothing of the standby, and says so. */
function guardAnswer(voter: Voter, words: Words, round: Round | null): GuardAnswer {
  return {
    type: 'guard-answer',
    ...words,
    round,
    chosen: voter.durable.chosen,
    standby: { mayTakeOver: false, why: 'a witness does not watch the standby', received: null, ageMs: 0 },
    refusing: false,
    hearsPeer: true,
  };
}

function takeFromVoter(state: WitnessState, from: VoterId, request: Request, at: Moment): Taken {
  const { voter, lastPrimary, rules } = state;
  const { now } = at;
  switch (request.type) {
    case 'prepare': {
      const { voter: next, refusal } = prepare(voter, request, rules);
      // Q8: what it held before this promise, which would hide that its disk went back.
      return {
        voter: next,
        answer: { type: 'promise', promised: refusal === null, refusal, view: viewOf(voter, now) },
      };
    }
    case 'accept': {
      const { voter: next, refusal } = accept(voter, request, rules, now);
      return {
        voter: next,
        answer: { type: 'accepted', accepted: refusal === null, refusal, view: viewOf(next, now) },
      };
    }
    case 'rejoin': {
      const { voter: next, answer } = giveTicket(voter, request, rules, at.random, now);
      return { voter: next, answer };
    }
    case 'rejoined': {
      const { voter: next, why } = remember(voter, request, rules, now);
      return ack(why === null ? learnChosen(next, request.accepted) : next, why === null, why ?? '');
    }
    case 'chosen':
      return ack(learnChosen(voter, request.chosen), true);
    case 'state': {
      const heard = request.view.chosen === null ? voter : learnChosen(voter, request.view.chosen);
      const aware = takeLongest(heard, from, request.view);
      const next = isForgotten(voter, request, now) ? forget(aware) : aware;
      return { voter: next, answer: { type: 'view', view: viewOf(next, now), lastPrimary } };
    }
    default:
      return ack(voter, false, `a witness takes no ${request.type} from a voter`);
  }
}

/** Q8: an agent of this cluster saw this voter hold more than it does: its disk went back, so it does not vote. */
function isForgotten(voter: Voter, notice: StateNotice, now: Instant): boolean {
  const { cluster } = voter.durable;
  // Also where nothing is left: who was seen to hold anything is no new voter, and `init` is not for it (Q0).
  const seen = memoryOfUs(notice);
  if (seen === null || (cluster !== null && notice.cluster !== cluster)) return false;
  return holdsLess(viewOf(voter, now), seen);
}

/** Q0: once, with no state here; it may be repeated with the same record only. */
function found(voter: Voter, rules: VoterRules, request: Extract<Request, { type: 'init' }>): Taken {
  const { accepted } = request;
  const { cluster, accepted: held } = voter.durable;
  if (voter.amnesia)
    return ack(voter, false, 'this witness lost its memory and founds no cluster: siteward witness rejoin');
  if (accepted.record.voters !== rules.voters)
    return ack(voter, false, 'this witness was configured with another voter set');
  if (
    cluster !== null &&
    (cluster !== accepted.record.cluster || held === null || !sameBallot(held.ballot, accepted.ballot))
  ) {
    return ack(voter, false, `this witness belongs to cluster ${cluster} already`);
  }
  // Repeated: taken already, and perhaps more was promised since, which is never taken back (Q3).
  if (held !== null) return ack(voter, true);
  const founded = withDurable(voter, { cluster: accepted.record.cluster, promised: accepted.ballot, accepted });
  return ack(learnChosen(founded, accepted), true);
}
