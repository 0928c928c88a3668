// What an agent looks at, how often, and what it says of itself to the other voters (`state`, every probe.every and at
// each change).

import type { StateNotice } from '../messages.ts';
import { viewOf } from '../quorum/voter.ts';
import { otherSite, peerOfVoter, sites, type VoterId } from '../site.ts';
import { type AgentDraft, ask, perform, set } from './draft.ts';
import { entryVerdict, memoryOf, primaryVerdict, recordOf, standbySite } from './facts.ts';
import { orderLeftMs } from './orders.ts';
import { refusesByOrder } from './refusing.ts';

/** Balancers and instances are looked at half as often as the databases while all is well: they decide nothing at once. */
const calmFactor = 2;
/** A probe that outlives its deadline this much was lost by its adapter; a new one begins whatever became of the last. */
const maxProbes = 3;

export function driveProbes(d: AgentDraft): void {
  const { probe } = d.s.settings;
  const record = recordOf(d.s);
  if (d.at.now < d.s.due.probe || record === null) return;
  set(d, { due: { ...d.s.due, probe: d.at.now + probe.everyMs } });
  look(d, 'primary', { kind: 'probe-primary', site: record.primary });
  look(d, 'standby', { kind: 'probe-standby', site: standbySite(record) });
  if (d.at.now < d.s.due.slow && calm(d)) return;
  set(d, { due: { ...d.s.due, slow: d.at.now + calmFactor * probe.everyMs } });
  for (const site of sites) {
    look(d, `balancer:${site}`, { kind: 'probe-balancer', site });
    look(d, `instances:${site}`, { kind: 'probe-instances', site });
  }
}

function calm(d: AgentDraft): boolean {
  const record = recordOf(d.s);
  return (
    d.s.primary.verdict === 'healthy' &&
    record !== null &&
    d.s.entries[record.entry].verdict === 'healthy' &&
    d.s.order === null
  );
}

/** A new probe begins whatever became of the last one ("Timing"), so each has a target, a queue, of its own. */
function look(d: AgentDraft, name: string, deed: Parameters<typeof perform>[2]): void {
  const running = d.s.pending.filter(
    (p) =>
      p.kind === 'deed' && p.deed.kind === deed.kind && 'site' in p.deed && 'site' in deed && p.deed.site === deed.site,
  );
  if (running.length >= maxProbes) return;
  perform(d, `probe:${name}:${d.s.nextId}`, deed, d.s.settings.probe.deadlineMs);
}

export function driveState(d: AgentDraft): void {
  const { probe, witness } = d.s.settings;
  if (d.at.now < d.s.due.state || d.s.voter.durable.cluster === null) return;
  set(d, { due: { ...d.s.due, state: d.at.now + probe.everyMs } });
  tell(d, otherSite(d.s.me));
  if (witness === 'agent') tell(d, 'witness');
}

function tell(d: AgentDraft, voter: VoterId): void {
  // A silent voter is asked again at each interval, but not without limit: its asks end by their own deadline.
  const waiting = d.s.pending.filter((p) => p.kind === 'state' && p.voter === voter);
  if (waiting.length >= 4) return;
  ask(
    d,
    peerOfVoter(voter),
    stateNotice(d, voter),
    { kind: 'state', voter, seen: memoryOf(d.s, voter) },
    Math.min(d.s.settings.peerDeadlineMs, 1000),
  );
}

function stateNotice(d: AgentDraft, to: VoterId): StateNotice {
  const { s, at } = d;
  const record = recordOf(s);
  const entry = record?.entry ?? s.me;
  const nonce = s.register.watch;
  return {
    type: 'state',
    cluster: s.voter.durable.cluster ?? '',
    voters: s.settings.voters,
    version: 1,
    view: viewOf(s.voter, at.now),
    verdicts: {
      primary: record === null ? 'unknown' : primaryVerdict(s, record, at.now),
      standby: s.standby.verdict,
      entry: record === null ? 'unknown' : entryVerdict(s, record, at.now),
      otherEntry: s.entries[otherSite(entry)].verdict,
    },
    refusing: s.refusing,
    register:
      s.settings.witness === 'route53' && nonce !== null
        ? { serial: s.register.serial, nonce: nonce.id, sinceMs: at.now - nonce.since, out: s.register.out !== null }
        : null,
    lastPrimary: s.lastPrimary,
    standbyPeak: s.standbyPeak,
    orderMs: orderLeftMs(d),
    orderRefuses: refusesByOrder(s.order),
    seenOfYou: s.durable.seen[to] ?? null,
    voteOfYou: s.durable.votes[to] ?? null,
  };
}
