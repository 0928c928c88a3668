// For tests of the application side: both sites' hosts and HAProxies, Route 53, clients, and databases that do as told.

import { exampleCluster } from '../../../src/config/example.ts';
import { resolve } from '../../../src/config/resolve.ts';
import { clusterFileSchema } from '../../../src/config/schema.ts';
import type { Token } from '../../../src/core/observe/observation.ts';
import type { EpochId } from '../../../src/core/quorum/record.ts';
import type { Site } from '../../../src/core/site.ts';
import { Random } from '../engine/random.ts';
import { milli, Scheduler, second } from '../engine/scheduler.ts';
import { ApplicationHost } from './application-host.ts';
import { SiteBalancer } from './balancer.ts';
import { type ClientObserver, Clients } from './clients.ts';
import type { CommitEnd, DatabaseEndpoint, Greeting } from './database-endpoint.ts';
import type { ForcedCommand } from './forced-command.ts';
import { Machine, type Place } from './machine.ts';
import { Network } from './network.ts';
import { Process } from './process.ts';
import { Route53 } from './route53.ts';
import { databaseCommand, hostsOf } from './ssh.ts';

/** Runs a test outside of any promise's continuation: promises inside are settled by the scheduler only there. */
export function simulated(body: () => void): () => Promise<void> {
  return () =>
    new Promise((resolve, reject) => {
      setImmediate(() => {
        try {
          body();
          resolve();
        } catch (error) {
          reject(error instanceof Error ? error : new Error(String(error)));
        }
      });
    });
}

export const config = resolve(clusterFileSchema.parse(exampleCluster()));

export function epoch(number: number): EpochId {
  return { era: { number: 0, site: 'site1' }, epoch: number };
}

export function token(number: number, counter = number): Token {
  return { ...epoch(number), ballot: { counter, voter: 'site1' } };
}

/** A database that is what its fields say. */
export class FakeDatabase implements DatabaseEndpoint {
  readonly site: Site;
  readonly machine: Machine;
  /** What commits end with; null: no answer ever. */
  commits: CommitEnd | null = 'acknowledged';
  readonly written = new Set<number>();
  #highest = 0;
  #greeting: Greeting;
  readonly #network: Network;

  constructor(network: Network, machine: Machine, site: Site, number: number, writable: boolean) {
    this.#network = network;
    this.machine = machine;
    this.site = site;
    this.#greeting = { kind: 'welcome', writable, epoch: epoch(number), session: 1, since: 0 };
  }

  be(change: Partial<Greeting>): void {
    this.#greeting = { ...this.#greeting, ...change, since: this.machine.scheduler.now };
  }

  greet(): Greeting {
    return this.#greeting;
  }

  commit(from: Machine, session: number, id: number, done: (end: CommitEnd) => void): void {
    this.#network.send(from, this.machine, () => {
      const isGood = this.#greeting.kind === 'welcome' && this.#greeting.writable && session === this.#greeting.session;
      const end = isGood ? this.commits : 'failed';
      if (end === 'acknowledged') {
        this.written.add(id);
        this.#highest = Math.max(id, this.#highest);
      }
      if (end !== null && this.#greeting.kind !== 'silent') this.#network.send(this.machine, from, () => done(end));
    });
  }

  highest(from: Machine, session: number, done: (id: number | null) => void): void {
    this.#network.send(from, this.machine, () => {
      const found = session === this.#greeting.session ? this.#highest : null;
      if (this.#greeting.kind !== 'silent') this.#network.send(this.machine, from, () => done(found));
    });
  }
}

export type Told = { readonly id: number; readonly end: string; readonly at: number; readonly database: Site | null };

export type Kit = ReturnType<typeof kit>;

/** Site1 is the primary's and the entry's site, in epoch 1; everything runs, the clients do not yet. */
export function kit(seed = 'kit') {
  const scheduler = new Scheduler();
  const random = new Random(seed);
  const network = new Network(scheduler, random.fork('network'));
  const machine = (name: string, place: Place): Machine => new Machine(scheduler, random.fork(name), name, place, 1);
  const bySite = <T>(make: (site: Site) => T): Record<Site, T> => ({ site1: make('site1'), site2: make('site2') });
  const services = bySite((site) => machine(`${site}-svc`, site));
  const databases = bySite((site) => new FakeDatabase(network, machine(`${site}-db`, site), site, 1, site === 'site1'));
  const hosts = bySite(
    (site) =>
      new ApplicationHost(config, network, random.fork(site), site, machine(`${site}-app`, site), databases, 'site1'),
  );
  const balancers = bySite(
    (site) => new SiteBalancer(config, network, random.fork(`${site}-haproxy`), site, services[site], hosts),
  );
  const addresses = { site1: '203.0.113.10', site2: '198.51.100.10' };
  const internet = machine('internet', 'internet');
  const route53 = new Route53(network, random.fork('route53'), internet, { address: addresses.site1, ttlSeconds: 10 });
  const told: Told[] = [];
  const reads: number[] = [];
  const note = (end: string) => (id: number, _begun: number, at: number) => told.push({ id, end, at, database: null });
  const observer: ClientObserver = {
    writeBegun: () => {},
    writeAcknowledged: (id, _begun, at, via) => told.push({ id, end: 'done', at, database: via.database }),
    writeFailed: note('failed'),
    writeInDoubt: note('in-doubt'),
    read: (highest) => reads.push(highest),
  };
  const clients = new Clients(network, random.fork('clients'), internet, route53.name, addresses, balancers, observer);
  for (const site of ['site1', 'site2'] as const) {
    hosts[site].start();
    balancers[site].start();
  }
  const fenced = { site1: 'primary', site2: 'standby' } as Record<Site, 'primary' | 'standby' | 'none'>;
  const guardEpochs: Record<Site, EpochId | null> = { site1: null, site2: null };
  const commands: Record<Site, ForcedCommand> = bySite((site) =>
    databaseCommand(databases[site].machine, random.fork(`${site}-fence`), {
      find: () => fenced[site],
      guardEpoch: () => guardEpochs[site],
      inhibitStart: () => {},
      kill: (killed) => {
        fenced[site] = 'none';
        scheduler.after(20 * milli, () => killed(7));
      },
    }),
  );
  const agents = bySite((site) => new Process(services[site], `${site}-agent`, 0, () => {}));
  const ssh = bySite((site) => hostsOf(network, { applications: hosts, databases: commands }, agents[site]));
  const run = (seconds: number): void => scheduler.runUntil(scheduler.now + seconds * second);
  /** What a promise gives within `seconds` of simulated time; undefined: nothing. */
  const outcome = <T>(promise: Promise<T>, seconds = 6): T | undefined => {
    let value: T | undefined;
    void promise.then((given) => {
      value = given;
    });
    for (let left = seconds * 100; left > 0 && value === undefined; left -= 1) run(0.01);
    return value;
  };
  const powerOff = (off: Machine): void => {
    off.up = false;
    for (const process of [...off.processes]) process.die('power loss');
  };
  return {
    scheduler,
    random,
    network,
    databases,
    hosts,
    balancers,
    addresses,
    route53,
    clients,
    told,
    reads,
    fenced,
    guardEpochs,
    agents,
    ssh,
    run,
    outcome,
    powerOff,
  };
}
