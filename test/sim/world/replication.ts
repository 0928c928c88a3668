// Streaming replication between the two sites. A standby follows whoever serves it WAL, the primary or another standby,
// as long as what it has is the beginning of what the other has; one that diverged asks in vain until a person rewinds
// it. One message is under way at a time and carries all there is; nothing ticks while nobody writes.

import type { Lsn } from '../../../src/core/lsn.ts';
import { cancel, type Event, type Micros, milli, second } from '../engine/scheduler.ts';
import { carry } from './legs.ts';
import type { Postgres } from './postgres.ts';
import { isPrefix, type WalNode } from './wal.ts';

/** wal_retrieve_retry_interval, and what an attempt costs besides. */
const retry: Micros = 500 * milli;
const divergedRetry: Micros = 3 * second;
/** connect_timeout. */
const connectTimeout: Micros = 2 * second;
/** wal_receiver_timeout of ours, wal_sender_timeout by default. */
const receiverTimeout: Micros = 5 * second;
const senderTimeout: Micros = 60 * second;

/** One connection of a WAL receiver. Either end may know of its end before the other does. */
type Link = {
  readonly sender: Sender;
  readonly receiver: Receiver;
  sent: WalNode;
  /** What the sender was told to be on the standby's disk. */
  acked: WalNode;
  inFlight: boolean;
  caughtUp: boolean;
  open: boolean;
  /** The sender's end of it, while it does not know that the standby is gone. */
  ghostUntil: Micros;
};

export class Sender {
  readonly #pg: Postgres;
  #link: Link | null = null;
  /** A fast stop that waits for its shutdown checkpoint to arrive. */
  #last: { readonly node: WalNode; readonly then: () => void } | null = null;

  constructor(pg: Postgres) {
    this.#pg = pg;
  }

  /** As pg_stat_replication says: `sync` while the standby streams and commits wait for it. */
  state(): 'none' | 'async' | 'sync' {
    const link = this.#current();
    if (link === null || !link.caughtUp) return 'none';
    return this.#pg.data.waits ? 'sync' : 'async';
  }

  /** As the server was told last; null: nobody streams. */
  standbyFlushed(): Lsn | null {
    return this.#current()?.acked.lsn ?? null;
  }

  hasOnDisk(node: WalNode): boolean {
    const link = this.#current();
    return link !== null && node.lsn <= link.acked.lsn;
  }

  #current(): Link | null {
    if (this.#link !== null && !this.#link.open && this.#pg.scheduler.now >= this.#link.ghostUntil) this.#link = null;
    return this.#link;
  }

  /** At the sender: a connection is let in, or is told why not. */
  accepts(receiver: Receiver, has: WalNode): Link | 'starting-up' | 'diverged' {
    const pg = this.#pg;
    if (!pg.listens() || (pg.phase !== 'primary' && pg.phase !== 'standby')) return 'starting-up';
    if (!isPrefix(has, pg.data.flushed)) return 'diverged';
    const link: Link = {
      sender: this,
      receiver,
      sent: has,
      acked: has,
      inFlight: false,
      caughtUp: false,
      open: true,
      ghostUntil: 0,
    };
    this.#link = link;
    return link;
  }

  /** Whatever is on disk and not sent goes out. */
  push(): void {
    const link = this.#link;
    const pg = this.#pg;
    if (link === null || !link.open || link.inFlight || pg.server === null || pg.frozen) return;
    const head = pg.data.flushed;
    if (link.sent === head) {
      link.caughtUp = true;
      return;
    }
    link.inFlight = true;
    this.#carry(link, head, 0);
  }

  /** TCP tries again by itself until the standby gives the connection up. */
  #carry(link: Link, head: WalNode, lostFor: Micros): void {
    const pg = this.#pg;
    const to = link.receiver.pg;
    carry(
      pg,
      pg.machine,
      to.machine,
      () => link.receiver.arrived(link, head),
      () => {
        if (!link.open) return;
        if (lostFor >= receiverTimeout || !to.machine.up) return link.receiver.closed(link, 'nothing came');
        pg.scheduler.after(500 * milli, () => {
          if (link.open) this.#carry(link, head, lostFor + 500 * milli);
        });
      },
    );
  }

  /** The standby took it. `acknowledges` where somebody waits for that. */
  taken(link: Link, head: WalNode): void {
    link.sent = head;
    link.inFlight = false;
    if (this.#pg.waitsNow || this.#last !== null) this.#askAck(link);
    else link.acked = head;
    this.push();
  }

  #askAck(link: Link): void {
    const pg = this.#pg;
    const from = link.receiver.pg;
    const head = link.sent;
    carry(
      pg,
      from.machine,
      pg.machine,
      () => pg.server?.run(() => this.#acked(link, head)),
      () => {
        pg.scheduler.after(500 * milli, () => {
          if (link.open && link.acked.lsn < link.sent.lsn) this.#askAck(link);
        });
      },
    );
  }

  #acked(link: Link, head: WalNode): void {
    if (link !== this.#link || head.lsn <= link.acked.lsn) return;
    link.acked = head;
    this.#pg.sessions.release();
    if (this.#last !== null && this.#last.node.lsn <= head.lsn) this.#finish();
  }

  /** A fast stop ends when the standby has it all, or when there is none. */
  whenReceived(node: WalNode, then: () => void): void {
    const pg = this.#pg;
    if (this.#current() === null) return then();
    this.#last = { node, then };
    if (this.hasOnDisk(node)) return this.#finish();
    pg.server?.after(senderTimeout, () => this.#finish());
    this.push();
  }

  #finish(): void {
    const last = this.#last;
    this.#last = null;
    last?.then();
  }

  /** The standby's end is gone: known at once when its kernel says so, else when the sender gives up. */
  lost(link: Link): void {
    const pg = this.#pg;
    const other = link.receiver.pg.machine;
    const told = other.up && pg.network.reaches(other, pg.machine);
    link.ghostUntil = pg.scheduler.now + (told ? 0 : senderTimeout);
    if (told && this.#last !== null) this.#finish();
  }

  /** The server is gone: the standby hears of it, or misses it. */
  stop(): void {
    const pg = this.#pg;
    const link = this.#link;
    this.#link = null;
    this.#last = null;
    if (link === null || !link.open) return;
    const told = pg.network.reaches(pg.machine, link.receiver.pg.machine);
    pg.scheduler.after(told ? 10 * milli : receiverTimeout, () => link.receiver.closed(link, 'the sender is gone'));
  }
}

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
  #toReplay: { readonly node: WalNode; readonly at: Micros }[] = [];

  constructor(pg: Postgres) {
    this.pg = pg;
    this.#replayed = pg.data.flushed;
  }

  /** The server has replayed what it had, and is a standby. */
  start(): void {
    this.#replayed = this.pg.data.flushed;
    this.#toReplay = [];
    this.#try();
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
      this.lastMessageAt = pg.scheduler.now;
      if (pg.data.receives(head)) pg.sender.push();
      if (this.lagMs > 0 || this.#toReplay.length > 0) {
        this.#toReplay.push({ node: head, at: pg.scheduler.now + this.lagMs * milli });
      } else this.#replayed = head;
      link.sender.taken(link, head);
    });
  }

  /** Both directions of the fault: it receives nothing from now on, or what it missed. */
  stall(stalled: boolean): void {
    this.stalled = stalled;
    const held = this.#held;
    this.#held = null;
    if (!stalled && held !== null) this.pg.server?.run(held);
  }

  /** Its connection is gone. */
  closed(link: Link, _why: string): void {
    if (link !== this.#link) return;
    this.#link = null;
    this.#held = null;
    link.open = false;
    link.sender.lost(link);
    this.#again(retry);
  }
}
