// V7: when the public name moves to the other site's service host. It waits for no lease.

import {
  bootingMs,
  entryCoolDownLeftMs,
  guardHearsAgent,
  hearsMajority,
  hearsPeer,
  isRecovering,
  peerVerdicts,
  recordOf,
} from '../agent/facts.ts';
import type { AgentState, Decision, Intent } from '../agent/state.ts';
import { soleVoterOf } from '../quorum/sole-voter.ts';
import { otherSite, type Site } from '../site.ts';
import type { Instant, Moment, Ms } from '../time.ts';
import { canBeBlindness } from '../verdict/classes.ts';

export type EntryDecision = { readonly decision: Decision; readonly intent: Intent | null };

function hold(code: string, sentence: string, waitMs = 0): EntryDecision {
  return { decision: { act: false, code, sentence, waitMs }, intent: null };
}

/** The time in which a heal shows: the peer's word, and enough good probes of the entry that was not reached. */
function settlingMs(s: AgentState): Ms {
  const { confirm, everyMs, deadlineMs } = s.settings.probe;
  return confirm * everyMs + deadlineMs;
}

/** One cut link between the service hosts moves nothing: to a guard that hears both agents it is no lost host (V7, I5). */
export function mayBeCutOnly(s: AgentState, entry: Site, now: Instant): boolean {
  return (
    entry !== s.me && !hearsPeer(s, now) && canBeBlindness(s.entries[entry].lastClass) && guardHearsAgent(s, entry, now)
  );
}

export function decideEntry(s: AgentState, at: Moment): EntryDecision {
  const record = recordOf(s);
  if (record === null || s.voter.amnesia || !s.durable.founded) return hold('entry-no-record', 'no record is known');
  if (soleVoterOf(record) !== null)
    return hold('entry-forced', 'the era was forced: nothing is moved without an order');
  const from = record.entry;
  const to = otherSite(from);
  const track = s.entries[from];
  if (track.verdict !== 'failed') return hold('entry-healthy', `${from} is the entry`);
  const why = `${from}'s HAProxy cannot serve: ${track.lastClass}`;
  const waitMs = bootingMs(s, track, peerVerdicts(s, record, at.now)?.entry, at.now);
  if (waitMs > 0) return hold('entry-booting', `${why}, but it may be booting still`, waitMs);
  if (record.mode === 'paused') return hold('entry-paused', `${why}, but siteward is paused`);
  if (!hearsMajority(s, at.now)) return hold('entry-no-majority', `${why}, but no other voter is heard`);
  if (hearsPeer(s, at.now) && peerVerdicts(s, record, at.now)?.entry !== 'failed')
    return hold('entry-peer-objects', `${why}, but the peer does not see it so`);
  if (mayBeCutOnly(s, from, at.now))
    return hold('entry-peer-lives', `${why}, but a guard hears ${from}'s agent: only the way from here is cut`);
  // A cut between the sites moves nothing: the other entry has to *serve*, not merely hold requests.
  const servesSince = s.servesSince[to];
  if (servesSince === null) return hold('entry-other-unfit', `${why}, but ${to}'s does not serve either`);
  // The heal of a cut lets both serve again, the one that is nearer to us first: that is no reason to move either.
  const settleMs = servesSince + settlingMs(s) - at.now;
  if (settleMs > 0 || isRecovering(track))
    return hold('entry-settling', `${why}, but it may be a cut that heals`, settleMs);
  const coolDownMs = entryCoolDownLeftMs(s, at.wall);
  if (coolDownMs > 0) return hold('entry-cool-down', `${why}, but the entry changed a moment ago`, coolDownMs);
  // The agent that the name goes to acts first, so that the two do not race for one change (Q7).
  const { otherDelayMs } = s.settings.lease;
  const turnMs = s.me === to || !hearsPeer(s, at.now) ? 0 : track.changedAt + 2 * otherDelayMs - at.now;
  if (turnMs > 0) return hold('entry-others-turn', `${why}; ${to}'s agent acts first`, turnMs);
  const intent: Intent = { kind: 'entry', to, order: false, reason: why };
  return { decision: { act: true, code: 'entry', sentence: `${why}: moving the entry to ${to}`, waitMs: 0 }, intent };
}
