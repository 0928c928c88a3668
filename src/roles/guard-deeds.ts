// The guard's deeds by its adapters: PostgreSQL through one port, and the fuse's files. Nothing is decided here.

import type { GuardDeed, GuardDeedValue } from '../core/guard/deeds.ts';
import { done, type Outcome } from '../core/outcome.ts';
import type { Perform } from '../driver/events.ts';
import type { Database, Fuse } from '../ports/database.ts';

export type GuardAdapters = {
  readonly database: Database;
  readonly fuse: Fuse;
  /**
   * Tells the forced command `fence` on this host in which epoch the database is started or promoted now, as persisted
   * before the deed was asked for: it leaves a database alone that runs in the order's epoch or above.
   */
  readonly publishEpoch: () => Outcome<void>;
};

const plain: GuardDeedValue = { kind: 'plain' };

export function guardDeeds({ database, fuse, publishEpoch }: GuardAdapters): Perform<GuardDeed, GuardDeedValue> {
  return async (deed, { deadlineMs, mayGoOn }) => {
    switch (deed.kind) {
      case 'look':
        return map(await database.look(), (process) => ({ kind: 'looked', process }));
      case 'ask-server':
        return map(await database.ask(deadlineMs), (server) => ({ kind: 'server', server }));
      case 'look-fuse':
        return done({
          kind: 'fuse',
          fuse: { armed: fuse.armed(), deadline: fuse.deadline(), lastLook: fuse.lastLook() },
        });
      case 'set-deadline':
        // The deadline first: an armed fuse that finds a running primary without one kills it (L9).
        return plainly(both(fuse.setDeadline(deed.at), () => fuse.arm()));
      case 'clear-deadline':
        return plainly(fuse.clearDeadline());
      case 'start-primary': {
        const published = publishEpoch();
        return plainly(
          published.kind === 'done' ? await database.startPrimary(deed.waits, deadlineMs, mayGoOn) : published,
        );
      }
      case 'promote': {
        const published = publishEpoch();
        return plainly(published.kind === 'done' ? await database.promote(deed.waits, deadlineMs, mayGoOn) : published);
      }
      case 'start-standby':
        return plainly(await database.startStandby(deadlineMs));
      case 'stop-fast':
        return map(await database.stopFast(deadlineMs), ({ checkpoint }) => ({ kind: 'stopped-fast', checkpoint }));
      case 'stop':
        return plainly(await database.stop(deadlineMs));
      case 'set-waits':
        return plainly(await database.setWaits(deed.on, deadlineMs));
      case 'beat':
        return map(await database.beat(deed.row, deadlineMs), ({ position }) => ({ kind: 'beaten', position }));
    }
  };
}

function map<T>(outcome: Outcome<T>, to: (value: T) => GuardDeedValue): Outcome<GuardDeedValue> {
  return outcome.kind === 'done' ? done(to(outcome.value)) : outcome;
}

function plainly(outcome: Outcome<void>): Outcome<GuardDeedValue> {
  return map(outcome, () => plain);
}

function both(first: Outcome<void>, second: () => Outcome<void>): Outcome<void> {
  return first.kind === 'done' ? second() : first;
}
