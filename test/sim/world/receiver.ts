// The receiving end of streaming replication. A standby follows whoever serves it WAL, the primary or another standby, as
// long as what it has is the beginning of what the other has; one that diverged asks in vain until a person rewinds it.

import type { Lsn } from '../../../src/core/lsn.ts';
import { cancel, type Event, type Micros, milli, second } from '../engine/scheduler.ts';
import { carry } from './legs.ts';
import type { Postgres } from './postgres.ts';
import type { Link } from './sender.ts';
import type { WalNode } from './wal.ts';

/** wal_retrieve_retry_interval. In vain it is asked for less often here: each attempt costs events. */
const retry: Micros = 500 * milli;
const divergedRetry: Micros = 3 * second;
/** connect_timeout. */
const connectTimeout: Micros = 2 * second;
/** wal_receiver_timeout of ours. */
export const receiverTimeout: Micros = 5 * second;

export class Receiver {
  readonly pg: Postgres;
  /** Receives nothing, while its connection stands. */
  stalled = false;
  /** Replays so much later than it receives. */
  lagMs = 0;
  lastMessageAt: Micros = 0;
  #link: Link | null = null;
  #held: (() => void) | null = null;
  #attempt: Event | null = null;
  #replayed: WalNode;
  #hasStreamed = false;
  #toReplay: { readonly node: WalNode; readonly at: Micros }[] = [];

  constructor(pg: Postgres) {
    this.pg = pg;
    this.#replayed = pg.data.flushed;
  }

  /** The server is a standby that answers: consistent, though it may still replay what it had. */
  start(): void {
    const { pg } = this;
    const { flushed, redo } = pg.data;
    this.#hasStreamed = false;
    this.#replayed = pg.random.ratio(1, 2) ? flushed : redo;
    this.#toReplay = [{ node: flushed, at: pg.scheduler.now + pg.random.range(0, 800) * milli }];
    this.#try();
  }

  /** Its receive position; before it ever streamed that is what it has replayed. */
  received(): Lsn {
    return this.#hasStreamed ? this.pg.data.flushed.lsn : this.replayed().lsn;
  }

  /** The server ends, or is promoted; how long the replay of the rest takes. */
  stop(): Micros {
    const { pg } = this;
    if (this.#attempt !== null) cancel(this.#attempt);
    this.#attempt = null;
    const link = this.#link;
    this.#link = null;
    this.#held = null;
    if (link !== null) {
      link.open = false;
      link.sender.lost(link);
    }
    this.replayed();
    const last = this.#toReplay.at(-1);
    return last === undefined ? 0 : Math.max(0, last.at - pg.scheduler.now);
  }

  streaming(): boolean {
    const { pg } = this;
    if (this.#link === null) return false;
    // Without messages both sides ask each other, so only a way that is cut lets it come to an end.
    if (pg.scheduler.now - this.lastMessageAt < receiverTimeout) return true;
    const sender = pg.other();
    if (sender.server === null || sender.frozen || !pg.network.reaches(sender.machine, pg.machine)) return false;
    return pg.network.reaches(pg.machine, sender.machine);
  }

  replayed(): WalNode {
    const { now } = this.pg.scheduler;
    while (this.#toReplay.length > 0) {
      const first = this.#toReplay[0];
      if (first === undefined || first.at > now) break;
      this.#replayed = first.node;
      this.#toReplay.shift();
    }
    return this.#replayed;
  }

  #try(): void {
    const { pg } = this;
    const { server, life } = pg;
    this.#attempt = null;
    if (server === null || pg.phase !== 'standby' || this.#link !== null) return;
    const sender = pg.other();
    carry(
      pg,
      pg.machine,
      sender.machine,
      () => {
        if (pg.life !== life || pg.phase !== 'standby') return;
        if (sender.server === null) return this.#again(retry);
        if (sender.frozen || pg.frozen) return this.#again(connectTimeout + retry);
        const answer = sender.sender.accepts(this, pg.data.flushed);
        if (answer === 'diverged') return this.#again(divergedRetry);
        if (answer === 'starting-up') return this.#again(retry);
        this.#link = answer;
        this.#hasStreamed = true;
        this.lastMessageAt = pg.scheduler.now;
        sender.sender.push();
      },
      () => this.#again(connectTimeout + retry),
    );
  }

  #again(delay: Micros): void {
    const { pg } = this;
    if (pg.phase !== 'standby' || this.#attempt !== null) return;
    this.#attempt = pg.scheduler.after(delay + pg.random.range(0, 100 * milli), () => {
      this.#attempt = null;
      pg.server?.run(() => this.#try());
    });
  }

  arrived(link: Link, head: WalNode): void {
    const { server } = this.pg;
    if (link !== this.#link || server === null) return;
    server.run(() => this.#take(link, head));
  }

  #take(link: Link, head: WalNode): void {
    const { pg } = this;
    if (link !== this.#link) return;
    if (this.stalled) {
      this.#held = () => this.#take(link, head);
      return;
    }
    pg.data.volume.when(() => {
      if (link !== this.#link) return;
      // It cannot write what it gets, and gives up until it is tried again.
      if (pg.data.volume.full) return this.closed(link);
      this.lastMessageAt = pg.scheduler.now;
      if (pg.data.receives(head)) pg.sender.push();
      // A restartpoint, seldom.
      if (pg.random.ratio(1, 64)) pg.data.redo = this.replayed();
      if (this.lagMs > 0 || this.#toReplay.length > 0) {
        this.#toReplay.push({ node: head, at: pg.scheduler.now + this.lagMs * milli });
      } else this.#replayed = head;
      link.sender.taken(link, head);
    });
  }

  /** Both directions of the fault: it receives nothing from now on, or what it missed. */
  stall(stalled: boolean): void {
    this.stalled = stalled;
    if (stalled) return;
    const held = this.#held;
    this.#held = null;
    if (held !== null) this.pg.server?.run(held);
  }

  /** The primary needs its room back, and what this one has not received goes. */
  loseSlot(): void {
    this.pg.data.lacksWal = true;
    if (this.#link !== null) this.closed(this.#link);
  }

  /** Its connection is gone. */
  closed(link: Link): void {
    if (link !== this.#link) return;
    this.#link = null;
    this.#held = null;
    link.open = false;
    link.sender.lost(link);
    this.#again(retry);
  }
}
