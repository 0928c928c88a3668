// What clients were told, held against what the databases have: I4, reads that go backwards, and how many acknowledged
// writes an asynchronous failover lost.

import type { Micros } from '../engine/scheduler.ts';
import type { ClientObserver, Via } from '../world/clients.ts';
import type { Violations } from './violations.ts';

export class History implements ClientObserver {
  acknowledged = 0;
  inDoubt = 0;
  failed = 0;
  lost = 0;
  lastAcknowledgedAt: Micros = Number.NEGATIVE_INFINITY;
  readonly #violations: Violations;
  /** Acknowledged and not known to be lost, ascending by the time at which the client heard of it. */
  #kept: { readonly id: number; readonly at: Micros }[] = [];
  #highest: { id: number; at: Micros } = { id: 0, at: 0 };
  /** Whether a loss is one that nobody promised against: asynchronous replication, or a person's word. */
  readonly #mayLose: () => boolean;

  constructor(violations: Violations, mayLose: () => boolean) {
    this.#violations = violations;
    this.#mayLose = mayLose;
  }

  writeBegun(): void {}

  writeAcknowledged(id: number, _begun: Micros, at: Micros): void {
    this.acknowledged += 1;
    this.lastAcknowledgedAt = at;
    this.#kept.push({ id, at });
    if (id > this.#highest.id) this.#highest = { id, at };
  }

  writeFailed(): void {
    this.failed += 1;
  }

  writeInDoubt(): void {
    this.inDoubt += 1;
  }

  /** Reads are of the whole: what was acknowledged before one began has to be in it, unless it was lost. */
  read(highest: number, begun: Micros, _at: Micros, via: Via): void {
    if (this.#highest.at < begun && highest < this.#highest.id && !this.#mayLose())
      this.#violations.add(
        'I4',
        `a read by ${via.instance} from ${via.database ?? 'nowhere'} shows ${highest}, ${this.#highest.id} was acknowledged before it began`,
      );
  }

  /** Asked when a database has become the writable primary of a new epoch, and at the end. */
  compare(contains: (id: number) => boolean, where: string): void {
    const kept = this.#kept.filter(({ id }) => contains(id));
    const missing = this.#kept.length - kept.length;
    if (missing === 0) return;
    const first = this.#kept.find(({ id }) => !contains(id));
    this.lost += missing;
    this.#kept = kept;
    const last = kept.at(-1);
    this.#highest = last === undefined ? { id: 0, at: 0 } : { id: Math.max(...kept.map(({ id }) => id)), at: last.at };
    if (!this.#mayLose())
      this.#violations.add('I4', `${missing} acknowledged writes (first ${first?.id}) are not on ${where}`);
  }
}
