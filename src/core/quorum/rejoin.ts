// Q8, W4: how a voter gets its memory again (docs/decisions/0011). It gives a ticket, what was accepted elsewhere after
// that comes back with it, and L4's wait begins. Before that it does not vote, promise or grant; nothing else ends it.

import type { Rejoin, RejoinAnswer, Rejoined } from '../messages.ts';
import { bindingMs, type Instant, type Ms } from '../time.ts';
import { type Ballot, compareBallots } from './ballot.ts';
import type { Accepted } from './record.ts';
import type { Nonce, RegisterState } from './register-state.ts';
import { noRound } from './round.ts';
import { type Voter, type VoterRules, withDurable } from './voter.ts';

/**
 * Q8: so far above every ballot known that no forgotten one of the voter's own can be as high, whether or not anybody ever
 * saw it.
 */
export function freshBallot(known: Ballot, driver: Ballot['voter']): Ballot {
  return { counter: known.counter + 1_000_000, voter: driver };
}

/** Also where its state file is missing: it may be a new voter, but it may not vote. */
export function lacksMemory(voter: Voter): boolean {
  return voter.amnesia || voter.durable.cluster === null;
}

/** For how long its vote may not choose anything, since it may have promised another primary its lease (L3, L4). */
function boundMs(voter: Voter, now: Instant): Ms {
  return Math.max(0, voter.quarantinedUntil - now, (voter.promise?.until ?? 0) - now);
}

type Told = Pick<RejoinAnswer, 'promised' | 'waitMs' | 'longestTtlMs'>;

/** What a voter says of itself when it is asked for a ticket. */
export function toldOf(voter: Voter, now: Instant): Told {
  const { promised, longestTtlMs } = voter.durable;
  return { promised, longestTtlMs, waitMs: boundMs(voter, now) };
}

type Ticket = { readonly voter: Voter; readonly answer: RejoinAnswer };

/** `random` has to be new: a word that was fetched for an earlier ticket may be older than what was forgotten since. */
export function giveTicket(voter: Voter, ask: Rejoin, rules: VoterRules, random: string, now: Instant): Ticket {
  const answer = (of: Voter, why: string, ticket: string): Ticket => ({
    voter: of,
    answer: { type: 'rejoin-answer', ok: why === '', why, ticket, registerSerial: 0, ...toldOf(of, now) },
  });
  const why = strange(voter, ask, rules);
  if (why !== null) return answer(voter, why, '');
  if (!lacksMemory(voter)) return answer(voter, 'it has its memory', '');
  // L4: the quarantine was counted with what this voter knew; others may know of a longer lease.
  const longer = ask.longestTtlMs > voter.durable.longestTtlMs;
  const waiting = longer
    ? {
        ...withDurable(voter, { longestTtlMs: ask.longestTtlMs }),
        quarantinedUntil: Math.max(voter.quarantinedUntil, now + bindingMs(ask.longestTtlMs, rules.drift)),
      }
    : voter;
  return answer({ ...waiting, ticket: random }, '', random);
}

function strange(voter: Voter, ask: Pick<Rejoin, 'cluster' | 'voters'>, rules: VoterRules): string | null {
  if (ask.voters !== rules.voters) return 'it was configured with another voter set';
  const { cluster } = voter.durable;
  return cluster === null || cluster === ask.cluster ? null : `it belongs to cluster ${cluster}`;
}

type Remembering = { readonly voter: Voter; readonly why: string | null };

/** The word for the ticket: one persist, then it votes again and L4's wait begins. `why` says why it was not taken. */
export function remember(voter: Voter, word: Rejoined, rules: VoterRules, now: Instant): Remembering {
  const { ballot, record } = word.accepted;
  const refuse = (why: string): Remembering => ({ voter, why });
  const why = strange(voter, word, rules);
  if (why !== null) return refuse(why);
  if (record.cluster !== word.cluster) return refuse('the record is of another cluster');
  const held = compareBallots(ballot, voter.durable.promised);
  // Repeated, because our answer was lost.
  if (!lacksMemory(voter)) return held <= 0 ? { voter, why: null } : refuse('it has its memory');
  if (voter.ticket === null || word.ticket !== voter.ticket) return refuse('the ticket is not the one it gave last');
  if (held < 0) return refuse('it promised more');
  const waitMs = word.chosen ? 0 : boundMs(voter, now);
  if (waitMs > 0) return refuse(`it may have promised its vote against it for ${waitMs} ms`);
  const { longestTtlMs } = voter.durable;
  const taken = withDurable(voter, {
    cluster: word.cluster,
    promised: ballot,
    accepted: word.accepted,
    forgot: false,
  });
  const waitUntil = now + bindingMs(Math.max(longestTtlMs, rules.longestTtlMs), rules.drift);
  return {
    voter: {
      ...taken,
      amnesia: false,
      ticket: null,
      quarantinedUntil: Math.max(voter.quarantinedUntil, waitUntil),
    },
    why: null,
  };
}

/** Above every serial that anybody can have seen: grants whose answers were lost are in no memory (W3). */
const serialsLeftOut = 1000;

/**
 * W4: the register's state made anew. Its forgotten grants may bind as long as any lease: so a nonce that nobody has seen,
 * of the longest ttl, and never `released`.
 */
export function rejoinedRegister(
  accepted: Accepted,
  serial: number,
  fresh: Pick<Nonce, 'id' | 'ttlMs'>,
): RegisterState {
  return {
    cluster: accepted.record.cluster,
    serial: serial + serialsLeftOut,
    promised: accepted.ballot,
    accepted,
    nonce: { ...fresh, site: accepted.record.primary, round: noRound },
    position: null,
  };
}
