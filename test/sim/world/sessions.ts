// One PostgreSQL as its clients see it. A commit is on disk first, then on the standby's where the server waits for it,
// then acknowledged; whatever ends in between leaves it in doubt: committed or not, now or later, nobody is told.
// A session goes on where a new connection would be refused (too many connections, a postmaster that died).

import type { Lsn } from '../../../src/core/lsn.ts';
import type { EpochId } from '../../../src/core/quorum/record.ts';
import type { Site } from '../../../src/core/site.ts';
import { type Micros, milli } from '../engine/scheduler.ts';
import type { CommitEnd, DatabaseEndpoint, Greeting } from './database-endpoint.ts';
import { carry } from './legs.ts';
import type { Machine } from './machine.ts';
import type { Postgres } from './postgres.ts';
import type { WalNode } from './wal.ts';

/** The server told a client that its write is committed; whether that arrives is another matter. */
export type Acknowledged = {
  readonly site: Site;
  readonly write: number;
  /** As siteward.cluster said at that moment. */
  readonly epoch: EpochId | null;
  readonly lsn: Lsn;
  readonly time: Micros;
};

/** What comes of a commit that is on this site's disk, once it is on the other's as well where that is waited for. */
type Waiting = { readonly node: WalNode; readonly then: () => void };

type Commit = { readonly from: Machine; readonly write: number; readonly done: (end: CommitEnd) => void };

const nothing = (): void => {};

export class Sessions implements DatabaseEndpoint {
  readonly site: Site;
  readonly machine: Machine;
  onAcknowledge: (write: Acknowledged) => void = nothing;
  readonly #pg: Postgres;
  /** Taken by the server, neither done nor refused yet. */
  readonly #open = new Set<Commit>();
  /** On this site's disk, not yet on the other's; in the order of the WAL. */
  #waiting: Waiting[] = [];
  /** What waits for the standby is not seen by others yet. */
  #highestVisible = -1;
  #flushAt: Micros = 0;
  #session = 0;
  #greeting: Greeting = { kind: 'refused', writable: false, epoch: null, session: 0, since: 0 };

  constructor(pg: Postgres) {
    this.#pg = pg;
    this.site = pg.site;
    this.machine = pg.machine;
  }

  greet(): Greeting {
    // What a standby replays changes by itself.
    if (this.#pg.phase === 'standby') this.look();
    return this.#greeting;
  }

  /** Works out what a new connection would meet: asked whenever that may have changed. */
  look(): void {
    const pg = this.#pg;
    const last = this.#greeting;
    const kind = this.#kind();
    const writable = pg.phase === 'primary' && !pg.faults.readOnly;
    const epoch = pg.visible().row?.epoch ?? null;
    if (last.kind === kind && last.writable === writable && last.session === this.#session) {
      if (epoch === last.epoch || (epoch !== null && last.epoch !== null && isSame(epoch, last.epoch))) return;
    }
    this.#greeting = { kind, writable, epoch, session: this.#session, since: pg.scheduler.now };
  }

  #kind(): Greeting['kind'] {
    const pg = this.#pg;
    if (pg.server !== null && pg.frozen) return 'silent';
    if (!pg.listens() || (pg.phase !== 'primary' && !pg.inRecovery())) return 'refused';
    return pg.faults.tooManyConnections || pg.faults.refusesPasswords ? 'refused' : 'welcome';
  }

  /** `done` comes over the network, or never. */
  commit(from: Machine, session: number, write: number, done: (end: CommitEnd) => void): void {
    const commit: Commit = { from, write, done };
    const execute = (): void => this.#execute(commit);
    carry(
      this.#pg,
      from,
      this.machine,
      () => this.#arrived(session, execute, () => this.#answer(commit, 'in-doubt')),
      nothing,
    );
  }

  /** The highest write that others may see; null: the connection is broken. */
  highest(from: Machine, session: number, done: (write: number | null) => void): void {
    const pg = this.#pg;
    const answer = (write: number | null): void => carry(pg, this.machine, from, () => done(write), nothing);
    // A fast shutdown ends the session of whoever waits.
    const shown = (): number | null => (pg.inRecovery() ? pg.visible().highest : null);
    const execute = (): void => answer(pg.phase === 'primary' ? this.#highestVisible : shown());
    carry(pg, from, this.machine, () => this.#arrived(session, execute, () => answer(null)), nothing);
  }

  /** A connection that the server ended is broken; one to a machine without a server is reset. */
  #arrived(session: number, execute: () => void, broken: () => void): void {
    const { server } = this.#pg;
    if (server === null || session !== this.#session) broken();
    else server.run(execute);
  }

  #execute(commit: Commit): void {
    const pg = this.#pg;
    if (pg.phase !== 'primary' || pg.faults.readOnly || pg.data.volume.full) return this.#answer(commit, 'failed');
    this.#open.add(commit);
    const node = pg.data.append('write', { write: commit.write, size: pg.faults.bytesPerWrite });
    // 0.2 to 2 ms, in the order of the WAL.
    this.#flushAt = Math.max(this.#flushAt, pg.scheduler.now + pg.random.range(200, 2 * milli));
    pg.server?.at(this.#flushAt, () => pg.whenFlushed(node, () => this.#flushed(commit, node)));
  }

  #flushed(commit: Commit, node: WalNode): void {
    if (this.#open.has(commit)) this.whenReplicated(node, () => this.#acknowledge(commit, node));
  }

  whenReplicated(node: WalNode, then: () => void): void {
    const pg = this.#pg;
    if (!pg.waitsNow || pg.sender.hasOnDisk(node)) then();
    else this.#waiting.push({ node, then });
  }

  #acknowledge(commit: Commit, node: WalNode): void {
    const pg = this.#pg;
    this.#open.delete(commit);
    if (commit.write > this.#highestVisible) this.#highestVisible = commit.write;
    const epoch = pg.data.inserted.row?.epoch ?? null;
    this.onAcknowledge({ site: pg.site, write: commit.write, epoch, lsn: node.lsn, time: pg.scheduler.now });
    this.#answer(commit, 'acknowledged');
  }

  /** The standby has more on its disk, or nobody waits for it any more: those who waited are told that they are done. */
  release(): void {
    const pg = this.#pg;
    while (this.#waiting.length > 0) {
      const first = this.#waiting[0];
      if (first === undefined || (pg.waitsNow && !pg.sender.hasOnDisk(first.node))) return;
      this.#waiting.shift();
      first.then();
    }
  }

  get waiting(): number {
    return this.#waiting.length;
  }

  /** A primary begins: what its WAL brings to light is seen, acknowledged or not. */
  begin(): void {
    this.#highestVisible = this.#pg.data.inserted.highest;
  }

  /** All connections break; a commit that waited for the standby stays on disk, unacknowledged. */
  end(): void {
    this.#session += 1;
    this.#waiting = [];
    const open = [...this.#open];
    this.#open.clear();
    for (const commit of open) this.#answer(commit, 'in-doubt');
    this.look();
  }

  #answer(commit: Commit, end: CommitEnd): void {
    carry(this.#pg, this.machine, commit.from, () => commit.done(end), nothing);
  }
}

function isSame(one: EpochId, other: EpochId): boolean {
  return one.epoch === other.epoch && one.era.number === other.era.number && one.era.site === other.era.site;
}
