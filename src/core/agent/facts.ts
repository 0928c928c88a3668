// Questions about what an agent knows, each answered in one place. Pure reads of the state.

import type { PartVerdict, StateNotice } from '../messages.ts';
import { type Ballot, compareBallots, maxBallot, noBallot } from '../quorum/ballot.ts';
import { type Accepted, type ClusterRecord, epochOf, sameEpoch } from '../quorum/record.ts';
import { isCurrent, registerBindsMs, registerChangesPrimary } from '../quorum/register.ts';
import { soleVoterOf } from '../quorum/sole-voter.ts';
import { bindsAgainst, hearFirstMs, isLaterAccepted, type Memory, movesOn } from '../quorum/voter.ts';
import { otherSite, type Site, sites, type VoterId } from '../site.ts';
import { bindingMs, type Instant, type Ms } from '../time.ts';
import { canBeBlindness } from '../verdict/classes.ts';
import type { AgentState, Heard, Seen, Track } from './state.ts';

/** R2, V4: a voter counts as heard for this long. Four `state` intervals, so one lost message is not silence. */
export const heardForMs: Ms = 2000;

export function chosenOf(s: AgentState): Accepted | null {
  return s.voter.durable.chosen;
}

export function recordOf(s: AgentState): ClusterRecord | null {
  return s.voter.durable.chosen?.record ?? null;
}

function fresh(heard: Heard | null, now: Instant): boolean {
  return heard !== null && !heard.view.amnesia && now - heard.at <= heardForMs;
}

export function hearsPeer(s: AgentState, now: Instant): boolean {
  return fresh(s.peer, now);
}

/** The peer's last notice while it counts as heard; its answers keep it heard, but say nothing of verdicts and orders. */
export function peerNotice(s: AgentState, now: Instant): StateNotice | null {
  if (!hearsPeer(s, now) || s.peer === null || s.peer.noticeAt === null) return null;
  return now - s.peer.noticeAt <= heardForMs ? s.peer.notice : null;
}

/** V3: the peer's verdicts, if they speak of this record's primary and entry: it may know an older or newer record. */
export function peerVerdicts(s: AgentState, record: ClusterRecord, now: Instant): StateNotice['verdicts'] | null {
  const notice = peerNotice(s, now);
  const theirs = notice?.view.chosen?.record;
  if (notice === null || theirs === undefined || theirs.entry !== record.entry) return null;
  return sameEpoch(epochOf(theirs), epochOf(record)) ? notice.verdicts : null;
}

/** Q8: what `voter` was ever seen to hold. */
export function memoryOf({ durable }: AgentState, voter: VoterId): Memory {
  return { promised: durable.seen[voter] ?? noBallot, voted: durable.votes[voter] ?? null };
}

/**
 * Q8: whether a voter on the other side has still to be heard since this agent's start. A state that was put back is whole, and
 * would promise, vote and grant by what is over; the peer tells what it remembers of this agent (hearMemoryOfUs; the first
 * notice of a process is in version 1, without the vote), the witness shows what was chosen since, the register ballots of ours
 * that we do not hold any more (hearBallots). What is silent is not waited for longer than `hearFirstMs`.
 */
export function waitsForWords(s: AgentState, now: Instant): boolean {
  const { settings, peer, witness, register } = s;
  if (s.voter.amnesia || now - s.startedAt >= hearFirstMs) return false;
  if (peer?.notice?.voteOfYou == null) return true;
  switch (settings.witness) {
    case 'agent':
      return witness === null;
    case 'route53':
      return register.heardAt === null && register.out === null;
    case 'none':
      return false;
  }
}

/** Whether the witness, of either kind, was heard. */
export function hearsWitness(s: AgentState, now: Instant): boolean {
  switch (s.settings.witness) {
    case 'agent':
      return fresh(s.witness, now);
    case 'route53':
      return s.register.out === null && s.register.heardAt !== null && now - s.register.heardAt <= heardForMs;
    case 'none':
      return false;
  }
}

/** V7: a guard that is heard has heard that agent: what lies between it and us is a cut, not a lost host. */
export function guardHearsAgent(s: AgentState, agent: Site, now: Instant): boolean {
  return sites.some((site) => {
    const seen = s.guards[site];
    const unheardMs = seen?.value.unheardMs[agent] ?? null;
    return seen !== null && unheardMs !== null && now - seen.at + unheardMs <= heardForMs;
  });
}

/** With itself and one more it hears a majority; without a witness a change needs both agents. */
export function hearsMajority(s: AgentState, now: Instant): boolean {
  return hearsPeer(s, now) || hearsWitness(s, now);
}

/**
 * R2: an agent touches the world only while it has seen, within the last 2 s, another voter at no higher ballot. None is
 * needed without a witness by the agent of the primary's site: no record is chosen there without it. But the vote that it gave
 * for another primary may have been the one that chose it; and right after its start its disk may be from before an era that was forced.
 */
export function mayTouch(s: AgentState, now: Instant): boolean {
  const chosen = chosenOf(s);
  if (chosen === null || s.voter.amnesia) return false;
  if (isNeeded(s, chosen, now) && !movesOn(s.voter.durable.accepted, chosen)) return true;
  return isBorneOut(s, chosen, now);
}

/** R2, V7: the public name besides only while this agent's own vote for another entry cannot have been the one that chose it. */
export function mayPointName(s: AgentState, now: Instant): boolean {
  const chosen = chosenOf(s);
  if (chosen === null || !mayTouch(s, now)) return false;
  const { accepted } = s.voter.durable;
  const mayBeMoved =
    accepted !== null && accepted.record.entry !== chosen.record.entry && isLaterAccepted(accepted, chosen);
  return !mayBeMoved || isBorneOut(s, chosen, now);
}

/** Without a witness nothing is chosen without the agent of the primary's site, which has to have heard of what was before. */
function isNeeded(s: AgentState, { record }: Accepted, now: Instant): boolean {
  return isWithoutWitness(s) && record.primary === s.me && !waitsForWords(s, now);
}

/** Q10: by the record, too: a file that was edited on some hosts alone is not yet the cluster's. */
export function isWithoutWitness(s: AgentState): boolean {
  return s.settings.witness === 'none' && recordOf(s)?.voters === s.settings.voters;
}

function isBorneOut(s: AgentState, chosen: Accepted, now: Instant): boolean {
  if (soleVoterOf(chosen.record) === s.me && !waitsForWords(s, now)) return true;
  const notBeyond = (ballot: Ballot): boolean => compareBallots(ballot, chosen.ballot) <= 0;
  const agrees = (heard: Heard | null): boolean =>
    heard !== null &&
    fresh(heard, now) &&
    notBeyond(heard.view.accepted?.ballot ?? chosen.ballot) &&
    notBeyond(heard.view.chosen?.ballot ?? chosen.ballot);
  if (agrees(s.peer) || agrees(s.witness)) return true;
  return (
    s.settings.witness === 'route53' &&
    hearsWitness(s, now) &&
    isCurrent(s.register) &&
    s.register.held !== null &&
    notBeyond(s.register.held.state.accepted.ballot)
  );
}

/** Q1: the highest ballot this agent knows of anywhere. */
export function highestBallot(s: AgentState): Ballot {
  let highest = maxBallot(s.voter.durable.promised, s.voter.durable.chosen?.ballot ?? noBallot);
  for (const ballot of Object.values(s.durable.seen)) highest = maxBallot(highest, ballot);
  if (s.register.held !== null) highest = maxBallot(highest, s.register.held.state.promised);
  return highest;
}

/** The observation if it is at most `maxAgeMs` old, else null: a missing fact is unknown. */
export function recent<T>(seen: Seen<T> | null, now: Instant, maxAgeMs: Ms): T | null {
  return seen !== null && now - seen.at <= maxAgeMs ? seen.value : null;
}

/**
 * A heard voter's own word on how long it may not accept `record`, counted down since it arrived as if its clock were
 * the slower one by D: an accept sent too early would leave a vote half done (Q6).
 */
export function voterBindsMs(
  heard: Pick<Heard, 'at' | 'view'>,
  record: ClusterRecord,
  drift: number,
  now: Instant,
): Ms {
  const { view } = heard;
  if (view.accepted === null || view.accepted.record.primary === record.primary) return 0;
  // `bindsMs` is the longer of promise and quarantine; a promise to that primary's own guard hinders nothing (Q6).
  const bindsMs = view.bindsTo === record.primary ? view.quarantineMs : view.bindsMs;
  return bindsMs <= 0 ? 0 : Math.max(0, bindingMs(bindsMs, drift) - (now - heard.at));
}

/** Q6: for how long no majority that includes this agent is free to accept `record`. */
export function majorityBindsMs(s: AgentState, record: ClusterRecord, now: Instant): Ms {
  const { drift } = s.settings.lease;
  const own = bindsAgainst(s.voter, record, now);
  const others: Ms[] = [];
  if (hearsPeer(s, now) && s.peer !== null) others.push(voterBindsMs(s.peer, record, drift, now));
  if (s.settings.witness === 'agent' && hearsWitness(s, now) && s.witness !== null)
    others.push(voterBindsMs(s.witness, record, drift, now));
  if (s.settings.witness === 'route53' && hearsWitness(s, now) && isCurrent(s.register) && s.register.held !== null) {
    const changes = registerChangesPrimary(s.register.held.state, record);
    others.push(changes ? registerBindsMs(s.register, drift, now) : 0);
  }
  return Math.max(own, others.length === 0 ? Number.POSITIVE_INFINITY : Math.min(...others));
}

/** The standby's site, by the chosen record. */
export function standbySite(record: ClusterRecord): Site {
  return otherSite(record.primary);
}

/** V6: how much of the cool-down is left; none in epoch 1. Wall clock of this machine only, so a restart keeps it. */
export function coolDownLeftMs(s: AgentState, wall: number): Ms {
  const record = recordOf(s);
  const { learned } = s.durable;
  if (record === null || learned === null || record.epoch <= 1 || !sameEpoch(learned.epoch, epochOf(record))) return 0;
  return left(learned.wall, s.settings.policy.coolDownMs, wall);
}

export function entryCoolDownLeftMs(s: AgentState, wall: number): Ms {
  return s.durable.entryMoved === 0 ? 0 : left(s.durable.entryMoved, s.settings.policy.entryCoolDownMs, wall);
}

/** Never more than the whole time, however the wall clock jumps: what was noted in its future is put right in step.ts. */
function left(since: number, length: Ms, wall: number): Ms {
  return Math.min(length, Math.max(0, since + length - wall));
}

/** Six of its rounds: as long as a guard takes that is itself started again. */
const restForMs: Ms = 5000;

/** "Orders": from an order until its end verdicts on the database rest, at both agents; so they do in a restart. */
export function verdictsRest(s: AgentState, now: Instant): boolean {
  if (s.order !== null) return true;
  if ((peerNotice(s, now)?.orderMs ?? 0) > 0) return true;
  const record = recordOf(s);
  if (record === null) return true;
  const guard = s.guards[record.primary];
  // Who restarts or moves it says so with each round; a host that was switched off meanwhile restarts nothing.
  return guard !== null && now - guard.at <= restForMs && guard.value.restingMs - (now - guard.at) > 0;
}

/**
 * S12, I7: what this process never saw to work may be booting still, as it is itself. Until the restart budget is over,
 * or a peer that watched longer says `failed`, such a part is `suspect` at most: for how long, else 0.
 */
export function bootingMs(s: AgentState, track: Track, peerSays: PartVerdict | undefined, now: Instant): Ms {
  if (track.everHealthy || track.verdict !== 'failed' || peerSays === 'failed') return 0;
  return Math.max(0, s.startedAt + s.settings.restartBudgetMs - now);
}

/** V2: the standby testifies that the primary lives: it received something within the confirm time. */
export function standbyTestifies(s: AgentState, now: Instant): boolean {
  if (!canBeBlindness(s.primary.lastClass) || s.receivedMovedAt === null) return false;
  return now - s.receivedMovedAt < confirmTimeMs(s);
}

export function confirmTimeMs(s: AgentState): Ms {
  return s.settings.probe.confirm * s.settings.probe.everyMs;
}

/** The verdicts that this agent stands for, as it tells them and decides by them (V1, V3, V7). */
export function primaryVerdict(s: AgentState, record: ClusterRecord, now: Instant): PartVerdict {
  const booting = bootingMs(s, s.primary, peerVerdicts(s, record, now)?.primary, now) > 0;
  return booting || isRecovering(s.primary) ? 'suspect' : s.primary.verdict;
}

/** I5: one good probe since the failure was confirmed, and it is not confirmed any more; `recover` of them end it. */
export function isRecovering(track: Track): boolean {
  return track.verdict === 'failed' && track.successes > 0;
}

export function entryVerdict(s: AgentState, record: ClusterRecord, now: Instant): PartVerdict {
  const track = s.entries[record.entry];
  const booting = bootingMs(s, track, peerVerdicts(s, record, now)?.entry, now) > 0;
  return booting || isRecovering(track) ? 'suspect' : track.verdict;
}
