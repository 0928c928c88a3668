// The agent's dealings with the register: when it is read (L5), the grants and releases it runs for guards (L5, L7), and
// what an answer means (W2, W3). At most one read and one swap are out at a time, so that one agent never races itself.

import type { Lsn } from '../lsn.ts';
import type { Refusal } from '../messages.ts';
import type { Outcome } from '../outcome.ts';
import { type EpochId, epochOf, sameEpoch } from '../quorum/record.ts';
import { absorbRead, absorbValue, isCurrent, registerBindsMs, withGrant, withRelease } from '../quorum/register.ts';
import type { RegisterRead, RegisterState } from '../quorum/register-state.ts';
import { compareRounds, showRound } from '../quorum/round.ts';
import { changesPrimary, grantableMs, toldOfGrant } from '../quorum/voter.ts';
import type { Site } from '../site.ts';
import { type AgentDraft, isPending, readRegister, reply, set, swapRegister, trace } from './draft.ts';
import { chosenOf, hearsPeer, recordOf } from './facts.ts';
import { guardAnswer } from './grants.ts';
import { hearBallots } from './hear.ts';
import { hearPosition } from './positions.ts';
import { refusesNow } from './refusing.ts';
import { type Intent, type Pending, type QueuedGrant, rulesOf } from './state.ts';

/** While something is amiss the register is read this often: within R2's 2 s, and one request a second (Route 53). */
const attentiveReadMs = 1000;

export function isReading(d: AgentDraft): boolean {
  return isPending(d, (p) => p.kind === 'register-read');
}

export function isSwapping(d: AgentDraft): boolean {
  return isPending(d, (p) => p.kind.startsWith('register-') && p.kind !== 'register-read');
}

/** Between two reads that something waits for; after one that failed at once (throttling) the next one has to help it. */
const readAgainMs = { done: 100, failed: 500 };

export function readSoon(d: AgentDraft): void {
  const failed = d.s.register.heardAt === null || d.s.register.heardAt < d.s.registerReadAt;
  if (!isReading(d) && d.at.now - d.s.registerReadAt >= readAgainMs[failed ? 'failed' : 'done']) readRegister(d);
}

export function driveRegister(d: AgentDraft): void {
  if (d.s.settings.witness !== 'route53' || d.s.voter.durable.cluster === null) return;
  expireGrants(d);
  if (!isSwapping(d)) runGrant(d);
  if (!isSwapping(d)) runRelease(d);
  if (isReading(d) || d.at.now < nextReadAt(d)) return;
  const { longRoundAt } = d.s;
  // Looked at once: a long round whose nonce did not move was not granted there.
  if (longRoundAt !== null && d.at.now >= longRoundAt + 3 * d.s.settings.lease.registerLegMs)
    set(d, { longRoundAt: null });
  readRegister(d);
}

export function nextReadAt(d: AgentDraft): number {
  const { lease } = d.s.settings;
  const pace = needsAttention(d) ? attentiveReadMs : lease.watchEveryMs;
  const regular = d.s.registerReadAt + pace;
  // L5: 3d after a long round was seen, unless its nonce was heard of first.
  const afterLong =
    d.s.longRoundAt === null
      ? regular
      : Math.max(d.s.longRoundAt + 3 * lease.registerLegMs, d.s.registerReadAt + attentiveReadMs);
  return Math.min(regular, afterLong);
}

/** L5: at once when the peer or a renewal is missed. */
function needsAttention(d: AgentDraft): boolean {
  const { lease, probe } = d.s.settings;
  const record = recordOf(d.s);
  // A peer without memory is heard, but is no voter: the register is the other one (R2).
  if (d.s.peer === null || d.s.peer.view.amnesia || d.at.now - d.s.peer.at > 2 * probe.everyMs + 200) return true;
  if (d.s.proposal !== null || d.s.register.held === null) return true;
  if (record === null) return false;
  const guard = d.s.guards[record.primary];
  return guard === null || d.at.now - guard.at > 2 * lease.renewEveryMs || d.s.primary.verdict === 'failed';
}

function expireGrants(d: AgentDraft): void {
  const { lease } = d.s.settings;
  const alive = d.s.queuedGrants.filter((grant) => d.at.now - grant.since < 2 * lease.registerLegMs + 200);
  if (alive.length === d.s.queuedGrants.length) return;
  for (const grant of d.s.queuedGrants) if (!alive.includes(grant)) refuseGrant(d, grant, 'register');
  set(d, { queuedGrants: alive });
}

function refuseGrant(d: AgentDraft, grant: QueuedGrant, refusal: Refusal): void {
  const nonce = d.s.register.held?.state.nonce ?? 'released';
  // L1: the later round that stands against this one.
  const round = refusal === 'old-round' && nonce !== 'released' ? nonce.round : grant.ask.round;
  reply(d, grant.replyTo, guardAnswer(d, { granted: null, refusal, round }));
}

/** L5, L7, V4: whether this agent still stands by its own grant of that round. */
export function whyNotRun(d: AgentDraft, ask: QueuedGrant['ask']): Refusal | null {
  const { promise, released } = d.s.voter;
  if (promise === null || promise.site !== ask.site || compareRounds(promise.round, ask.round) < 0)
    return 'not-granted';
  if (compareRounds(ask.round, released[ask.site]) <= 0) return 'released';
  return refusesNow(d.s, ask.epoch, d.at.now) ? 'refusing' : null;
}

/** L5: the value held may be used for a CAS as it is; only a refusal has to rest on a read that is newer than the ask. */
function runGrant(d: AgentDraft): void {
  const grant = d.s.queuedGrants[0];
  if (grant === undefined) return;
  const drop = (): void => set(d, { queuedGrants: d.s.queuedGrants.slice(1) });
  // While it waited its round may have been released, or this agent may have begun to refuse (A1).
  const why = whyNotRun(d, grant.ask);
  if (why !== null) {
    refuseGrant(d, grant, why);
    return drop();
  }
  if (d.s.register.out !== null) {
    refuseGrant(d, grant, 'register');
    return drop();
  }
  if (!isCurrent(d.s.register)) return readSoon(d);
  // After a swap that did not succeed only a read that was sent later tells anything.
  if (grant.retried && (d.s.registerReadAt < grant.since || isReading(d))) return readSoon(d);
  if (grant.sought !== null) {
    drop();
    return isNonce(d, grant.sought) ? granted(d, grant) : refuseGrant(d, grant, 'register');
  }
  const mark = { id: d.at.random.slice(0, 16), position: positionIn(d, grant.ask.epoch) };
  const ask = { ...grant.ask, ttlMs: grantableMs(grant.ask, rulesOf(d.s.settings)) };
  const next = withGrant(d.s.register, ask, mark, d.s.settings.lease.drift, d.at.now);
  if (typeof next === 'string') {
    if (d.s.registerReadAt < grant.since || isReading(d)) return readSoon(d);
    refuseGrant(
      d,
      grant,
      next === 'old-round' || next === 'other-voters' || next === 'not-accepted' ? next : 'register',
    );
    return drop();
  }
  drop();
  swap(d, { kind: 'register-grant', ask: grant.ask, replyTo: grant.replyTo, retried: grant.retried, next });
}

/** V5: the register's word for whoever was cut off meanwhile. */
function positionIn({ s }: AgentDraft, epoch: EpochId): Lsn | null {
  const last = s.lastPrimary;
  return last !== null && sameEpoch(last.epoch, epoch) ? last.position : null;
}

/** L7: the agent of the guard's own site at once; the other one when that agent is not heard. Never retried. */
function runRelease(d: AgentDraft): void {
  const release = d.s.queuedReleases[0];
  if (release === undefined) return;
  const state = d.s.register.held?.state;
  const drop = (): void => set(d, { queuedReleases: d.s.queuedReleases.slice(1) });
  if (d.s.register.out !== null || (release.site !== d.s.me && hearsPeer(d.s, d.at.now))) return drop();
  if (state === undefined || !isCurrent(d.s.register)) return readSoon(d);
  const next = withRelease(state, release.site, release.round);
  drop();
  if (next !== null) swap(d, { kind: 'register-release', next });
}

/** Swaps from exactly the value held. */
export function swap(d: AgentDraft, pending: Extract<Pending, { next: RegisterState }>): void {
  const held = d.s.register.held;
  if (held !== null) swapRegister(d, held.text, pending);
}

export function onRegisterRead(d: AgentDraft, serialAtSend: number, outcome: Outcome<RegisterRead>): void {
  if (outcome.kind !== 'done') {
    trace(d, 'debug', 'register.silent', { why: outcome.kind === 'rejected' ? outcome.code : outcome.detail });
    return;
  }
  const before = d.s.register;
  const { state } = outcome.value;
  if (typeof state === 'object' && state.cluster === d.s.voter.durable.cluster)
    hearBallots(d, [state.promised, state.accepted.ballot]);
  // Q0: it is created last; before the cluster is founded "no record" is not a fault (W3 begins after the bootstrap).
  if (outcome.value.text === null && !d.s.durable.founded) return;
  const mind = absorbRead(before, outcome.value, serialAtSend, d.s.voter.durable.cluster ?? '', d.at.now);
  takeUp(d, mind);
  if (mind.out !== null && before.out === null) trace(d, 'error', 'register.out', { why: mind.out });
  if (mind.out === null && before.out !== null) trace(d, 'info', 'register.in', { serial: mind.serial });
}

function takeUp(d: AgentDraft, mind: AgentDraft['s']['register']): void {
  const nonceMoved = mind.watch?.id !== d.s.register.watch?.id;
  set(d, {
    register: mind,
    longRoundAt: nonceMoved ? null : d.s.longRoundAt,
    durable: mind.serial > d.s.durable.registerSerial ? { ...d.s.durable, registerSerial: mind.serial } : d.s.durable,
  });
  const { state } = mind.held ?? {};
  if (state != null && state.position !== null)
    hearPosition(d, { epoch: epochOf(state.accepted.record), position: state.position });
}

/** W2: only a CAS that succeeded counts; after anything else the value held is no longer trusted and is read again. */
export function absorbSwap(d: AgentDraft, text: string, next: RegisterState): void {
  // A swap that succeeded proves what is there: the register is in (W3), also right after it was created.
  const known = { ...d.s.register, out: null, found: null, lowReads: 0, heardAt: d.at.now };
  takeUp(d, absorbValue(known, text, next, d.at.now));
}

export function distrustRegister(d: AgentDraft): void {
  set(d, { register: { ...d.s.register, held: null } });
  if (!isReading(d)) readRegister(d);
}

export function onGrantSwapped(
  d: AgentDraft,
  pending: Extract<Pending, { kind: 'register-grant' }>,
  outcome: Outcome<{ text: string }>,
): void {
  const { ask, replyTo } = pending;
  if (outcome.kind === 'done') {
    absorbSwap(d, outcome.value.text, pending.next);
    return granted(d, pending);
  }
  distrustRegister(d);
  if (outcome.kind === 'rejected' && pending.retried)
    return reply(d, replyTo, guardAnswer(d, { granted: null, refusal: 'register', round: ask.round }));
  // Looked at again after a read: for our own nonce where the answer was lost (W2), else for one retry, since the other
  // writer is our peer, and it writes seldom (Q9).
  const { nonce } = pending.next;
  const sought = outcome.kind === 'unknown' && nonce !== 'released' ? nonce.id : null;
  const again = { ask, replyTo, since: d.at.now, retried: true, sought };
  set(d, { queuedGrants: [again, ...d.s.queuedGrants] });
}

function isNonce(d: AgentDraft, id: string): boolean {
  const nonce = d.s.register.held?.state.nonce;
  return nonce !== undefined && nonce !== 'released' && nonce.id === id;
}

function granted(d: AgentDraft, { ask, replyTo }: Pick<QueuedGrant, 'ask' | 'replyTo'>): void {
  // L5: who ran a grant tells its peer the nonce at once.
  set(d, { due: { ...d.s.due, state: d.at.now }, longRoundAt: null });
  trace(d, 'debug', 'register.granted', { site: ask.site, round: showRound(ask.round), ttlMs: ask.ttlMs });
  reply(d, replyTo, guardAnswer(d, { ...toldOfGrant('witness', ask, rulesOf(d.s.settings)), round: ask.round }));
}

/** Q9: a record of the same primary is written at most every witnessEvery (grants do not count), and waits while the register may be needed for the lease. */
export function mayWriteSamePrimary(d: AgentDraft): boolean {
  const { lease } = d.s.settings;
  const record = recordOf(d.s);
  if (d.s.queuedGrants.length > 0 || d.at.now - d.s.registerWroteAt < lease.witnessEveryMs) return false;
  const guard = record === null ? null : d.s.guards[record.primary];
  if (guard === null) return true;
  const ageMs = d.at.now - guard.at;
  // A guard that is not heard misses at least this agent's grants since it was heard last.
  if (guard.value.missingMs === 0 && ageMs <= 2 * lease.renewEveryMs) return true;
  return guard.value.missingMs + ageMs >= lease.ttlMs;
}

/**
 * Q9, before a ballot is taken: without the peer a round of this intent ends at the register, which is left to the lease
 * now. Where the two hold different primaries the round may change one, and Q9 is not about that.
 */
export function isLeftToLease(d: AgentDraft, intent: Intent): boolean {
  if (d.s.settings.witness !== 'route53' || hearsPeer(d.s, d.at.now)) return false;
  if (intent.kind === 'primary' || intent.kind === 'rejoin') return false;
  const state = d.s.register.held?.state;
  if (state === undefined || !isCurrent(d.s.register)) return false;
  return !changesPrimary(d.s.voter, state.accepted.record) && !mayWriteSamePrimary(d);
}

/** Whether the register may be given the record chosen, for Q5, and is behind it at all. */
export function registerStray(d: AgentDraft): 'even' | 'behind' | 'beyond' {
  const chosen = chosenOf(d.s);
  const state = d.s.register.held?.state;
  if (chosen === null || state === undefined || !isCurrent(d.s.register)) return 'even';
  const { counter, voter } = state.accepted.ballot;
  if (counter === chosen.ballot.counter && voter === chosen.ballot.voter) return 'even';
  const promised = state.promised;
  const beyond =
    promised.counter > chosen.ballot.counter ||
    (promised.counter === chosen.ballot.counter && promised.voter > chosen.ballot.voter);
  return beyond ? 'beyond' : 'behind';
}

/** L6: whether the register may take `primary` now. */
export function registerIsFreeFor(d: AgentDraft, primary: Site): boolean {
  const state = d.s.register.held?.state;
  if (state === undefined) return false;
  return (
    state.accepted.record.primary === primary || registerBindsMs(d.s.register, d.s.settings.lease.drift, d.at.now) === 0
  );
}

/** L4: for a register whose wait begins anew: never used before, of the longest ttl that this agent granted or may grant. */
export function freshNonce({ s, at }: AgentDraft): { readonly id: string; readonly ttlMs: number } {
  return { id: at.random.slice(0, 16), ttlMs: s.voter.durable.longestTtlMs };
}
