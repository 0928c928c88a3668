// The agent's gauges from its state at each scrape, its counters from its own log lines, and /health and /entry.

import type { PlainReport } from '../adapters/http/plain-listener.ts';
import { coolDownLeftMs, hearsPeer, hearsWitness, mayPointName, mayTouch, recordOf } from '../core/agent/facts.ts';
import type { AgentState, Track } from '../core/agent/state.ts';
import { needsPerson } from '../core/agent/status.ts';
import { viewOf } from '../core/quorum/voter.ts';
import { sites } from '../core/site.ts';
import { possibleLoss, standbyAdvice } from '../core/verdict/standby.ts';
import type { Clock } from '../ports/clock.ts';
import type { Log } from '../ports/log.ts';
import type { Metrics } from '../ports/metrics.ts';

const witnessKinds = ['agent', 'route53', 'none'] as const;
const verdicts = ['unknown', 'healthy', 'suspect', 'failed'] as const;

export function measureAgent(metrics: Metrics, s: AgentState, clock: Clock): void {
  const now = clock.now();
  const view = viewOf(s.voter, now);
  const record = recordOf(s);
  metrics.set('siteward_ballot', view.promised.counter);
  metrics.set('siteward_promise_left_seconds', view.bindsMs / 1000);
  metrics.set('siteward_quarantine_left_seconds', view.quarantineMs / 1000);
  metrics.set('siteward_voters_heard', 1 + Number(hearsPeer(s, now)) + Number(hearsWitness(s, now)));
  for (const kind of witnessKinds) metrics.set('siteward_witness', s.settings.witness === kind ? 1 : 0, { kind });
  metrics.set('siteward_cool_down_left_seconds', coolDownLeftMs(s, clock.wall()) / 1000);
  metrics.set('siteward_waits_for_person', needsPerson(s, now).length > 0 ? 1 : 0);
  if (s.settings.witness === 'route53') {
    metrics.set('siteward_register_out', s.register.out === null ? 0 : 1);
    metrics.set('siteward_register_serial', s.register.serial);
  }
  const advice = standbyAdvice(s, now);
  metrics.set('siteward_may_take_over', advice.mayTakeOver ? 1 : 0);
  const { lagBytes } = possibleLoss(s, now);
  if (lagBytes !== null) metrics.set('siteward_replication_lag_bytes', lagBytes);
  measureVerdict(metrics, 'primary', s.primary);
  measureVerdict(metrics, 'standby', s.standby);
  for (const site of sites) measureVerdict(metrics, `entry-${site}`, s.entries[site]);
  if (record === null) return;
  metrics.set('siteward_epoch', record.epoch);
  metrics.set('siteward_era', record.era.number);
  metrics.set('siteward_sync', record.sync ? 1 : 0);
  metrics.set('siteward_paused', record.mode === 'paused' ? 1 : 0);
  for (const site of sites) {
    metrics.set('siteward_primary', record.primary === site ? 1 : 0, { site });
    metrics.set('siteward_entry', record.entry === site ? 1 : 0, { site });
  }
  const guard = s.guards[record.primary];
  const leftMs = guard === null ? 0 : Math.max(0, guard.value.leaseLeftMs - (now - guard.at));
  metrics.set('siteward_lease_left_seconds', leftMs / 1000);
}

function measureVerdict(metrics: Metrics, part: string, track: Track): void {
  for (const verdict of verdicts) metrics.set('siteward_verdict', track.verdict === verdict ? 1 : 0, { part, verdict });
}

/** A log that counts what the core says of itself, and times the phases of a change by the lines that begin and end them. */
export function countTrace(log: Log, metrics: Metrics): Log {
  let confirmedAt: number | null = null;
  return {
    flush: () => log.flush(),
    event: (level, event, fields) => {
      log.event(level, event, fields);
      if (event === 'vote.granted' || event === 'vote.cast')
        metrics.count('siteward_votes_total', { vote: 'accept', outcome: 'yes' });
      if (event === 'loop.stalled') metrics.count('siteward_loop_stalls_total');
      if (event === 'order.ended')
        metrics.count('siteward_failovers_total', { kind: 'order', outcome: String(fields['outcome']) });
      if (event === 'decide.act') {
        confirmedAt = performance.now();
        metrics.count('siteward_failovers_total', { kind: String(fields['code']), outcome: 'begun' });
      }
      if (confirmedAt === null) return;
      const seconds = (performance.now() - confirmedAt) / 1000;
      if (event === 'record.chosen') metrics.observe('siteward_phase_seconds', seconds, { phase: 'agree' });
      if (event === 'env.switched') metrics.observe('siteward_phase_seconds', seconds, { phase: 'applications' });
      if (event === 'dns.moved') metrics.observe('siteward_phase_seconds', seconds, { phase: 'dns' });
      if (event !== 'verdict.changed' || fields['part'] !== 'primary' || fields['to'] !== 'healthy') return;
      metrics.observe('siteward_phase_seconds', seconds, { phase: 'whole' });
      confirmedAt = null;
    },
  };
}

export function agentHealth(s: AgentState, clock: Clock): PlainReport {
  const now = clock.now();
  const person = needsPerson(s, now);
  const ok = !s.voter.amnesia && recordOf(s) !== null && mayTouch(s, now);
  return { ok, body: { agent: s.me, decision: s.decision.sentence, person } };
}

/**
 * For whoever wants to know whether clients should come here (DNS by health checks): 200 at the entry's site, 503 at the
 * other, and at one that hears nobody: what it remembers may be over (R2). Where both say 503 a failover record pair
 * stays as it is.
 */
export function agentEntry(s: AgentState, clock: Clock): PlainReport {
  const entry = recordOf(s)?.entry ?? null;
  const current = mayPointName(s, clock.now());
  return { ok: entry === s.me && current, body: { me: s.me, entry, current } };
}
