// Route 53 as the agents have it: one API in the internet, which is slow, throttles, fails, loses answers, and carries
// out changes after whoever asked has given up. Behind it lie the register (one exact string) and the public name.

import { done, type Outcome, rejected, unknown } from '../../../src/core/outcome.ts';
import type { Dns } from '../../../src/ports/dns.ts';
import type { Register } from '../../../src/ports/register.ts';
import type { Random } from '../engine/random.ts';
import { type Micros, milli, second } from '../engine/scheduler.ts';
import { exchange } from './exchange.ts';
import type { Machine } from './machine.ts';
import type { Network } from './network.ts';
import { Process } from './process.ts';

/** All fields are switches for faults; as they begin, nothing is wrong. */
export type ApiFaults = {
  /** The control plane answers nobody; the name servers go on. */
  down: boolean;
  /** Added to every request's processing. */
  extraDelay: Micros;
  /** Of 1000 requests so many are answered with Throttling and not looked at. */
  throttlePerMille: number;
  /** Of 1000 requests so many are answered with a 5xx; half of the changes among them were made. */
  failPerMille: number;
  /** Of 1000 changes so many are made without an answer. */
  lostAnswerPerMille: number;
  /** Of 1000 changes so many are carried out one to twelve seconds later than they should be. */
  latePerMille: number;
  /** Of 1000 reads so many show the value before the last write, if that is younger than five seconds. */
  stalePerMille: number;
};

const noFaults: ApiFaults = {
  down: false,
  extraDelay: 0,
  throttlePerMille: 0,
  failPerMille: 0,
  lostAnswerPerMille: 0,
  latePerMille: 0,
  stalePerMille: 0,
};

const processing = { low: 30 * milli, high: 150 * milli };
const staleFor = 5 * second;
/** How many older values a person can put back. */
const historyLimit = 64;

/** A hosted zone carries out one change after the other. */
type Zone = { busyUntil: Micros };

export class Route53 {
  readonly machine: Machine;
  readonly faults: ApiFaults = { ...noFaults };
  readonly register = new RegisterRecord();
  readonly name: PublicName;
  readonly #network: Network;
  readonly #random: Random;
  readonly #registerZone: Zone = { busyUntil: 0 };
  readonly #nameZone: Zone = { busyUntil: 0 };

  /** `machine` stands in the place `internet`. */
  constructor(network: Network, random: Random, machine: Machine, name: { address: string; ttlSeconds: number }) {
    this.machine = machine;
    this.#network = network;
    this.#random = random;
    this.name = new PublicName(machine, random.fork('name'), name.address, name.ttlSeconds);
  }

  /** Everything as on the first day, but for what is under way. */
  heal(): void {
    Object.assign(this.faults, noFaults);
    this.name.extraSyncDelay = 0;
  }

  registerOf(process: Process): Register {
    const { register } = this;
    return {
      read: (deadlineMs) => this.#ask(process, deadlineMs, null, () => done(this.#seen())),
      swap: (expected, next, deadlineMs) =>
        this.#ask(process, deadlineMs, this.#registerZone, (): Outcome<void> => {
          if (register.value !== expected) return conflict;
          register.write(next, this.machine.scheduler.now, process.name);
          return done(undefined);
        }),
    };
  }

  dnsOf(process: Process): Dns {
    const { name } = this;
    return {
      read: (deadlineMs) => this.#ask(process, deadlineMs, null, () => done(name.value)),
      point: (address, _comment, deadlineMs) =>
        this.#ask(process, deadlineMs, this.#nameZone, () => done({ id: name.point(address, process.name) })),
      inSync: (id, deadlineMs) => this.#ask(process, deadlineMs, null, () => done(name.isInSync(id))),
    };
  }

  /** `zone` is null for what changes nothing. */
  #ask<T>(process: Process, deadlineMs: number, zone: Zone | null, act: () => Outcome<T>): Promise<Outcome<T>> {
    if (!process.mayAffect()) return Process.never;
    return exchange<Outcome<T>>(
      this.#network,
      process,
      this.machine,
      deadlineMs,
      (reply) => this.#serve(zone, act, reply),
      () => unknown('no answer in time'),
    );
  }

  #serve<T>(zone: Zone | null, act: () => Outcome<T>, reply: (outcome: Outcome<T>) => void): void {
    const { faults } = this;
    const random = this.#random;
    const { scheduler } = this.machine;
    if (faults.down || !this.machine.up) return;
    if (hits(random, faults.throttlePerMille)) return reply(throttled);
    if (zone !== null && zone.busyUntil > scheduler.now) return reply(priorRequest);
    const prompt = random.range(processing.low, processing.high);
    // Only while a change is on its usual way are others refused: a late one lands in the midst of them.
    if (zone !== null) zone.busyUntil = scheduler.now + prompt;
    const late = zone !== null && hits(random, faults.latePerMille) ? random.range(second, 12 * second) : 0;
    scheduler.after(prompt + faults.extraDelay + late, () => {
      if (hits(random, faults.failPerMille)) {
        if (zone !== null && random.ratio(1, 2)) act();
        return reply(failed);
      }
      const outcome = act();
      if (zone === null || !hits(random, faults.lostAnswerPerMille)) reply(outcome);
    });
  }

  #seen(): string | null {
    const { register } = this;
    const fresh = this.machine.scheduler.now - register.writtenAt;
    return fresh < staleFor && hits(this.#random, this.faults.stalePerMille) ? register.before : register.value;
  }
}

const conflict = rejected('conflict', 'the values provided do not match the current values');
const throttled = unknown('Throttling');
const priorRequest = unknown('PriorRequestNotComplete');
const failed = unknown('ServiceUnavailable');

function hits(random: Random, perMille: number): boolean {
  return perMille > 0 && random.ratio(perMille, 1000);
}

/** The register: one string, or nothing. */
export class RegisterRecord {
  value: string | null = null;
  /** The value before the last write. */
  before: string | null = null;
  writtenAt: Micros = Number.NEGATIVE_INFINITY;
  writes = 0;
  /** Values that were there, oldest first. */
  readonly history: string[] = [];
  /** For checkers; `by` is the process that asked, or `a person`. */
  onWritten: (value: string | null, before: string | null, by: string) => void = () => {};

  write(value: string | null, now: Micros, by: string): void {
    this.before = this.value;
    this.value = value;
    this.writtenAt = now;
    this.writes += 1;
    if (this.before !== null) this.history.push(this.before);
    if (this.history.length > historyLimit) this.history.shift();
    this.onWritten(value, this.before, by);
  }

  /** By a person. */
  delete(now: Micros): void {
    this.write(null, now, 'a person');
  }

  /** A person restores the value that lay there so many writes ago; false when none is known. */
  putBack(writesAgo: number, now: Micros): boolean {
    const old = this.history.at(-writesAgo);
    if (old === undefined) return false;
    this.write(old, now, 'a person');
    return true;
  }
}

type Change = { readonly number: number; readonly value: string; readonly inSyncAt: Micros };

/** The public name: what the API says, what the name servers say a while later, what a client still believes. */
export class PublicName {
  /** As the API has it. */
  value: string;
  /** On top of the usual few seconds until a change is INSYNC. */
  extraSyncDelay: Micros = 0;
  onPointed: (address: string, by: string) => void = () => {};
  readonly #machine: Machine;
  readonly #random: Random;
  readonly #ttl: Micros;
  #served: string;
  /** Accepted and not INSYNC yet, in their order. */
  readonly #pending: Change[] = [];
  #lastChange = 0;
  readonly #resolvers: { value: string; until: Micros }[] = [];

  constructor(machine: Machine, random: Random, address: string, ttlSeconds: number) {
    this.#machine = machine;
    this.#random = random;
    this.#ttl = ttlSeconds * second;
    this.value = address;
    this.#served = address;
  }

  /** Accepts a change and gives its id. */
  point(address: string, by: string): string {
    const { now } = this.#machine.scheduler;
    const last = this.#pending.at(-1)?.inSyncAt ?? 0;
    const inSyncAt = Math.max(last, now + this.#random.range(second, 8 * second) + this.extraSyncDelay);
    this.#lastChange += 1;
    this.value = address;
    this.#pending.push({ number: this.#lastChange, value: address, inSyncAt });
    this.onPointed(address, by);
    return `C${this.#lastChange}`;
  }

  isInSync(id: string): boolean {
    this.answer();
    const number = Number(id.slice(1));
    return !this.#pending.some((change) => change.number === number);
  }

  /** What the authoritative name servers answer. */
  answer(): string {
    const { now } = this.#machine.scheduler;
    for (let next = this.#pending[0]; next !== undefined && next.inSyncAt <= now; next = this.#pending[0]) {
      this.#served = next.value;
      this.#pending.shift();
    }
    return this.#served;
  }

  /** What the resolver of client number `client` says: cached until the TTL is over. */
  addressFor(client: number): string {
    const { now } = this.#machine.scheduler;
    const cached = this.#resolvers[client];
    if (cached !== undefined && now < cached.until) return cached.value;
    const value = this.answer();
    this.#resolvers[client] = { value, until: now + this.#ttl };
    return value;
  }
}
