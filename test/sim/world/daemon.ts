// One of siteward's daemons under its supervisor: loads its state, runs the production driver over simulated ports, and
// is started again a while after it died, as systemd does.

import type { StepFunction } from '../../../src/core/effects.ts';
import type { PeerId } from '../../../src/core/site.ts';
import { createDriver, type Driver } from '../../../src/driver/driver.ts';
import type { DriverEvent, FenceControl, Perform } from '../../../src/driver/events.ts';
import type { Clock } from '../../../src/ports/clock.ts';
import type { Log } from '../../../src/ports/log.ts';
import type { Register } from '../../../src/ports/register.ts';
import { spoken, type WireRange } from '../../../src/wire/versions.ts';
import type { Random } from '../engine/random.ts';
import { milli, type Scheduler } from '../engine/scheduler.ts';
import type { Trace } from '../engine/trace.ts';
import { peerCodec } from './codec.ts';
import { Company } from './company.ts';
import { clockOf, type Machine } from './machine.ts';
import type { PeerEndpoint, PeerNetwork } from './peers.ts';
import { Process } from './process.ts';
import { Disk, storeOf } from './store.ts';

/** What a role gives its driver; made anew at every start. */
export type Wiring<State, Event, Durable, Deed, Value> = {
  readonly step: StepFunction<State, Event, Durable, Deed>;
  readonly initial: State;
  readonly perform: Perform<Deed, Value>;
  readonly register: Register | null;
  readonly fence: FenceControl<State> | null;
};

/** What a start is given. `load` reads the state file. */
export type Start = {
  readonly process: Process;
  readonly clock: Clock;
  readonly log: Log;
  readonly load: ReturnType<typeof storeOf>['load'];
};

/** Null: it refuses to start until a person has done something. */
export type Wire<State, Event, Durable, Deed, Value> = (
  start: Start,
) => Wiring<State, Event, Durable, Deed, Value> | null;

export type DaemonParts = {
  readonly scheduler: Scheduler;
  readonly random: Random;
  readonly trace: Trace;
  readonly peers: PeerNetwork;
  /** Ticks and looks wait for company (company.ts). */
  readonly isPatient: boolean;
};

/** systemd's RestartSec, and node's own start. */
const restartMicros = { low: 400 * milli, high: 2500 * milli };

export class Daemon<State, Event extends DriverEvent<Value>, Durable, Deed extends { readonly kind: string }, Value> {
  readonly name: PeerId;
  readonly machine: Machine;
  readonly disk: Disk;
  process: Process | null = null;
  driver: Driver<State> | null = null;
  /** Stopped by a person or an upgrade: the supervisor leaves it alone. */
  stopped = false;
  /** The versions of the peer protocol that the installed release speaks: what an upgrade changes. */
  speaks: WireRange = spoken;
  /** Every save, for checkers: what is on disk is what was promised. */
  onSaved: (durable: Durable) => void = () => {};
  onStepped: (state: State) => void = () => {};
  onDied: () => void = () => {};
  readonly #parts: DaemonParts;
  readonly #endpoint: PeerEndpoint;
  readonly #wire: Wire<State, Event, Durable, Deed, Value>;
  readonly #random: Random;
  readonly #codecEvery: number;
  #lives = 0;

  constructor(
    parts: DaemonParts,
    name: PeerId,
    machine: Machine,
    codecEvery: number,
    wire: Wire<State, Event, Durable, Deed, Value>,
  ) {
    this.#parts = parts;
    this.name = name;
    this.machine = machine;
    this.#codecEvery = codecEvery;
    this.#wire = wire;
    this.#random = parts.random.fork(name);
    this.disk = new Disk(this.#random.fork('disk'));
    this.#endpoint = parts.peers.add(name, machine);
  }

  state(): State | null {
    return this.driver?.state() ?? null;
  }

  start(): void {
    if (this.process !== null) return;
    // On a machine that is down: from its next boot on.
    this.stopped = false;
    if (!this.machine.up) return;
    const { scheduler, trace } = this.#parts;
    const codec = peerCodec(this.speaks, this.#codecEvery);
    const process = new Process(this.machine, this.name, this.#lives, (how) => this.#died(how));
    this.#lives += 1;
    this.process = process;
    const random = this.#random;
    const clock = clockOf(this.machine, process, random);
    const log: Log = {
      event: (level, event, fields) => {
        if (level !== 'debug') trace.line(this.name, event, JSON.stringify(fields));
      },
      flush: () => {},
    };
    const store = storeOf(this.disk, process);
    const company = new Company(scheduler, process, random, this.#parts.isPatient);
    const wiring = this.#wire({ process, clock, log, load: store.load });
    if (wiring === null) {
      trace.line(this.name, 'refuses to start', '');
      process.die('refuses to start');
      this.stopped = true;
      return;
    }
    this.driver = createDriver<State, Event, Durable, Deed, Value>({
      ...wiring,
      clock,
      random: { bits: () => random.bits() },
      store: {
        save: async (document) => {
          const outcome = await store.save(document);
          if (outcome.kind === 'done') this.onSaved(document as Durable);
          return outcome;
        },
      },
      log,
      peers: this.#parts.peers.peersOf(this.name, process, codec),
      onFatal: (reason) => process.die(`fatal: ${reason}`),
      // Of a step that it died in, nothing is known but what left it.
      onStepped: (state) => {
        if (process.alive) this.onStepped(state);
      },
      defer: (take, event) => company.arrived(take, event),
    });
    this.#endpoint.process = process;
    this.#endpoint.handle = this.driver.handle;
    this.#endpoint.codec = codec;
    trace.line(this.name, 'starts', `life ${process.life}`);
    process.run(() => this.driver?.start());
  }

  /** SIGKILL, a crash, or its machine's power loss. */
  kill(how: string): void {
    this.process?.die(how);
  }

  /** Stopped and kept stopped, as for an upgrade. */
  stop(): void {
    this.stopped = true;
    this.process?.die('stopped');
  }

  #died(how: string): void {
    const { scheduler, trace } = this.#parts;
    trace.line(this.name, 'dies', how);
    this.onDied();
    this.process = null;
    this.driver = null;
    this.#endpoint.process = null;
    this.#endpoint.handle = null;
    // What got to disk counts, though nobody was told so: its next life goes on from there.
    if (this.disk.crash()) this.onSaved(this.disk.synced as Durable);
    scheduler.after(this.#random.range(restartMicros.low, restartMicros.high), () => {
      if (!this.stopped && this.machine.up) this.start();
    });
  }
}
