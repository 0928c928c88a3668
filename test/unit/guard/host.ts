// A database host: a guard under a driver's rules (fence at once, then persist, send, act; one act at a time on a target),
// its PostgreSQL with the signal file, and its fuse. Any of them can be killed at any moment.

import type { Act, Trace } from '../../../src/core/effects.ts';
import type { GuardDeed, GuardDeedValue, GuardEvent } from '../../../src/core/guard/deeds.ts';
import { fenceAt } from '../../../src/core/guard/facts.ts';
import { type GuardDurable, type GuardState, startGuard } from '../../../src/core/guard/state.ts';
import { guardStep } from '../../../src/core/guard/step.ts';
import type { Answer, Request } from '../../../src/core/messages.ts';
import { done, type Outcome } from '../../../src/core/outcome.ts';
import type { EpochId } from '../../../src/core/quorum/record.ts';
import type { Settings } from '../../../src/core/settings.ts';
import { guardOf, type PeerId, type Site } from '../../../src/core/site.ts';
import type { Clockwork } from './clockwork.ts';
import { HostClock } from './clockwork.ts';
import { FakePostgres } from './postgres.ts';

export type Network = (
  from: PeerId,
  to: PeerId,
  request: Request,
  deadlineMs: number,
  answer: (outcome: Outcome<Answer>) => void,
) => void;

export type HostOptions = {
  readonly site: Site;
  readonly world: Clockwork;
  readonly settings: Settings;
  readonly network: Network;
  readonly random: () => number;
  readonly rate?: number;
  /** Checked after every step. */
  readonly watch?: (host: Host, before: GuardState, event: GuardEvent, result: ReturnType<typeof guardStep>) => void;
};

type ActResult = Outcome<GuardDeedValue> | { readonly kind: 'expired' } | { readonly kind: 'cancelled' };

/** How long each deed takes, in true ms. */
const lengths: Readonly<Record<GuardDeed['kind'], number>> = {
  look: 3,
  'ask-server': 5,
  'look-fuse': 1,
  'set-deadline': 1,
  'clear-deadline': 1,
  'start-primary': 160,
  'start-standby': 160,
  promote: 140,
  'stop-fast': 120,
  stop: 100,
  'set-waits': 40,
  beat: 6,
};

export class Host {
  readonly options: HostOptions;
  readonly clock: HostClock;
  readonly db = new FakePostgres();
  readonly fuse = {
    armed: false,
    deadline: null as number | null,
    lastLook: null as number | null,
    alive: true,
    kills: 0,
  };
  readonly traces: { readonly at: number; readonly trace: Trace }[] = [];
  readonly deeds: string[] = [];
  readonly asked: Request[] = [];
  readonly rows: { readonly epoch: EpochId; readonly beat: number }[] = [];
  disk: GuardDurable | null = null;
  state: GuardState | null = null;
  persistMs = 0;
  /** How far a person put its wall clock off. */
  wallOffMs = 0;
  /** Where the guard's process is to end. */
  stopAt: { readonly step: number; readonly when: 'before' | 'saved' | 'after' } | null = null;
  steps = 0;
  #events: GuardEvent[] = [];
  #persisting = false;
  #frozen = false;
  #underWay = false;
  #generation = 0;
  /** Grows with every life of the guard: what an earlier one began reaches nobody. */
  #life = 0;
  #wake = 0;
  #alarm: number | null = null;
  #targets = new Map<string, { act: Act<GuardDeed>; generation: number }[]>();
  #replies: ((answer: Answer) => void)[] = [];

  constructor(options: HostOptions) {
    this.options = options;
    this.clock = new HostClock(options.world, options.rate ?? 1);
    this.#fuseLoop();
  }

  get peer(): PeerId {
    return guardOf(this.options.site);
  }

  get writable(): boolean {
    return this.db.role === 'primary' && !this.db.frozen;
  }

  startGuard(): void {
    this.#life += 1;
    this.#events = [];
    this.#persisting = false;
    this.#frozen = false;
    this.#underWay = false;
    this.#targets = new Map();
    this.#replies = [];
    const { site, settings, world } = this.options;
    this.state = startGuard(
      site,
      settings,
      this.disk,
      this.clock.now(),
      1_700_000_000_000 + world.time + this.wallOffMs,
    );
    this.push({ type: 'tick' });
  }

  killGuard(): void {
    this.#life += 1;
    this.state = null;
    this.#alarm = null;
  }

  push(event: GuardEvent): void {
    this.#events.push(event);
    this.#pump();
  }

  request(from: PeerId, request: Request, answer: (answer: Answer) => void): void {
    if (this.state === null) return;
    const replyTo = this.#replies.push(answer) - 1;
    this.push({ type: 'request', from, request, replyTo });
  }

  /** SIGSTOP and SIGCONT: nothing is done or lost meanwhile, and the clock runs on. */
  freezeGuard(ms: number): void {
    const life = this.#life;
    this.#frozen = true;
    this.options.world.after(ms, () => {
      if (life !== this.#life) return;
      this.#frozen = false;
      this.#checkAlarm();
      this.#pump();
    });
  }

  #pump(): void {
    while (this.state !== null && !this.#persisting && !this.#frozen) {
      const event = this.#events.shift();
      if (event === undefined) return;
      this.#take(event);
    }
  }

  #take(event: GuardEvent): void {
    if (this.state === null) return;
    this.#checkAlarm();
    const { world, random } = this.options;
    const bits = Array.from({ length: 32 }, () => Math.floor(random() * 16).toString(16)).join('');
    const before = this.state;
    this.steps += 1;
    const result = guardStep(before, event, {
      now: this.clock.now(),
      wall: 1_700_000_000_000 + world.time,
      random: bits,
    });
    this.state = result.state;
    for (const trace of result.trace) this.traces.push({ at: world.time, trace });
    this.options.watch?.(this, before, event, result);
    if (this.#stops('before')) return;
    if (result.effects.fence) this.#fence();
    const at = fenceAt(this.state);
    this.#setAlarm(at);
    const generation = this.#generation;
    this.#tickAt(result.wakeAt);
    const life = this.#life;
    const release = (): void => {
      for (const send of result.effects.send) {
        if (send.kind === 'reply') this.#replies[send.replyTo]?.(send.answer);
        if (send.kind !== 'ask') continue;
        this.asked.push(send.request);
        this.options.network(this.peer, send.to, send.request, send.deadlineMs, (outcome) => {
          if (life === this.#life) this.push({ type: 'answer', id: send.id, outcome });
        });
      }
      for (const act of result.effects.act) this.#add(act, generation);
      this.#stops('after');
    };
    const { persist } = result.effects;
    if (persist === null) return release();
    this.#persisting = true;
    const saved = (): void => {
      if (life !== this.#life) return;
      this.disk = structuredClone(persist);
      this.#persisting = false;
      if (this.#stops('saved')) return;
      release();
      this.#pump();
    };
    if (this.persistMs === 0) saved();
    else world.after(this.persistMs, saved);
  }

  /** The process ends exactly here and is started again soon; `before`: nothing of the step was done. */
  #stops(when: 'before' | 'saved' | 'after'): boolean {
    if (this.stopAt?.step !== this.steps || this.stopAt.when !== when) return false;
    this.stopAt = null;
    this.killGuard();
    this.options.world.after(400, () => this.startGuard());
    return true;
  }

  #tickAt(at: number): void {
    const wake = ++this.#wake;
    const life = this.#life;
    this.options.world.after(this.clock.until(at), () => {
      if (wake === this.#wake && life === this.#life) this.push({ type: 'tick' });
    });
  }

  #setAlarm(at: number | null): void {
    if (at === this.#alarm) return;
    this.#alarm = at;
    const life = this.#life;
    if (at !== null) {
      this.options.world.after(this.clock.until(at), () => {
        if (life === this.#life) this.#checkAlarm();
      });
    }
  }

  #checkAlarm(): void {
    if (this.#frozen || this.#alarm === null || this.clock.now() < this.#alarm) return;
    this.#alarm = null;
    this.#fence();
  }

  #fence(): void {
    if (this.#underWay) return;
    this.#underWay = true;
    this.#generation += 1;
    this.deeds.push('fence');
    for (const waiting of this.#targets.values()) {
      for (const { act } of waiting.splice(0)) this.#report(act.id, { kind: 'cancelled' });
    }
    const life = this.#life;
    // As slow as the fence budget allows: the kill is what counts, not its beginning.
    this.options.world.after(20 + this.options.random() * 300, () => {
      this.db.die();
      this.db.signalFile = true;
      if (life !== this.#life) return;
      this.#underWay = false;
      this.push({ type: 'fenced', outcome: done(undefined) });
    });
  }

  #report(id: number, outcome: ActResult): void {
    const life = this.#life;
    this.options.world.after(0, () => {
      if (life === this.#life) this.push({ type: 'acted', id, outcome });
    });
  }

  #add(act: Act<GuardDeed>, generation: number): void {
    if (generation !== this.#generation) return this.#report(act.id, { kind: 'cancelled' });
    const queue = this.#targets.get(act.target);
    if (queue !== undefined) {
      queue.push({ act, generation });
      return;
    }
    this.#targets.set(act.target, []);
    this.#begin(act);
  }

  #begin(act: Act<GuardDeed>): void {
    const life = this.#life;
    const began = this.#generation;
    const inTime = (): boolean => act.notAfter === null || this.clock.now() <= act.notAfter;
    const mayGoOn = (): boolean => began === this.#generation && inTime();
    const finish = (outcome: ActResult): void => {
      if (life !== this.#life) return;
      const next = this.#targets.get(act.target)?.shift();
      if (next === undefined) this.#targets.delete(act.target);
      else this.#begin(next.act);
      this.push({ type: 'acted', id: act.id, outcome });
    };
    if (!inTime()) {
      this.options.world.after(0, () => finish({ kind: 'expired' }));
      return;
    }
    if (!['look', 'ask-server', 'look-fuse', 'beat'].includes(act.deed.kind)) this.deeds.push(act.deed.kind);
    const seen = this.#before(act.deed);
    const waits = this.db.frozen && ['ask-server', 'beat', 'promote', 'stop', 'stop-fast'].includes(act.deed.kind);
    const length = waits ? act.deadlineMs : lengths[act.deed.kind] * (0.5 + this.options.random());
    this.options.world.after(length, () => {
      // An adapter dies with its guard; what it had begun may have happened or not.
      if (life !== this.#life && this.options.random() < 0.5) return;
      const before = this.db.role;
      const outcome = seen ?? this.#do(act.deed, mayGoOn);
      // ... and it did not come to put the signal file back.
      if (life !== this.#life && this.db.role === 'primary' && before !== 'primary') this.db.signalFile = false;
      finish(outcome);
    });
  }

  /** What is looked at is as old as the look. */
  #before(deed: GuardDeed): Outcome<GuardDeedValue> | null {
    const { db, fuse } = this;
    if (deed.kind === 'look') return db.look();
    if (deed.kind === 'ask-server') return db.ask();
    if (deed.kind !== 'look-fuse') return null;
    return done({ kind: 'fuse', fuse: { armed: fuse.armed, deadline: fuse.deadline, lastLook: fuse.lastLook } });
  }

  #do(deed: GuardDeed, mayGoOn: () => boolean): Outcome<GuardDeedValue> {
    const { db, fuse } = this;
    switch (deed.kind) {
      case 'set-deadline':
        fuse.deadline = deed.at;
        fuse.armed = true;
        return done({ kind: 'plain' });
      case 'clear-deadline':
        fuse.deadline = null;
        return done({ kind: 'plain' });
      case 'beat':
        if (db.role === 'primary' && !db.frozen) this.rows.push(deed.row);
        return db.perform(deed, () => false, null);
      default:
        return db.perform(deed, () => mayGoOn() && !this.#underWay, this.disk?.ranIn ?? null);
    }
  }

  #fuseLoop(): void {
    const { fuse, db } = this;
    if (fuse.alive) {
      const now = this.clock.now();
      fuse.lastLook = now;
      const unguarded = db.role === 'primary' && !db.signalFile;
      if (fuse.armed && (fuse.deadline === null ? unguarded : now >= fuse.deadline)) {
        if (db.role !== 'stopped') fuse.kills += 1;
        this.db.die();
      }
    }
    this.options.world.after(150, () => this.#fuseLoop());
  }

  /** Power loss: everything on the host is gone but its disk. */
  loseHost(): void {
    this.killGuard();
    this.db.die();
    this.fuse.deadline = null;
    this.fuse.lastLook = null;
    this.fuse.alive = false;
  }

  saw(event: string): readonly Trace[] {
    return this.traces.filter(({ trace }) => trace.event === event).map(({ trace }) => trace);
  }
}
