// HAProxy of one site by haproxy/haproxy.cfg: health checks of all six instances, round robin over those that are up and
// not drained, one more try elsewhere where a request cannot have been carried out, 503 when nobody is left. The checks
// do not tick: a server's state is worked out when somebody asks, from when its instance changed.

import type { ClusterConfig } from '../../../src/config/cluster.ts';
import { serverName } from '../../../src/config/settings.ts';
import type { BalancerReport, BalancerServer } from '../../../src/core/observe/observation.ts';
import { done, type Outcome, rejected, unknown } from '../../../src/core/outcome.ts';
import { type Site, sites } from '../../../src/core/site.ts';
import type { Balancer } from '../../../src/ports/hosts.ts';
import type { Random } from '../engine/random.ts';
import { type Micros, milli, second } from '../engine/scheduler.ts';
import type { ApplicationHost } from './application-host.ts';
import { exchange } from './exchange.ts';
import type { Instance } from './instance.ts';
import type { Machine } from './machine.ts';
import type { Network } from './network.ts';
import { Process } from './process.ts';
import type { Caller, Request, RequestEnd } from './request.ts';

/** `default-server check inter 500ms fastinter 250ms downinter 500ms fall 2 rise 1`, `timeout check 1500ms`. */
const interval = 500 * milli;
const secondFailure = 250 * milli;
const checkTimeout = 1500 * milli;
const connectTimeout = second;
/** `retries 3`: so many tries in all. */
const triesMax = 4;
const restartMicros = { low: 100 * milli, high: 1500 * milli };

type Health = 'ready' | 'failing' | 'silent';

type Server = {
  readonly name: string;
  readonly host: ApplicationHost;
  readonly instance: Instance;
  isUp: boolean;
  isDrained: boolean;
  /** When it will be taken for the other thing, if it goes on like this; -1: it is what it is taken for. */
  turnsAt: Micros;
  /** The last look that found it as it is taken for. */
  settledAt: Micros;
  /** Where in its interval its checks fall. */
  readonly phase: Micros;
};

/** To whom the answer of a request goes: the client's end of the connection. */
export type Respond = (request: Request, end: RequestEnd) => void;

export class SiteBalancer implements Caller {
  readonly site: Site;
  readonly machine: Machine;
  process: Process | null = null;
  stopped = false;
  readonly #network: Network;
  readonly #random: Random;
  readonly #servers: Server[] = [];
  readonly #respond = new Map<Request, Respond>();
  #next = 0;
  #lives = 0;
  #report: BalancerReport | null = null;

  constructor(
    config: ClusterConfig,
    network: Network,
    random: Random,
    site: Site,
    machine: Machine,
    hosts: Readonly<Record<Site, ApplicationHost>>,
  ) {
    this.site = site;
    this.machine = machine;
    this.#network = network;
    this.#random = random;
    for (const each of sites) {
      const host = hosts[each];
      for (const [index, port] of config.sites[each].application.instances.entries()) {
        const name = serverName(config, each, port);
        const instance = host.instances[index];
        if (instance === undefined) throw new Error(`no instance at port ${port}`);
        const phase = random.range(0, interval);
        this.#servers.push({ name, host, instance, isUp: true, isDrained: false, turnsAt: -1, settledAt: 0, phase });
      }
    }
  }

  /** At the beginning and after each boot: all servers are up until a check says otherwise, none is drained. */
  start(): void {
    this.stopped = false;
    if (this.process !== null || !this.machine.up) return;
    const { now } = this.machine.scheduler;
    for (const server of this.#servers) {
      server.isUp = true;
      server.isDrained = false;
      server.turnsAt = -1;
      server.settledAt = now;
    }
    this.#report = null;
    this.process = new Process(this.machine, `${this.site}-haproxy`, this.#lives, () => this.#died());
    this.#lives += 1;
  }

  /** It dies and is started again by its supervisor. */
  crash(): void {
    this.process?.die('crashed');
  }

  /** It dies and stays dead until `start`. False: it did not run. */
  kill(): boolean {
    if (this.process === null) return false;
    this.stopped = true;
    this.process.die('killed');
    return true;
  }

  /** It hangs; gives the way back, or null when it does not run or hangs already. */
  freeze(): (() => void) | null {
    const { process } = this;
    if (process === null || process.frozen) return null;
    process.freeze();
    return () => process.thaw();
  }

  heal(): void {
    this.process?.thaw();
    this.start();
  }

  /** A client's request has arrived. */
  take(request: Request, respond: Respond): void {
    const { process } = this;
    if (process === null) return respond(request, 'failed');
    this.#respond.set(request, respond);
    process.run(() => this.#forward(request));
  }

  /** An instance has answered. */
  answer(request: Request, end: RequestEnd): void {
    const respond = this.#respond.get(request);
    this.#respond.delete(request);
    respond?.(request, end);
  }

  /** The connection to an instance ended without a byte of an answer: `retry-on conn-failure empty-response`. */
  broken(request: Request): void {
    this.#forward(request);
  }

  /** Its statistics, as somebody reads them who reached them. */
  report(): BalancerReport {
    for (const server of this.#servers) this.#settle(server);
    this.#report ??= { class: 'ok', detail: '', servers: this.#servers.map(statusOf) };
    return this.#report;
  }

  set(name: string, state: 'ready' | 'drain'): Outcome<void> {
    const server = this.#servers.find((each) => each.name === name);
    if (server === undefined) return rejected('no-such-server', 'No such server.');
    server.isDrained = state === 'drain';
    this.#report = null;
    return done(undefined);
  }

  /** The Balancer port of the agent of `own`. */
  static balancerOf(balancers: Readonly<Record<Site, SiteBalancer>>, own: Site, process: Process): Balancer {
    return {
      probe: (site, deadlineMs) => (process.mayAffect() ? balancers[site].#probe(process, deadlineMs) : Process.never),
      set: (server, state, deadlineMs) =>
        process.mayAffect() ? balancers[own].#order(process, server, state, deadlineMs) : Process.never,
    };
  }

  #probe(process: Process, deadlineMs: number): Promise<BalancerReport> {
    return exchange(
      this.#network,
      process,
      this.machine,
      deadlineMs,
      (reply: (report: BalancerReport) => void) => {
        if (this.process === null) reply(refusedReport);
        else this.process.run(() => reply(this.report()));
      },
      () => silentReport,
      true,
    );
  }

  #order(process: Process, server: string, state: 'ready' | 'drain', deadlineMs: number): Promise<Outcome<void>> {
    return exchange(
      this.#network,
      process,
      this.machine,
      deadlineMs,
      (reply: (outcome: Outcome<void>) => void) => {
        if (this.process === null) reply(rejected('unreachable', 'ECONNREFUSED'));
        else this.process.run(() => reply(this.set(server, state)));
      },
      () => unknown(`no answer within ${deadlineMs} ms`),
    );
  }

  #forward(request: Request): void {
    if (this.process === null) return;
    // `option abortonclose`: who no longer waits wants no write.
    if (request.ended) {
      this.#respond.delete(request);
      return;
    }
    const server = request.tries < triesMax ? this.#pick() : null;
    if (server === null) {
      return this.answer(request, request.touched ? 'in-doubt' : 'failed');
    }
    request.tries += 1;
    const { process } = this;
    const { machine } = server.host;
    if (machine.suspended || !this.#network.reaches(this.machine, machine)) {
      process.after(connectTimeout, () => this.#forward(request));
      return;
    }
    const back = (act: () => void): void =>
      this.#network.send(machine, this.machine, () => {
        if (this.process === process) process.run(act);
      });
    const caller: Caller = {
      answer: (_request, end) => back(() => this.answer(request, end)),
      broken: () => back(() => this.broken(request)),
    };
    this.#network.send(this.machine, machine, () => server.instance.take(request, caller));
  }

  #pick(): Server | null {
    const servers = this.#servers;
    for (let count = 0; count < servers.length; count += 1) {
      const server = servers[this.#next % servers.length] as Server;
      this.#next = (this.#next + 1) % servers.length;
      this.#settle(server);
      if (server.isUp && !server.isDrained) return server;
    }
    return null;
  }

  /** Works out what its checks have found by now. */
  #settle(server: Server): void {
    const { now } = this.machine.scheduler;
    const health = this.#health(server);
    if ((health === 'ready') === server.isUp) {
      server.turnsAt = -1;
      server.settledAt = now;
      return;
    }
    if (server.turnsAt < 0) {
      const { changedAt } = server.instance;
      // It changed since the last look: then if that is known, else just now.
      const since = changedAt > server.settledAt ? changedAt : now;
      server.turnsAt = nextCheck(since, server.phase) + (server.isUp ? fallsAfter(health) : 0);
    }
    if (now < server.turnsAt) return;
    server.isUp = !server.isUp;
    server.turnsAt = -1;
    server.settledAt = now;
    this.#report = null;
  }

  #health(server: Server): Health {
    const { instance, host } = server;
    const { machine } = host;
    if (!this.#network.reaches(this.machine, machine) || !this.#network.reaches(machine, this.machine)) return 'silent';
    if (machine.suspended || instance.frozen) return 'silent';
    if (instance.process === null) return 'failing';
    return instance.isReady() ? 'ready' : 'failing';
  }

  #died(): void {
    this.process = null;
    // Their connections are reset; what an instance has been given it may still carry out.
    const waiting = [...this.#respond];
    this.#respond.clear();
    if (this.machine.up) for (const [request, respond] of waiting) respond(request, 'in-doubt');
    const { low, high } = restartMicros;
    this.machine.scheduler.after(this.#random.range(low, high), () => {
      if (!this.stopped) this.start();
    });
  }
}

function nextCheck(since: Micros, phase: Micros): Micros {
  return Math.ceil((since - phase) / interval) * interval + phase;
}

/** From the beginning of the first failing check. */
function fallsAfter(health: Health): Micros {
  return health === 'silent' ? 2 * checkTimeout + secondFailure : secondFailure;
}

function statusOf(server: Server): BalancerServer {
  return { name: server.name, status: server.isUp ? (server.isDrained ? 'drain' : 'up') : 'down' };
}

const refusedReport: BalancerReport = { class: 'refused', detail: 'ECONNREFUSED', servers: [] };
const silentReport: BalancerReport = { class: 'timeout', detail: 'no answer in time', servers: [] };
