// The loop between a pure core and the world: one event, one step, then fence, persist, send, act, in this order. It
// knows ports only, so the simulator runs it as it is. Nothing here decides anything.

import type { StepFunction, StepResult } from '../core/effects.ts';
import type { Answer, Request } from '../core/messages.ts';
import { type Outcome, unknown } from '../core/outcome.ts';
import type { PeerId } from '../core/site.ts';
import type { Instant, Moment } from '../core/time.ts';
import type { Clock, RandomSource } from '../ports/clock.ts';
import type { Log } from '../ports/log.ts';
import type { Peers, RequestHandler } from '../ports/peers.ts';
import type { Register } from '../ports/register.ts';
import type { Store } from '../ports/store.ts';
import { type ActQueues, createActQueues } from './acts.ts';
import type { ActOutcome, DriverEvent, FenceControl, Perform } from './events.ts';
import { createFence, type Fence } from './fence.ts';
import { createSends, type Sends } from './sends.ts';

export type DriverOptions<State, Event, Durable, Deed, Value> = {
  readonly step: StepFunction<State, Event, Durable, Deed>;
  readonly initial: State;
  readonly clock: Clock;
  readonly random: RandomSource;
  readonly store: Pick<Store, 'save'>;
  readonly log: Log;
  readonly peers: Pick<Peers, 'ask'>;
  readonly register: Register | null;
  readonly perform: Perform<Deed, Value>;
  /** Guard only. */
  readonly fence: FenceControl<State> | null;
  /** The process must say so and end: the disk refused, or the core threw. Called once; no event is taken any more. */
  readonly onFatal: (reason: string) => void;
  /** After each step, with its state: for metrics and status. */
  readonly onStepped?: (state: State) => void;
  /** Called with the name of each effect once it is complete: the lab's crash points (crash-point.ts). */
  readonly afterEffect?: (name: string) => void;
  /** What of the durable state changed, for crash points: `accepted` makes `persist:accepted`. */
  readonly namePersist?: (durable: Durable) => readonly string[];
  /** Requests that may wait before further ones are told that this process is busy. */
  readonly requestLimit?: number;
  /** When to take what has arrived: at once, or when the simulator says so; it is told of everything that does. */
  readonly defer?: (take: () => void, event: DriverEvent<Value>) => void;
};

export type Driver<State> = {
  start(): void;
  /** For the peer server. */
  readonly handle: RequestHandler;
  /** The state after the last step. */
  state(): State;
  /** Takes no further event; resolves when a persist that is under way has ended. Fences nothing. */
  stop(): Promise<void>;
};

/** A tick this late means that the process, or its machine, stood still. */
const stalledMs = 1000;
/** This many steps at one clock reading: a core that asks for something that fails at once, for ever. */
const stepsPerInstantLimit = 5_000;
const slowPersistMs = 500;
/** A step stays short, so that the next look at the fence's deadline is near. */
const eventsAtOnce = 64;
const defaultRequestLimit = 128;

export function createDriver<
  State,
  Event extends DriverEvent<Value>,
  Durable,
  Deed extends { readonly kind: string },
  Value,
>(options: DriverOptions<State, Event, Durable, Deed, Value>): Driver<State> {
  const loop = new Loop(options);
  return {
    start: () => loop.push({ type: 'tick' }),
    handle: (from, request, reply) => loop.handle(from, request, reply),
    state: () => loop.state,
    stop: () => loop.stop(),
  };
}

class Loop<State, Event extends DriverEvent<Value>, Durable, Deed extends { readonly kind: string }, Value> {
  state: State;
  readonly #options: DriverOptions<State, Event, Durable, Deed, Value>;
  readonly #acts: ActQueues<Deed>;
  readonly #sends: Sends;
  readonly #fence: Fence<State> | null;
  readonly #afterEffect: (name: string) => void;
  readonly #events: DriverEvent<Value>[] = [];
  #requestsWaiting = 0;
  /** A step runs, or its sends and acts are given out: what that brings about waits. */
  #busy = false;
  #persisting: Promise<void> | null = null;
  #ended = false;
  #cancelTick = () => {};
  /** When the next tick is due; null once it was. */
  #tickAt: Instant | null = null;
  #instant = { at: -1, steps: 0 };

  constructor(options: DriverOptions<State, Event, Durable, Deed, Value>) {
    const { clock, log, perform, peers, register, fence, afterEffect = () => {} } = options;
    this.#options = options;
    this.#afterEffect = afterEffect;
    this.state = options.initial;
    const report = (event: DriverEvent<Value>) => this.push(event);
    const acted = (id: number, outcome: ActOutcome<Value>) => report({ type: 'acted', id, outcome });
    this.#acts = createActQueues<Deed, Value>({ clock, log, perform, report: acted, afterEffect });
    this.#sends = createSends({ peers, register, report, afterEffect });
    const cancelActs = () => this.#acts.cancelAll();
    const fenced = (outcome: Outcome<void>) => report({ type: 'fenced', outcome });
    this.#fence = fence && createFence({ control: fence, clock, log, cancelActs, report: fenced });
  }

  push(event: DriverEvent<Value>): void {
    if (this.#ended) return;
    this.#events.push(event);
    const { defer } = this.#options;
    if (defer === undefined) this.#pump();
    else defer(this.#takeAll, event);
  }

  handle(from: PeerId, request: Request, reply: (answer: Answer) => void): void {
    if (this.#ended || this.#requestsWaiting >= (this.#options.requestLimit ?? defaultRequestLimit)) {
      reply({ type: 'ack', ok: false, why: this.#ended ? 'stopping' : 'busy', steps: [] });
      return;
    }
    this.#requestsWaiting += 1;
    this.push({ type: 'request', from, request, replyTo: this.#sends.expectReply(reply) });
  }

  async stop(): Promise<void> {
    this.#end();
    await this.#persisting;
  }

  readonly #takeAll = (): void => this.#pump();

  /** Takes what waits while no persist is under way. */
  #pump(): void {
    if (this.#busy) return;
    this.#busy = true;
    while (this.#persisting === null && !this.#ended) {
      const event = this.#next();
      if (event === null) break;
      this.#guarded(() => this.#take(event));
    }
    this.#busy = false;
  }

  /**
   * All that arrived during the last persist goes into one step, and so into one persist. `fenced` comes alone: it says
   * that the alarm has rung, which what is taken with it must not look for again.
   */
  #next(): DriverEvent<Value> | null {
    const waiting = this.#events;
    if (waiting.length === 0) return null;
    if (waiting.length === 1) {
      const only = waiting.pop() ?? null;
      if (only?.type === 'request') this.#requestsWaiting -= 1;
      return only;
    }
    const fenced = waiting.findIndex((event) => event.type === 'fenced');
    const count = fenced === -1 ? waiting.length : Math.max(1, fenced);
    const events = waiting.splice(0, Math.min(count, eventsAtOnce));
    for (const { type } of events) if (type === 'request') this.#requestsWaiting -= 1;
    return events.length === 1 ? (events[0] ?? null) : { type: 'several', events };
  }

  #take(event: DriverEvent<Value>): void {
    const { clock, random, step } = this.#options;
    // L9: a loop that stood still (SIGSTOP, suspend, a slow fsync) fences before it looks at anything else.
    this.#fence?.check();
    const now = clock.now();
    this.#instant = { at: now, steps: this.#instant.at === now ? this.#instant.steps + 1 : 0 };
    if (this.#instant.steps > stepsPerInstantLimit) throw new Error('the core spins: each event brings another one');
    // Each role's events are a part of the union by type, and by construction the part that can reach it.
    this.#carryOut(step(this.state, event as Event, new StepMoment(now, clock.wall(), random)));
  }

  #carryOut(result: StepResult<State, Durable, Deed>): void {
    this.state = result.state;
    if (result.effects.fence) this.#fence?.begin('step');
    this.#fence?.watch(this.state);
    const generation = this.#acts.generation();
    for (const { level, event, fields } of result.trace) this.#options.log.event(level, event, fields);
    this.#wakeAt(result.wakeAt);
    this.#options.onStepped?.(this.state);
    if (result.effects.persist === null) this.#release(result, generation);
    else this.#persisting = this.#persist(result.effects.persist, result, generation);
  }

  async #persist(durable: Durable, result: StepResult<State, Durable, Deed>, generation: number): Promise<void> {
    const { clock, log, store, namePersist } = this.#options;
    const began = clock.now();
    const outcome = await saved(store, durable);
    this.#persisting = null;
    if (this.#ended) return;
    // Q3: what follows rests on this being on disk. A disk that refuses ends the process.
    if (outcome.kind !== 'done' && result.effects.mayFail === true) {
      log.event('warn', 'persist.passed-over', { why: outcome.detail });
    } else if (outcome.kind !== 'done') {
      this.#fatal(`state was not saved: ${outcome.detail}`);
      return;
    }
    const tookMs = clock.now() - began;
    if (tookMs > slowPersistMs) log.event('warn', 'persist.slow', { tookMs });
    this.#afterEffect('persist');
    for (const name of namePersist?.(durable) ?? []) this.#afterEffect(`persist:${name}`);
    this.#busy = true;
    this.#guarded(() => this.#release(result, generation));
    this.#busy = false;
    this.#pump();
  }

  #release(result: StepResult<State, Durable, Deed>, generation: number): void {
    for (const send of result.effects.send) this.#sends.send(send);
    this.#acts.add(result.effects.act, generation);
  }

  #wakeAt(at: Instant): void {
    if (at === this.#tickAt) return;
    const { clock, log } = this.#options;
    this.#cancelTick();
    this.#tickAt = at;
    this.#cancelTick = clock.wakeAt(at, () => {
      this.#tickAt = null;
      const lateMs = clock.now() - at;
      if (lateMs > stalledMs) log.event('warn', 'loop.stalled', { lateMs });
      this.push({ type: 'tick' });
    });
  }

  #guarded(work: () => void): void {
    try {
      work();
    } catch (error) {
      this.#fatal(error instanceof Error ? (error.stack ?? error.message) : String(error));
    }
  }

  #end(): void {
    this.#ended = true;
    this.#events.length = 0;
    this.#cancelTick();
    this.#fence?.stop();
    this.#acts.stop();
  }

  #fatal(reason: string): void {
    if (this.#ended) return;
    this.#end();
    this.#options.onFatal(reason);
  }
}

async function saved<Durable>(store: Pick<Store, 'save'>, durable: Durable): Promise<Outcome<void>> {
  try {
    return await store.save(durable);
  } catch (error) {
    return unknown(String(error));
  }
}

/** Few steps need random bits; those that do are given the same ones however often they look. */
class StepMoment implements Moment {
  readonly now: Instant;
  readonly wall: number;
  readonly #source: RandomSource;
  #bits: string | null = null;

  constructor(now: Instant, wall: number, source: RandomSource) {
    this.now = now;
    this.wall = wall;
    this.#source = source;
  }

  get random(): string {
    this.#bits ??= this.#source.bits();
    return this.#bits;
  }
}
