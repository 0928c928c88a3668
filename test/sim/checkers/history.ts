// What clients were told, held against what the databases have: I4, reads that go backwards, and how many acknowledged
// writes an asynchronous failover lost.

import type { Micros } from '../engine/scheduler.ts';
import type { ClientObserver, Via } from '../world/clients.ts';
import type { Violations } from './violations.ts';

type Newest = {
  readonly contains: (id: number) => boolean;
  readonly where: string;
  /** False: its epoch was begun in a way that loses nothing, whatever the mode. */
  readonly mayLose: boolean;
};

export class History implements ClientObserver {
  acknowledged = 0;
  inDoubt = 0;
  failed = 0;
  lost = 0;
  lastAcknowledgedAt: Micros = Number.NEGATIVE_INFINITY;
  readonly #violations: Violations;
  /** Acknowledged and not known to be lost, by the time at which the client heard of it; `top`: the highest so far. */
  #kept: { readonly id: number; readonly at: Micros; readonly top: number }[] = [];
  readonly #epochs = new Map<number, string>();
  /** The primary of the newest epoch, from its first writable moment on. */
  #newest: Newest | null = null;
  /** Whether a loss is one that nobody promised against: asynchronous replication, or a person's word. */
  readonly #mayLose: () => boolean;

  /** V5: `maxLagBytes` of them, and what a primary that nobody sees goes on with until its longest lease ends. */
  readonly #mostLost: () => number;

  constructor(violations: Violations, mayLose: () => boolean, mostLost: () => number = () => Number.POSITIVE_INFINITY) {
    this.#violations = violations;
    this.#mayLose = mayLose;
    this.#mostLost = mostLost;
  }

  writeBegun(): void {}

  writeAcknowledged(id: number, _begun: Micros, at: Micros): void {
    this.acknowledged += 1;
    this.lastAcknowledgedAt = at;
    this.#kept.push({ id, at, top: Math.max(id, this.#kept.at(-1)?.top ?? 0) });
    // The old primary's word may come to the client after the new one has begun without that write.
    if (this.#newest !== null && !this.#newest.contains(id)) this.#compare(this.#newest);
  }

  writeFailed(): void {
    this.failed += 1;
  }

  writeInDoubt(): void {
    this.inDoubt += 1;
  }

  /** The server decided to acknowledge this write: in which epoch. */
  decided(id: number, epoch: string): void {
    this.#epochs.set(id, epoch);
  }

  /** What was acknowledged before a read began is in what it shows, as long as no other epoch lies between. */
  read(shown: number, begun: Micros, _at: Micros, via: Via): void {
    const top = this.#kept.findLast(({ at }) => at < begun)?.top ?? 0;
    if (shown >= top) return;
    const [was, is] = [this.#epochs.get(top), this.#epochs.get(shown)];
    if (was === undefined || was !== is) return;
    this.#violations.add(
      'I8',
      `a read by ${via.instance} from ${via.database ?? 'nowhere'} shows ${shown}; ${top} of the same epoch was acknowledged before it began`,
    );
  }

  /** Told when a database has become the writable primary of a new epoch, and at the end. */
  compare(contains: (id: number) => boolean, where: string, mayLose = true): void {
    this.#newest = { contains, where, mayLose };
    this.#compare(this.#newest);
  }

  #compare({ contains, where, mayLose }: Newest): void {
    const kept = this.#kept.filter(({ id }) => contains(id));
    const missing = this.#kept.length - kept.length;
    if (missing === 0) return;
    const first = this.#kept.find(({ id }) => !contains(id));
    this.lost += missing;
    // What is lost does not count for those that were acknowledged after it.
    let top = 0;
    this.#kept = kept.map(({ id, at }) => {
      top = Math.max(id, top);
      return { id, at, top };
    });
    const most = this.#mostLost();
    if (missing > most)
      this.#violations.add('I4', `${missing} acknowledged writes are not on ${where}, at most ${most} may be (V5)`);
    if (!mayLose || !this.#mayLose())
      this.#violations.add('I4', `${missing} acknowledged writes (first ${first?.id}) are not on ${where}`);
  }
}
