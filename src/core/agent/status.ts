// `siteward status --json`: everything an operator asks at 3 a.m., as plain data. Ages and waits in ms.

import { showLsn } from '../lsn.ts';
import { showBallot } from '../quorum/ballot.ts';
import { registerBindsMs } from '../quorum/register.ts';
import { viewOf } from '../quorum/voter.ts';
import { otherSite, type Site, sites } from '../site.ts';
import type { Moment } from '../time.ts';
import { possibleLoss, standbyAdvice } from '../verdict/standby.ts';
import { coolDownLeftMs, heardForMs, hearsPeer, hearsWitness, recordOf } from './facts.ts';
import type { AgentState, Heard, Track } from './state.ts';

export type AgentStatus = ReturnType<typeof statusOf>;

export function statusOf(s: AgentState, at: Moment) {
  const { now } = at;
  const record = recordOf(s);
  const view = viewOf(s.voter, now);
  const advice = standbyAdvice(s, now);
  const guardOfPrimary = record === null ? null : s.guards[record.primary];
  return {
    agent: s.me,
    upMs: now - s.startedAt,
    cluster: s.voter.durable.cluster,
    amnesia: s.voter.amnesia,
    founded: s.durable.founded,
    record,
    ballot: s.voter.durable.chosen === null ? null : showBallot(s.voter.durable.chosen.ballot),
    decision: s.decision,
    lease: {
      holder: guardOfPrimary !== null && guardOfPrimary.value.leaseLeftMs > 0 ? (record?.primary ?? null) : null,
      leftMs:
        guardOfPrimary === null ? null : Math.max(0, guardOfPrimary.value.leaseLeftMs - (now - guardOfPrimary.at)),
      promisedTo: view.bindsTo,
      promisedMs: view.bindsMs,
    },
    /** Until when something stands in the way of a change of primary (L4, L8, V6). */
    standsInTheWay: {
      quarantineMs: view.quarantineMs,
      coolDownMs: coolDownLeftMs(s, at.wall),
      promiseMs: view.bindsMs,
    },
    votes: {
      self: voteOf({ at: now, view }, now, true),
      peer: voteOf(s.peer, now, hearsPeer(s, now)),
      witness: witnessStatus(s, now),
    },
    verdicts: {
      primary: track(s.primary, now),
      standby: track(s.standby, now),
      entry1: track(s.entries.site1, now),
      entry2: track(s.entries.site2, now),
    },
    refusing: s.refusing,
    standby: {
      ...advice,
      position: advice.received === null ? null : showLsn(advice.received),
      lagBytes: possibleLoss(s, now).lagBytes,
    },
    replication: {
      mode: s.settings.replication,
      sync: record?.sync ?? null,
      /** The primary's guard says that nothing acknowledged lacks at the standby. */
      complete: record === null ? null : (s.guards[record.primary]?.value.syncAt ?? null) !== null,
    },
    guards: { site1: guard(s, 'site1', now), site2: guard(s, 'site2', now) },
    applications: sites.flatMap((site) =>
      (s.instances[site]?.value ?? []).map((i) => ({ ...i, site, ageMs: now - (s.instances[site]?.at ?? now) })),
    ),
    env: { site1: s.envs.site1?.value.active ?? null, site2: s.envs.site2?.value.active ?? null },
    balancers: { site1: s.balancers.site1?.value.servers ?? null, site2: s.balancers.site2?.value.servers ?? null },
    dns: s.dns === null ? null : { ...s.dns.value, ageMs: now - s.dns.at },
    order:
      s.order === null
        ? null
        : { id: s.order.id, to: s.order.to, phase: s.order.phase, leftMs: Math.max(0, s.order.until - now) },
    rejoin:
      s.rejoin === null
        ? null
        : {
            id: s.rejoin.id,
            voter: s.rejoin.voter,
            phase: s.rejoin.phase,
            why: s.rejoin.why,
            leftMs: Math.max(0, s.rejoin.until - now),
          },
    lastOrder: s.lastOrder,
    person: needsPerson(s, now),
  };
}

function voteOf(heard: Pick<Heard, 'at' | 'view'> | null, now: number, heardNow: boolean) {
  if (heard === null) return { heard: false, ageMs: null, accepted: null, promised: null, amnesia: null };
  const { accepted, promised, amnesia } = heard.view;
  return {
    heard: heardNow,
    ageMs: now - heard.at,
    accepted: accepted === null ? null : showBallot(accepted.ballot),
    promised: showBallot(promised),
    amnesia,
  };
}

function witnessStatus(s: AgentState, now: number) {
  const kind = s.settings.witness;
  if (kind === 'none') return { kind };
  if (kind === 'agent') return { kind, ...voteOf(s.witness, now, hearsWitness(s, now)) };
  const { register } = s;
  const state = register.held?.state;
  const bindsMs = registerBindsMs(register, s.settings.lease.drift, now);
  return {
    kind,
    heard: hearsWitness(s, now),
    ageMs: register.heardAt === null ? null : now - register.heardAt,
    out: register.out,
    serial: register.serial,
    accepted: state === undefined ? null : showBallot(state.accepted.ballot),
    nonce:
      state === undefined
        ? null
        : state.nonce === 'released'
          ? 'released'
          : { site: state.nonce.site, ttlMs: state.nonce.ttlMs },
    bindsMs: Number.isFinite(bindsMs) ? bindsMs : null,
  };
}

function track(part: Track, now: number) {
  return {
    verdict: part.verdict,
    class: part.lastClass,
    detail: part.detail,
    failures: part.failures,
    sinceMs: now - part.changedAt,
  };
}

function guard(s: AgentState, site: Site, now: number) {
  const seen = s.guards[site];
  return seen === null ? null : { ...seen.value, ageMs: now - seen.at };
}

/** What waits for a person, in plain words; empty when nothing does. */
export function needsPerson(s: AgentState, now: number): readonly string[] {
  const needs: string[] = [];
  if (s.voter.amnesia) needs.push(`${s.me}'s agent lost its state and does not vote: siteward agent rejoin`);
  else needs.push(...othersWithoutMemory(s, now));
  if (s.register.out !== null) needs.push(`the witness is out (${s.register.out}): siteward witness rejoin`);
  if (s.settings.witness === 'none') {
    needs.push(
      "there is no witness: if the primary's whole site is lost, this waits for a person: siteward failover --force",
    );
  }
  if (s.decision.code === 'standby-unfit') needs.push(s.decision.sentence);
  if (recordOf(s)?.mode === 'paused') needs.push('siteward is paused: siteward resume');
  const other = s.settings.witness !== 'none' && !hearsPeer(s, now) && !hearsWitness(s, now);
  if (other) needs.push('no other voter is heard');
  return needs;
}

/** Q8: what only a person brings back, said also by those that know of it when the voter itself cannot be asked. */
function othersWithoutMemory(s: AgentState, now: number): readonly string[] {
  const lost = (heard: Heard | null): boolean =>
    heard !== null && now - heard.at <= heardForMs && heard.view.amnesia && s.durable.founded;
  const peer = otherSite(s.me);
  return [
    ...(lost(s.peer) ? [`${peer}'s agent lost its state and does not vote: siteward agent rejoin`] : []),
    ...(lost(s.witness) ? ['the witness lost its state and does not vote: siteward witness rejoin'] : []),
  ];
}
