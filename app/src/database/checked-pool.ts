// A pool of connections to one database, each inspected before its first use. It lives as long as that database is fit: when it is not,
// the pool is retired as a whole (nothing is checked out again, what is in flight ends) and another one takes its place.
import { Client, type ClientConfig, Pool, type PoolClient, type QueryConfig, type QueryResult } from 'pg';
import type { Limits } from '../config.ts';
import type { DatabaseSettings } from '../env-file.ts';
import { cancelStatement } from './cancel.ts';
import { InDoubt, NoConnection, whatNow } from './failure.ts';
import { closeNow, connectionOptions, type DatabaseState, inspect } from './inspection.ts';

const IDLE_MS = 60_000;
// For the answer to a cancel, before the driver gives the connection up.
const CANCEL_GRACE_MS = 500;
// A database that has just taken over is not asked for all connections of all instances in one moment: each login costs it a process,
// and those given up because they took too long cost as much as the others.
const MAX_LOGINS = 2;

/** Once more than the pool's own: a write is ended in a way that tells what became of it. */
export interface Statement extends QueryConfig {
  readonly writes: boolean;
}

export interface PoolOptions {
  readonly settings: DatabaseSettings;
  readonly limits: Limits;
  /** Throws UnfitDatabase when the state found on a new connection is not one to serve from. */
  readonly admit: (state: DatabaseState) => void;
  /** There may be a seat more than before. */
  readonly onRoom: () => void;
}

export class CheckedPool {
  readonly #pool: Pool;
  readonly #queryTimeoutMs: number;
  readonly #clients = new Set<Client>();
  readonly #admitted = new Set<Client>();
  readonly #max: number;
  #taken = 0;

  constructor({ settings, limits, admit, onRoom }: PoolOptions) {
    this.#max = limits.poolMax;
    this.#queryTimeoutMs = limits.queryTimeoutMs;
    const clients = this.#clients;
    class KnownClient extends Client {
      constructor(options?: ClientConfig) {
        super(options);
        clients.add(this);
        this.once('end', () => clients.delete(this));
        // While checked out a client has no listener of the pool's, and a lost connection would end the process.
        this.on('error', () => {});
      }
    }
    this.#pool = new Pool({
      ...connectionOptions(settings, limits),
      max: limits.poolMax,
      idleTimeoutMillis: IDLE_MS,
      Client: KnownClient,
      verify: (client, done) => {
        inspect(client)
          .then(admit)
          .then(() => {
            this.#admitted.add(client);
            done();
            onRoom();
          }, done);
      },
    });
    this.#pool.on('remove', (client) => this.#admitted.delete(client));
    // An idle connection broke; the pool has dropped it already, and the watch notices by itself what became of the database.
    this.#pool.on('error', () => {});
  }

  /**
   * There are no more seats than connections, so that nobody ever waits inside the pool, where the wait would look like a dead database;
   * and few more than connections that are there.
   */
  takeSeat(): boolean {
    if (this.#taken >= Math.min(this.#max, this.#admitted.size + MAX_LOGINS)) return false;
    this.#taken += 1;
    return true;
  }

  leaveSeat(): void {
    this.#taken -= 1;
  }

  /** Needs a seat. */
  async query({ writes, ...statement }: Statement): Promise<QueryResult> {
    const client = await this.#pool.connect().catch((error: unknown) => {
      throw new NoConnection(error);
    });
    try {
      const result = await (writes ? this.#write(client, statement) : client.query(statement));
      client.release();
      return result;
    } catch (error) {
      // After a time-out the driver would hand the busy connection to the next request: any doubt destroys it.
      client.release(whatNow(error) === 'hold' || error instanceof InDoubt);
      throw error;
    }
  }

  /**
   * The server's statement_timeout is over before a commit waits for the standby. Such a wait is cancelled here, else it would hold its
   * connection and its locks on the server for as long as the standby is away, and ever more of them with every attempt.
   */
  async #write(client: PoolClient, statement: QueryConfig): Promise<QueryResult> {
    let warned = false;
    const onNotice = (notice: { readonly code?: string | undefined }): void => {
      // Class 01, a warning; its text is translated.
      if (notice.code?.startsWith('01') === true) warned = true;
    };
    client.on('notice', onNotice);
    const timer = setTimeout(() => cancelStatement(client as unknown as Client), this.#queryTimeoutMs);
    try {
      const timed = { ...statement, query_timeout: this.#queryTimeoutMs + CANCEL_GRACE_MS };
      const result = await client.query(timed);
      if (warned) throw new InDoubt();
      return result;
    } finally {
      clearTimeout(timer);
      client.off('notice', onNotice);
    }
  }

  /** Nothing is checked out any more; idle connections end now, busy ones when they are done. */
  async retire(): Promise<void> {
    await this.#pool.end();
  }

  /** Whatever is still in flight, or still connecting, fails now and is retried elsewhere. */
  cut(): void {
    for (const client of this.#clients) closeNow(client);
  }
}
