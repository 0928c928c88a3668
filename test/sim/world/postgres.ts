// One site's PostgreSQL: its data directory, and a running server or none. What a server becomes is decided by its files
// alone, whoever starts it (lab-notes.md "PostgreSQL on Debian").
//
// For others: databasePort (guard-database.ts) for its guard, probesOf (probes.ts) for agents, `sessions` for instances,
// `faults`; checkers listen to onChange, onBeat and sessions.onAcknowledge. Whoever suspends the machine calls `refresh`.

import type { ClusterRow } from '../../../src/core/observe/observation.ts';
import type { Site } from '../../../src/core/site.ts';
import type { Random } from '../engine/random.ts';
import { milli, type Scheduler } from '../engine/scheduler.ts';
import type { Trace } from '../engine/trace.ts';
import { DataDirectory } from './data-directory.ts';
import type { Machine } from './machine.ts';
import type { Network } from './network.ts';
import { PostgresFaults } from './postgres-faults.ts';
import { Process } from './process.ts';
import { Receiver } from './receiver.ts';
import { Sender } from './sender.ts';
import { Sessions } from './sessions.ts';
import type { Wal, WalNode } from './wal.ts';

/** booting: it has not looked for the signal file yet. recovering, joining: on its way to be a primary, a standby. */
export type Phase = 'none' | 'booting' | 'recovering' | 'joining' | 'standby' | 'promoting' | 'primary' | 'stopping';

export type PostgresOptions = {
  readonly scheduler: Scheduler;
  readonly random: Random;
  readonly trace: Trace;
  readonly network: Network;
  readonly machine: Machine;
  readonly site: Site;
  readonly wal: Wal;
  readonly systemId: string;
  readonly other: () => Postgres;
  /** `zero-loss-strict`: also a standby's settings say that commits wait. */
  readonly alwaysWaits?: boolean;
};

export class Postgres {
  readonly scheduler: Scheduler;
  readonly random: Random;
  readonly trace: Trace;
  readonly network: Network;
  readonly machine: Machine;
  readonly site: Site;
  readonly systemId: string;
  readonly other: () => Postgres;
  readonly alwaysWaits: boolean;
  readonly data: DataDirectory;
  readonly faults: PostgresFaults;
  readonly sessions: Sessions;
  readonly receiver: Receiver;
  readonly sender: Sender;

  server: Process | null = null;
  phase: Phase = 'none';
  /** False with a server: the postmaster is gone, its sessions live on for a moment. */
  postmaster = false;
  /** Killed processes that cannot die before the disk moves again; they answer nobody. */
  stuck = false;
  life = 0;
  /** The flag in shared memory by which commits wait: it follows the setting when the server gets round to it. */
  waitsNow = false;

  /** Its guard's beat is written, though its guard may never hear of it. */
  onBeat: (row: ClusterRow) => void = () => {};
  /** Writability or role changed, and why. */
  onChange: (reason: string) => void = () => {};
  /** Its guard begins a piece of work on it: where a fault may strike. */
  onWork: () => void = () => {};
  /** Its guard does the last thing that may make it accept writes: takes the signal file away, hands a start over, promotes. */
  onBegun: (what: string) => void = () => {};
  /** A primary began without a signal file in its directory, or one lost it: what the fuse has to know at once. */
  onUnguarded: () => void = () => {};

  #told = '';

  constructor(options: PostgresOptions) {
    this.scheduler = options.scheduler;
    this.random = options.random;
    this.trace = options.trace;
    this.network = options.network;
    this.machine = options.machine;
    this.site = options.site;
    this.systemId = options.systemId;
    this.other = options.other;
    this.alwaysWaits = options.alwaysWaits ?? false;
    this.data = new DataDirectory(options.wal);
    this.faults = new PostgresFaults(this);
    this.sessions = new Sessions(this);
    this.receiver = new Receiver(this);
    this.sender = new Sender(this);
  }

  /** Stopped (SIGSTOP), or the whole machine is suspended. */
  get frozen(): boolean {
    return this.faults.frozen || this.machine.suspended;
  }

  /** A client's commit could be acknowledged now, were it not to wait for the standby. */
  isWritable(): boolean {
    if (this.phase !== 'primary' || this.frozen || this.faults.readOnly) return false;
    return !this.data.volume.hung && !this.data.volume.full;
  }

  inRecovery(): boolean {
    return this.phase === 'standby' || this.phase === 'promoting';
  }

  /** The postmaster takes connections, if only to say that it is starting up. */
  listens(): boolean {
    return this.server !== null && this.postmaster;
  }

  /** Whether a client's write is on its disk. */
  contains(write: number): boolean {
    return this.data.wal.contains(this.data.flushed, write);
  }

  /** As far as a reader sees the tables. */
  visible(): WalNode {
    return this.phase === 'primary' ? this.data.inserted : this.receiver.replayed();
  }

  processesLeft(): boolean {
    return this.server !== null || this.stuck;
  }

  /** Tells the observers when writability or role is not what it was; also for whoever changed what they depend on. */
  refresh(reason: string): void {
    const told = `${this.phase} ${this.isWritable() ? 'writable' : 'not writable'}`;
    this.sessions.look();
    if (told === this.#told) return;
    this.#told = told;
    this.trace.line(`${this.site}-db`, told, reason);
    this.onChange(reason);
  }

  /** Runs `then` once `node` is on disk, if the server lives then: in this very moment when nothing is slow. */
  whenFlushed(node: WalNode, then: () => void): void {
    const { slowCommitMs } = this.faults;
    if (slowCommitMs > 0) this.server?.after(slowCommitMs * milli, () => this.#flush(node, then));
    else this.#flush(node, then);
  }

  #flush(node: WalNode, then: () => void): void {
    this.data.volume.when(() => {
      if (this.data.reachesDisk(node)) this.sender.push();
      then();
    });
  }

  /** ALTER SYSTEM and a reload: fresh sessions see it soon, commits obey it when the checkpointer gets round to it. */
  setWaits(on: boolean): void {
    const { server, data, random } = this;
    if (server === null || data.waits === on) return;
    data.waits = on;
    const late = random.ratio(1, 8) ? random.range(100, 2000) : random.range(1, 30);
    server.after(late * milli, () => {
      this.waitsNow = data.waits;
      this.sessions.release();
    });
  }

  removeSignalFile(): void {
    this.data.signalFile = false;
    this.onUnguarded();
  }

  /** Whoever starts it, with whatever files are there. False: something of it runs already, or the machine is off. */
  start(by: string): boolean {
    if (this.processesLeft() || !this.machine.up) return false;
    const mode = this.faults.takeStartMode();
    const server = this.#born();
    this.phase = 'booting';
    this.refresh(`started by ${by}`);
    this.onUnguarded();
    if (mode === 'fails') server.after(this.random.range(20, 200) * milli, () => server.die('could not start'));
    else this.#boot(server, mode === 'late' ? this.random.range(1000, 40_000) : 0);
    return true;
  }

  #born(): Process {
    this.life += 1;
    const server = new Process(this.machine, `${this.site}-postgres`, this.life, (how) => this.#died(how));
    this.server = server;
    this.postmaster = true;
    this.waitsNow = this.data.waits;
    return server;
  }

  #boot(server: Process, lateMs: number): void {
    const { random, data } = this;
    const { volume } = data;
    const readFiles = (): void => {
      const isClean = data.controlState === 'shut down';
      const usual = lateMs + this.faults.slowStartMs + random.range(40, isClean ? 150 : 300);
      const took = (usual + (!isClean && random.ratio(1, 16) ? random.range(200, 4000) : 0)) * milli;
      if (data.signalFile) {
        this.phase = 'joining';
        data.control('in archive recovery');
        server.after(took, () => this.#isStandby());
      } else {
        this.phase = 'recovering';
        if (!isClean) data.control('in crash recovery');
        server.after(took, () => volume.when(() => this.#isPrimary('no signal file when it started', null)));
      }
      this.refresh('has read its files');
    };
    server.after(random.range(4, 30) * milli, () => volume.when(readFiles));
  }

  #isStandby(): void {
    this.phase = 'standby';
    this.receiver.start();
    this.refresh('in recovery');
  }

  #isPrimary(reason: string, timeline: number | null): void {
    const { data } = this;
    // The first record cannot be written: PANIC.
    if (data.volume.full) return this.killAll('no space left');
    data.control('in production');
    data.lacksWal = false;
    this.phase = 'primary';
    data.flushed = data.append('checkpoint', timeline === null ? undefined : { timeline });
    this.sessions.begin();
    this.refresh(reason);
    this.sender.push();
  }

  /** pg_promote(false), which does not wait for it. */
  promote(): void {
    const { server, random, data } = this;
    if (this.phase !== 'standby' || server === null) return;
    const mode = this.faults.takePromoteMode();
    if (mode === 'fails') return;
    const backlog = this.receiver.stop();
    this.phase = 'promoting';
    this.refresh('promotion asked for');
    const ms = random.range(50, 300) + (mode === 'late' ? random.range(1000, 15_000) : 0);
    server.after(ms * milli + backlog, () => {
      if (mode === 'dies') return server.die('died of its promotion');
      data.volume.when(() => {
        // The file goes before the first write is possible; a crash in between finds none.
        this.removeSignalFile();
        const end = (): void => this.#isPrimary('promoted', data.flushed.timeline + 1);
        server.after(random.range(1, 5) * milli, () => data.volume.when(end));
      });
    });
  }

  /** Sessions end; a primary writes its shutdown checkpoint and waits until its standby has it; all processes end. */
  stopFast(by: string): void {
    const { server, random, data } = this;
    if (server === null || this.phase === 'stopping') return;
    const wasPrimary = this.phase === 'primary';
    if (!wasPrimary && this.phase !== 'standby') return server.die(`stopped by ${by} while ${this.phase}`);
    this.receiver.stop();
    this.phase = 'stopping';
    this.sessions.end();
    this.refresh(`stopped by ${by}`);
    const end = (state: string) => (): void => {
      data.control(state);
      server.die('stopped');
    };
    server.after(random.range(20, 150) * milli, () => {
      if (!wasPrimary) return data.volume.when(end('shut down in recovery'));
      data.control('shutting down');
      const last = data.append('checkpoint');
      this.whenFlushed(last, () => this.sender.whenReceived(last, end('shut down')));
    });
  }

  killAll(how: string): void {
    this.server?.die(how);
  }

  #died(how: string): void {
    const { data } = this;
    const { volume } = data;
    this.server = null;
    this.postmaster = false;
    this.phase = 'none';
    this.faults.frozen = false;
    this.stuck = this.machine.up && volume.hung && (volume.waited || this.random.ratio(1, 2));
    volume.forget();
    data.crash(this.random);
    this.sessions.end();
    this.receiver.stop();
    this.sender.stop();
    this.refresh(how);
  }

  /** On the first day: runs since before there was a guard, so there is no signal file yet. */
  bornPrimary(): void {
    this.#born();
    this.#isPrimary('since before the run', null);
  }

  bornStandby(): void {
    this.data.becomesCopyOf(this.data.wal.root);
    this.#born();
    this.#isStandby();
  }
}
