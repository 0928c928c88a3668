// Each event to the room it belongs to. Who sent a request was proved by its key before it came here.

import type { Answer, FailsafeAnswer, GuardAnswer, Request, SyncAnswer } from '../messages.ts';
import { type Outcome, rejected } from '../outcome.ts';
import { guardSite, type PeerId, type Site, voterOf } from '../site.ts';
import { onWork } from './database.ts';
import { onFuse } from './deadline.ts';
import type { GuardEvent } from './deeds.ts';
import { type GuardDraft, reply, take } from './draft.ts';
import { onFailsafe, onFailsafeAnswer } from './failsafe.ts';
import { onFenced } from './fencing.ts';
import { hearWord, learnChosen, onRefusing } from './hear.ts';
import { onAsked, onBeaten, onLooked } from './observing.ts';
import { onGuardOrder } from './orders.ts';
import { onReleaseSilent } from './releasing.ts';
import { onRoundAnswer } from './rounds.ts';
import type { Pending } from './state.ts';
import { statusOf } from './status.ts';
import { onSyncAnswer, onWaitsSet } from './syncing.ts';
import type { WorkOutcome } from './work.ts';

export function takeEvent(d: GuardDraft, event: GuardEvent): void {
  switch (event.type) {
    case 'tick':
      return;
    case 'several':
      for (const one of event.events) takeEvent(d, one);
      return;
    case 'request':
      return takeRequest(d, event.from, event.request, event.replyTo);
    case 'answer': {
      const pending = take(d, event.id);
      if (pending !== null) takeAnswer(d, pending, event.outcome);
      return;
    }
    case 'acted': {
      const pending = take(d, event.id);
      if (pending !== null) takeDeed(d, event.id, pending, event.outcome);
      return;
    }
    case 'fenced':
      return onFenced(d, event.outcome);
  }
}

function takeRequest(d: GuardDraft, from: PeerId, request: Request, replyTo: number): void {
  const voter = voterOf(from);
  const agent: Site | null = voter === 'site1' || voter === 'site2' ? voter : null;
  switch (request.type) {
    case 'failsafe':
      if (guardSite(from) !== null && guardSite(from) === request.site) return onFailsafe(d, request, replyTo);
      break;
    case 'chosen':
      if (agent === null || request.cluster !== request.chosen.record.cluster) break;
      return acknowledge(d, replyTo, learnChosen(d, request.chosen));
    case 'refusing':
      if (agent === null) break;
      return acknowledge(d, replyTo, onRefusing(d, agent, request));
    case 'guard-order':
      if (agent === null) break;
      return onGuardOrder(d, request, replyTo);
    case 'status':
      return reply(d, replyTo, { type: 'status-answer', status: statusOf(d.s, d.at.now) });
    default:
      break;
  }
  reply(d, replyTo, { type: 'ack', ok: false, why: `a guard does not take ${request.type} from ${from}`, steps: [] });
}

function acknowledge(d: GuardDraft, replyTo: number, ok: boolean): void {
  reply(d, replyTo, { type: 'ack', ok, why: ok ? '' : 'this guard belongs to another cluster', steps: [] });
}

function guardAnswer(outcome: Outcome<Answer>): Outcome<GuardAnswer> {
  if (outcome.kind !== 'done') return outcome;
  const { value } = outcome;
  return value.type === 'guard-answer' ? { kind: 'done', value } : rejected('wrong-answer', value.type);
}

function failsafeAnswer(outcome: Outcome<Answer>): Outcome<FailsafeAnswer> {
  if (outcome.kind !== 'done') return outcome;
  const { value } = outcome;
  return value.type === 'failsafe-answer' ? { kind: 'done', value } : rejected('wrong-answer', value.type);
}

function syncAnswer(outcome: Outcome<Answer>): Outcome<SyncAnswer> {
  if (outcome.kind !== 'done') return outcome;
  const { value } = outcome;
  return value.type === 'sync-answer' ? { kind: 'done', value } : rejected('wrong-answer', value.type);
}

function takeAnswer(d: GuardDraft, pending: Pending, outcome: Outcome<Answer>): void {
  switch (pending.kind) {
    case 'renew':
    case 'register-grant':
      return onRoundAnswer(d, pending, guardAnswer(outcome));
    case 'inquire':
    case 'release': {
      const answer = guardAnswer(outcome);
      const voter = pending.kind === 'inquire' ? pending.voter : pending.release.voter;
      const epoch = pending.kind === 'inquire' ? d.s.durable.noted : pending.release.message.epoch;
      if (answer.kind === 'done') return hearWord(d, voter, answer.value, epoch);
      if (pending.kind === 'release') onReleaseSilent(d, pending.release);
      return;
    }
    case 'failsafe':
      return onFailsafeAnswer(d, pending, failsafeAnswer(outcome));
    case 'sync-off':
      return onSyncAnswer(d, pending, syncAnswer(outcome));
    default:
      return;
  }
}

function takeDeed(d: GuardDraft, id: number, pending: Pending, outcome: WorkOutcome): void {
  switch (pending.kind) {
    case 'look':
      return onLooked(d, { ...pending, kind: 'look' }, outcome);
    case 'ask':
      return onAsked(d, { ...pending, kind: 'ask' }, outcome);
    case 'beat':
      return onBeaten(d, pending, outcome);
    case 'fuse-look':
    case 'fuse-set':
    case 'fuse-clear':
      return onFuse(d, pending, outcome.kind === 'expired' || outcome.kind === 'cancelled' ? null : outcome);
    case 'waits':
      return onWaitsSet(d, pending, outcome);
    case 'work':
      return onWork(d, id, outcome);
    default:
      return;
  }
}
