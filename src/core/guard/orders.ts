// "Orders", the guard's part: a switchover (stop, report the position, release, hold still) and a restart under the lease.

import type { GuardOrder } from '../messages.ts';
import { sameEpoch, showEpoch } from '../quorum/record.ts';
import { type GuardDraft, reply, set, setDb, setDurable, trace } from './draft.ts';
import { leaseUsable } from './facts.ts';
import { beginFence, endOrder } from './fencing.ts';
import { startWork, type WorkOutcome } from './work.ts';

/** The longest an order may keep this guard from its duty, whatever the message says. */
const longestOrderMs = 120_000;

export function onGuardOrder(d: GuardDraft, message: GuardOrder, replyTo: number): void {
  const why = whyNot(d, message);
  reply(d, replyTo, { type: 'ack', ok: why === null, why: why ?? '', steps: [] });
  if (why !== null) return trace(d, 'warn', 'order.refused', { order: message.order, why });
  const timeoutMs = Math.min(message.timeoutMs, longestOrderMs);
  const { order, epoch } = message;
  set(d, { order: { kind: order, epoch, until: d.at.now + timeoutMs, phase: 'stopping' } });
  trace(d, 'info', 'order.accepted', { order, epoch: showEpoch(epoch), timeoutMs });
  // The lease is renewed on while it stops: a stop that takes long is no reason to be killed.
  startWork(d, { kind: 'stop-fast' }, timeoutMs, null);
}

function whyNot(d: GuardDraft, message: GuardOrder): string | null {
  const { s, at } = d;
  if (message.cluster !== s.durable.cluster) return 'another cluster';
  if (s.order !== null || s.hold !== null || s.leaving !== null) return 'another order or a release is under way';
  if (s.lease === null || !leaseUsable(s, at.now)) return 'this guard holds no lease';
  if (!sameEpoch(s.lease.epoch, message.epoch)) return `this guard is in epoch ${showEpoch(s.lease.epoch)}`;
  if (s.db.role !== 'primary' || s.db.work !== null || s.fencing !== null)
    return 'the database does not run as a primary';
  return null;
}

export function onStoppedFast(d: GuardDraft, outcome: WorkOutcome): void {
  const { order } = d.s;
  if (outcome.kind !== 'done' || outcome.value.kind !== 'stopped-fast' || order === null) {
    const why = 'detail' in outcome ? outcome.detail : outcome.kind;
    // It may serve on, or hang half stopped: questions tell, and what does not answer is killed and started again.
    setDb(d, { role: 'unknown', unknownSince: d.at.now, stopFailed: order?.kind ?? 'stop' });
    // "Orders": then it goes on in the old epoch; what it takes to get there is a restart, and no failure.
    set(d, { restingUntil: d.at.now + d.s.settings.restartBudgetMs });
    return endOrder(d, 'undone', `the database did not stop: ${why}`);
  }
  setDb(d, { role: 'none', promoting: false, server: null });
  if (order.kind === 'restart') return set(d, { order: { ...order, phase: 'starting' } });
  const { checkpoint } = outcome.value;
  trace(d, 'info', 'database.stopped', { by: 'order', checkpoint });
  set(d, { order: null });
  // V8: undone, it may have left the change half done (Q5), onto a record that does not say `sync`: until a fresh change has
  // buried it, whatever this database acknowledges has to be on the standby.
  if (d.s.settings.replication === 'zero-loss' && !d.s.durable.waits) setDurable(d, { waits: true });
  // L7: every process of it killed, start inhibited; then the release tells the position.
  beginFence(d, 'order', {
    cause: 'order',
    gone: false,
    position: checkpoint,
    holdMs: 0,
    orderUntil: order.until,
  });
}

/** A restart that takes longer than its time no longer keeps verdicts at rest. */
export function driveOrders(d: GuardDraft): void {
  const { order } = d.s;
  if (order === null || order.phase === 'stopping' || d.at.now < order.until) return;
  endOrder(d, 'undone', 'the database did not accept writes in time');
}
