// I1 and I3: who accepts writes, and in which epoch. Told by the databases themselves of every change and every
// acknowledgement; sees both sites at once, which no node can.

import { compareEpochs, type EpochId, showEpoch } from '../../../src/core/quorum/record.ts';
import { otherSite, type Site } from '../../../src/core/site.ts';
import type { Records } from './records.ts';
import type { Violations } from './violations.ts';

export class Writers {
  readonly #violations: Violations;
  readonly #records: Records;
  readonly #writable: Record<Site, boolean> = { site1: false, site2: false };
  #highest: EpochId | null = null;
  /** Site of the acknowledgements of the highest epoch so far. */
  #site: Site | null = null;
  acknowledged = 0;
  readonly everWritable = new Set<Site>();

  constructor(violations: Violations, records: Records) {
    this.#violations = violations;
    this.#records = records;
  }

  /** Whether a client's commit could be acknowledged there now. */
  changed(site: Site, writable: boolean, why: string): void {
    this.#writable[site] = writable;
    if (writable) this.everWritable.add(site);
    if (writable && this.#writable[otherSite(site)])
      this.#violations.add('I1', `both databases accept writes: ${site} began to (${why})`);
  }

  /** A write was acknowledged to a client by a database that calls itself of `epoch` (its row of siteward.cluster). */
  acknowledge(site: Site, epoch: EpochId | null): void {
    this.acknowledged += 1;
    if (epoch === null) return;
    const order = this.#highest === null ? 1 : compareEpochs(epoch, this.#highest);
    if (order < 0) {
      this.#violations.add(
        'I3',
        `${site} acknowledges in epoch ${showEpoch(epoch)} after ${showEpoch(this.#highest as EpochId)}`,
      );
    } else if (order === 0 && site !== this.#site) {
      this.#violations.add('I1', `${site} acknowledges in epoch ${showEpoch(epoch)} of ${this.#site ?? 'nobody'}`);
    }
    if (order > 0) {
      this.#highest = epoch;
      this.#site = site;
    }
  }

  /** Its guard wrote this epoch into siteward.cluster. */
  beaten(site: Site, epoch: EpochId): void {
    if (!this.#records.wasChosen(epoch))
      this.#violations.add('I3', `${site} is writable in epoch ${showEpoch(epoch)}, of which no record was chosen`);
  }
}
