// The register witness as one agent sees it: a voter without a process, opinion or clock (L5, L6, Q9, W1 to W3). This
// file computes the next value, or says why there is none; `wire/` encodes it, the adapter swaps exact strings.

import type { Lsn } from '../lsn.ts';
import type { Refusal } from '../messages.ts';
import type { Site } from '../site.ts';
import { bindingMs, type Instant, type Ms } from '../time.ts';
import { type Ballot, compareBallots } from './ballot.ts';
import { type ClusterRecord, compareEras, epochOf, sameEpoch } from './record.ts';
import type { Nonce, RegisterRead, RegisterState } from './register-state.ts';
import { compareRounds, noRound, type Round } from './round.ts';
import { endsForcedEra } from './sole-voter.ts';
import type { RenewAsk } from './voter.ts';

export type RegisterMind = {
  /** The last value known to be there: read, or written by this agent. */
  readonly held: { readonly text: string; readonly state: RegisterState } | null;
  /** When this agent first knew of the newest nonce (L6: from the arrival of the answer or of its writer's word). */
  readonly watch: { readonly id: string; readonly since: Instant } | null;
  /** Highest serial seen or told of; the role keeps it on disk (W3). */
  readonly serial: number;
  /** Reads in a row with a serial lower than was known when they were sent. */
  readonly lowReads: number;
  /** W3: why it is not used; null when it is in. */
  readonly out: string | null;
  /** While it is out: what lies there, which is what a rejoin replaces (W4). */
  readonly found: RegisterRead | null;
  /** The last answer that showed a usable value: it counts as having heard a voter (R2). */
  readonly heardAt: Instant | null;
};

export const unseenRegister: RegisterMind = {
  held: null,
  watch: null,
  serial: 0,
  lowReads: 0,
  out: null,
  found: null,
  heardAt: null,
};

function idOf(nonce: Nonce | 'released'): string {
  return nonce === 'released' ? 'released' : nonce.id;
}

/** Takes up what a read showed. `serialAtSend` is the highest serial known when the read was sent (W3). */
export function absorbRead(
  mind: RegisterMind,
  read: RegisterRead,
  serialAtSend: number,
  cluster: string,
  now: Instant,
): RegisterMind {
  const gone = (out: string): RegisterMind => ({ ...mind, held: null, out, found: read });
  if (read.text === null || read.state === 'absent') return gone('its record does not exist');
  if (read.state === 'unreadable') return gone('its record cannot be read');
  if (read.state.cluster !== cluster) return gone('its record belongs to another cluster');
  if (read.state.serial < serialAtSend) {
    const lowReads = mind.lowReads + 1;
    // Once may be a stale read; twice running means that somebody put an older value back.
    return lowReads >= 2 ? { ...gone('its record went back to an older value'), lowReads } : { ...mind, lowReads };
  }
  // A value older than one known meanwhile is the past, not a fault.
  if (read.state.serial < mind.serial) return { ...mind, lowReads: 0, heardAt: now };
  return absorbValue({ ...mind, lowReads: 0, out: null, found: null, heardAt: now }, read.text, read.state, now);
}

/** Takes up a value that is known to be there: read, or just written by this agent. */
export function absorbValue(mind: RegisterMind, text: string, state: RegisterState, now: Instant): RegisterMind {
  const id = idOf(state.nonce);
  const watch = mind.watch?.id === id ? mind.watch : { id, since: now };
  return { ...mind, held: { text, state }, watch, serial: Math.max(mind.serial, state.serial) };
}

/** The peer's word (L5: who ran a grant tells its peer the nonce at once; W3: the highest serial). */
export function absorbWord(mind: RegisterMind, serial: number, nonce: string, now: Instant): RegisterMind {
  if (serial <= mind.serial) return mind;
  const watch = mind.watch?.id === nonce ? mind.watch : { id: nonce, since: now };
  return { ...mind, serial, watch };
}

/** Whether the value held is the newest one known of; if not, it has to be read before it is used. */
export function isCurrent(mind: RegisterMind): boolean {
  return mind.out === null && mind.held !== null && mind.held.state.serial >= mind.serial;
}

/** L6: for how long the register may not take another primary; 0 when its nonce is released or watched out. */
export function registerBindsMs(mind: RegisterMind, drift: number, now: Instant): number {
  const state = mind.held?.state;
  if (state === undefined) return Number.POSITIVE_INFINITY;
  if (state.nonce === 'released') return 0;
  if (mind.watch?.id !== state.nonce.id) return bindingMs(state.nonce.ttlMs, drift);
  return Math.max(0, mind.watch.since + bindingMs(state.nonce.ttlMs, drift) - now);
}

/** Q6 at the register: whether `record` would be a change of primary there. */
export function registerChangesPrimary(state: RegisterState, record: ClusterRecord): boolean {
  return state.accepted.record.primary !== record.primary;
}

/**
 * Prepare and accept in one CAS (L6): it proves that nothing came between. The caller has checked that the register is
 * free where `record` changes its primary; accepting another primary releases the nonce.
 */
export function withRecord(
  state: RegisterState,
  ballot: Ballot,
  record: ClusterRecord,
  fresh: { readonly id: string; readonly ttlMs: Ms },
): RegisterState | Refusal {
  if (compareBallots(ballot, state.promised) < 0) return 'promised-more';
  // "Orders": a record of a forced era is not written over by one of an era before, whatever its ballot.
  if (compareEras(record.era, state.accepted.record.era) < 0) return 'later-known';
  // "Orders": with the end of a forced era it becomes a voter again, and its wait (L4) is a nonce of the longest ttl.
  const wait: Nonce = { ...fresh, site: record.primary, round: noRound };
  const kept = endsForcedEra(state.accepted.record, record) ? wait : state.nonce;
  const nonce = registerChangesPrimary(state, record) ? 'released' : kept;
  const position = sameEpoch(epochOf(state.accepted.record), epochOf(record)) ? state.position : null;
  return {
    cluster: state.cluster,
    serial: state.serial + 1,
    promised: ballot,
    accepted: { ballot, record },
    nonce,
    position,
  };
}

/**
 * L5: the register's grant of a long round, under L2's conditions on the register's own record. Never over a later round
 * of the same guard (C2), never for a shorter ttl than the one there unless that was released or watched out. `position`: how
 * far the primary of that epoch is known to have written (V5).
 */
export function withGrant(
  mind: RegisterMind,
  ask: RenewAsk,
  { id, position }: { readonly id: string; readonly position: Lsn | null },
  drift: number,
  now: Instant,
): RegisterState | Refusal {
  const state = mind.held?.state;
  if (state === undefined) return 'register';
  const { record } = state.accepted;
  if (record.primary !== ask.site || !sameEpoch(epochOf(record), ask.epoch)) return 'not-accepted';
  if (record.voters !== ask.voters) return 'other-voters';
  if (state.nonce !== 'released') {
    if (state.nonce.site === ask.site && compareRounds(state.nonce.round, ask.round) >= 0) return 'old-round';
    if (ask.ttlMs < state.nonce.ttlMs && registerBindsMs(mind, drift, now) > 0) return 'register';
  }
  return {
    ...state,
    serial: state.serial + 1,
    nonce: { id, site: ask.site, round: ask.round, ttlMs: ask.ttlMs },
    position: further(state.position, position),
  };
}

/** L7 at the register: a CAS from the exact nonce of a covered round to `released`; null when nothing is to be done. */
export function withRelease(state: RegisterState, site: Site, round: Round): RegisterState | null {
  if (state.nonce === 'released' || state.nonce.site !== site) return null;
  if (compareRounds(state.nonce.round, round) > 0) return null;
  return { ...state, serial: state.serial + 1, nonce: 'released' };
}

function further(one: Lsn | null, other: Lsn | null): Lsn | null {
  return one === null || other === null ? (one ?? other) : Math.max(one, other);
}
