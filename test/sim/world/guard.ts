// A guard: the production core and deeds over the simulated PostgreSQL and the fuse's files.

import type { GuardDeed, GuardDeedValue, GuardEvent } from '../../../src/core/guard/deeds.ts';
import { fenceAt } from '../../../src/core/guard/facts.ts';
import { durableOf, type GuardDurable, type GuardState, startGuard } from '../../../src/core/guard/state.ts';
import { guardStep } from '../../../src/core/guard/step.ts';
import { done } from '../../../src/core/outcome.ts';
import type { EpochId } from '../../../src/core/quorum/record.ts';
import type { Settings } from '../../../src/core/settings.ts';
import type { Site } from '../../../src/core/site.ts';
import type { Database, Fuse } from '../../../src/ports/database.ts';
import { guardDeeds } from '../../../src/roles/guard-deeds.ts';
import { readGuardDurable } from '../../../src/wire/state-files.ts';
import type { Start, Wiring } from './daemon.ts';
import type { Process } from './process.ts';

export type GuardWorld = {
  readonly settings: () => Settings;
  readonly database: (process: Process) => Database;
  readonly fuse: (process: Process) => Fuse;
  /** guard.epoch on the database host, for the forced command `fence`. */
  readonly publishEpoch: (epoch: EpochId | null) => void;
};

export type GuardWiring = Wiring<GuardState, GuardEvent, GuardDurable, GuardDeed, GuardDeedValue>;

/** Null: its state is damaged, and it must not let an old epoch write (L10): a person has to look. */
export function wireGuard(site: Site, world: GuardWorld): (start: Start) => GuardWiring | null {
  return ({ process, clock, load }) => {
    const found = load();
    const durable = found.kind === 'found' ? readGuardDurable(found.document) : null;
    if (found.kind !== 'absent' && durable === null) return null;
    const initial = startGuard(site, world.settings(), durable, clock.now(), clock.wall());
    const database = world.database(process);
    let ranIn = durableOf(initial).ranIn;
    return {
      step: (state, event, moment) => {
        const result = guardStep(state, event, moment);
        ranIn = durableOf(result.state).ranIn;
        return result;
      },
      initial,
      perform: guardDeeds({
        database,
        fuse: world.fuse(process),
        publishEpoch: () => {
          world.publishEpoch(ranIn);
          return done(undefined);
        },
      }),
      register: null,
      fence: { now: () => database.kill(), at: fenceAt },
    };
  };
}
