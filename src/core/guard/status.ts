// What a guard says of itself: to agents in every renewal and inquiry, and to people.

import type { GuardStatus } from '../messages.ts';
import { showEpoch } from '../quorum/record.ts';
import type { Site } from '../site.ts';
import type { Instant, Ms } from '../time.ts';
import { dutyEpoch, fuseAlive, inBootstrap, isFounding, isRefused, leaseInForce, mayBeginAt, syncAt } from './facts.ts';
import type { GuardState } from './state.ts';

export function guardStatus(s: GuardState, now: Instant): GuardStatus {
  const seen = s.db.process?.value ?? null;
  return {
    site: s.me,
    noted: s.durable.noted,
    database: databaseWord(s, now),
    crashed: s.db.crashed,
    leaseLeftMs: leaseLeftMs(s, now),
    fuseAlive: fuseAlive(s, now),
    systemId: seen?.systemId ?? null,
    timeline: seen?.timeline ?? null,
    position: s.db.position,
    quarantineMs: quarantineMs(s, now),
    restingMs: restingMs(s, now),
    missingMs: s.missingSince === null ? 0 : now - s.missingSince,
    syncAt: syncAt(s, now),
    diskFull: seen?.full ?? false,
    unheardMs: { site1: unheardMs(s, 'site1', now), site2: unheardMs(s, 'site2', now) },
    failsafeOf: s.failsafeOf,
  };
}

function unheardMs(s: GuardState, agent: Site, now: Instant): Ms | null {
  const word = s.agents[agent];
  return word === null || word.at === 0 ? null : now - word.at;
}

/** I7: a standby that its guard cannot ask is none that it can promote, whatever others see of it. */
const askedWithinMs: Ms = 3000;

function databaseWord(s: GuardState, now: Instant): GuardStatus['database'] {
  if (s.fencing !== null) return 'stopping';
  switch (s.db.work?.deed) {
    case 'stop':
    case 'stop-fast':
      return 'stopping';
    case 'start-primary':
    case 'start-standby':
    case 'promote':
      return 'starting';
    case undefined:
      if (s.db.role === 'standby' && now - (s.db.server?.at ?? Number.NEGATIVE_INFINITY) > askedWithinMs)
        return 'unknown';
      return s.db.role === 'none' ? 'stopped' : s.db.role;
  }
}

function leaseLeftMs(s: GuardState, now: Instant): Ms {
  return s.lease !== null && leaseInForce(s, now) ? s.lease.until - now : 0;
}

/** L8, as it stands for the next epoch: that is what an agent asks itself before it proposes this site. */
function quarantineMs(s: GuardState, now: Instant): Ms {
  const duty = dutyEpoch(s);
  const until = duty === null || isFounding(duty) ? Math.max(s.promisedUntil, s.quarantinedUntil) : mayBeginAt(s, duty);
  return Math.max(0, until - now);
}

function restingMs(s: GuardState, now: Instant): Ms {
  const held = s.hold?.order === true ? s.hold.until : 0;
  // A start under the lease is a restart as well ("Orders"): a long crash recovery is no reason to move (S12).
  const starting = s.db.startingSince === null ? 0 : s.db.startingSince + s.settings.restartBudgetMs;
  return Math.max(0, Math.max(s.order?.until ?? 0, held, starting, s.restingUntil) - now);
}

/** The one thing that stands between this guard and a database that accepts writes; empty when nothing does. */
function waitsFor(s: GuardState, now: Instant): string {
  if (s.durable.chosen === null) return 'the cluster record: no agent has told it yet';
  if (dutyEpoch(s) === null) return `nothing: ${s.durable.chosen.record.primary} is the primary`;
  if (!fuseAlive(s, now)) return 'its fuse, which is not alive: no lease is renewed without one (L9)';
  if (s.startup !== 'over') return 'the database it found at its start to answer';
  if (s.fencing !== null) return `its database to be dead (${s.fencing.cause})`;
  if (s.hold !== null) return `a change after its release, until ${Math.ceil((s.hold.until - now) / 1000)} s from now`;
  if (!leaseInForce(s, now)) return 'a lease: fewer than a majority of the voters grant it';
  const waitMs = s.durable.noted === null ? 0 : mayBeginAt(s, s.durable.noted) - now;
  if (s.db.role !== 'primary' && waitMs > 0)
    return `the longest failsafe promise, ${Math.ceil(waitMs / 1000)} s from now (L8)`;
  if (s.db.work !== null) return `its database: ${s.db.work.deed} is under way`;
  return s.db.role === 'primary' ? '' : `its database, which is ${databaseWord(s, now)}`;
}

/** For `siteward status`; free-form, described in docs/CLI.md. */
export function statusOf(s: GuardState, now: Instant) {
  const { chosen, noted, cluster } = s.durable;
  const duty = dutyEpoch(s);
  return {
    role: 'guard' as const,
    site: s.me,
    cluster,
    epoch: noted === null ? null : showEpoch(noted),
    noted,
    record: chosen,
    bootstrap: inBootstrap(s),
    startup: s.startup,
    status: guardStatus(s, now),
    lease:
      s.lease === null || !leaseInForce(s, now)
        ? null
        : { epoch: showEpoch(s.lease.epoch), leftMs: s.lease.until - now },
    database: {
      role: s.db.role,
      work: s.db.work?.deed ?? null,
      process: s.db.process?.value ?? null,
      position: s.db.position,
      crashed: s.db.crashed,
      failures: s.db.failures,
      ranIn: s.durable.ranIn === null ? null : showEpoch(s.durable.ranIn),
      writable: duty !== null && s.db.role === 'primary' && s.db.work === null && leaseInForce(s, now),
    },
    fuse: {
      alive: fuseAlive(s, now),
      armed: s.fuse?.value.armed ?? null,
      deadlineInMs: typeof s.deadline === 'number' ? s.deadline - now : null,
    },
    replication: {
      mode: s.settings.replication,
      waits: s.durable.waits,
      server: s.db.server?.value.sync ?? null,
      /** Commits wait, and nothing that was acknowledged lacks at the standby. */
      complete: syncAt(s, now) !== null,
      /** For how long nothing has been acknowledged for want of an answer of the agents. */
      askingMs: s.sync.asking === null ? null : now - s.sync.upAt,
    },
    fencing: s.fencing?.cause ?? null,
    order:
      s.order === null ? null : { kind: s.order.kind, phase: s.order.phase, leftMs: Math.max(0, s.order.until - now) },
    hold: s.hold === null ? null : { cause: s.hold.cause, leftMs: Math.max(0, s.hold.until - now) },
    isRefused: duty !== null && isRefused(s, duty, now),
    promisedMs: Math.max(0, s.promisedUntil - now),
    waitsFor: waitsFor(s, now),
  };
}
