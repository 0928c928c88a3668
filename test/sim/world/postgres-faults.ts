// What can happen to one PostgreSQL: switches that stay until they are taken back, modes that the next start or promotion
// uses up, and blows. Set the plain fields through `set`, which tells the observers; the rest is told by itself.

import { milli } from '../engine/scheduler.ts';
import type { Postgres } from './postgres.ts';

/** late: after many deadlines. The mode is used up by one promotion. */
export type PromoteMode = 'ok' | 'reports-failure-but-works' | 'late' | 'fails' | 'dies';
export type StartMode = 'ok' | 'reports-failure-but-works' | 'late' | 'fails';

export type Switches = {
  /** default_transaction_read_only. */
  readOnly: boolean;
  tooManyConnections: boolean;
  /** Probes and new connections fail to log in. */
  refusesPasswords: boolean;
  /** Its guard fails to: the `local` line of pg_hba.conf. */
  refusesSocket: boolean;
  slowCommitMs: number;
  /** Added to every start. */
  slowStartMs: number;
  /** What a client's write takes besides its few hundred bytes. */
  bytesPerWrite: number;
  nextPromote: PromoteMode;
  nextStart: StartMode;
};

const lasting: Partial<Switches> = {
  readOnly: false,
  tooManyConnections: false,
  refusesPasswords: false,
  refusesSocket: false,
  slowCommitMs: 0,
  slowStartMs: 0,
};

export class PostgresFaults implements Switches {
  readOnly = false;
  tooManyConnections = false;
  refusesPasswords = false;
  refusesSocket = false;
  slowCommitMs = 0;
  slowStartMs = 0;
  bytesPerWrite = 2000;
  nextPromote: PromoteMode = 'ok';
  nextStart: StartMode = 'ok';
  /** Of the server that runs: `freeze` and `thaw`. */
  frozen = false;
  /** Its machine was resumed a moment ago: it is `frozen` until its fuse had a look (World.resume), healed or not. */
  waitsForFuse = false;
  /** What was laid for the next start or promotion, perhaps long ago, strikes now. */
  onStrike: (kind: 'start-misreported' | 'promote-misreported') => void = () => {};
  readonly #pg: Postgres;

  constructor(pg: Postgres) {
    this.#pg = pg;
  }

  set(switches: Partial<Switches>, reason: string): void {
    Object.assign(this, switches);
    this.#pg.refresh(reason);
  }

  takePromoteMode(): PromoteMode {
    const mode = this.nextPromote;
    this.nextPromote = 'ok';
    if (mode !== 'ok') this.onStrike('promote-misreported');
    return mode;
  }

  takeStartMode(): StartMode {
    const mode = this.nextStart;
    this.nextStart = 'ok';
    if (mode !== 'ok') this.onStrike('start-misreported');
    return mode;
  }

  /** Everything that lasts is over; what is down stays down. */
  heal(): void {
    const pg = this.#pg;
    this.set(lasting, 'healed');
    this.nextPromote = 'ok';
    this.nextStart = 'ok';
    this.fillDisk(false);
    if (pg.data.volume.hung) this.thawDisk();
    if (!this.waitsForFuse) this.thaw();
    pg.receiver.lagMs = 0;
    pg.receiver.stall(false);
  }

  /** All processes die at once. */
  crash(how = 'crashed'): void {
    this.#pg.killAll(how);
  }

  /** One backend dies: the postmaster ends the others, and reads the files anew as it begins again. */
  crashBackend(): void {
    const pg = this.#pg;
    if (pg.server === null || !pg.postmaster || pg.phase === 'stopping') return;
    pg.server.die('a backend crashed');
    pg.start('its own postmaster');
  }

  /** The postmaster alone is killed: new connections are refused, living sessions go on for a moment. */
  killPostmaster(lingerMs: number): void {
    const pg = this.#pg;
    const { server } = pg;
    if (server === null) return;
    if (pg.phase !== 'primary' && !pg.inRecovery()) return server.die('its postmaster was killed');
    pg.postmaster = false;
    pg.trace.line(`${pg.site}-db`, 'postmaster killed', `others live for ${lingerMs} ms`);
    server.after(lingerMs * milli, () => server.die('without a postmaster'));
  }

  /** SIGSTOP to all of it. */
  freeze(): void {
    const pg = this.#pg;
    if (pg.server === null) return;
    this.frozen = true;
    pg.server.freeze();
    pg.refresh('frozen');
  }

  /** What waited is done now, by a server that does not know how late it is. */
  thaw(): void {
    const pg = this.#pg;
    if (!this.frozen) return;
    this.frozen = false;
    pg.refresh('thawed');
    pg.server?.thaw();
    pg.sender.push();
  }

  /** fsync never returns; reads are answered from memory. */
  hangDisk(): void {
    this.#pg.data.volume.hung = true;
    this.#pg.refresh('disk hangs');
  }

  thawDisk(): void {
    const pg = this.#pg;
    const { server } = pg;
    const waiting = pg.data.volume.moves();
    pg.stuck = false;
    pg.refresh('disk moves');
    if (server !== null) for (const work of waiting) server.run(work);
    pg.data.volume.release();
  }

  fillDisk(full: boolean): void {
    this.#pg.data.volume.full = full;
    this.#pg.refresh(full ? 'disk full' : 'disk has room');
  }

  /** apt, a boot or a person starts it, with whatever files are there. */
  startedBySomebodyElse(): boolean {
    return this.#pg.start('somebody else');
  }

  /** apt, systemctl or a person stops it cleanly. */
  stoppedBySomebodyElse(): void {
    this.#pg.stopFast('somebody else');
  }

  /** A person rewinds a stopped, diverged primary to the other site's history. False: it cannot be done now. */
  rewind(): boolean {
    const pg = this.#pg;
    const source = pg.other();
    if (pg.processesLeft() || !pg.machine.up || pg.data.volume.hung || pg.data.volume.full) return false;
    if (source.phase !== 'primary' || !source.listens() || source.frozen) return false;
    if (!pg.network.reaches(pg.machine, source.machine) || !pg.network.reaches(source.machine, pg.machine))
      return false;
    pg.data.becomesCopyOf(source.data.flushed);
    pg.trace.line(`${pg.site}-db`, 'rewound', `to the history of ${source.site}`);
    return true;
  }
}
