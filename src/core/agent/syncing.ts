// V8, the agents' part: `sync: false` for a guard that asks for it, by a change begun after its question arrived, and
// `sync: true` onto exactly the record whose ballot the guard named.

import type { SyncOff } from '../messages.ts';
import { type Ballot, compareBallots, sameBallot } from '../quorum/ballot.ts';
import { type Accepted, compareEpochs, epochOf } from '../quorum/record.ts';
import { compareRounds, type Round, sameRound, showRound } from '../quorum/round.ts';
import { soleVoterOf } from '../quorum/sole-voter.ts';
import type { Site } from '../site.ts';
import type { Ms } from '../time.ts';
import { type AgentDraft, reply, set, trace } from './draft.ts';
import { chosenOf, hearsMajority, hearsPeer, recent, recordOf } from './facts.ts';
import { noteRejoinChosen } from './rejoin-rounds.ts';
import type { AgentState, Intent, SyncQuestion } from './state.ts';

/** A guard's word or question counts for this long: it asks again and renews more often. */
const wordForMs: Ms = 2000;

type Verdict = { readonly ok: boolean; readonly why: string; readonly chosen: Accepted | null };

function answer(d: AgentDraft, replyTo: number, ask: Round, verdict: Verdict): void {
  reply(d, replyTo, { type: 'sync-answer', ...verdict, ask });
}

export function onSyncOff(d: AgentDraft, site: Site, message: SyncOff, replyTo: number): void {
  const refuse = (why: string): void => answer(d, replyTo, message.ask, { ok: false, why, chosen: chosenOf(d.s) });
  const why = whyNot(d, site, message);
  if (why !== null) return refuse(why);
  const before = d.s.syncQuestion;
  if (before === null || !isSame(before, message)) {
    if (before !== null && before.site === site && compareRounds(before.ask, message.ask) > 0)
      return refuse('a later question came first');
    letGo(d, 'another question came');
    const { epoch, ask } = message;
    trace(d, 'info', 'sync.question', { site, ask: showRound(ask) });
    return set(d, { syncQuestion: { site, epoch, ask, since: d.at.now, at: d.at.now, replyTo, chosen: null } });
  }
  if (before.replyTo !== null) answer(d, before.replyTo, before.ask, { ok: false, why: 'asked again', chosen: null });
  set(d, { syncQuestion: { ...before, at: d.at.now, replyTo } });
  answerIfChosen(d);
}

function isSame(question: SyncQuestion, message: SyncOff): boolean {
  return question.site === message.site && sameRound(question.ask, message.ask);
}

function whyNot(d: AgentDraft, site: Site, message: SyncOff): string | null {
  const { voter, settings } = d.s;
  if (message.site !== site) return 'a guard asks for its own site only';
  if (message.cluster !== voter.durable.cluster) return 'another cluster';
  if (message.voters !== settings.voters) return 'another voter set';
  if (voter.amnesia) return 'this agent has lost its state and does not vote';
  const record = recordOf(d.s);
  if (record === null) return 'no cluster record is known';
  const ahead = compareEpochs(epochOf(record), message.epoch);
  return ahead > 0 || (ahead === 0 && record.primary !== site) ? 'that epoch is over' : null;
}

/** The question is no longer asked, or another one is: nobody waits for its answer. */
function letGo(d: AgentDraft, why: string): void {
  const question = d.s.syncQuestion;
  if (question === null) return;
  if (question.replyTo !== null) answer(d, question.replyTo, question.ask, { ok: false, why, chosen: chosenOf(d.s) });
  set(d, { syncQuestion: null });
}

/** A round that was begun for this question was chosen; what is known now is that record or a later one. */
function answerIfChosen(d: AgentDraft): void {
  const question = d.s.syncQuestion;
  const chosen = chosenOf(d.s);
  if (question === null || question.chosen === null || chosen === null) return;
  // It cannot have come back to `true` without a new word of the guard; should it have, the change is made anew.
  if (chosen.record.sync || compareBallots(chosen.ballot, question.chosen) < 0)
    return set(d, { syncQuestion: { ...question, chosen: null } });
  if (question.replyTo === null) return;
  answer(d, question.replyTo, question.ask, { ok: true, why: '', chosen });
  set(d, { syncQuestion: { ...question, replyTo: null } });
}

/** Called by whoever counted a choice. */
export function onIntentChosen(d: AgentDraft, intent: Intent, ballot: Ballot): void {
  noteRejoinChosen(d, intent, ballot);
  const { modeOrder } = d.s;
  // Q4: a person is told that it is done when a round begun for that was chosen, also one that altered nothing.
  if (modeOrder !== null && intent === modeOrder.intent) set(d, { modeOrder: { ...modeOrder, chosen: true } });
  const question = d.s.syncQuestion;
  if (intent.kind !== 'sync-off' || question === null || !sameRound(intent.ask, question.ask)) return;
  set(d, { syncQuestion: { ...question, chosen: ballot } });
  answerIfChosen(d);
}

export function driveSyncing(d: AgentDraft): void {
  const question = d.s.syncQuestion;
  if (question !== null && d.at.now - question.at > wordForMs) letGo(d, 'not asked again');
  const named = isNamed(d.s, d.at.now);
  if (named !== (d.s.namedSince !== null)) set(d, { namedSince: named ? d.at.now : null });
}

/** The primary's guard names the very record that is known here, and that record says `sync: false`. */
function isNamed(s: AgentState, now: number): boolean {
  const chosen = chosenOf(s);
  if (chosen === null || chosen.record.sync) return false;
  const named = recent(s.guards[chosen.record.primary], now, wordForMs)?.syncAt ?? null;
  return named !== null && sameBallot(named, chosen.ballot);
}

/** The primary's own agent acts first; the other one when that one is gone, or did not do it. */
function turnMs(d: AgentDraft, primary: Site): Ms {
  return primary === d.s.me || !hearsPeer(d.s, d.at.now) ? 0 : d.s.settings.lease.otherDelayMs;
}

/** Wanted before anything but a failover: writes stall until it is chosen. */
export function syncOffIntent(d: AgentDraft): Intent | null {
  const question = d.s.syncQuestion;
  if (question === null || question.chosen !== null) return null;
  // In a forced era its only voter is all that is needed.
  if (!hearsMajority(d.s, d.at.now) && soleVoterOf(recordOf(d.s)) !== d.s.me) return null;
  const { site, epoch, ask, at, since } = question;
  // For the other agent: asked again, so nobody has answered.
  if (at - since < turnMs(d, site)) return null;
  return { kind: 'sync-off', site, epoch, ask, reason: `${site}'s guard: commits stop waiting for the standby` };
}

export function syncOnIntent(d: AgentDraft): Intent | null {
  const chosen = chosenOf(d.s);
  const { namedSince, syncQuestion } = d.s;
  if (chosen === null || namedSince === null || (syncQuestion !== null && syncQuestion.chosen === null)) return null;
  // Q5: a half-done record has another ballot than the one named, so each round would be given up: it is ended first.
  if (d.s.strayedSince !== null) return null;
  if (!hearsMajority(d.s, d.at.now) || d.at.now - namedSince < turnMs(d, chosen.record.primary)) return null;
  return { kind: 'sync-on', onto: chosen.ballot, reason: 'the standby has all that is acknowledged' };
}
