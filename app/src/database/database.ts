// The database as the requests see it: one that is there, or one that is waited for.
//
//   open  requests take a seat and a checked connection; the watch looks every 250 ms.
//   shut  requests wait in line; the watch tries a fresh connection every 100 ms and opens again on the first fit database.
//
// A statement that meets a failing-over database shuts it and waits like all the others. switchTo (SIGHUP) replaces settings, pool and
// watch as a whole: no connection to the database before it is ever used again (protocol I8).
import type { QueryResult } from 'pg';
import type { Limits } from '../config.ts';
import type { DatabaseSettings } from '../env-file.ts';
import { CheckedPool, type Statement } from './checked-pool.ts';
import { compareEpochs, type Epoch, type HighestEpoch, judgeEpoch } from './epoch.ts';
import { maybeDone, reasonOf, UnfitDatabase, whatNow } from './failure.ts';
import { HoldEnded, HoldQueue } from './hold-queue.ts';
import type { DatabaseState } from './inspection.ts';
import { Watch } from './watch.ts';

// After a switch the statements in flight on the old database get this long to end before they are retried on the new one: enough for
// any that is not stuck, short beside the failover itself.
const SWITCH_GRACE_MS = 250;

export interface Log {
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
}

export interface DatabaseStatus {
  readonly isOpen: boolean;
  readonly hasServed: boolean;
  readonly since: Date;
  readonly forMs: number;
  /** Why it is shut. */
  readonly reason: string | null;
  readonly settings: DatabaseSettings;
  readonly writable: boolean | null;
  readonly epoch: Epoch | null;
  /** Age of what the watch last found; null before its first finding. */
  readonly ageMs: number | null;
  readonly holding: number;
}

export interface DatabaseOptions {
  readonly settings: DatabaseSettings;
  readonly limits: Limits;
  readonly highest: HighestEpoch;
  readonly log: Log;
}

/** Whoever asked is gone: his write must not be done late, over a newer one of his. */
export class RequesterGone extends Error {}

class RetiredPool extends Error {}

export class Database {
  readonly #limits: Limits;
  readonly #highest: HighestEpoch;
  readonly #log: Log;
  readonly #queue: HoldQueue<CheckedPool>;
  readonly #retiring = new Set<CheckedPool>();
  #settings: DatabaseSettings;
  #pool: CheckedPool;
  /** The highest epoch known when the pool began: its connections are of this one or a later one. */
  #poolEpoch: Epoch | null;
  #watch: Watch;
  #isOpen = false;
  #hasServed = false;
  #reason: string | null = 'starting';
  #since = new Date();
  #sinceMs = performance.now();
  #found: { readonly atMs: number; readonly state: DatabaseState | null } | null = null;

  constructor({ settings, limits, highest, log }: DatabaseOptions) {
    this.#settings = settings;
    this.#limits = limits;
    this.#highest = highest;
    this.#log = log;
    this.#queue = new HoldQueue(limits.holdMax);
    this.#poolEpoch = highest.value;
    this.#pool = this.#newPool();
    this.#watch = this.#newWatch();
  }

  async query(statement: Statement, isGone: () => boolean): Promise<QueryResult> {
    const deadline = performance.now() + this.#limits.holdMs;
    // Of an earlier attempt, sent and never answered for.
    let inDoubt = false;
    for (;;) {
      const pool = await this.#seat(deadline).catch((error: unknown) => {
        throw inDoubt && error instanceof HoldEnded ? new HoldEnded(error.refusal, true) : error;
      });
      try {
        if (isGone()) throw new RequesterGone();
        return await pool.query(statement);
      } catch (error) {
        if (error instanceof RequesterGone) throw error;
        const next = whatNow(error);
        if (next === 'fail') throw error;
        inDoubt ||= statement.writes && maybeDone(error);
        // What its answer would have been is unknown; both statements are idempotent, so it is sent again.
        if (next === 'hold') this.#metFailure(pool, error);
        if (performance.now() >= deadline) throw new HoldEnded('expired', inDoubt);
      } finally {
        pool.leaveSeat();
        this.#letIn();
      }
    }
  }

  status(): DatabaseStatus {
    const state = this.#found?.state ?? null;
    return {
      isOpen: this.#isOpen,
      hasServed: this.#hasServed,
      since: this.#since,
      forMs: performance.now() - this.#sinceMs,
      reason: this.#reason,
      settings: this.#settings,
      writable: state === null ? null : !state.inRecovery && !state.readOnly,
      epoch: state?.epoch ?? null,
      ageMs: this.#found === null ? null : performance.now() - this.#found.atMs,
      holding: this.#isOpen ? 0 : this.#queue.size,
    };
  }

  switchTo(settings: DatabaseSettings): void {
    this.#watch.stop();
    this.#settings = settings;
    this.#found = null;
    this.#close('switching');
    this.#replacePool();
    const old = [...this.#retiring];
    setTimeout(() => {
      for (const pool of old) pool.cut();
    }, SWITCH_GRACE_MS).unref();
    this.#watch = this.#newWatch();
  }

  /** Everybody who still waits is told so; what is in flight may end. */
  stopHolding(): void {
    this.#queue.stop();
  }

  async end(): Promise<void> {
    this.#watch.stop();
    this.#close('stopping');
    this.#queue.stop();
    this.#replacePool();
    for (const pool of this.#retiring) pool.cut();
    await this.#highest.flush();
  }

  async #seat(deadline: number): Promise<CheckedPool> {
    if (this.#isOpen && this.#queue.size === 0 && this.#pool.takeSeat()) return this.#pool;
    return this.#queue.wait(deadline);
  }

  #letIn(): void {
    while (this.#isOpen && this.#queue.size > 0 && this.#pool.takeSeat()) this.#queue.admit(this.#pool);
  }

  #open(): void {
    this.#isOpen = true;
    this.#hasServed = true;
    const heldMs = Math.round(performance.now() - this.#sinceMs);
    this.#mark(null);
    this.#log.info(
      { ...this.#where(), epoch: this.#found?.state?.epoch ?? null, heldMs, held: this.#queue.size },
      'database.open',
    );
    this.#letIn();
  }

  #close(reason: string): void {
    if (this.#isOpen) {
      this.#isOpen = false;
      this.#mark(reason);
      this.#log.warn({ ...this.#where(), reason }, 'database.shut');
    }
    this.#reason = reason;
  }

  /** Of a pool that is not the current one any more an error is no news. */
  #metFailure(pool: CheckedPool, error: unknown): void {
    if (pool !== this.#pool || !this.#isOpen) return;
    this.#found = { atMs: performance.now(), state: null };
    this.#lose(error);
  }

  #lose(error: unknown): void {
    const wasOpen = this.#isOpen;
    this.#close(reasonOf(error));
    if (!wasOpen) return;
    this.#replacePool();
    this.#watch.recheck();
  }

  #replacePool(): void {
    const old = this.#pool;
    this.#retiring.add(old);
    void old.retire().finally(() => this.#retiring.delete(old));
    this.#poolEpoch = this.#highest.value;
    this.#pool = this.#newPool();
    this.#letIn();
  }

  #newPool(): CheckedPool {
    const pool: CheckedPool = new CheckedPool({
      settings: this.#settings,
      limits: this.#limits,
      admit: (state) => {
        this.#admit(state);
        // It was still connecting when the pool was retired, maybe for a switch to another database.
        if (pool !== this.#pool) throw new RetiredPool();
      },
      onRoom: () => this.#letIn(),
    });
    return pool;
  }

  #newWatch(): Watch {
    return new Watch({
      settings: this.#settings,
      limits: this.#limits,
      onState: (state) => {
        this.#found = { atMs: performance.now(), state };
        try {
          this.#admit(state);
        } catch (error) {
          this.#lose(error);
          return false;
        }
        if (!this.#isOpen) this.#open();
        return true;
      },
      onFailure: (error) => {
        this.#found = { atMs: performance.now(), state: null };
        this.#lose(error);
      },
    });
  }

  /** I8: every new connection, and the watch's own again and again, passes here or is not used. */
  #admit(state: DatabaseState): void {
    if (state.inRecovery) throw new UnfitDatabase('in-recovery');
    if (state.readOnly) throw new UnfitDatabase('read-only');
    const verdict = judgeEpoch(this.#highest.value, state.epoch);
    if (verdict === 'stale-epoch' || verdict === 'other-cluster') throw new UnfitDatabase(verdict);
    if (verdict === 'higher' && state.epoch !== null) this.#rise(state.epoch);
  }

  /** Connections of an older epoch are not used again, whichever connection brought the news. */
  #rise(epoch: Epoch): void {
    this.#highest.raise(epoch);
    this.#log.info({ ...this.#where(), epoch }, 'epoch.rose');
    if (this.#poolEpoch === null || compareEpochs(this.#poolEpoch, epoch) < 0) this.#replacePool();
  }

  #mark(reason: string | null): void {
    this.#reason = reason;
    this.#since = new Date();
    this.#sinceMs = performance.now();
  }

  #where(): object {
    return { host: this.#settings.host, port: this.#settings.port };
  }
}
