// The whole cluster: machines, what runs on them, what lies between, and the checkers that see all of it. Composition
// and the few things that happen to whole machines; everything else is in the rooms beside this one.

import type { ClusterConfig } from '../../../src/config/cluster.ts';
import type { AgentDeed, AgentDeedValue, AgentEvent } from '../../../src/core/agent/deeds.ts';
import type { AgentDurable, AgentState } from '../../../src/core/agent/state.ts';
import type { GuardDeed, GuardDeedValue, GuardEvent } from '../../../src/core/guard/deeds.ts';
import type { GuardDurable, GuardState } from '../../../src/core/guard/state.ts';
import type { Order } from '../../../src/core/messages.ts';
import type { EpochId } from '../../../src/core/quorum/record.ts';
import type { Settings } from '../../../src/core/settings.ts';
import { agentOf, guardOf, otherSite, type Site, sites } from '../../../src/core/site.ts';
import type { WitnessDurable, WitnessEvent, WitnessState } from '../../../src/core/witness/step.ts';
import { notCalm } from '../checkers/calm.ts';
import { History } from '../checkers/history.ts';
import { Leases } from '../checkers/leases.ts';
import { Moves } from '../checkers/moves.ts';
import { Records } from '../checkers/records.ts';
import { Violations } from '../checkers/violations.ts';
import { Votes } from '../checkers/votes.ts';
import { Writers } from '../checkers/writers.ts';
import { Random } from '../engine/random.ts';
import { type Micros, milli, Scheduler, second } from '../engine/scheduler.ts';
import { Trace } from '../engine/trace.ts';
import type { Begun } from '../faults/fault.ts';
import type { FaultKind } from '../faults/kinds.ts';
import type { RunOptions } from '../options.ts';
import { wireAgent } from './agent.ts';
import { ApplicationHost } from './application-host.ts';
import { SiteBalancer } from './balancer.ts';
import { Clients } from './clients.ts';
import { oldRelease } from './codec.ts';
import { addressOf, configOf, withAddresses } from './config.ts';
import { Daemon, type DaemonParts } from './daemon.ts';
import { fenceTargetOf } from './fence-target.ts';
import { Files } from './files.ts';
import type { ForcedCommand } from './forced-command.ts';
import { FuseBox, fusePort } from './fuse.ts';
import { wireGuard } from './guard.ts';
import { databasePort } from './guard-database.ts';
import { Machine, type Place } from './machine.ts';
import { Network } from './network.ts';
import { Operator } from './operator.ts';
import { PeerNetwork } from './peers.ts';
import { Postgres } from './postgres.ts';
import { probesOf } from './probes.ts';
import type { Process } from './process.ts';
import { PromisedDown } from './promised-down.ts';
import { resume } from './resumption.ts';
import { Route53 } from './route53.ts';
import { databaseCommand, hostsOf } from './ssh.ts';
import { Wal } from './wal.ts';
import { watch } from './watching.ts';
import { wireWitness } from './witness.ts';

export type AgentDaemon = Daemon<AgentState, AgentEvent, AgentDurable, AgentDeed, AgentDeedValue>;
export type GuardDaemon = Daemon<GuardState, GuardEvent, GuardDurable, GuardDeed, GuardDeedValue>;
export type WitnessDaemon = Daemon<WitnessState, WitnessEvent, WitnessDurable, never, never>;
export type AnyDaemon = AgentDaemon | GuardDaemon | WitnessDaemon;

type BySite<T> = Readonly<Record<Site, T>>;

function bySite<T>(make: (site: Site) => T): BySite<T> {
  return { site1: make('site1'), site2: make('site2') };
}

export class World {
  readonly options: RunOptions;
  readonly config: ClusterConfig;
  readonly files: Files;
  /** Likewise the public addresses in an agent's file. */
  readonly addressFiles = new Map<string, BySite<string>>();
  readonly settings: Settings;
  readonly scheduler = new Scheduler();
  readonly random: Random;
  readonly trace: Trace;
  readonly network: Network;
  readonly peers: PeerNetwork;
  readonly machines = new Map<string, Machine>();
  /** Machines that can be lost; the internet is not one of them. */
  readonly hosts: readonly Machine[];
  readonly everyMachine: readonly Machine[];
  readonly wal = new Wal();
  readonly postgres: BySite<Postgres>;
  readonly fuses: BySite<FuseBox>;
  readonly guards: BySite<GuardDaemon>;
  readonly agents: BySite<AgentDaemon>;
  readonly witness: WitnessDaemon | null;
  readonly daemons: readonly AnyDaemon[];
  readonly applications: BySite<ApplicationHost>;
  readonly balancers: BySite<SiteBalancer>;
  readonly databaseCommands: BySite<ForcedCommand>;
  readonly route53: Route53;
  readonly clients: Clients;
  readonly operator: Operator;
  readonly violations: Violations;
  readonly records: Records;
  readonly writers: Writers;
  readonly leases: Leases;
  readonly votes: Votes;
  readonly history: History;
  readonly moves: Moves;
  /** guard.epoch of each database host. */
  readonly guardEpochs: Record<Site, EpochId | null> = { site1: null, site2: null };
  /** A voter's or guard's memory, or the register's, was lost or put back: at most once a run. */
  memoryLost = false;
  /** A person forced an era: at most once a run. */
  forced = false;
  /** What a person who forced an era promised. */
  readonly promisedDown = new PromisedDown(this);
  /** When a person accepted the loss of writes: whatever the mode from then on, and more than V5 allows for that order. */
  lossAcceptedAt: Micros = Number.NEGATIVE_INFINITY;
  steps = 0;
  readonly #active = new Set<Begun>();
  #calmFrom: Micros = 0;
  readonly #grain: Micros;

  constructor(options: RunOptions, keep: ((line: string) => void) | null) {
    this.options = options;
    this.#grain = Math.max(1, options.grainMs * milli);
    this.random = new Random(`run ${options.seed}`);
    this.trace = new Trace(this.scheduler, keep);
    const { config, settings } = configOf(options);
    this.config = config;
    this.settings = settings;
    this.files = new Files(settings);
    this.network = new Network(
      this.scheduler,
      this.random.fork('network'),
      options.lateOneIn === 0 ? null : { oneIn: options.lateOneIn, random: new Random(`late ${options.seed}`) },
    );
    this.peers = new PeerNetwork(this.network);
    const machine = (name: string, place: Place): Machine => {
      const rate = 1 + (options.clockPpm[name] ?? 0) / 1_000_000;
      const made = new Machine(this.scheduler, this.random.fork(name), name, place, rate);
      this.machines.set(name, made);
      return made;
    };
    const on = {
      svc: bySite((s) => machine(`${s}-svc`, s)),
      app: bySite((s) => machine(`${s}-app`, s)),
      db: bySite((s) => machine(`${s}-db`, s)),
    };
    const third = machine('third', 'third');
    const internet = machine('internet', 'internet');
    this.everyMachine = [...this.machines.values()];
    this.hosts = this.everyMachine.filter(
      (each) => each !== internet && (each !== third || options.witness === 'agent'),
    );
    this.violations = new Violations(this.trace);
    this.records = new Records(this.violations);
    this.writers = new Writers(this.violations, this.records);
    this.leases = new Leases(this);
    this.votes = new Votes(this);
    // By an order of a moment ago; what is lost later is nobody's word.
    const isLossAccepted = () => this.scheduler.now - this.lossAcceptedAt < orderTakes;
    this.history = new History(
      this.violations,
      () => isLossAccepted() || options.replication === 'async' || this.files.toAsync,
      () =>
        isLossAccepted()
          ? Number.POSITIVE_INFINITY
          : Math.ceil(settings.policy.maxLagBytes / options.bytesPerWrite) +
            (unseenSeconds + this.files.longerBy / second) * options.writesPerSecond * (this.forced ? 2 : 1),
    );
    this.moves = new Moves(
      this.violations,
      () => this.scheduler.now,
      () => this.#voterOut(),
      options.upgrade,
    );
    this.postgres = bySite(
      (site) =>
        new Postgres({
          scheduler: this.scheduler,
          random: this.random.fork(`${site}-postgres`),
          trace: this.trace,
          network: this.network,
          machine: on.db[site],
          site,
          wal: this.wal,
          systemId: '7321987654321098765',
          other: () => this.postgres[otherSite(site)],
          alwaysWaits: options.replication === 'zero-loss-strict',
        }),
    );
    for (const site of sites) this.postgres[site].faults.bytesPerWrite = options.bytesPerWrite;
    this.fuses = bySite((site) => new FuseBox(this.postgres[site], this.random.fork(`${site}-fuse`)));
    const endpoints = bySite((site) => this.postgres[site].sessions);
    const entry = this.random.pick(sites);
    this.applications = bySite(
      (site) =>
        new ApplicationHost(
          config,
          this.network,
          this.random.fork(`${site}-app`),
          site,
          on.app[site],
          endpoints,
          entry,
        ),
    );
    this.balancers = bySite(
      (site) =>
        new SiteBalancer(
          config,
          this.network,
          this.random.fork(`${site}-haproxy`),
          site,
          on.svc[site],
          this.applications,
        ),
    );
    this.databaseCommands = bySite((site) =>
      databaseCommand(
        on.db[site],
        this.random.fork(`${site}-ssh`),
        fenceTargetOf(this.postgres[site], () => this.guardEpochs[site]),
      ),
    );
    this.route53 = new Route53(this.network, this.random.fork('route53'), internet, {
      address: addressOf(config, entry),
      ttlSeconds: 10,
    });
    this.clients = new Clients(
      this.network,
      this.random.fork('clients'),
      internet,
      this.route53.name,
      bySite((site) => addressOf(config, site)),
      this.balancers,
      this.history,
      { clients: 3, writesPerSecond: options.writesPerSecond, readEvery: 3 },
    );
    const parts: DaemonParts = {
      scheduler: this.scheduler,
      random: this.random.fork('daemons'),
      trace: this.trace,
      peers: this.peers,
      isPatient: options.patient,
    };
    const { codecEvery } = options;
    this.agents = bySite((site) => new Daemon(parts, agentOf(site), on.svc[site], codecEvery, this.#agent(site)));
    this.guards = bySite((site) => new Daemon(parts, guardOf(site), on.db[site], codecEvery, this.#guard(site)));
    this.witness =
      options.witness === 'agent'
        ? new Daemon(
            parts,
            'witness',
            third,
            codecEvery,
            wireWitness(() => this.files.read('witness')),
          )
        : null;
    this.daemons = [...sites.map((site) => this.agents[site]), ...sites.map((site) => this.guards[site])];
    if (this.witness !== null) this.daemons = [...this.daemons, this.witness];
    if (options.upgrade) for (const daemon of this.daemons) daemon.speaks = oldRelease;
    this.operator = new Operator(this, internet, entry);
    watch(this);
    this.#setPace();
  }

  #agent(site: Site) {
    return wireAgent(site, {
      config: () => withAddresses(this.config, this.addressFiles.get(agentOf(site))),
      settings: () => this.files.read(agentOf(site)),
      adapters: (process: Process) => ({
        probes: probesOf(process, process.machine, {
          databases: this.postgres,
          systemId: () => this.agents[site].state()?.durable.systemId ?? null,
        }),
        applications: ApplicationHost.applicationsOf(this.applications, process),
        balancer: SiteBalancer.balancerOf(this.balancers, site, process),
        hosts: hostsOf(this.network, { applications: this.applications, databases: this.databaseCommands }, process),
        dns: this.route53.dnsOf(process),
        run: (words) => this.votes.fencedFromOutside(words),
      }),
      register: this.options.witness === 'route53' ? (process) => this.route53.registerOf(process) : null,
    });
  }

  #guard(site: Site) {
    return wireGuard(site, {
      settings: () => this.files.read(guardOf(site)),
      database: (process) => databasePort(this.postgres[site], process),
      fuse: (process) => fusePort(this.fuses[site], process),
      publishEpoch: (epoch) => {
        this.guardEpochs[site] = epoch;
      },
    });
  }

  /** Q0, by a person; everything is started before. */
  found(): void {
    this.operator.found();
  }

  order(site: Site, order: Order): void {
    this.operator.order(site, order);
  }

  onFault(kind: FaultKind, begun: Begun): void {
    this.moves.fault(kind, begun);
    this.#active.add(begun);
    this.scheduler.grid = this.#grain;
    this.#calmFrom = Math.max(this.#calmFrom, this.scheduler.now + begun.lasts + calmAfter);
    this.scheduler.after(begun.lasts, () => this.#active.delete(begun));
  }

  /** How finely time is looked at: as the options say as long as anything is out of order and a while after. */
  #setPace(): void {
    const { scheduler } = this;
    const calm = this.#active.size === 0 && scheduler.now >= this.#calmFrom && this.notCalm() === null;
    scheduler.grid = calm ? calmGrid : this.#grain;
    scheduler.after(paceEvery, () => this.#setPace());
  }

  /** Whether any fault is there now. */
  disturbed(): boolean {
    return this.#active.size > 0 || this.hosts.some((machine) => !machine.up || machine.suspended);
  }

  notCalm(): string | null {
    return notCalm(this);
  }

  powerOff(machine: Machine): void {
    machine.up = false;
    for (const process of [...machine.processes]) process.die('power loss');
    this.trace.line(machine.name, 'power off', '');
  }

  powerOn(machine: Machine): void {
    if (machine.up) return;
    if (this.promisedDown.has(machine)) {
      this.scheduler.after(second, () => this.powerOn(machine));
      return;
    }
    machine.boot();
    this.trace.line(machine.name, 'boots', '');
    this.operator.startAll(machine);
  }

  suspend(machine: Machine): void {
    machine.suspended = true;
    this.trace.line(machine.name, 'suspended', '');
    for (const site of sites) this.postgres[site].refresh('suspended');
  }

  resume(machine: Machine): void {
    if (machine.suspended) resume(this, machine);
  }

  /** Everything that can be mended without a decision: the liveness phase begins. */
  heal(): void {
    this.operator.heal();
  }

  #voterOut(): boolean {
    const agents = sites.map((site) => this.agents[site].state());
    return (
      agents.some((state) => state !== null && (state.register.out !== null || state.voter.amnesia)) ||
      this.witness?.state()?.voter.amnesia === true
    );
  }

  machinesOf(site: Site): readonly Machine[] {
    return this.hosts.filter(({ place }) => place === site);
  }

  finish(): void {
    this.clients.stop();
    const newest = this.records.newest();
    if (newest === null) return;
    const { primary } = newest.record;
    this.history.compare((id) => this.postgres[primary].contains(id), `${primary} at the end`);
    if (this.scheduler.waiting > 20_000) this.violations.add('bound', `${this.scheduler.waiting} events wait`);
  }
}

/** docs/TIMING.md: the longest lease, what a probe takes to tell of it, and one verdict; half as much again for bursts. */
const unseenSeconds = 30;
/** An order's timeout, and the promotion after it. */
const orderTakes = 90 * second;
/** A fifth of the shortest deadline there is (700 ms, a beat's), and a tenth of most. */
const calmGrid: Micros = 100_000;
const calmAfter = 10 * second;
const paceEvery = 5 * second;
