// The load: a few clients in the internet that resolve the name, go to that site's HAProxy, write numbered records and
// read the highest one. One event begins each request; time-outs are looked for at the same occasion.

import type { EpochId } from '../../../src/core/quorum/record.ts';
import { type Site, sites } from '../../../src/core/site.ts';
import type { Random } from '../engine/random.ts';
import { cancel, type Event, type Micros, second } from '../engine/scheduler.ts';
import type { SiteBalancer } from './balancer.ts';
import type { Machine } from './machine.ts';
import type { Network } from './network.ts';
import { Request, type RequestEnd } from './request.ts';
import type { PublicName } from './route53.ts';

/** How an answered request was carried out. */
export type Via = {
  readonly entry: Site;
  readonly instance: string;
  readonly database: Site | null;
  readonly epoch: EpochId | null;
};

/** Times are true times. An end is when the client hears of it. */
export type ClientObserver = {
  writeBegun(id: number, at: Micros): void;
  writeAcknowledged(id: number, begun: Micros, at: Micros, via: Via): void;
  /** No database has carried it out or will. */
  writeFailed(id: number, begun: Micros, at: Micros): void;
  /** It may have been carried out, or may yet be. */
  writeInDoubt(id: number, begun: Micros, at: Micros): void;
  /** The highest write that a read found; 0 for none. */
  read(highest: number, begun: Micros, at: Micros, via: Via): void;
};

export type Load = {
  readonly clients: number;
  readonly writesPerSecond: number;
  /** One read to so many writes; 0: none. */
  readonly readEvery: number;
};

export const lightLoad: Load = { clients: 3, writesPerSecond: 2, readEvery: 3 };

/** A client gives up after this (`timeout client` of HAProxy). */
const patience = 25 * second;

export class Clients {
  readonly machine: Machine;
  readonly observer: ClientObserver;
  /** May be changed at any time. */
  load: Load;
  /** Number of the last write begun. */
  lastWrite = 0;
  acknowledged = 0;
  failed = 0;
  inDoubt = 0;
  readonly #network: Network;
  readonly #random: Random;
  readonly #name: PublicName;
  readonly #entries: ReadonlyMap<string, SiteBalancer>;
  /** Oldest first. */
  readonly #open = new Set<Request>();
  #turn = 0;
  #event: Event | null = null;

  /** `addresses` is what the name may point to. */
  constructor(
    network: Network,
    random: Random,
    machine: Machine,
    name: PublicName,
    addresses: Readonly<Record<Site, string>>,
    balancers: Readonly<Record<Site, SiteBalancer>>,
    observer: ClientObserver,
    load: Load = lightLoad,
  ) {
    this.machine = machine;
    this.observer = observer;
    this.load = load;
    this.#network = network;
    this.#random = random;
    this.#name = name;
    this.#entries = new Map(sites.map((site) => [addresses[site], balancers[site]]));
  }

  /** How many requests wait for an answer. */
  get waiting(): number {
    return this.#open.size;
  }

  start(): void {
    if (this.#event === null) this.#next();
  }

  stop(): void {
    if (this.#event !== null) cancel(this.#event);
    this.#event = null;
  }

  #next(): void {
    const mean = Math.round(second / this.load.writesPerSecond);
    const delay = this.#random.range(mean >> 1, mean + (mean >> 1));
    this.#event = this.machine.scheduler.after(delay, () => {
      this.#event = null;
      this.#giveUp();
      this.#turn += 1;
      const client = this.#turn % this.load.clients;
      this.#begin('write', client);
      if (this.load.readEvery > 0 && this.#turn % this.load.readEvery === 0) this.#begin('read', client);
      this.#next();
    });
  }

  #begin(kind: 'write' | 'read', client: number): void {
    const { now } = this.machine.scheduler;
    if (kind === 'write') this.lastWrite += 1;
    const id = kind === 'write' ? this.lastWrite : 0;
    const entry = this.#entries.get(this.#name.addressFor(client));
    const request = new Request(kind, id, client, entry?.site ?? 'site1', now);
    if (kind === 'write') this.observer.writeBegun(id, now);
    if (entry === undefined) return this.#end(request, 'failed');
    this.#open.add(request);
    this.#network.send(this.machine, entry.machine, () =>
      entry.take(request, (_request, end) =>
        this.#network.send(entry.machine, this.machine, () => this.#end(request, end)),
      ),
    );
  }

  #giveUp(): void {
    const { now } = this.machine.scheduler;
    for (const request of this.#open) {
      if (now - request.startedAt < patience) return;
      this.#end(request, 'in-doubt');
    }
  }

  #end(request: Request, end: RequestEnd): void {
    if (request.ended) return;
    request.ended = true;
    this.#open.delete(request);
    const { now } = this.machine.scheduler;
    const { id, startedAt, entry, instance, database, epoch } = request;
    if (request.kind === 'read') {
      if (end === 'done') this.observer.read(request.highest, startedAt, now, { entry, instance, database, epoch });
      return;
    }
    switch (end) {
      case 'done':
        this.acknowledged += 1;
        return this.observer.writeAcknowledged(id, startedAt, now, { entry, instance, database, epoch });
      case 'failed':
        this.failed += 1;
        return this.observer.writeFailed(id, startedAt, now);
      case 'in-doubt':
        this.inDoubt += 1;
        return this.observer.writeInDoubt(id, startedAt, now);
    }
  }
}
