// One instance of the application: takes requests from HAProxy, sends them to its database while that is open, holds
// them while it is not (first come, first served, each for 15 s), and says at /readyz how it is.

import type { InstanceReport } from '../../../src/core/observe/observation.ts';
import type { Site } from '../../../src/core/site.ts';
import { type Micros, milli, second } from '../engine/scheduler.ts';
import type { ApplicationHost } from './application-host.ts';
import { DatabaseWatch, retryEvery } from './database-watch.ts';
import type { Process } from './process.ts';
import type { Caller, Request, RequestEnd } from './request.ts';

/** docs/APPLICATION.md, "Settings". */
const holdFor = 15 * second;
const holdMax = 1000;
const readyHold = 30 * second;
const queryTimeout = 2 * second;
/** After a switch, what is in flight on the old database gets this long. */
const switchGrace = 250 * milli;

export class Instance {
  /** The name HAProxy has for it. */
  readonly name: string;
  readonly host: ApplicationHost;
  process: Process | null = null;
  /** Not started again after its death. */
  stopped = false;
  /** Fault: SIGHUP has no effect. */
  ignoresReload = false;
  /** When its process began or died, or its database opened: what a health check sees may be another since. */
  changedAt: Micros = 0;
  readonly #watch: DatabaseWatch;
  /** Everything it has been given and has not answered; of these some are held, some are with the database. */
  readonly #requests = new Map<Request, Caller>();
  readonly #held = new Set<Request>();
  readonly #sent = new Set<Request>();
  #report: InstanceReport;

  constructor(host: ApplicationHost, name: string, phase: Micros) {
    this.host = host;
    this.name = name;
    this.#report = silentInstance(name, 'refused');
    this.#watch = new DatabaseWatch(host, phase, () => {
      this.changedAt = this.#now();
      this.#letIn();
    });
  }

  /** Its process has just begun; false: the .env cannot be used, and it ends again. */
  start(process: Process): boolean {
    this.process = process;
    this.changedAt = this.#now();
    return this.#watch.begin();
  }

  /** Its process has died: whoever waits at a living host hears of it at once. */
  died(): void {
    this.process = null;
    this.changedAt = this.#now();
    // What was with the database may be carried out whatever became of who asked for it.
    for (const request of this.#sent) if (request.kind === 'write') request.touched = true;
    const waiting = [...this.#requests];
    this.#requests.clear();
    this.#held.clear();
    this.#sent.clear();
    if (this.host.machine.up) for (const [request, caller] of waiting) caller.broken(request);
  }

  /** SIGHUP. */
  reload(): void {
    if (this.ignoresReload) return;
    this.#watch.useEnv();
    if (this.#sent.size > 0) this.host.wakeBy(this.#now() + switchGrace);
    if (this.#held.size > 0) this.host.wakeBy(this.#now());
  }

  /** The site whose database its .env named when it read it last. */
  get database(): Site | null {
    return this.#watch.database?.site ?? null;
  }

  get frozen(): boolean {
    return this.process?.frozen ?? false;
  }

  /** What a health check gets from a living instance. */
  isReady(): boolean {
    const watch = this.#watch;
    watch.look();
    if (watch.isOpen) return true;
    return watch.hasServed && this.#now() - watch.since < readyHold && this.#held.size < holdMax;
  }

  report(): InstanceReport {
    const ready = this.isReady();
    const { address: database, writable, epoch, isOpen } = this.#watch;
    const holding = isOpen ? 0 : this.#held.size;
    const last = this.#report;
    const isSame =
      last.class === 'ok' &&
      last.ready === ready &&
      last.database === database &&
      last.writable === writable &&
      last.epoch === epoch &&
      last.holding === holding;
    if (!isSame) this.#report = { name: this.name, class: 'ok', detail: '', ready, database, writable, epoch, holding };
    return this.#report;
  }

  /** A request has arrived on a connection of HAProxy's. */
  take(request: Request, caller: Caller): void {
    const { process } = this;
    if (process === null) return caller.broken(request);
    this.#requests.set(request, caller);
    process.run(() => this.#begin(request));
  }

  /** Whatever was due by now: the host calls it while something waits here. */
  wake(): void {
    const now = this.#now();
    for (const request of this.#sent) {
      const limit = request.database === this.database ? queryTimeout : switchGrace;
      if (now - request.sentAt >= limit) this.#giveUp(request);
    }
    if (this.#held.size > 0) {
      for (const request of this.#held) if (now - request.arrivedAt >= holdFor) this.#refuse(request);
      this.#watch.look();
      this.#letIn();
    }
    if (this.#held.size > 0) this.host.wakeBy(now + 2 * retryEvery);
    for (const oldest of this.#sent) return this.host.wakeBy(oldest.sentAt + queryTimeout);
  }

  #now(): Micros {
    return this.host.machine.scheduler.now;
  }

  #begin(request: Request): void {
    if (!this.#requests.has(request)) return;
    // Its client has gone while this process stood still.
    if (request.ended) return this.#leave(request);
    request.instance = this.name;
    request.arrivedAt = this.#now();
    this.#watch.look();
    if (this.#watch.isOpen) this.#send(request);
    else if (this.#held.size >= holdMax) this.#refuse(request);
    else this.#hold(request);
  }

  #hold(request: Request): void {
    this.#held.add(request);
    this.host.wakeBy(Math.max(this.#watch.nextTry, this.#now() + retryEvery));
  }

  #letIn(): void {
    for (const request of this.#held) {
      if (!this.#watch.isOpen) return;
      this.#held.delete(request);
      if (request.ended) this.#leave(request);
      else this.#send(request);
    }
  }

  #send(request: Request): void {
    const { process } = this;
    const { database, session, epoch } = this.#watch;
    if (process === null || database === null) return;
    const { machine } = this.host;
    request.attempt += 1;
    request.sentAt = machine.scheduler.now;
    request.database = database.site;
    request.epoch = epoch;
    this.#sent.add(request);
    this.host.wakeBy(request.sentAt + queryTimeout);
    const { attempt } = request;
    const ends = (act: () => void): void =>
      process.run(() => {
        if (this.process === process && request.attempt === attempt && this.#sent.has(request)) act();
      });
    if (request.kind === 'read') {
      database.highest(machine, session, (id) =>
        ends(() => {
          if (id === null) return this.#again(request);
          request.highest = id;
          this.#answer(request, 'done');
        }),
      );
      return;
    }
    database.commit(machine, session, request.id, (end) =>
      ends(() => {
        if (end === 'in-doubt') request.touched = true;
        if (end !== 'acknowledged') return this.#again(request);
        this.host.onServed(this, request);
        this.#answer(request, 'done');
      }),
    );
  }

  /** The database failed it: it waits like all the others, until the watch finds a fit one over a fresh connection. */
  #again(request: Request): void {
    this.#sent.delete(request);
    if (request.database === this.database) this.#watch.shut();
    if (this.#now() - request.arrivedAt >= holdFor) this.#refuse(request);
    else this.#hold(request);
  }

  /** Its connection is destroyed; what the database still makes of it nobody here will know. */
  #giveUp(request: Request): void {
    if (request.kind === 'write') request.touched = true;
    request.attempt += 1;
    this.#again(request);
  }

  /** 503. */
  #refuse(request: Request): void {
    this.#answer(request, request.touched ? 'in-doubt' : 'failed');
  }

  #answer(request: Request, end: RequestEnd): void {
    const caller = this.#requests.get(request);
    this.#leave(request);
    caller?.answer(request, end);
  }

  #leave(request: Request): void {
    this.#requests.delete(request);
    this.#held.delete(request);
    this.#sent.delete(request);
  }
}

/** What a probe makes of an instance that did not say anything. */
export function silentInstance(name: string, problem: 'refused' | 'timeout'): InstanceReport {
  return {
    name,
    class: problem,
    detail: '',
    ready: false,
    database: null,
    writable: null,
    epoch: null,
    holding: 0,
  };
}
