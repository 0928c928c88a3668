// Scheduled checks by node-cron: staged files, SSH, Route 53, disk space. Each is a metric; the protocol depends on none
// of them, and node-cron follows the wall clock, which nothing in the protocol does.

import { createTask, validate } from 'node-cron';
import type { Clock } from '../../ports/clock.ts';
import type { Log } from '../../ports/log.ts';
import type { Metrics } from '../../ports/metrics.ts';

export type CheckResult = { readonly ok: boolean; readonly why: string };
export type ScheduledCheck = { readonly name: string; run(): Promise<CheckResult> };

export type ChecksOptions = {
  /** Five or six fields, UTC. */
  readonly schedule: string;
  readonly checks: readonly ScheduledCheck[];
  readonly clock: Pick<Clock, 'wall'>;
  readonly log: Log;
  readonly metrics: Metrics;
  /** A check that takes longer has failed. */
  readonly deadlineMs?: number;
};

export type Checks = {
  /** Runs all of them once, then by schedule. */
  start(): Promise<void>;
  runAll(): Promise<void>;
  /** The last result of each, by name. */
  results(): Readonly<Record<string, CheckResult>>;
  stop(): Promise<void>;
};

/** Null, or what is wrong with the expression. */
export function scheduleProblem(schedule: string): string | null {
  return validate(schedule) ? null : `${schedule} is no cron expression`;
}

export function createChecks(options: ChecksOptions): Checks {
  const { checks, clock, log, metrics, deadlineMs = 30_000 } = options;
  const results = new Map<string, CheckResult>();

  async function runOne(check: ScheduledCheck): Promise<void> {
    const result = await inTime(check, deadlineMs);
    results.set(check.name, result);
    metrics.set('siteward_check_ok', result.ok ? 1 : 0, { check: check.name });
    metrics.set('siteward_check_timestamp_seconds', Math.floor(clock.wall() / 1000), { check: check.name });
    if (result.ok) log.event('debug', 'check.passed', { check: check.name });
    else log.event('warn', 'check.failed', { check: check.name, why: result.why });
  }

  /** One after the other: checks must never be a load. */
  async function runAll(): Promise<void> {
    for (const check of checks) await runOne(check);
  }

  const task = createTask(options.schedule, runAll, {
    timezone: 'UTC',
    noOverlap: true,
    suppressMissedWarning: true,
    unref: true,
  });

  return {
    start: async () => {
      await task.start();
      await runAll();
    },
    runAll,
    results: () => Object.fromEntries(results),
    stop: async () => {
      await task.destroy();
    },
  };
}

async function inTime(check: ScheduledCheck, deadlineMs: number): Promise<CheckResult> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<CheckResult>((resolve) => {
    timer = setTimeout(() => resolve({ ok: false, why: `took longer than ${deadlineMs} ms` }), deadlineMs);
  });
  try {
    return await Promise.race([check.run(), late]);
  } catch (error) {
    return { ok: false, why: error instanceof Error ? error.message : String(error) };
  } finally {
    clearTimeout(timer);
  }
}
