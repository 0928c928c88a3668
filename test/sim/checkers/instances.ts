// I8: an .env file is one of the complete versions at every moment, and once an application host was told of the newest
// chosen record, no instance of it sends a write to another database than the primary's.

import { compareTokens } from '../../../src/cli/host/note.ts';
import type { Token } from '../../../src/core/observe/observation.ts';
import { type Accepted, compareEpochs, type EpochId, epochOf, showEpoch } from '../../../src/core/quorum/record.ts';
import type { Site } from '../../../src/core/site.ts';
import type { Micros } from '../engine/scheduler.ts';
import type { ApplicationHost } from '../world/application-host.ts';
import type { Instance } from '../world/instance.ts';
import type { Request } from '../world/request.ts';
import type { Violations } from './violations.ts';

export class Instances {
  /** Acknowledgements of databases that were looked at. */
  served = 0;
  readonly #violations: Violations;
  readonly #records: { newest(): Accepted | null };
  /** The highest epoch whose order each host has carried out to its end, and when. */
  readonly #told = new Map<Site, { readonly epoch: EpochId; readonly at: Micros }>();

  /** Of the last order that each host took up. */
  readonly #noted = new Map<Site, Token>();

  constructor(violations: Violations, records: { newest(): Accepted | null }) {
    this.#violations = violations;
    this.#records = records;
  }

  watch(host: ApplicationHost): void {
    host.onFiles = () => this.#files(host);
    host.onServed = (instance, request) => this.#served(host, instance, request);
  }

  #files({ files, site, machine }: ApplicationHost): void {
    if (!files.complete) this.#violations.add('I8', `${site}'s .env is neither site's file`);
    const { token, reloadDue } = files.note;
    if (token === null) return;
    const noted = this.#noted.get(site);
    if (noted !== undefined && compareTokens(token, noted) < 0)
      this.#violations.add(
        'I8',
        `${site}'s host obeyed an order of epoch ${showEpoch(token)} after one of ${showEpoch(noted)} (R1)`,
      );
    this.#noted.set(site, token);
    if (reloadDue) return;
    const before = this.#told.get(site);
    if (before === undefined || compareEpochs(token, before.epoch) > 0)
      this.#told.set(site, { epoch: token, at: machine.scheduler.now });
  }

  #served({ site }: ApplicationHost, instance: Instance, request: Request): void {
    this.served += 1;
    const newest = this.#records.newest();
    const told = this.#told.get(site);
    if (newest === null || told === undefined || compareEpochs(told.epoch, epochOf(newest.record)) !== 0) return;
    // What had left before is the database's own affair (I1).
    if (request.sentAt <= told.at || request.database === newest.record.primary || instance.ignoresReload) return;
    this.#violations.add(
      'I8',
      `${instance.name} wrote ${request.id} to ${request.database} after its host was told of epoch ${showEpoch(told.epoch)}`,
    );
  }
}
