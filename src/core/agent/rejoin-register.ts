// W4: the register made anew, by one CAS from exactly what was found there (or from nothing), once both agents hold one
// record at one ballot.

import { compareBallots, maxBallot, sameBallot } from '../quorum/ballot.ts';
import { rejoinedRegister } from '../quorum/rejoin.ts';
import { otherSite } from '../site.ts';
import { type AgentDraft, set, swapRegister, trace } from './draft.ts';
import { chosenOf } from './facts.ts';
import { freshNonce, isReading, isSwapping, readSoon } from './register-io.ts';
import type { RejoinState } from './rejoin-state.ts';

export function whyNotRegister(d: AgentDraft): string | null {
  const { register, voter } = d.s;
  if (register.out === null) return 'the witness is in use: there is nothing to rejoin';
  const found = register.found?.state;
  return typeof found === 'object' && found.cluster !== voter.durable.cluster
    ? `the witness's record belongs to cluster ${found.cluster}: another cluster writes the same record: correct that one's cluster.yaml, or remove the record if it is gone`
    : null;
}

export function driveRejoinOfRegister(d: AgentDraft, rejoin: RejoinState): void {
  const { register, peer } = d.s;
  const chosen = chosenOf(d.s);
  const { accepted } = rejoin;
  if (isSwapping(d)) return;
  if (register.found === null || isReading(d)) return readSoon(d);
  if (accepted === null || chosen === null || !sameBallot(chosen.ballot, accepted.ballot)) return again(d, rejoin);
  const found = register.found.state;
  const why = whyNotRegister(d);
  if (why !== null) return set(d, { rejoin: { ...rejoin, why, due: d.at.now + 1000 } });
  // A vote that was counted there while only one agent held the register to be out: never written over (Q3).
  if (typeof found === 'object' && compareBallots(found.promised, accepted.ballot) > 0) return again(d, rejoin);
  // In a forced era the other agent has no vote, but has to hold the record as well; Q5 sees to that.
  const theirs = peer?.view.accepted ?? null;
  if (theirs === null || !sameBallot(theirs.ballot, accepted.ballot)) {
    if (theirs !== null && compareBallots(theirs.ballot, accepted.ballot) > 0) return again(d, rejoin);
    return set(d, { rejoin: { ...rejoin, why: `${otherSite(d.s.me)}'s agent does not hold the record yet` } });
  }
  const known = typeof found === 'object' ? found.serial : 0;
  const serial = Math.max(register.serial, rejoin.registerSerial, known);
  const { id, ttlMs } = freshNonce(d);
  const longest = Math.max(ttlMs, rejoin.longestTtlMs);
  const next = rejoinedRegister(accepted, serial, { id, ttlMs: longest });
  swapRegister(d, register.found.text, { kind: 'register-rejoin', next });
  trace(d, 'warn', 'register.rejoining', {
    serial: next.serial,
    found: typeof found === 'object' ? found.serial : found,
  });
}

/** Another ballot, from the other agent's word on: something was chosen, or found, above this one. */
function again(d: AgentDraft, rejoin: RejoinState): void {
  const found = d.s.register.found?.state;
  set(d, {
    rejoin: {
      ...rejoin,
      phase: 'ticket',
      due: d.at.now,
      accepted: null,
      above: typeof found === 'object' ? maxBallot(found.promised, rejoin.above) : rejoin.above,
    },
  });
}
