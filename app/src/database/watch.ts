// The watch over one database, on a connection of its own: what /readyz tells comes from here, and when requests had to be held it is the
// watch alone that tries the database again, so that a thousand held requests cost one connection attempt each 100 ms.
import { setTimeout as sleep } from 'node:timers/promises';
import { Client } from 'pg';
import type { Limits } from '../config.ts';
import type { DatabaseSettings } from '../env-file.ts';
import { closeNow, connectionOptions, type DatabaseState, inspect } from './inspection.ts';

// A healthy database answers the inspection in about a millisecond.
const CHECK_TIMEOUT_MS = 1000;

export interface WatchOptions {
  readonly settings: DatabaseSettings;
  readonly limits: Limits;
  /** Tells whether the database is fit; an unfit one is tried again on a fresh connection. */
  readonly onState: (state: DatabaseState) => boolean;
  readonly onFailure: (error: unknown) => void;
}

export class Watch {
  readonly #options: WatchOptions;
  #client: Client | null = null;
  #isConnected = false;
  #stopped = false;
  #wake: (() => void) | null = null;

  constructor(options: WatchOptions) {
    this.#options = options;
    void this.#run();
  }

  /** A request met a failing database: look at once, and on a fresh connection, since this one may be as dead as the request's. */
  recheck(): void {
    if (this.#isConnected) this.#drop();
    this.#wake?.();
  }

  stop(): void {
    this.#stopped = true;
    this.#drop();
    this.#wake?.();
  }

  async #run(): Promise<void> {
    const { checkEveryMs, retryEveryMs } = this.#options.limits;
    while (!this.#stopped) {
      const begun = performance.now();
      const isFit = await this.#round();
      if (this.#stopped) return;
      if (isFit) await this.#sleepUnlessWoken(checkEveryMs);
      // Also after a wake-up: rounds never follow each other faster than this.
      await sleep(Math.max(0, begun + retryEveryMs - performance.now()));
    }
  }

  async #round(): Promise<boolean> {
    try {
      this.#client ??= await this.#connect();
      const client = this.#client;
      const state = await inspect(client);
      if (this.#stopped || client !== this.#client) return false;
      const isFit = this.#options.onState(state);
      if (!isFit) this.#drop();
      return isFit;
    } catch (error) {
      this.#drop();
      if (!this.#stopped) this.#options.onFailure(error);
      return false;
    }
  }

  async #connect(): Promise<Client> {
    const { settings, limits } = this.#options;
    const client = new Client({ ...connectionOptions(settings, limits), query_timeout: CHECK_TIMEOUT_MS });
    this.#client = client;
    client.on('error', (error) => {
      if (client !== this.#client || !this.#isConnected) return;
      // The server said goodbye (57P01) or the socket broke: that is news now, not at the next round.
      this.#drop();
      this.#options.onFailure(error);
      this.#wake?.();
    });
    await client.connect();
    if (client !== this.#client) throw new Error('connection closed by the watch');
    this.#isConnected = true;
    return client;
  }

  #drop(): void {
    const client = this.#client;
    this.#client = null;
    this.#isConnected = false;
    if (client !== null) closeNow(client);
  }

  async #sleepUnlessWoken(ms: number): Promise<void> {
    if (this.#stopped) return;
    const { promise, resolve } = Promise.withResolvers<void>();
    const timer = setTimeout(resolve, ms);
    this.#wake = resolve;
    await promise;
    clearTimeout(timer);
    this.#wake = null;
  }
}
