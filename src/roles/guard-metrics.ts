// The guard's gauges from its state at each scrape, its counters from its own log lines, and /health.

import type { PlainReport } from '../adapters/http/plain-listener.ts';
import { fuseAlive, leaseInForce } from '../core/guard/facts.ts';
import type { GuardState } from '../core/guard/state.ts';
import { guardStatus } from '../core/guard/status.ts';
import { sites } from '../core/site.ts';
import type { Clock } from '../ports/clock.ts';
import type { Log } from '../ports/log.ts';
import type { Metrics } from '../ports/metrics.ts';

export function measureGuard(metrics: Metrics, s: GuardState, clock: Clock): void {
  const now = clock.now();
  const status = guardStatus(s, now);
  const { chosen } = s.durable;
  metrics.set('siteward_lease_left_seconds', status.leaseLeftMs / 1000);
  metrics.set('siteward_quarantine_left_seconds', status.quarantineMs / 1000);
  metrics.set('siteward_fuse_alive', status.fuseAlive ? 1 : 0);
  metrics.set('siteward_database_writable', leaseInForce(s, now) && status.database === 'primary' ? 1 : 0);
  metrics.set('siteward_commits_wait', s.durable.waits ? 1 : 0);
  const stalled = s.durable.waits && s.sync.missed > 0 && status.database === 'primary';
  metrics.set('siteward_commits_stalled_seconds', stalled ? (now - s.sync.upAt) / 1000 : 0);
  if (chosen === null) return;
  metrics.set('siteward_epoch', chosen.record.epoch);
  metrics.set('siteward_era', chosen.record.era.number);
  for (const site of sites) metrics.set('siteward_primary', chosen.record.primary === site ? 1 : 0, { site });
}

export function countFences(log: Log, metrics: Metrics): Log {
  return {
    flush: () => log.flush(),
    event: (level, event, fields) => {
      log.event(level, event, fields);
      if (event === 'fence.done') metrics.count('siteward_fences_total', { outcome: 'done' });
      if (event === 'fence.failed') metrics.count('siteward_fences_total', { outcome: 'failed' });
      if (event === 'lease.acquired' || event === 'lease.extended')
        metrics.count('siteward_rounds_total', { outcome: 'granted' });
      if (event === 'round.missed') metrics.count('siteward_rounds_total', { outcome: 'missed' });
      if (event === 'loop.stalled') metrics.count('siteward_loop_stalls_total');
    },
  };
}

export function guardHealth(s: GuardState, clock: Clock): PlainReport {
  const now = clock.now();
  const status = guardStatus(s, now);
  const primary = s.durable.chosen?.record.primary === s.me;
  const ok = fuseAlive(s, now) && (!primary || (leaseInForce(s, now) && status.database === 'primary'));
  return {
    ok,
    body: { site: s.me, database: status.database, leaseLeftMs: status.leaseLeftMs, fuseAlive: status.fuseAlive },
  };
}
