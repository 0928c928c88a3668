// What one instance knows of its database, as app/src/database does it: an open one is used over connections that were
// checked once and are looked at every 250 ms; a shut one is tried over fresh connections until it is fit: writable, and
// of no lower epoch than any this instance has seen (I8). The watch does not tick here: what it would have found by now
// is worked out whenever somebody looks.

import { compareEpochs, type EpochId } from '../../../src/core/quorum/record.ts';
import { type Micros, milli, second } from '../engine/scheduler.ts';
import type { ApplicationHost } from './application-host.ts';
import type { DatabaseEndpoint, Greeting } from './database-endpoint.ts';
import { databaseIn } from './env-files.ts';

/** docs/APPLICATION.md, "Settings". */
const checkEvery = 250 * milli;
const checkTimeout = second;
export const retryEvery = 100 * milli;

export class DatabaseWatch {
  /** `address:port` in the .env that was read last. */
  address = '';
  database: DatabaseEndpoint | null = null;
  isOpen = false;
  /** Since this process began. */
  hasServed = false;
  /** Of the checked connections. */
  session = 0;
  /** Since when it is open, or shut. */
  since: Micros = 0;
  /** What the database said last; null when it did not answer. */
  writable: boolean | null = null;
  epoch: EpochId | null = null;
  /** A shut one is tried again then. */
  nextTry: Micros = 0;
  readonly #host: ApplicationHost;
  /** When a round's time falls. */
  readonly #phase: Micros;
  readonly #onOpen: () => void;
  #highest: EpochId | null = null;
  /** When a round got no answer for the first time; -1: the last one did. */
  #silentSince: Micros = -1;

  constructor(host: ApplicationHost, phase: Micros, onOpen: () => void) {
    this.#host = host;
    this.#phase = phase;
    this.#onOpen = onOpen;
  }

  /** A new process: it knows the .env file, and the highest epoch in EPOCH_FILE. False: it cannot use the .env. */
  begin(): boolean {
    this.address = '';
    this.isOpen = this.hasServed = false;
    this.#highest = this.#host.epochFile;
    return this.useEnv();
  }

  /** False: the file is refused, and nothing changes. */
  useEnv(): boolean {
    const { now } = this.#host.machine.scheduler;
    const address = databaseIn(this.#host.files.active);
    if (address === null) return false;
    if (address === this.address) return true;
    this.address = address;
    this.database = this.#host.databaseAt(address);
    this.shut();
    this.since = this.nextTry = now;
    this.#silentSince = -1;
    return true;
  }

  /** Works out what it has found by now. */
  look(): void {
    const { database } = this;
    if (database === null) return;
    const { now } = this.#host.machine.scheduler;
    if (!this.isOpen && now < this.nextTry) return;
    const greeting = database.greet();
    const isSilent = greeting.kind === 'silent' || !this.#host.isLinkedTo(database.machine);
    if (this.isOpen) this.#round(greeting, isSilent, now);
    else this.#try(greeting, isSilent, now);
  }

  shut(): void {
    this.writable = null;
    this.epoch = null;
    if (!this.isOpen) return;
    const { now } = this.#host.machine.scheduler;
    this.isOpen = false;
    this.since = now;
    this.nextTry = now + retryEvery;
  }

  #round(greeting: Greeting, isSilent: boolean, now: Micros): void {
    if (isSilent) {
      if (this.#silentSince < 0) this.#silentSince = now;
      if (now - this.#silentSince >= checkTimeout) this.shut();
      return;
    }
    this.#silentSince = -1;
    if (greeting.session !== this.session) return this.shut();
    // New connections alone are refused: those that are there go on. And a change waits for the next round.
    if (greeting.kind === 'refused' || this.#lastRound(now) < greeting.since) return;
    if (!this.#isFit(greeting)) return this.shut();
    this.epoch = greeting.epoch;
    this.#rise(greeting.epoch);
  }

  #try(greeting: Greeting, isSilent: boolean, now: Micros): void {
    this.nextTry = now + (isSilent ? checkTimeout : retryEvery);
    const isWelcome = !isSilent && greeting.kind === 'welcome';
    this.writable = isWelcome ? greeting.writable : null;
    this.epoch = isWelcome ? greeting.epoch : null;
    if (!isWelcome || !this.#isFit(greeting)) return;
    this.#rise(greeting.epoch);
    this.isOpen = this.hasServed = true;
    this.session = greeting.session;
    this.#silentSince = -1;
    this.since = now;
    this.#onOpen();
  }

  #lastRound(now: Micros): Micros {
    return Math.floor((now - this.#phase) / checkEvery) * checkEvery + this.#phase;
  }

  #isFit(greeting: Greeting): boolean {
    if (!greeting.writable) return false;
    if (this.#highest === null) return true;
    return greeting.epoch !== null && compareEpochs(greeting.epoch, this.#highest) >= 0;
  }

  #rise(epoch: EpochId | null): void {
    if (epoch === null || (this.#highest !== null && compareEpochs(epoch, this.#highest) <= 0)) return;
    this.#highest = epoch;
    this.#host.noteEpoch(epoch);
  }
}
