// Q8, W4: what is special in a round for a voter that lost its memory: its ballot, and that this voter is not asked.

import { type Ballot, maxBallot, nextBallot, sameBallot } from '../quorum/ballot.ts';
import type { VoterId } from '../site.ts';
import { type AgentDraft, set } from './draft.ts';
import { highestBallot } from './facts.ts';
import type { Intent } from './state.ts';

export function ballotFor(d: AgentDraft, intent: Intent): Ballot {
  const next = nextBallot(highestBallot(d.s), d.s.me);
  return intent.kind === 'rejoin' ? maxBallot(next, intent.atLeast) : next;
}

/** The two others are the majority: nobody stands in for one of them, and the voter itself has nothing to say. */
export function takesPart(intent: Intent, voter: VoterId): boolean {
  return intent.kind !== 'rejoin' || intent.voter !== voter;
}

/** For the person who waits: no round will pass by this, and the order ends with it. */
export function noteOverruled(d: AgentDraft, intent: Intent, why: string): void {
  const { rejoin } = d.s;
  if (rejoin !== null && rejoin.intent === intent) set(d, { rejoin: { ...rejoin, why } });
}

/** A round begun for a rejoin was chosen, by the two others or by the only voter of a forced era. */
export function noteRejoinChosen(d: AgentDraft, intent: Intent, ballot: Ballot): void {
  const { rejoin } = d.s;
  const { chosen } = d.s.voter.durable;
  if (rejoin === null || rejoin.intent !== intent || chosen === null || !sameBallot(chosen.ballot, ballot)) return;
  set(d, { rejoin: { ...rejoin, phase: 'word', due: d.at.now, accepted: chosen, chosen: true, why: '' } });
}
