// V8, docs/decisions/0007: whether commits wait for the standby, and what the agents are told of it. Level-triggered: what
// the disk says is made so; what the mode wants is written to the disk first, and falling back takes an answer of an
// agent to a question of this very time.

import type { SyncAnswer } from '../messages.ts';
import type { ServerReport, SyncReport } from '../observe/observation.ts';
import type { Outcome } from '../outcome.ts';
import { epochOf, sameEpoch, showEpoch } from '../quorum/record.ts';
import { sameRound, showRound } from '../quorum/round.ts';
import { isLaterChosen } from '../quorum/voter.ts';
import { agentOf, sites } from '../site.ts';
import type { Instant, Ms } from '../time.ts';
import type { GuardDeedValue } from './deeds.ts';
import { ask, type GuardDraft, isPending, perform, set, setDue, setDurable, trace } from './draft.ts';
import { fenceInstant, syncApplies, waitingIsProven } from './facts.ts';
import { learnChosen } from './hear.ts';
import { takeRound } from './rounds.ts';
import type { GuardState, Pending, Syncing } from './state.ts';

/** A standby that comes and goes would stall writes each time: it has to stay for so long first. */
const calmMs: Ms = 5000;
const setMs: Ms = 3000;
const againMs: Ms = 1000;
const askAgainMs: Ms = 500;
/** While writes stall every look counts. */
const lookAgainMs: Ms = 250;

function setSync(d: GuardDraft, change: Partial<Syncing>): void {
  set(d, { sync: { ...d.s.sync, ...change } });
}

/** As long as one verdict takes to be confirmed (V1): a standby that is only restarted costs a moment, no record. */
function patienceMs(s: GuardState): Ms {
  return s.settings.probe.confirm * s.settings.probe.everyMs;
}

function isDown(s: GuardState, now: Instant): boolean {
  return s.sync.missed >= 2 && now - s.sync.upAt >= patienceMs(s);
}

/** What the mode wants now; `durable.waits` stays as it is while nothing speaks for a change. */
function wantsWaiting(s: GuardState, now: Instant): boolean {
  switch (s.settings.replication) {
    case 'async':
      return false;
    case 'zero-loss-strict':
      return true;
    case 'zero-loss':
      if (s.durable.waits) return !isDown(s, now);
      return s.sync.upSince !== null && now - s.sync.upSince >= calmMs;
  }
}

export function driveSyncing(d: GuardDraft): void {
  const { now } = d.at;
  if (!syncApplies(d.s, now)) {
    if (d.s.sync.asking !== null) setSync(d, { asking: null });
    return;
  }
  const wants = wantsWaiting(d.s, now);
  // A server that waits though the disk does not say so: a guard before this one was on its way, or the disk was put back.
  const found = d.s.db.server?.value.sync?.waits === true && !d.s.sync.released;
  // The record of this epoch rests on this guard's word, which it does not remember any more.
  const said = d.s.durable.chosen?.record.sync === true;
  if ((wants || found || said) && !d.s.durable.waits) {
    setDurable(d, { waits: true });
    // Nobody has looked yet at how a standby does that commits wait for.
    setSync(d, { provenIn: null, upAt: now, missed: 0, released: false, retryAt: now });
  }
  if (wants && d.s.sync.asking !== null) {
    trace(d, 'info', 'sync.kept', { ask: showRound(d.s.sync.asking.ask) });
    setSync(d, { asking: null });
  }
  if (!wants && d.s.durable.waits) driveAsking(d);
  driveSetting(d);
}

/** Makes the server do what the disk says. */
function driveSetting(d: GuardDraft): void {
  const { s, at } = d;
  const seen = s.db.server?.value.sync ?? null;
  if (seen === null || s.lease === null || at.now < s.sync.retryAt || isPending(d, 'waits')) return;
  const on = s.durable.waits;
  // Without a standby there is nothing to prove, and nothing that could wait in vain is left out.
  const due = on ? !seen.waits || (!waitingIsProven(s) && s.sync.upSince !== null) : seen.waits;
  if (!due) return;
  setSync(d, { retryAt: at.now + againMs, provenIn: null });
  const meaning = { kind: 'waits', on, serial: s.db.serial } as const;
  perform(d, 'waits', { kind: 'set-waits', on }, meaning, setMs, fenceInstant(s, s.lease) - 1);
}

export function onWaitsSet(
  d: GuardDraft,
  pending: Extract<Pending, { kind: 'waits' }>,
  outcome: Outcome<GuardDeedValue> | { readonly kind: 'expired' | 'cancelled' },
): void {
  setDue(d, { ask: d.at.now });
  if (outcome.kind === 'done') {
    trace(d, 'info', pending.on ? 'sync.waiting' : 'sync.fallen-back', { epoch: showLeaseEpoch(d.s) });
    if (pending.on && d.s.durable.waits) setSync(d, { provenIn: pending.serial });
    return;
  }
  const why = 'detail' in outcome ? outcome.detail : outcome.kind;
  trace(d, 'warn', 'sync.not-set', { on: pending.on, why });
}

function showLeaseEpoch(s: GuardState): string | null {
  return s.lease === null ? null : showEpoch(s.lease.epoch);
}

/** Asks both agents until one answers; each time anew, whatever an earlier record said. */
function driveAsking(d: GuardDraft): void {
  const { s, at } = d;
  const { asking } = s.sync;
  if (asking !== null && at.now < asking.nextAt) return;
  if (asking === null) {
    const fresh = takeRound(d);
    trace(d, 'warn', 'sync.asked', { ask: showRound(fresh), epoch: showLeaseEpoch(s), sinceMs: at.now - s.sync.upAt });
    setSync(d, { asking: { ask: fresh, nextAt: at.now } });
  }
  sendQuestion(d);
}

function sendQuestion(d: GuardDraft): void {
  const { s, at } = d;
  const { asking } = s.sync;
  if (asking === null || s.lease === null) return;
  setSync(d, { asking: { ...asking, nextAt: at.now + askAgainMs } });
  const cluster = s.durable.cluster ?? s.settings.cluster;
  const { voters, peerDeadlineMs } = s.settings;
  const question = { type: 'sync-off', cluster, voters, epoch: s.lease.epoch, site: s.me, ask: asking.ask } as const;
  for (const site of sites) {
    ask(d, agentOf(site), question, { kind: 'sync-off', voter: site, ask: asking.ask }, peerDeadlineMs);
  }
}

export function onSyncAnswer(
  d: GuardDraft,
  pending: Extract<Pending, { kind: 'sync-off' }>,
  outcome: Outcome<SyncAnswer>,
): void {
  if (outcome.kind !== 'done') return;
  const { ok, chosen, ask: about } = outcome.value;
  const known = d.s.durable.chosen;
  if (chosen === null || !learnChosen(d, chosen)) return;
  const { lease, sync } = d.s;
  if (!ok || sync.asking === null || lease === null) return;
  if (!sameRound(about, sync.asking.ask) || !sameRound(pending.ask, about)) return;
  const later = known !== null && isLaterChosen(known, chosen);
  if (later || chosen.record.sync || !sameEpoch(epochOf(chosen.record), lease.epoch)) {
    // A later record is known than the one that this answer rests on: a new question, with a number of its own.
    return setSync(d, { asking: null });
  }
  // On disk before it is done; from here on no word of this guard names a ballot.
  setDurable(d, { waits: false });
  setSync(d, { asking: null, provenIn: null, upSince: null, released: true, retryAt: d.at.now });
  trace(d, 'warn', 'sync.off', { ask: showRound(about), stalledMs: d.at.now - sync.upAt, told: pending.voter });
}

/** A look at a running primary: whether its standby is there and keeps up with what was written before the look before. */
export function noteSync(d: GuardDraft, server: ServerReport, before: ServerReport | null): void {
  const { sync } = server;
  const { now } = d.at;
  if (sync === null) return setSync(d, { upSince: null });
  const { upSince, missed } = d.s.sync;
  if (
    sync.standby !== 'none' &&
    keepsUp(sync, before) &&
    !(d.s.durable.waits && sync.waits && sync.standby === 'async')
  ) {
    return setSync(d, { upAt: now, missed: 0, upSince: before === null ? now : (upSince ?? now) });
  }
  setSync(d, { missed: missed + 1, upSince: null });
  if (d.s.durable.waits) setDue(d, { ask: now + lookAgainMs });
}

/** A link that was cut leaves the server's own view of its standby as it was, for a minute. */
function keepsUp(sync: SyncReport, before: ServerReport | null): boolean {
  if (before === null || sync.flushed === null) return true;
  return sync.flushed >= before.position || sync.flushed > (before.sync?.flushed ?? sync.flushed);
}
