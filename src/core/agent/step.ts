// The agent's brain. READ THIS FIRST. One event in, the next state and the effects out; no clock, random, I/O or throw.
//
//   event   -> taken up by the room it belongs to (grants, hear, proposing, register-io, judging, orders)
//   drive   -> level-triggered: with what is known now, what is due? Any step could be the first after a restart
//   effects -> persist what changed, then send, then act (the driver may not reorder them)

import { decideEntry } from '../decide/entry.ts';
import { decidePrimary } from '../decide/primary.ts';
import type { StepResult } from '../effects.ts';
import { epochOf, showEpoch } from '../quorum/record.ts';
import { guardOf, type Site } from '../site.ts';
import type { Instant, Moment, Ms } from '../time.ts';
import type { AgentDeed, AgentEvent } from './deeds.ts';
import { type AgentDraft, ask, set, trace } from './draft.ts';
import { coolDownLeftMs, recordOf } from './facts.ts';
import { noteHearing } from './hear.ts';
import { takeEvent } from './inbox.ts';
import { servesRightly } from './judging.ts';
import { driveOrders, orderIntent } from './orders.ts';
import { driveProbes, driveState } from './probing.ts';
import { begin, driveProposal } from './proposing.ts';
import { driveReconcile } from './reconciling.ts';
import { driveRegister, nextReadAt } from './register-io.ts';
import { driveRejoin, rejoinIntent } from './rejoining.ts';
import { driveRepair, repairIntent } from './repairing.ts';
import { type AgentDurable, type AgentState, type Decision, durableOf, type Intent } from './state.ts';
import { driveSyncing, syncOffIntent, syncOnIntent } from './syncing.ts';

export type AgentStep = StepResult<AgentState, AgentDurable, AgentDeed>;

/** With nothing due the agent still looks around this often. */
const idleTickMs = 250;

export function agentStep(state: AgentState, event: AgentEvent, moment: Moment): AgentStep {
  const d: AgentDraft = { s: state, at: moment, send: [], act: [], trace: [] };
  takeEvent(d, event);
  keepWallNotesPast(d);
  noteHearing(d);
  driveOrders(d);
  driveRejoin(d);
  driveRegister(d);
  driveProbes(d);
  driveSyncing(d);
  const intent = decide(d);
  driveRepair(d);
  const failover = intent?.kind === 'primary' ? intent : null;
  const urgent = orderIntent(d) ?? failover ?? syncOffIntent(d) ?? rejoinIntent(d);
  const wanted = urgent ?? intent ?? syncOnIntent(d) ?? repairIntent(d);
  if (wanted !== null) begin(d, wanted);
  driveProposal(d);
  driveReconcile(d);
  driveState(d);
  const changed = !state.saved || d.s.voter.durable !== state.voter.durable || d.s.durable !== state.durable;
  if (!state.saved) set(d, { saved: true });
  return {
    state: d.s,
    effects: { fence: false, persist: changed ? durableOf(d.s) : null, send: d.send, act: d.act },
    trace: d.trace,
    wakeAt: nextWake(d),
  };
}

/** The policy's answer, its sentence for people, and V4's word to the guard. */
function decide(d: AgentDraft): Intent | null {
  noteServing(d);
  const primary = decidePrimary(d.s, d.at);
  const entry = decideEntry(d.s, d.at);
  const calm = primary.decision.code === 'healthy' && entry.decision.code !== 'entry-healthy';
  const decision = calm || (entry.decision.act && !primary.decision.act) ? entry.decision : primary.decision;
  if (decision.code !== d.s.decision.code || decision.act !== d.s.decision.act) {
    const level = decision.code === 'healthy' ? 'info' : 'warn';
    trace(d, level, decision.act ? 'decide.act' : 'decide.hold', {
      code: decision.code,
      sentence: decision.sentence,
      waitMs: decision.waitMs,
    });
  }
  const readySince = primary.ready ? (d.s.readySince ?? d.at.now) : null;
  if (!isSame(decision, d.s.decision) || readySince !== d.s.readySince) set(d, { decision, readySince });
  refuse(d, primary.refuse);
  return primary.intent ?? entry.intent;
}

function isSame(one: Decision, other: Decision): boolean {
  if (one.code !== other.code || one.act !== other.act) return false;
  return one.waitMs === other.waitMs && one.sentence === other.sentence;
}

/** V7: how long each entry has *served* already; a heal makes both serve again, and not at the same instant. */
function noteServing(d: AgentDraft): void {
  const { servesSince: before } = d.s;
  const since = (site: Site): Instant | null =>
    servesRightly(d.s, site, d.at.now) ? (before[site] ?? d.at.now) : null;
  const after = { site1: since('site1'), site2: since('site2') };
  if (after.site1 !== before.site1 || after.site2 !== before.site2) set(d, { servesSince: after });
}

/**
 * V6, V7: a cool-down that this machine's wall clock dates in the future is not over (the clock may be behind since the boot, and
 * be put right soon); but when it stays so for as long as a cool-down takes, the clock was ahead then, and it counts from now.
 */
function keepWallNotesPast(d: AgentDraft): void {
  const { learned, entryMoved } = d.s.durable;
  const { policy } = d.s.settings;
  const { wall } = d.at;
  const runsFor = (length: Ms): boolean => d.at.now - d.s.startedAt >= length;
  if (learned !== null && learned.wall > wall && runsFor(policy.coolDownMs))
    set(d, { durable: { ...d.s.durable, learned: { ...learned, wall } } });
  if (entryMoved > wall && runsFor(policy.entryCoolDownMs)) set(d, { durable: { ...d.s.durable, entryMoved: wall } });
}

/** V4: it tells the guard so at once. */
function refuse(d: AgentDraft, refusing: boolean): void {
  const record = recordOf(d.s);
  if (refusing === d.s.refusing || record === null) return;
  set(d, { refusing, due: { ...d.s.due, state: d.at.now } });
  trace(d, 'warn', refusing ? 'grants.refused' : 'grants.resumed', {
    primary: record.primary,
    epoch: showEpoch(epochOf(record)),
  });
  ask(
    d,
    guardOf(record.primary),
    { type: 'refusing', cluster: record.cluster, epoch: epochOf(record), refusing },
    { kind: 'told', site: record.primary },
  );
}

function nextWake(d: AgentDraft): Instant {
  const { s, at } = d;
  const { now } = at;
  let next = Math.min(now + idleTickMs, s.due.probe, s.due.state);
  if (s.settings.witness === 'route53' && s.voter.durable.cluster !== null) next = Math.min(next, nextReadAt(d));
  if (s.decision.waitMs > 0) next = Math.min(next, now + s.decision.waitMs);
  if (s.rejoin !== null) next = Math.min(next, Math.max(now + 100, s.rejoin.due));
  if (s.order !== null) next = Math.min(next, s.order.until, now + 50);
  if (s.proposal !== null || s.syncQuestion !== null) next = Math.min(next, now + 100);
  const coolDownMs = coolDownLeftMs(s, at.wall);
  if (coolDownMs > 0) next = Math.min(next, now + coolDownMs);
  return Math.max(now + 10, next);
}
