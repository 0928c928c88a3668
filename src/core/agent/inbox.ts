// Each event to the room it belongs to. Who sent a request was proved by its key before it came here.

import type { Answer, Request } from '../messages.ts';
import type { Outcome } from '../outcome.ts';
import { rejected } from '../outcome.ts';
import { sameBallot, showBallot } from '../quorum/ballot.ts';
import { accept, prepare, viewOf, withDurable } from '../quorum/voter.ts';
import { longestTtl } from '../settings.ts';
import { guardSite, type PeerId, type VoterId, voterOf } from '../site.ts';
import type { AgentDeedValue, AgentEvent } from './deeds.ts';
import { type AgentDraft, reply, set, swapRegister, take, trace } from './draft.ts';
import { waitsForWords } from './facts.ts';
import { onInquire, onRegisterGrant, onRelease, onRenew } from './grants.ts';
import { hearChosen, hearMemoryOfUs, hearProposer, hearRegisterWord, hearTelling, hearVoter } from './hear.ts';
import { onBalancerReport, onPrimaryReport, onStandbyReport } from './judging.ts';
import { onGuardOrderAnswer, onOrder, onRestartAnswer } from './orders.ts';
import { onAccepted, onPrepared, onRecordSwapped } from './proposing.ts';
import { absorbSwap, distrustRegister, onGrantSwapped, onRegisterRead } from './register-io.ts';
import { onRejoin, onRejoined, onTicket, onWordAnswer } from './rejoining.ts';
import { type Pending, rulesOf } from './state.ts';
import { statusOf } from './status.ts';
import { onSyncOff } from './syncing.ts';

export function takeEvent(d: AgentDraft, event: AgentEvent): void {
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
    case 'register-read': {
      const pending = take(d, event.id);
      if (pending?.kind === 'register-read') onRegisterRead(d, pending.serialAtSend, event.outcome);
      return;
    }
    case 'register-swapped': {
      const pending = take(d, event.id);
      if (pending !== null) takeSwap(d, pending, event.outcome);
      return;
    }
    case 'acted': {
      const pending = take(d, event.id);
      if (pending?.kind === 'deed') takeDeed(d, pending, event.outcome);
      return;
    }
  }
}

function takeRequest(d: AgentDraft, from: PeerId, request: Request, replyTo: number): void {
  const guard = guardSite(from);
  const voter = voterOf(from);
  if (guard !== null) return takeFromGuard(d, guard, request, replyTo);
  if (voter !== null && voter !== d.s.me) return takeFromVoter(d, voter, request, replyTo);
  if (from.startsWith('operator:')) return takeFromOperator(d, from, request, replyTo);
  refuse(d, replyTo, `an agent takes no ${request.type} from ${from}`);
}

function refuse(d: AgentDraft, replyTo: number, why: string): void {
  reply(d, replyTo, { type: 'ack', ok: false, why, steps: [] });
}

function takeFromGuard(
  d: AgentDraft,
  site: NonNullable<ReturnType<typeof guardSite>>,
  request: Request,
  replyTo: number,
): void {
  switch (request.type) {
    case 'renew':
      return onRenew(d, site, request, replyTo);
    case 'register-grant':
      return onRegisterGrant(d, site, request, replyTo);
    case 'release':
      return onRelease(d, site, request, replyTo);
    case 'inquire':
      return onInquire(d, site, request, replyTo);
    case 'sync-off':
      return onSyncOff(d, site, request, replyTo);
    default:
      return refuse(d, replyTo, `an agent takes no ${request.type} from a guard`);
  }
}

function takeFromVoter(d: AgentDraft, voter: VoterId, request: Request, replyTo: number): void {
  const { settings } = d.s;
  switch (request.type) {
    case 'prepare': {
      hearProposer(d, voter, request);
      const before = d.s.voter;
      const { voter: next, refusal } = waitsForWords(d.s, d.at.now)
        ? { voter: before, refusal: 'busy' as const }
        : prepare(before, request, rulesOf(settings));
      set(d, { voter: next });
      // Q8: what it held before this promise, which would hide that its disk went back.
      const view = viewOf(before, d.at.now);
      return reply(d, replyTo, { type: 'promise', promised: refusal === null, refusal, view });
    }
    case 'accept': {
      hearProposer(d, voter, request);
      const before = d.s.voter;
      const { voter: next, refusal } = waitsForWords(d.s, d.at.now)
        ? { voter: before, refusal: 'busy' as const }
        : accept(before, request, rulesOf(settings), d.at.now);
      set(d, { voter: next });
      if (next !== before)
        trace(d, 'info', 'vote.granted', {
          ballot: showBallot(request.ballot),
          epoch: request.record.epoch,
          primary: request.record.primary,
          to: voter,
        });
      return reply(d, replyTo, { type: 'accepted', accepted: refusal === null, refusal, view: viewOf(next, d.at.now) });
    }
    case 'rejoin':
      return onRejoin(d, request, replyTo);
    case 'rejoined':
      return onRejoined(d, voter, request, replyTo);
    case 'chosen':
      hearChosen(d, request.chosen, `told by ${voter}`);
      return reply(d, replyTo, { type: 'ack', ok: true, why: '', steps: [] });
    case 'state':
      if (request.cluster === d.s.voter.durable.cluster && request.voters === settings.voters) {
        hearMemoryOfUs(d, request);
        hearVoter(d, voter, request.view, request, null);
        hearRegisterWord(d, request);
      } else if (d.s.voter.durable.cluster === null && request.voters === settings.voters) {
        hearMemoryOfUs(d, request);
      } else if (request.view.chosen !== null) {
        hearChosen(d, request.view.chosen, `told by ${voter}`);
      }
      return reply(d, replyTo, {
        type: 'view',
        view: viewOf(d.s.voter, d.at.now),
        lastPrimary: d.s.lastPrimary,
      });
    default:
      return refuse(d, replyTo, `an agent takes no ${request.type} from a voter`);
  }
}

function takeFromOperator(d: AgentDraft, from: PeerId, request: Request, replyTo: number): void {
  switch (request.type) {
    case 'status':
      return reply(d, replyTo, { type: 'status-answer', status: statusOf(d.s, d.at) });
    case 'order':
      return onOrder(d, from, request, replyTo);
    case 'init':
      return onInit(d, request, replyTo);
    default:
      return refuse(d, replyTo, `an agent takes no ${request.type} from an operator`);
  }
}

/** Q0: once, with no state here; it may be repeated with the same record only. The register is CREATEd last. */
function onInit(d: AgentDraft, request: Extract<Request, { type: 'init' }>, replyTo: number): void {
  const { accepted } = request;
  const { durable, amnesia } = d.s.voter;
  if (amnesia) return refuse(d, replyTo, 'this agent lost its memory and founds no cluster: siteward agent rejoin');
  if (accepted.record.voters !== d.s.settings.voters)
    return refuse(
      d,
      replyTo,
      'this agent was configured with another voter set: is cluster.yaml the same on every host?',
    );
  const held = durable.accepted;
  if (
    durable.cluster !== null &&
    (durable.cluster !== accepted.record.cluster || held === null || !sameBallot(held.ballot, accepted.ballot))
  ) {
    return refuse(d, replyTo, `this agent belongs to cluster ${durable.cluster} already`);
  }
  if (!request.createRegister) {
    // Repeated: taken already, and perhaps more was promised since, which is never taken back (Q3).
    if (held !== null) return reply(d, replyTo, { type: 'ack', ok: true, why: '', steps: [] });
    set(d, {
      voter: withDurable(d.s.voter, { cluster: accepted.record.cluster, promised: accepted.ballot, accepted }),
    });
    hearChosen(d, accepted, 'founded by a person');
    return reply(d, replyTo, { type: 'ack', ok: true, why: '', steps: [] });
  }
  if (held === null) return refuse(d, replyTo, 'this agent has not taken the record yet: the register comes last');
  if (d.s.register.held?.state.cluster === accepted.record.cluster && d.s.register.out === null)
    return reply(d, replyTo, { type: 'ack', ok: true, why: '', steps: [] });
  const ttlMs = longestTtl(d.s.settings.lease, d.s.settings.witness);
  const nonce = { id: d.at.random.slice(0, 16), site: accepted.record.primary, round: { start: 0, seq: 0 }, ttlMs };
  const next = {
    cluster: accepted.record.cluster,
    serial: 1,
    promised: accepted.ballot,
    accepted,
    nonce,
    position: null,
  };
  swapRegister(d, null, { kind: 'register-create', replyTo, next });
}

function takeSwap(d: AgentDraft, pending: Pending, outcome: Outcome<{ text: string }>): void {
  switch (pending.kind) {
    case 'register-grant':
      return onGrantSwapped(d, pending, outcome);
    case 'register-record':
      return onRecordSwapped(d, pending, outcome);
    case 'register-rejoin':
      // What lies there now is read again before another try.
      if (outcome.kind !== 'done') set(d, { register: { ...d.s.register, found: null } });
      return outcome.kind === 'done' ? absorbSwap(d, outcome.value.text, pending.next) : distrustRegister(d);
    case 'register-release':
      return outcome.kind === 'done' ? absorbSwap(d, outcome.value.text, pending.next) : distrustRegister(d);
    case 'register-create': {
      if (outcome.kind === 'done') absorbSwap(d, outcome.value.text, pending.next);
      else distrustRegister(d);
      const why =
        outcome.kind === 'done'
          ? ''
          : outcome.kind === 'rejected'
            ? `${outcome.code}: ${outcome.detail}`
            : `no answer: ${outcome.detail}`;
      return reply(d, pending.replyTo, { type: 'ack', ok: outcome.kind === 'done', why, steps: [] });
    }
    default:
      return;
  }
}

function takeAnswer(d: AgentDraft, pending: Pending, outcome: Outcome<Answer>): void {
  switch (pending.kind) {
    case 'prepare':
      return onPrepared(d, pending, only(outcome, 'promise'));
    case 'accept':
      return onAccepted(d, pending, only(outcome, 'accepted'));
    case 'repair':
      if (outcome.kind === 'done' && outcome.value.type === 'accepted')
        hearVoter(d, pending.voter, outcome.value.view, null, pending.seen);
      return;
    case 'state':
      if (outcome.kind === 'done' && outcome.value.type === 'view') {
        hearVoter(d, pending.voter, outcome.value.view, null, pending.seen);
        hearTelling(d, pending.voter, outcome.value.lastPrimary);
      }
      return;
    case 'rejoin-ticket':
      return onTicket(d, pending.rejoin, only(outcome, 'rejoin-answer'));
    case 'rejoin-word':
      return onWordAnswer(d, pending.rejoin, only(outcome, 'ack'));
    case 'guard-order':
      return onGuardOrderAnswer(d, pending.order, only(outcome, 'ack'));
    case 'restart':
      return onRestartAnswer(d, pending.site, pending.replyTo, only(outcome, 'ack'));
    default:
      return;
  }
}

/** The answer if it is of the type that was asked for; anything else is no answer to it. */
function only<T extends Answer['type']>(outcome: Outcome<Answer>, type: T): Outcome<Extract<Answer, { type: T }>> {
  if (outcome.kind !== 'done') return outcome;
  if (outcome.value.type === type) return { kind: 'done', value: outcome.value as Extract<Answer, { type: T }> };
  const why = outcome.value.type === 'ack' ? outcome.value.why : `it answered ${outcome.value.type}`;
  return rejected('strange-answer', why);
}

type DeedPending = Extract<Pending, { kind: 'deed' }>;

function takeDeed(
  d: AgentDraft,
  pending: DeedPending,
  outcome: Outcome<AgentDeedValue> | { kind: 'expired' } | { kind: 'cancelled' },
): void {
  const { deed, startedAt } = pending;
  if (outcome.kind !== 'done') {
    if (deed.kind === 'switch-env' || deed.kind === 'point-dns' || deed.kind === 'fence') {
      const why =
        outcome.kind === 'rejected'
          ? `${outcome.code}: ${outcome.detail}`
          : outcome.kind === 'unknown'
            ? outcome.detail
            : outcome.kind;
      trace(d, 'warn', 'step.failed', { step: deed.kind, target: 'site' in deed ? deed.site : deed.entry, why });
    }
    return;
  }
  const { value } = outcome;
  switch (value.kind) {
    case 'primary':
      return deed.kind === 'probe-primary' ? onPrimaryReport(d, deed.site, value.report, startedAt) : undefined;
    case 'standby':
      return deed.kind === 'probe-standby' ? onStandbyReport(d, deed.site, value.report, startedAt) : undefined;
    case 'balancer':
      return deed.kind === 'probe-balancer' ? onBalancerReport(d, deed.site, value.report, startedAt) : undefined;
    case 'instances':
      return deed.kind === 'probe-instances'
        ? set(d, { instances: { ...d.s.instances, [deed.site]: { at: startedAt, value: value.reports } } })
        : undefined;
    case 'env':
      if (deed.kind !== 'read-env' && deed.kind !== 'switch-env') return;
      if (deed.kind === 'switch-env')
        trace(d, 'info', 'env.switched', { site: deed.site, primary: deed.primary, epoch: deed.token.epoch });
      return set(d, { envs: { ...d.s.envs, [deed.site]: { at: d.at.now, value: value.report } } });
    case 'dns':
      if (deed.kind === 'point-dns') trace(d, 'info', 'dns.moved', { entry: deed.entry, value: value.report.value });
      return set(d, { dns: { at: d.at.now, value: value.report } });
    case 'plain':
      if (deed.kind === 'fence') trace(d, 'info', 'database.fenced', { site: deed.site });
      return;
  }
}
