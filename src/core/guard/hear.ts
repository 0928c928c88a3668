// What a guard is told: the chosen record (L10), and what each agent says of the standby and of this database (L7, V4).

import type { GuardAnswer, Refusing } from '../messages.ts';
import {
  type Accepted,
  compareEpochs,
  type EpochId,
  epochOf,
  laterEpoch,
  sameEpoch,
  showEpoch,
} from '../quorum/record.ts';
import type { Round } from '../quorum/round.ts';
import { isLaterChosen } from '../quorum/voter.ts';
import type { Site, VoterId } from '../site.ts';
import { type GuardDraft, set, setDb, setDurable, trace } from './draft.ts';

/** Takes up an answer of a voter to a renewal, an inquiry, a release or a register grant asked for in `epoch`. */
export function hearWord(d: GuardDraft, voter: VoterId, answer: GuardAnswer, epoch: EpochId | null): void {
  if (answer.chosen !== null) learnChosen(d, answer.chosen);
  if (answer.round !== null) raiseRounds(d, answer.round);
  if (!d.s.answered.includes(voter)) set(d, { answered: [...d.s.answered, voter] });
  if (voter === 'witness') return;
  const refuses = answer.refusing || answer.refusal === 'refusing';
  const about = answer.chosen === null ? epoch : epochOf(answer.chosen.record);
  const word = {
    at: d.at.now,
    mayTakeOver: answer.standby.mayTakeOver,
    why: answer.standby.why,
    hearsPeer: answer.hearsPeer,
    refuses: refuses && about !== null ? { epoch: about, at: d.at.now } : null,
    orderedAt: answer.refusal === 'order' ? d.at.now : null,
  };
  set(d, { agents: { ...d.s.agents, [voter]: word } });
}

/** As far above as Q8 puts its ballots, so that no life of this guard that nobody told of has used these. */
const raisedBy = 1_000_000;
/** No wall clock shows this, whatever year it is set to; what is said to lie further ahead would use the numbers up. */
const highestStart = Number.MAX_SAFE_INTEGER / 2;

/**
 * L1: a voter knows later rounds of this guard than it ever sent: its disk was lost, and its wall clock is behind what it was. Below
 * them nothing would be granted or released until that clock had caught up.
 */
function raiseRounds(d: GuardDraft, { start }: Round): void {
  const before = d.s.durable.roundStart;
  const roundStart = start + raisedBy;
  if (start <= before || start > highestStart) return;
  setDurable(d, { roundStart });
  trace(d, 'warn', 'rounds.raised', { before, roundStart });
}

/** V4: told at once, between two renewals. */
export function onRefusing(d: GuardDraft, site: Site, message: Refusing): boolean {
  if (message.cluster !== d.s.durable.cluster) return false;
  // It says nothing new of the standby or the peer, so the age of that word stays as it is.
  const before = d.s.agents[site] ?? { at: 0, mayTakeOver: false, why: '', hearsPeer: true, orderedAt: null };
  const refuses = message.refusing ? { epoch: message.epoch, at: d.at.now } : null;
  set(d, { agents: { ...d.s.agents, [site]: { ...before, refuses } } });
  return true;
}

/** L10: every epoch learned to be chosen is noted, and never goes back; nor does the record known (V8). */
export function learnChosen(d: GuardDraft, chosen: Accepted): boolean {
  const { cluster, chosen: known } = d.s.durable;
  if (cluster !== null && chosen.record.cluster !== cluster) {
    trace(d, 'warn', 'cluster.other', { cluster: chosen.record.cluster, ours: cluster });
    return false;
  }
  if (known === null || isLaterChosen(chosen, known)) {
    setDurable(d, { cluster: chosen.record.cluster, chosen });
    // The first record, or another primary: whatever it asks of this guard begins now.
    const moved = known === null || known.record.primary !== chosen.record.primary;
    if (moved) set(d, { nextRoundAt: d.at.now });
  }
  noteEpoch(d, epochOf(chosen.record), 'chosen');
  return true;
}

/** Notes an epoch that is known to be chosen. What belongs to a lower one is over; a running primary is fenced by L10. */
export function noteEpoch(d: GuardDraft, epoch: EpochId, how: string): void {
  const { noted } = d.s.durable;
  if (noted !== null && compareEpochs(epoch, noted) <= 0) return;
  setDurable(d, { noted: laterEpoch(noted, epoch) });
  trace(d, 'info', 'epoch.noted', {
    epoch: showEpoch(epoch),
    how,
    primary: d.s.durable.chosen?.record.primary ?? null,
  });
  if (d.s.lease !== null && !sameEpoch(d.s.lease.epoch, epoch)) {
    trace(d, 'info', 'lease.lost', { epoch: showEpoch(d.s.lease.epoch), why: `epoch ${showEpoch(epoch)} is known` });
  }
  const { hold } = d.s;
  if (hold?.order === true)
    trace(d, 'info', 'order.ended', { order: 'switchover', outcome: 'done', epoch: showEpoch(epoch) });
  setDb(d, { crashed: false, failures: 0, retryAt: d.at.now });
  set(d, {
    lease: null,
    tallies: [],
    long: null,
    nextLongAt: d.at.now,
    nextRoundAt: d.at.now,
    missingSince: null,
    leaving: null,
    hold: null,
    unheard: [],
    restingUntil: d.at.now,
  });
}
