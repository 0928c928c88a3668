// Q5: nothing half done is left. A voter behind the chosen ballot is sent that ballot's accept again; where more was
// promised, a change that alters nothing buries what is half done, by the agent of the primary's site, the other later.

import { compareBallots, sameBallot } from '../quorum/ballot.ts';
import type { Accepted } from '../quorum/record.ts';
import { registerChangesPrimary, withRecord } from '../quorum/register.ts';
import { accept } from '../quorum/voter.ts';
import { otherSite, peerOfVoter, type VoterId } from '../site.ts';
import { draw } from '../time.ts';
import { type AgentDraft, ask, isPending, set, trace } from './draft.ts';
import { chosenOf, hearsPeer, hearsWitness, memoryOf } from './facts.ts';
import { endForceIntent } from './forcing.ts';
import { isStuck } from './half-done.ts';
import { freshNonce, isSwapping, mayWriteSamePrimary, registerIsFreeFor, registerStray, swap } from './register-io.ts';
import { type Heard, type Intent, rulesOf } from './state.ts';

const repairEveryMs = 500;

export function driveRepair(d: AgentDraft): void {
  const chosen = chosenOf(d.s);
  const cluster = d.s.voter.durable.cluster;
  if (chosen === null || cluster === null || d.s.voter.amnesia || d.s.proposal !== null || d.at.now < d.s.due.repair)
    return;
  set(d, { due: { ...d.s.due, repair: d.at.now + repairEveryMs } });
  const strays = [
    repairSelf(d, chosen),
    repairVoter(d, otherSite(d.s.me), d.s.peer, chosen),
    repairVoter(d, 'witness', d.s.witness, chosen),
    repairRegister(d, chosen),
  ];
  const strayed = strays.includes(true);
  if (strayed === (d.s.strayedSince !== null)) return;
  set(d, { strayedSince: strayed ? d.at.now : null });
}

/** Our own vote: repeated here where it may be, as it would be for another voter. Answers whether only a change helps. */
function repairSelf(d: AgentDraft, chosen: Accepted): boolean {
  const { accepted, promised } = d.s.voter.durable;
  if (accepted !== null && sameBallot(accepted.ballot, chosen.ballot)) return false;
  if (compareBallots(promised, chosen.ballot) > 0) return true;
  const message = { type: 'accept', cluster: chosen.record.cluster, voters: d.s.settings.voters, ...chosen } as const;
  const own = accept(d.s.voter, message, rulesOf(d.s.settings), d.at.now);
  if (own.refusal === null) {
    set(d, { voter: own.voter });
    trace(d, 'info', 'vote.repaired', { voter: d.s.me, epoch: chosen.record.epoch });
  }
  return false;
}

function repairVoter(d: AgentDraft, voter: VoterId, heard: Heard | null, chosen: Accepted): boolean {
  const hears =
    voter === 'witness' ? d.s.settings.witness === 'agent' && hearsWitness(d.s, d.at.now) : hearsPeer(d.s, d.at.now);
  if (!hears || heard === null) return false;
  const { accepted, promised } = heard.view;
  if (accepted !== null && sameBallot(accepted.ballot, chosen.ballot)) return false;
  if (compareBallots(promised, chosen.ballot) > 0) return true;
  if (isPending(d, (p) => p.kind === 'repair' && p.voter === voter)) return false;
  const { cluster } = chosen.record;
  const { voters } = d.s.settings;
  ask(
    d,
    peerOfVoter(voter),
    { type: 'accept', cluster, voters, ballot: chosen.ballot, record: chosen.record },
    { kind: 'repair', voter, seen: memoryOf(d.s, voter) },
  );
  return false;
}

/** The agent of the primary's site writes the register first, so that the two do not race for one CAS. */
function repairRegister(d: AgentDraft, chosen: Accepted): boolean {
  if (d.s.settings.witness !== 'route53') return false;
  const stray = registerStray(d);
  const state = d.s.register.held?.state;
  if (stray === 'even' || state === undefined) return false;
  if (stray === 'beyond') return true;
  const mine = chosen.record.primary === d.s.me || !hearsPeer(d.s, d.at.now);
  const waited =
    d.s.registerReadAt > 0 &&
    d.at.now - Math.max(d.s.registerWroteAt, d.s.register.watch?.since ?? 0) > 3 * d.s.settings.lease.registerLegMs;
  if (isSwapping(d) || !(mine || waited) || !registerIsFreeFor(d, chosen.record.primary)) return false;
  if (!registerChangesPrimary(state, chosen.record) && sameEpochAs(state.accepted, chosen) && !mayWriteSamePrimary(d))
    return false;
  const next = withRecord(state, chosen.ballot, chosen.record, freshNonce(d));
  if (typeof next !== 'string') swap(d, { kind: 'register-record', proposal: null, accept: chosen, next });
  return false;
}

function sameEpochAs(a: Accepted, b: Accepted): boolean {
  return a.record.epoch === b.record.epoch && a.record.era.number === b.record.era.number;
}

/** The change that alters nothing, once it is this agent's turn. */
export function repairIntent(d: AgentDraft): Intent | null {
  const ending = endForceIntent(d);
  if (ending !== null) return ending;
  const { strayedSince } = d.s;
  const chosen = chosenOf(d.s);
  if (strayedSince === null || chosen === null || isStuck(d)) return null;
  const first = chosen.record.primary === d.s.me || !hearsPeer(d.s, d.at.now);
  const waitMs = first ? 0 : d.s.settings.lease.otherDelayMs + draw(d.at.random, 300, 2);
  return d.at.now - strayedSince >= waitMs ? { kind: 'same', reason: 'a voter holds a half-done record' } : null;
}
