// A process's state file on its machine's disk: two slots written in turn and fsynced, so what is torn is the slot that
// was being written and the one before it is read. Both damaged is amnesia.

import { done, rejected } from '../../../src/core/outcome.ts';
import type { Store } from '../../../src/ports/store.ts';
import { stateFormat } from '../../../src/wire/state-files.ts';
import type { Random } from '../engine/random.ts';
import { type Micros, milli } from '../engine/scheduler.ts';
import { Process } from './process.ts';

export class Disk {
  /** What an fsync has confirmed. */
  synced: unknown = undefined;
  /** What is being written: after a crash it is there, or it is not. */
  writing: unknown = undefined;
  damaged = false;
  full = false;
  /** How long an fsync takes besides its usual fraction of a millisecond to a few. */
  extraDelay: Micros = 0;
  /** Older contents, for a disk that is put back by a person. */
  readonly history: unknown[] = [];
  readonly random: Random;

  constructor(random: Random) {
    this.random = random;
  }

  /** The writer died: the unsynced slot is lost, torn (both: the older slot counts) or whole, which is told. */
  crash(): boolean {
    const whole = this.writing !== undefined && this.random.ratio(1, 2);
    if (whole) {
      this.synced = this.writing;
      this.damaged = false;
    }
    this.writing = undefined;
    return whole;
  }
}

export function storeOf(disk: Disk, process: Process): Store {
  return {
    load: () => {
      if (disk.damaged) return { kind: 'damaged', detail: 'both slots fail their checksum' };
      if (disk.synced === undefined) return { kind: 'absent' };
      return { kind: 'found', document: JSON.parse(JSON.stringify(disk.synced)), formatVersion: stateFormat };
    },
    save: (document) => {
      if (!process.mayAffect()) return Process.never;
      if (disk.full) return Promise.resolve(rejected('ENOSPC', 'no space left on device'));
      disk.writing = document;
      return process.later(disk.random.range(100, 3 * milli) + disk.extraDelay, () => {
        disk.synced = document;
        // Whatever the other slot is, this one is whole.
        disk.damaged = false;
        disk.writing = undefined;
        if (disk.history.length < 64) disk.history.push(document);
        return done(undefined);
      });
    },
  };
}
