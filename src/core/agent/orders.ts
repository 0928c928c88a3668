// Orders of a person. All go through the same record and the same rules; the agent that took an order drives it, and if
// it dies the time-out undoes it.

import { isGone } from '../decide/primary.ts';
import type { Ack, Order, OrderRequest, StandbyAdvice } from '../messages.ts';
import type { Outcome } from '../outcome.ts';
import { sameBallot } from '../quorum/ballot.ts';
import { type ClusterRecord, epochOf, sameEpoch } from '../quorum/record.ts';
import { sameRound } from '../quorum/round.ts';
import { soleVoterOf } from '../quorum/sole-voter.ts';
import { guardOf, otherSite, type Site, sites } from '../site.ts';
import { bindingMs, type Ms } from '../time.ts';
import { needsSync, standbyAdvice, type Waiver } from '../verdict/standby.ts';
import { type AgentDraft, ask, reply, set, trace } from './draft.ts';
import {
  chosenOf,
  heardForMs,
  hearsMajority,
  hearsPeer,
  majorityBindsMs,
  peerNotice,
  recent,
  recordOf,
} from './facts.ts';
import { force, stepsOfForce, whyNotForce } from './forcing.ts';
import type { OrderState } from './order-state.ts';
import { orderRejoin } from './rejoining.ts';
import type { Intent } from './state.ts';

/** How long a stopped primary's last WAL may take to arrive before `--accept-loss` goes on without it. */
const arrivalMs: Ms = 2000;

type Failover = Extract<Order, { kind: 'failover' }>;

export function onOrder(d: AgentDraft, from: string, message: OrderRequest, replyTo: number): void {
  const answer = (ok: boolean, why: string, steps: readonly string[] = []): void =>
    reply(d, replyTo, { type: 'ack', ok, why, steps });
  const { order } = message;
  if (order.kind === 'rejoin') return orderRejoin(d, order, from, message.cluster, replyTo);
  const refusal = refuseOrder(d, message);
  if (refusal !== null) return answer(false, refusal);
  if (order.kind !== 'failover' || !order.dryRun) trace(d, 'info', 'order.accepted', { order: order.kind, from });
  switch (order.kind) {
    case 'pause':
      return wantChange(
        d,
        {
          kind: 'mode',
          mode: 'paused',
          reason: order.reason === '' ? `paused by ${from}` : `paused by ${from}: ${order.reason}`,
        },
        answer,
      );
    case 'resume':
      return wantChange(d, { kind: 'mode', mode: 'auto', reason: `resumed by ${from}` }, answer);
    case 'entry':
      return wantChange(d, { kind: 'entry', to: order.to, order: true, reason: `entry moved by ${from}` }, answer);
    case 'restart':
      return restart(d, replyTo);
    case 'failover':
      return failover(d, order, from, answer);
  }
}

type Answer = (ok: boolean, why: string, steps?: readonly string[]) => void;

function refuseOrder(d: AgentDraft, message: OrderRequest): string | null {
  const record = recordOf(d.s);
  if (record === null) return 'this agent knows no cluster record: was the cluster founded with `siteward init`?';
  if (message.cluster !== '' && message.cluster !== record.cluster)
    return `this agent serves cluster ${record.cluster}, not ${message.cluster}`;
  if (d.s.voter.amnesia) return 'this agent has lost its state and does not vote: it needs `siteward agent rejoin`';
  if (!d.s.durable.founded) return `the cluster is new: waiting for ${record.primary}'s guard to hold its first lease`;
  const busy = d.s.order !== null || d.s.modeOrder !== null || (peerNotice(d.s, d.at.now)?.orderMs ?? 0) > 0;
  if (busy && (message.order.kind !== 'failover' || !message.order.dryRun)) return 'another order is under way';
  const sole = soleVoterOf(record);
  if (sole !== null && sole !== d.s.me)
    return `${sole}'s agent is the only voter of era ${record.era.number}: give the order to it`;
  const force = message.order.kind === 'failover' && message.order.force;
  if (sole === null && !force && !hearsMajority(d.s, d.at.now))
    return 'no other voter is heard, so nothing can be changed';
  return null;
}

function wantChange(d: AgentDraft, intent: Intent, answer: Answer): void {
  const id = d.s.nextId;
  const until = d.at.now + d.s.settings.orderTimeoutMs;
  set(d, { nextId: id + 1, modeOrder: { intent, id, until, chosen: false } });
  answer(true, `order ${id}`);
}

/** The guard's answer is the person's; where it does not say, neither do we. */
function restart(d: AgentDraft, replyTo: number): void {
  const record = recordOf(d.s);
  if (record === null) return;
  const { voter, settings } = d.s;
  ask(
    d,
    guardOf(record.primary),
    {
      type: 'guard-order',
      cluster: voter.durable.cluster ?? '',
      epoch: epochOf(record),
      order: 'restart',
      timeoutMs: settings.restartBudgetMs,
    },
    { kind: 'restart', site: record.primary, replyTo },
  );
}

export function onRestartAnswer(d: AgentDraft, site: Site, replyTo: number, outcome: Outcome<Ack>): void {
  if (outcome.kind === 'unknown') return;
  const refusal =
    outcome.kind === 'rejected'
      ? `${site}'s guard cannot be asked: ${outcome.detail}`
      : outcome.value.ok
        ? null
        : `${site}'s guard: ${outcome.value.why}`;
  const taken = `${site}'s guard restarts its database under its lease`;
  reply(d, replyTo, { type: 'ack', ok: refusal === null, why: refusal ?? taken, steps: [] });
}

/** Why this failover cannot be ordered now; "Orders": refused at once, saying until when, while a quarantine would outlast it. */
function unfit(d: AgentDraft, order: Failover, to: Site): string | null {
  const record = recordOf(d.s);
  if (record === null) return 'no record is known';
  if (record.primary === to) return `${to} is the primary already (epoch ${record.epoch})`;
  const waives = order.acceptLoss ? 'loss' : answers(d, record.primary) ? 'sync' : 'nothing';
  const advice = standbyAdvice(d.s, d.at.now, waives);
  if (!advice.mayTakeOver) return `${to} may not take over: ${advice.why}`;
  if (waives === 'sync' && mayGetNoLease(d, to))
    return `${to}'s guard does not hear both agents, and might hold no lease there: mend the link to its database host`;
  const quarantineMs = Math.max(
    d.s.voter.quarantinedUntil - d.at.now,
    (d.s.peer?.view.quarantineMs ?? 0) - (d.at.now - (d.s.peer?.at ?? 0)),
  );
  if (quarantineMs > d.s.settings.orderTimeoutMs)
    return `an agent started a moment ago: no change of primary for ${Math.ceil(quarantineMs / 1000)} s (L4)`;
  return null;
}

/**
 * I7: a primary that nobody forces to move is not moved to where no majority may grant. How the standby's guard stands with an agent witness
 * is not known; the register needs one agent only (L5), and without a witness one is enough.
 */
function mayGetNoLease({ s, at }: AgentDraft, to: Site): boolean {
  if (s.settings.witness !== 'agent' || !hearsPeer(s, at.now)) return false;
  const guard = s.guards[to];
  return sites.some((agent) => {
    const unheardMs = guard?.value.unheardMs[agent] ?? 0;
    return guard !== null && unheardMs + (at.now - guard.at) > 2 * heardForMs;
  });
}

/** Every step a failover takes, for `--dry-run`; the same list the order then goes through. */
export function stepsOf(d: AgentDraft, order: Failover, to: Site): readonly string[] {
  const record = recordOf(d.s);
  if (record === null) return [];
  const from = record.primary;
  const planned = answers(d, from);
  const { settings } = d.s;
  return [
    planned
      ? `${from}'s guard: checkpoint, stop the database fast, release its lease (sessions end, instances hold)`
      : `${from}'s guard does not answer: both agents refuse its renewals until its lease has run out`,
    planned
      ? order.acceptLoss
        ? `wait at most ${arrivalMs / 1000} s until ${to} has received all WAL, then go on without the rest (loss accepted)`
        : `wait until ${to} has received all WAL up to the shutdown checkpoint`
      : `${to} is promoted with what it has received${order.acceptLoss ? ' (loss accepted)' : ''}`,
    `choose the record: epoch ${record.epoch + 1}, primary ${to}, entry ${record.entry} (unchanged)`,
    `${to}'s guard: lease of epoch ${record.epoch + 1}, promote, write the epoch`,
    `applications of both sites (${settings.instances.site1.length + settings.instances.site2.length} instances): .env of ${to}, reload, verify`,
    planned
      ? `${from}'s guard: start its database as the standby of ${to}`
      : `${from}'s database stays fenced when it returns`,
  ];
}

function answers(d: AgentDraft, site: Site): boolean {
  const guard = recent(d.s.guards[site], d.at.now, 2000);
  return guard !== null && guard.database === 'primary';
}

/** A failover past a silent guard has to wait out the longest promise first: Tmax(1+D) later than usual ("Orders"). */
function leaseWaitMs(d: AgentDraft): Ms {
  return bindingMs(d.s.voter.durable.longestTtlMs, d.s.settings.lease.drift);
}

function failover(d: AgentDraft, order: Failover, from: string, answer: Answer): void {
  const record = recordOf(d.s);
  if (record === null) return;
  const to = order.to ?? otherSite(record.primary);
  if (order.force) return forceFailover(d, order, to, from, answer);
  const why = unfit(d, order, to);
  if (order.dryRun)
    return answer(why === null, why ?? `would move the primary from ${record.primary} to ${to}`, stepsOf(d, order, to));
  if (why !== null) return answer(false, why);
  const id = d.s.nextId;
  const { orderTimeoutMs } = d.s.settings;
  const planned = answers(d, record.primary);
  const until = d.at.now + orderTimeoutMs + (planned ? 0 : leaseWaitMs(d));
  const state: OrderState = {
    order,
    id,
    to,
    from: epochOf(record),
    startedAt: d.at.now,
    until,
    phase: planned ? 'asking' : 'refusing',
    checkpoint: null,
  };
  set(d, { nextId: id + 1, order: state, stopped: null, due: { ...d.s.due, state: d.at.now } });
  if (planned) {
    const cluster = d.s.voter.durable.cluster ?? '';
    ask(
      d,
      guardOf(record.primary),
      { type: 'guard-order', cluster, epoch: epochOf(record), order: 'switchover', timeoutMs: orderTimeoutMs },
      { kind: 'guard-order', order: id },
    );
  }
  answer(true, `order ${id}`);
}

function forceFailover(d: AgentDraft, order: Failover, to: Site, from: string, answer: Answer): void {
  const why = whyNotForce(d, order, to);
  if (order.dryRun || why !== null)
    return answer(why === null, why ?? `would force ${to} to be the primary`, stepsOfForce(d, to));
  const failed = force(d, to, from);
  const id = d.s.nextId;
  const outcome = failed === null ? 'done' : 'undone';
  set(d, {
    nextId: id + 1,
    lastOrder: { id, what: `forced failover to ${to}`, outcome, why: failed ?? `epoch ${recordOf(d.s)?.epoch}` },
  });
  answer(true, `order ${id}`);
}

export function onGuardOrderAnswer(d: AgentDraft, id: number, outcome: Outcome<Ack>): void {
  const order = d.s.order;
  if (order === null || order.id !== id || order.phase !== 'asking') return;
  if (outcome.kind === 'done' && !outcome.value.ok) return endOrder(d, 'undone', outcome.value.why);
  // Unknown: it may have taken the order; its release tells. If it is gone, refusing its renewals ends its lease.
  if (outcome.kind !== 'rejected') return set(d, { order: { ...order, phase: 'stopping' } });
  set(d, { order: { ...order, phase: 'refusing', until: order.until + leaseWaitMs(d) } });
}

function endOrder(d: AgentDraft, outcome: 'done' | 'undone', why: string): void {
  const order = d.s.order;
  if (order === null) return;
  trace(d, outcome === 'done' ? 'info' : 'warn', 'order.ended', { order: order.id, to: order.to, outcome, why });
  set(d, {
    order: null,
    lastOrder: { id: order.id, what: `failover to ${order.to}`, outcome, why },
    due: { ...d.s.due, state: d.at.now },
  });
}

export function driveOrders(d: AgentDraft): void {
  driveModeOrder(d);
  const order = d.s.order;
  const record = recordOf(d.s);
  if (order === null || record === null) return;
  if (!sameEpoch(epochOf(record), order.from)) {
    return record.primary === order.to
      ? endOrder(d, 'done', `epoch ${record.epoch}`)
      : endOrder(d, 'undone', `epoch ${record.epoch} made ${record.primary} the primary`);
  }
  // L7: what was given up before, and nobody took (a cool-down, V5), is what the order is for.
  if (isGone(d.s, record) && d.s.gone !== null && d.s.gone.at >= order.startedAt)
    return endOrder(d, 'undone', `${record.primary}'s guard gave its database up meanwhile`);
  if (order.phase === 'proposing' && orderNeedsSync(d, order) && !record.sync)
    return endOrder(d, 'undone', 'zero-loss: the standby may lack what was acknowledged (--accept-loss goes on)');
  const over = order.phase === 'proposing' ? whyCheckpointIsOver(d, order) : null;
  if (over !== null) return endOrder(d, 'undone', over);
  if (d.at.now >= order.until) return endOrder(d, 'undone', whyLate(d, order));
  if (order.phase === 'stopping') awaitCheckpoint(d, order);
  if (order.phase === 'refusing') awaitLease(d, order);
}

/** V5, judged again at each step, since the order may have waited for a lease, or a lost race. */
function adviceFor(d: AgentDraft, order: OrderState): StandbyAdvice {
  return standbyAdvice(d.s, d.at.now, waivedBy(order));
}

function waivedBy({ order, checkpoint }: OrderState): Waiver {
  if (order.acceptLoss) return 'loss';
  return checkpoint === null ? 'nothing' : 'sync';
}

function whyLate(d: AgentDraft, order: OrderState): string {
  const advice = adviceFor(d, order);
  const unfit = advice.mayTakeOver ? '' : ` (${order.to} may not take over: ${advice.why})`;
  const late = 'it took longer than order.timeout';
  if (order.phase !== 'asking' && order.phase !== 'stopping') return `${late}; the old primary goes on${unfit}`;
  const hasStopped = d.s.stopped !== null && sameEpoch(d.s.stopped.epoch, order.from);
  if (hasStopped)
    return `${late}: ${order.to} has not received the shutdown checkpoint; the old primary goes on${unfit}`;
  // "Orders", V8: then it may give the database up, which moves it after all.
  return `${late}: its guard told of no stopped database (it could not be asked, or the database does not stop); it goes on, or is given up if the record says that ${order.to} has everything${unfit}`;
}

/** A switchover needs none (V8): its standby has received all that the old primary ever wrote. */
function orderNeedsSync(d: AgentDraft, order: OrderState): boolean {
  return needsSync(d.s, waivedBy(order));
}

/** The change is proposed only when the standby has received *beyond* the start of the shutdown checkpoint record. */
function awaitCheckpoint(d: AgentDraft, order: OrderState): void {
  const { stopped } = d.s;
  if (stopped === null || !sameEpoch(stopped.epoch, order.from)) return;
  const received = Math.max(
    d.s.standbySeen?.value.received ?? 0,
    recent(d.s.guards[order.to], d.at.now, 2000)?.position ?? 0,
  );
  const enough = stopped.position !== null && received > stopped.position;
  // A loss that was accepted in words is still not made without need: what is on its way gets its time to arrive.
  const waited = d.at.now - stopped.at >= arrivalMs;
  if (!enough && !(order.order.acceptLoss && waited))
    return set(d, { due: { ...d.s.due, probe: Math.min(d.s.due.probe, d.at.now + 50) } });
  set(d, { order: { ...order, phase: 'proposing', checkpoint: stopped.position === null ? null : stopped } });
}

/** L7: what the old primary may since have acknowledged lacks at the standby, so its checkpoint proves nothing any more. */
function whyCheckpointIsOver(d: AgentDraft, { checkpoint, from }: OrderState): string | null {
  if (checkpoint === null) return null;
  const { stopped } = d.s;
  const chosen = chosenOf(d.s);
  if (stopped === null || !sameRound(stopped.round, checkpoint.round))
    return `the old primary's guard went on in epoch ${from.epoch}`;
  if (chosen === null || sameBallot(chosen.ballot, checkpoint.under)) return null;
  return 'another change of the record came between the stop and the move: give the order again';
}

function awaitLease(d: AgentDraft, order: OrderState): void {
  const record = recordOf(d.s);
  if (record === null || majorityBindsMs(d.s, { ...record, epoch: record.epoch + 1, primary: order.to }, d.at.now) > 0)
    return;
  set(d, { order: { ...order, phase: 'proposing' } });
}

function driveModeOrder(d: AgentDraft): void {
  const wanted = d.s.modeOrder;
  const record = recordOf(d.s);
  if (wanted === null || record === null) return;
  const { intent } = wanted;
  // Q4: what this agent knows may be old; only a change chosen for this order tells that it holds.
  const reached = wanted.chosen && isReached(intent, record);
  if (!reached && d.at.now < wanted.until) return;
  const what = intent.kind === 'mode' ? intent.mode : intent.kind === 'entry' ? `entry to ${intent.to}` : intent.kind;
  set(d, {
    modeOrder: null,
    lastOrder: {
      id: wanted.id,
      what,
      outcome: reached ? 'done' : 'undone',
      why: reached ? '' : 'no majority accepted it within order.timeout',
    },
  });
  trace(d, reached ? 'info' : 'warn', 'order.ended', { order: wanted.id, what, outcome: reached ? 'done' : 'undone' });
}

function isReached(intent: Intent, record: ClusterRecord): boolean {
  if (intent.kind === 'mode') return record.mode === intent.mode;
  return intent.kind === 'entry' && record.entry === intent.to;
}

/** The change of the record that an order wants now, if any. */
export function orderIntent(d: AgentDraft): Intent | null {
  const { order, modeOrder } = d.s;
  if (order !== null && order.phase === 'proposing') {
    if (!adviceFor(d, order).mayTakeOver) return null;
    return {
      kind: 'primary',
      to: order.to,
      from: order.from,
      entryToo: false,
      order: true,
      needsSync: orderNeedsSync(d, order),
      onto: order.checkpoint?.under ?? null,
      reason: 'ordered by a person',
    };
  }
  return modeOrder?.intent ?? null;
}

/** For how long an order still keeps verdicts at rest; told to the peer. */
export function orderLeftMs(d: AgentDraft): Ms {
  return d.s.order === null ? 0 : Math.max(1, d.s.order.until - d.at.now);
}
