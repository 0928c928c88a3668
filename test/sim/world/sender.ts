// The sending end of streaming replication: the walsender of the other site's standby, and what commits and a fast stop
// wait for. One message is under way at a time and carries all there is; nothing ticks while nobody writes.

import type { Lsn } from '../../../src/core/lsn.ts';
import { type Micros, milli, second } from '../engine/scheduler.ts';
import { carry } from './legs.ts';
import type { Postgres } from './postgres.ts';
import { type Receiver, receiverTimeout } from './receiver.ts';
import { isPrefix, type WalNode } from './wal.ts';

/** wal_sender_timeout, its default. */
const senderTimeout: Micros = 60 * second;
/** TCP's retransmissions, coarsely. */
const again: Micros = 500 * milli;

/** One connection of a WAL receiver. Either end may know of its end before the other does. */
export type Link = {
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
    if (receiver.pg.data.lacksWal || !isPrefix(has, pg.data.flushed)) return 'diverged';
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
        if (lostFor >= receiverTimeout || !to.machine.up) return link.receiver.closed(link);
        pg.scheduler.after(again, () => {
          if (link.open) this.#carry(link, head, lostFor + again);
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
        pg.scheduler.after(again, () => {
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
    pg.scheduler.after(told ? 10 * milli : receiverTimeout, () => link.receiver.closed(link));
  }
}
