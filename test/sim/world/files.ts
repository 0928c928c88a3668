// Which cluster file each daemon reads when it starts: all the same one, but for those that a person edited on their host alone.

import { longestTtl, type Settings } from '../../../src/core/settings.ts';
import type { Ms } from '../../../src/core/time.ts';
import { type Micros, milli } from '../engine/scheduler.ts';

/** By the daemon's name: the edited ones. */
export class Files extends Map<string, Settings> {
  readonly #common: Settings;
  /** What each daemon that runs, or ran last, has read. */
  readonly #read = new Map<string, Settings>();
  #longestLeaseMs: Ms = 0;
  /** Some file said that no commit waits for the standby: by that one, what it lacks may be lost. */
  toAsync = false;

  constructor(common: Settings) {
    super();
    this.#common = common;
  }

  override set(name: string, settings: Settings): this {
    this.#longestLeaseMs = Math.max(this.#longestLeaseMs, longestTtl(settings.lease, settings.witness));
    if (settings.replication === 'async') this.toAsync = true;
    return super.set(name, settings);
  }

  read(name: string): Settings {
    const settings = this.get(name) ?? this.#common;
    this.#read.set(name, settings);
    return settings;
  }

  /** It goes by another file than the one that lies on its host now. */
  isStale(name: string): boolean {
    return (this.#read.get(name) ?? this.#common) !== (this.get(name) ?? this.#common);
  }

  /** How much longer than by the common file something may take: a lease, and the wait of whoever granted it (L4). */
  get longerBy(): Micros {
    return 2 * this.#longestLeaseMs * milli;
  }
}
