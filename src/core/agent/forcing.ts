// `failover --force` ("Orders", docs/decisions/0006): the one change that needs no majority. In the era that it begins
// this agent is the only voter, until both others hold its record and it votes for one that says so.

import type { Order, VoterView } from '../messages.ts';
import { sameBallot, showBallot } from '../quorum/ballot.ts';
import { epochOf } from '../quorum/record.ts';
import { isCurrent } from '../quorum/register.ts';
import { soleVoterOf } from '../quorum/sole-voter.ts';
import { accept, prepare } from '../quorum/voter.ts';
import type { Site } from '../site.ts';
import { standbyAdvice } from '../verdict/standby.ts';
import { type AgentDraft, set, trace } from './draft.ts';
import { chosenOf, hearsMajority, hearsPeer, hearsWitness, recordOf } from './facts.ts';
import { hearChosen } from './hear.ts';
import { applyIntent } from './intent.ts';
import { ballotFor } from './rejoin-rounds.ts';
import { type Intent, rulesOf } from './state.ts';
import { onIntentChosen } from './syncing.ts';

type Failover = Extract<Order, { kind: 'failover' }>;

/** Why this agent will not force the change now; null when it will. */
export function whyNotForce(d: AgentDraft, order: Failover, to: Site): string | null {
  const record = recordOf(d.s);
  if (record === null) return 'no record is known';
  if (to !== d.s.me) return `it has to be given to ${to}'s agent, whose grant alone will be the lease`;
  if (record.primary === to) return `${to} is the primary already (epoch ${record.epoch})`;
  if (!order.dryRun && !order.otherSideIsDown)
    return `the other side has to be down, and you have to say so: nobody else can know it`;
  if (hearsMajority(d.s, d.at.now)) return 'a majority is heard: use failover without --force, which is safe';
  const waitMs = Math.max(d.s.voter.quarantinedUntil, d.s.voter.promise?.until ?? 0) - d.at.now;
  if (waitMs > 0)
    return `this agent's own promise to the old primary stands against it for ${Math.ceil(waitMs / 1000)} s (L3, L4)`;
  const advice = standbyAdvice(d.s, d.at.now, order.acceptLoss ? 'loss' : 'nothing');
  return advice.mayTakeOver ? null : `${to} may not take over: ${advice.why}`;
}

/** What is risked, said before it is done. */
export function stepsOfForce(d: AgentDraft, to: Site): readonly string[] {
  const record = recordOf(d.s);
  return [
    `write era ${(record?.era.number ?? 0) + 1}.${to} with ${to}'s agent as the only voter: no majority is asked`,
    `${to}'s guard: lease by that one grant, promote, write the epoch`,
    'if the other side runs after all, two databases accept writes until it hears of the new era',
    'when the others are back and hold the new record, they vote again by themselves',
  ];
}

export function force(d: AgentDraft, to: Site, from: string): string | null {
  const why = chooseAlone(d, { kind: 'force', to, reason: `forced by ${from} without a majority` });
  if (why === null) trace(d, 'warn', 'era.forced', { era: recordOf(d.s)?.era.number, primary: to, by: from });
  return why;
}

/** A record chosen by the one vote there is. Answers why it was not. */
export function chooseAlone(d: AgentDraft, intent: Intent): string | null {
  const { cluster, accepted } = d.s.voter.durable;
  if (cluster === null || accepted === null || d.s.voter.amnesia) return 'this agent holds no record';
  const { voters } = d.s.settings;
  const record = applyIntent(intent, accepted, d.s, d.at);
  if (typeof record === 'string') return record;
  const rules = rulesOf(d.s.settings);
  const ballot = ballotFor(d, intent);
  const promised = prepare(d.s.voter, { type: 'prepare', cluster, voters, ballot }, rules);
  const voted = accept(promised.voter, { type: 'accept', cluster, voters, ballot, record }, rules, d.at.now);
  if (promised.refusal !== null || voted.refusal !== null) return `its own vote: ${promised.refusal ?? voted.refusal}`;
  set(d, { voter: voted.voter, proposal: null, strayedSince: null });
  trace(d, 'info', 'vote.cast', {
    ballot: showBallot(ballot),
    epoch: record.epoch,
    primary: record.primary,
    with: 'nobody',
  });
  hearChosen(d, { ballot, record }, 'the only voter');
  onIntentChosen(d, intent, ballot);
  return null;
}

/** Both others hold the forced record at its one ballot: the era can end. */
export function endForceIntent(d: AgentDraft): Intent | null {
  const chosen = chosenOf(d.s);
  if (chosen === null || soleVoterOf(chosen.record) !== d.s.me || !othersHoldIt(d)) return null;
  return {
    kind: 'end-force',
    reason: `era ${chosen.record.era.number} ended: every voter holds epoch ${epochOf(chosen.record).epoch}`,
  };
}

function othersHoldIt(d: AgentDraft): boolean {
  const { s, at } = d;
  const chosen = chosenOf(s);
  if (chosen === null || !hearsPeer(s, at.now)) return false;
  const holds = (view: Pick<VoterView, 'accepted'> | undefined): boolean =>
    view !== undefined && view.accepted !== null && sameBallot(view.accepted.ballot, chosen.ballot);
  // L4: at the era's end they wait for the longest lease that they know of; this agent alone granted, perhaps a longer one. In
  // its first notice a process does not say (version 1 of the wire).
  const longest = s.voter.durable.longestTtlMs;
  const waitsFor = (view: VoterView | undefined): boolean => (view?.longestTtlMs ?? 0) >= longest;
  if (!holds(s.peer?.view) || !waitsFor(s.peer?.view)) return false;
  switch (s.settings.witness) {
    case 'none':
      return true;
    case 'agent':
      return hearsWitness(s, at.now) && holds(s.witness?.view) && waitsFor(s.witness?.view);
    case 'route53':
      return isCurrent(s.register) && holds(s.register.held?.state);
  }
}
