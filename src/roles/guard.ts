// `siteward guard`: the guard's core wired to its adapters.

import { renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createFuse } from '../adapters/fuse/fuse-files.ts';
import { createDatabase } from '../adapters/postgres/database.ts';
import { databaseSettings, processControl } from '../adapters/postgres/settings.ts';
import { EXIT } from '../catalog/exit-codes.ts';
import type { GuardEvent } from '../core/guard/deeds.ts';
import { fenceAt } from '../core/guard/facts.ts';
import { durableOf, emptyGuardDurable, type GuardDurable, type GuardState, startGuard } from '../core/guard/state.ts';
import { guardStep } from '../core/guard/step.ts';
import { done, type Outcome, unknown } from '../core/outcome.ts';
import type { EpochId } from '../core/quorum/record.ts';
import { readGuardDurable } from '../wire/state-files.ts';
import { openBase, type RoleOptions, StartRefused } from './base.ts';
import { guardDeeds } from './guard-deeds.ts';
import { countFences, guardHealth, measureGuard } from './guard-metrics.ts';
import { loadState, openStore, runDaemon } from './run.ts';

export async function runGuard(options: RoleOptions): Promise<void> {
  const base = openBase('guard', options);
  const { config, settings, clock, log, part, metrics } = base;
  if (part.part !== 'database') return;
  const { runDirectory, stateDirectory } = config.paths;
  checkFuseDirectories({ dataDirectory: config.database.dataDirectory, stateDirectory, runDirectory });
  const store = await openStore(base, 'guard');
  const { durable, amnesia } = loadState<GuardDurable | null>(store, log, readGuardDurable, null);
  // L10: without its memory a guard might let an old epoch write. Its fuse is armed on disk and keeps the database down.
  if (amnesia)
    throw new StartRefused(
      `the state of this guard in ${stateDirectory} is damaged: see "A guard lost its state" in docs/RUNBOOK.md`,
      EXIT.unsafe,
    );
  const database = createDatabase(databaseSettings(config, part.site), processControl(config), (detail) =>
    log.event('warn', 'database.setup', { detail }),
  );
  const fuse = createFuse({ runDirectory, stateDirectory });
  const initial = startGuard(part.site, settings, durable, clock.now(), clock.wall());
  let ranIn = (durable ?? emptyGuardDurable).ranIn;
  await runDaemon({
    base: { ...base, log: countFences(log, metrics) },
    step: (before: GuardState, event: GuardEvent, moment) => {
      const result = guardStep(before, event, moment);
      // Persisted before any deed of this step is done (the driver's order), so the published epoch is never ahead.
      ranIn = durableOf(result.state).ranIn;
      return result;
    },
    initial,
    store,
    register: null,
    perform: guardDeeds({ database, fuse, publishEpoch: () => publishEpoch(runDirectory, ranIn) }),
    fence: { now: () => database.kill(), at: fenceAt },
    namePersist: () => [],
    measure: (state) => measureGuard(metrics, state, clock),
    health: (state) => guardHealth(state, clock),
    entry: () => ({ ok: false, body: { why: 'a guard is no entry' } }),
    close: () => {
      database.close();
      return Promise.resolve();
    },
  });
}

/** The fuse does not read the cluster file; one that looks into other directories would end nothing (L9). */
function checkFuseDirectories(ours: {
  readonly dataDirectory: string;
  readonly stateDirectory: string;
  readonly runDirectory: string;
}): void {
  const pairs = [
    ['database.dataDirectory', process.env['SITEWARD_DATA_DIRECTORY'], ours.dataDirectory],
    ['paths.stateDirectory', process.env['SITEWARD_STATE_DIRECTORY'], ours.stateDirectory],
    ['paths.runDirectory', process.env['SITEWARD_RUN_DIRECTORY'], ours.runDirectory],
  ] as const;
  for (const [key, units, wanted] of pairs) {
    if (units === undefined || units === wanted) continue;
    const remedy =
      key === 'database.dataDirectory'
        ? 'siteward config database-env prints /etc/siteward/database.env; then restart siteward-fuse'
        : `leave ${key} out of the cluster file, the package's units know no other`;
    throw new StartRefused(
      `${key}: the units of this host are for ${units}, the cluster file says ${wanted}: ${remedy}`,
      EXIT.config,
    );
  }
}

function publishEpoch(runDirectory: string, ranIn: EpochId | null): Outcome<void> {
  const file = join(runDirectory, 'guard.epoch');
  try {
    writeFileSync(`${file}.new`, `${JSON.stringify(ranIn)}\n`);
    renameSync(`${file}.new`, file);
    return done(undefined);
  } catch (error) {
    return unknown(`${file}: ${String(error)}`);
  }
}
