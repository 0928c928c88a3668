// The guard's database port over the model: the steps, checks and deadlines of src/adapters/postgres (database.ts,
// start.ts, fence.ts, waiting.ts), so that a guard can die, freeze or lose its leave between any two of them.

import { done, type Outcome, rejected, unknown } from '../../../src/core/outcome.ts';
import { compareEpochs } from '../../../src/core/quorum/record.ts';
import type { Ms } from '../../../src/core/time.ts';
import type { Database } from '../../../src/ports/database.ts';
import { milli } from '../engine/scheduler.ts';
import type { Postgres } from './postgres.ts';
import { Process } from './process.ts';

const pollMs: Ms = 20;
const nothingCameMs: Ms = 3000;
const quitMs: Ms = 200;
const fenceGiveUpMs: Ms = 10_000;
const birthMs: Ms = 300;

const notAllowed = () => rejected('not-allowed', 'the lease no longer allows it');
const endedMeanwhile = () => unknown('a fence began while it was coming up');

export function databasePort(pg: Postgres, process: Process): Database {
  return new GuardDatabase(pg, process);
}

type Leave = { readonly given: () => boolean; readonly fenced: () => boolean };

class GuardDatabase implements Database {
  readonly #pg: Postgres;
  readonly #process: Process;
  #fences = 0;
  #fencing: Promise<Outcome<void>> | null = null;
  #startedAt = Number.NEGATIVE_INFINITY;

  constructor(pg: Postgres, process: Process) {
    this.#pg = pg;
    this.#process = process;
  }

  look(): ReturnType<Database['look']> {
    if (!this.#process.mayAffect()) return Process.never;
    const pg = this.#pg;
    return this.#process.later(pg.random.range(500, 4000), () =>
      done({
        running: pg.processesLeft(),
        postmaster: pg.postmaster,
        signalFile: pg.data.signalFile,
        controlState: pg.data.controlState,
        systemId: pg.systemId,
        timeline: pg.data.flushed.timeline,
      }),
    );
  }

  ask(deadlineMs: Ms): ReturnType<Database['ask']> {
    if (!this.#process.mayAffect()) return Process.never;
    return this.#question(deadlineMs, () => {
      const pg = this.#pg;
      const { data, sender } = pg;
      const inRecovery = pg.inRecovery();
      const sync = { waits: data.waits, standby: sender.state(), flushed: sender.standbyFlushed() };
      return done({ inRecovery, position: data.flushed.lsn, row: pg.visible().row, sync: inRecovery ? null : sync });
    });
  }

  beat(...[row, deadlineMs]: Parameters<Database['beat']>): ReturnType<Database['beat']> {
    if (!this.#process.mayAffect()) return Process.never;
    const pg = this.#pg;
    const { data } = pg;
    return this.#asked(deadlineMs, (answer) => {
      if (pg.phase !== 'primary' || pg.faults.readOnly)
        return answer(rejected('read-only', 'in a read-only transaction'));
      if (!data.putSignalFile() || data.volume.full) return answer(rejected('disk-full', 'no space left on device'));
      const before = data.inserted.row;
      if (before !== null && before.cluster === row.cluster && compareEpochs(before.epoch, row.epoch) > 0) {
        return answer(rejected('lower-epoch', 'siteward.cluster carries a later epoch'));
      }
      const node = data.append('row', { row });
      pg.sessions.look();
      pg.whenFlushed(node, () => answer(done({ position: node.lsn })));
    });
  }

  kill(): Promise<Outcome<void>> {
    if (!this.#process.mayAffect()) return Process.never;
    this.#fences += 1;
    this.#fencing ??= this.#fence().finally(() => {
      this.#fencing = null;
    });
    return this.#fencing;
  }

  async startPrimary(waits: boolean, deadlineMs: Ms, mayGoOn: () => boolean): Promise<Outcome<void>> {
    const pg = this.#pg;
    const { data } = pg;
    return this.#guarded(async () => {
      const end = this.#end(deadlineMs);
      const leave = this.#leave(mayGoOn);
      if (pg.processesLeft()) return rejected('running', 'processes of the data directory are running');
      if (data.volume.blocks(this.#process)) await this.#pause(0);
      if (waits && data.volume.full) return unknown('no space left on device');
      if (!data.volume.full) data.waits = waits;
      await this.#pause(pg.random.range(1, 25));
      const before = data.controlVersion;
      if (!leave.given()) return notAllowed();
      if (data.volume.blocks(this.#process)) await this.#pause(0);
      if (!this.#process.mayAffect()) return Process.never;
      pg.removeSignalFile();
      if (!leave.given()) return notAllowed();
      if (!this.#process.mayAffect()) return Process.never;
      return this.#handOver() ?? this.#comesUp(end, leave, before);
    });
  }

  async startStandby(deadlineMs: Ms): Promise<Outcome<void>> {
    const pg = this.#pg;
    return this.#guarded(async () => {
      const end = this.#end(deadlineMs);
      if (pg.postmaster) return done(undefined);
      if (pg.processesLeft()) return rejected('running', 'processes without a postmaster are running');
      const leave = this.#leave(() => true);
      if (!this.#process.mayAffect()) return Process.never;
      if (!pg.data.putSignalFile()) return unknown('no space left on device');
      await this.#pause(pg.random.range(1, 25));
      if (!leave.given()) return notAllowed();
      if (!this.#process.mayAffect()) return Process.never;
      const failed = this.#handOver();
      if (failed !== null) return failed;
      return this.#until(end, async () => {
        const answer = await this.#isRecovering(end);
        if (answer.kind === 'done' || (answer.kind === 'rejected' && answer.code === 'starting-up'))
          return done(undefined);
        return this.#nothingCame() ? rejected('not-started', 'no process runs') : null;
      });
    });
  }

  async promote(waits: boolean, deadlineMs: Ms, mayGoOn: () => boolean): Promise<Outcome<void>> {
    const pg = this.#pg;
    return this.#guarded(async () => {
      const end = this.#end(deadlineMs);
      const leave = this.#leave(mayGoOn);
      const set = await this.#writeWaits(waits, end);
      if (waits && set.kind !== 'done') return set;
      const recovering = await this.#isRecovering(end, this.#left(end));
      if (recovering.kind === 'rejected') return recovering;
      if (recovering.kind === 'done') {
        if (!recovering.value) return done(undefined);
        if (!leave.given()) return notAllowed();
        if (!this.#process.mayAffect()) return Process.never;
        const failed = await this.#askPromotion(end);
        if (failed !== null) return failed;
      }
      return this.#until(end, async () => {
        if (leave.fenced()) return endedMeanwhile();
        const answer = await this.#isRecovering(end);
        if (answer.kind === 'done' && !answer.value) return done(undefined);
        return answer.kind !== 'done' && !pg.postmaster ? rejected('not-running', 'it died') : null;
      });
    });
  }

  async #askPromotion(end: number): Promise<Outcome<void> | null> {
    const pg = this.#pg;
    const lies = pg.faults.nextPromote === 'reports-failure-but-works';
    const asked = await this.#question(this.#left(end), () => {
      pg.promote();
      return lies ? rejected('XX000', 'could not promote') : done(undefined);
    });
    return asked.kind === 'rejected' ? asked : null;
  }

  async setWaits(on: boolean, deadlineMs: Ms): Promise<Outcome<void>> {
    if (!this.#process.mayAffect()) return Process.never;
    const pg = this.#pg;
    const end = this.#end(deadlineMs);
    const set = await this.#writeWaits(on, end);
    if (set.kind !== 'done' || !on) return set;
    // The canary: a commit that was seen to wait, and another one that came back.
    const proven = await this.#until(end - 200 * milli, async () => {
      if (pg.server === null || pg.phase !== 'primary') return unknown('the server is gone');
      return pg.waitsNow ? done(undefined) : null;
    });
    if (proven.kind !== 'done') return unknown('no commit was seen to wait');
    let node = pg.data.inserted;
    const written = await this.#question(this.#left(end), () => {
      node = pg.data.append('noise');
      pg.whenFlushed(node, () => {});
      return done(undefined);
    });
    if (written.kind !== 'done') return unknown('the canary did not come back');
    const replicated = await this.#until(end, async () => (pg.sender.hasOnDisk(node) ? done(undefined) : null));
    return replicated.kind === 'done' ? replicated : rejected('not-replicated', 'the standby did not confirm a commit');
  }

  /** Done once a fresh session has it. */
  #writeWaits(on: boolean, end: number): Promise<Outcome<void>> {
    const pg = this.#pg;
    return this.#asked(this.#left(end), (answer) => {
      if (on !== pg.data.waits && pg.data.volume.full) return answer(rejected('disk-full', 'no space left on device'));
      pg.data.volume.when(() => {
        pg.setWaits(on);
        answer(done(undefined));
      });
    });
  }

  async stopFast(deadlineMs: Ms): ReturnType<Database['stopFast']> {
    const { data } = this.#pg;
    const end = this.#end(deadlineMs);
    await this.#question(deadlineMs / 2, () => done(undefined));
    const stopped = await this.stop(this.#left(end));
    if (stopped.kind !== 'done') return stopped;
    if (data.controlState !== 'shut down') return rejected('not-clean', `pg_controldata says: ${data.controlState}`);
    return done({ checkpoint: data.checkpoint });
  }

  async stop(deadlineMs: Ms): Promise<Outcome<void>> {
    const pg = this.#pg;
    const end = this.#end(deadlineMs);
    if (!this.#process.mayAffect()) return Process.never;
    if (!pg.data.signalFile && pg.data.volume.blocks(this.#process)) await this.#pause(0);
    if (!pg.data.putSignalFile()) return unknown('no space left on device');
    if (!this.#process.mayAffect()) return Process.never;
    pg.server?.run(() => pg.stopFast('its guard'));
    return this.#until(end, async () => (pg.processesLeft() ? null : done(undefined)));
  }

  // The fence.

  /** Synchronous up to the first signal. */
  async #fence(): Promise<Outcome<void>> {
    const pg = this.#pg;
    const process = this.#process;
    const began = pg.scheduler.now;
    const target = pg.server;
    // SIGQUIT: the postmaster ends its sessions, and goes. One that is stopped, or does not get round to it, is killed.
    if (target !== null && pg.postmaster && !pg.random.ratio(1, 16)) {
      target.after(pg.random.range(5, 60) * milli, () => target.die('fenced'));
    }
    await this.#pause(1);
    let file = (pg.data.signalFile ? 'there' : 'missing') as 'missing' | 'there' | 'failed';
    const put = (): void => {
      if (process.mayAffect()) file = pg.data.putSignalFile() ? 'there' : 'failed';
    };
    if (file === 'missing') pg.data.volume.afterwards(() => process.run(put));
    for (;;) {
      const inhibited = file;
      const none = !pg.processesLeft() && pg.scheduler.now >= this.#startedAt + birthMs * milli;
      if (none && inhibited === 'there') return done(undefined);
      if (none && inhibited === 'failed') return unknown('nothing is left, but standby.signal cannot be written');
      const elapsed = (pg.scheduler.now - began) / milli;
      if (elapsed > fenceGiveUpMs) return unknown('some of its processes are left');
      if (elapsed >= quitMs && pg.server !== null) {
        if (!this.#process.mayAffect()) return Process.never;
        pg.killAll('fenced by SIGKILL');
      }
      await this.#pause(elapsed < 1000 ? 15 : 100);
    }
  }

  #leave(mayGoOn: () => boolean): Leave {
    const before = this.#fences;
    const fenced = (): boolean => this.#fencing !== null || this.#fences !== before;
    return { given: () => mayGoOn() && !fenced(), fenced };
  }

  // Steps.

  /** Never ends without the signal file, unless its process does. */
  async #guarded(work: () => Promise<Outcome<void>>): Promise<Outcome<void>> {
    if (!this.#process.mayAffect()) return Process.never;
    const { data } = this.#pg;
    const outcome = await work();
    if (data.signalFile) return outcome;
    if (data.volume.blocks(this.#process)) await this.#pause(0);
    if (!this.#process.mayAffect()) return Process.never;
    return data.putSignalFile() ? outcome : unknown('standby.signal cannot be put back: no space left on device');
  }

  #handOver(): Outcome<void> | null {
    const pg = this.#pg;
    const lies = pg.faults.nextStart === 'reports-failure-but-works';
    this.#startedAt = pg.scheduler.now;
    pg.start('its guard');
    return lies ? rejected('control', 'systemctl ended with 1') : null;
  }

  #comesUp(end: number, leave: Leave, before: number): Promise<Outcome<void>> {
    const { data } = this.#pg;
    return this.#until(end, async () => {
      if (leave.fenced()) return endedMeanwhile();
      if (!data.signalFile && data.controlState === 'in crash recovery' && data.controlVersion !== before) {
        if (data.volume.blocks(this.#process)) await this.#pause(0);
        if (!this.#process.mayAffect()) return Process.never;
        data.putSignalFile();
      }
      const answer = await this.#isRecovering(end);
      if (answer.kind === 'done')
        return answer.value ? rejected('in-recovery', 'it came up in recovery') : done(undefined);
      return this.#nothingCame() ? rejected('not-started', 'no process runs') : null;
    });
  }

  #nothingCame(): boolean {
    const pg = this.#pg;
    return pg.scheduler.now - this.#startedAt > nothingCameMs * milli && !pg.processesLeft();
  }

  #isRecovering(end: number, atMostMs = 500): Promise<Outcome<boolean>> {
    return this.#question(Math.min(atMostMs, this.#left(end)), () => done(this.#pg.inRecovery()));
  }

  async #until(end: number, look: () => Promise<Outcome<void> | null>): Promise<Outcome<void>> {
    while (this.#pg.scheduler.now < end) {
      const outcome = await look();
      if (outcome !== null) return outcome;
      await this.#pause(pollMs);
    }
    return unknown('not within its deadline');
  }

  #question<T>(deadlineMs: Ms, work: () => Outcome<T>): Promise<Outcome<T>> {
    return this.#asked(deadlineMs, (answer) => answer(work()));
  }

  /** Over the local socket: what was sent may still be done when nobody waits for the answer any more. */
  #asked<T>(deadlineMs: Ms, work: (answer: (outcome: Outcome<T>) => void) => void): Promise<Outcome<T>> {
    const pg = this.#pg;
    const process = this.#process;
    const end = this.#end(deadlineMs);
    return new Promise((resolve) => {
      let over = false;
      const answer = (outcome: Outcome<T>): void => {
        if (over) return;
        over = true;
        process.run(() => resolve(outcome));
      };
      const give = (): void => {
        const { server, phase } = pg;
        if (server === null || phase === 'booting') return answer(rejected('refused', 'no postmaster made a socket'));
        const takesSessions = (): boolean => pg.phase === 'primary' || pg.inRecovery();
        server.run(() => (takesSessions() ? work(answer) : answer(rejected('starting-up', `it is ${pg.phase}`))));
        if (!over) pg.scheduler.at(end, () => answer(unknown(`no answer within ${deadlineMs} ms`)));
      };
      pg.scheduler.after(Math.min(pg.random.range(300, 2000), Math.max(0, deadlineMs) * milli), give);
    });
  }

  #pause(ms: Ms): Promise<void> {
    return this.#process.later(ms * milli, () => undefined);
  }

  #end(deadlineMs: Ms): number {
    return this.#pg.scheduler.now + deadlineMs * milli;
  }

  #left(end: number): Ms {
    return Math.max(0, end - this.#pg.scheduler.now) / milli;
  }
}
