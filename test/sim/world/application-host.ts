// An application host: its .env files behind the forced command, and three instances under their supervisor.

import type { ClusterConfig } from '../../../src/config/cluster.ts';
import { serverName } from '../../../src/config/settings.ts';
import type { InstanceReport } from '../../../src/core/observe/observation.ts';
import { compareEpochs, type EpochId } from '../../../src/core/quorum/record.ts';
import { type Site, sites } from '../../../src/core/site.ts';
import type { Applications } from '../../../src/ports/hosts.ts';
import type { HostAnswer, HostOrder } from '../../../src/wire/host-orders.ts';
import type { Random } from '../engine/random.ts';
import { cancel, type Event, type Micros, milli } from '../engine/scheduler.ts';
import type { DatabaseEndpoint } from './database-endpoint.ts';
import { EnvFiles } from './env-files.ts';
import { exchange } from './exchange.ts';
import { ForcedCommand, type Work } from './forced-command.ts';
import { Instance, silentInstance } from './instance.ts';
import type { Machine } from './machine.ts';
import type { Network } from './network.ts';
import { Process } from './process.ts';
import type { Request } from './request.ts';

/** Docker or systemd, and the application's own start. */
const restartMicros = { low: 300 * milli, high: 2000 * milli };

export type Databases = Readonly<Record<Site, DatabaseEndpoint>>;

export class ApplicationHost {
  readonly site: Site;
  readonly machine: Machine;
  readonly files: EnvFiles;
  readonly command: ForcedCommand;
  readonly instances: readonly Instance[];
  /** The highest epoch any instance here wrote down (EPOCH_FILE). */
  epochFile: EpochId | null = null;
  /** For checkers: an instance has just been told by its database that a write is committed. */
  onServed: (instance: Instance, request: Request) => void = () => {};
  /** For checkers: after each step that changed a file. */
  onFiles: (host: ApplicationHost) => void = () => {};
  readonly #network: Network;
  readonly #random: Random;
  readonly #databases: Databases;
  readonly #sites: ReadonlyMap<string, Site>;
  #wake: Event | null = null;
  #lives = 0;
  #hasPower = true;

  constructor(
    config: ClusterConfig,
    network: Network,
    random: Random,
    site: Site,
    machine: Machine,
    databases: Databases,
    active: Site,
  ) {
    this.site = site;
    this.machine = machine;
    this.#network = network;
    this.#random = random;
    this.#databases = databases;
    this.#sites = new Map(
      sites.map((each) => [`${config.sites[each].database.address}:${config.sites[each].database.port}`, each]),
    );
    this.files = new EnvFiles(config, active);
    this.command = new ForcedCommand(
      machine,
      random.fork('ssh'),
      (order) => this.#obey(order),
      () => this.files.note.token,
    );
    this.instances = config.sites[site].application.instances.map(
      (port) => new Instance(this, serverName(config, site, port), random.range(0, 250 * milli)),
    );
  }

  /** At the beginning and after each boot. */
  start(): void {
    this.#hasPower = true;
    for (const instance of this.instances) this.startInstance(instance);
  }

  startInstance(instance: Instance): void {
    if (instance.process !== null || instance.stopped || !this.machine.up) return;
    const process = new Process(this.machine, instance.name, this.#lives, () => this.#instanceDied(instance));
    this.#lives += 1;
    if (!instance.start(process)) process.die('the .env file cannot be used');
  }

  /** The instance dies and is started again by its supervisor, unless `stopped`. */
  crash(instance: Instance): void {
    instance.process?.die('crashed');
  }

  heal(): void {
    this.command.heal();
    for (const instance of this.instances) {
      instance.ignoresReload = instance.stopped = false;
      instance.process?.thaw();
    }
    if (this.machine.up) this.start();
  }

  databaseAt(address: string): DatabaseEndpoint | null {
    const site = this.#sites.get(address);
    return site === undefined ? null : this.#databases[site];
  }

  isLinkedTo(machine: Machine): boolean {
    if (machine.suspended) return false;
    return this.#network.reaches(this.machine, machine) && this.#network.reaches(machine, this.machine);
  }

  noteEpoch(epoch: EpochId): void {
    if (this.epochFile === null || compareEpochs(epoch, this.epochFile) > 0) this.epochFile = epoch;
  }

  /** Calls every instance's `wake` at `time` at the latest. */
  wakeBy(time: Micros): void {
    if (this.#wake !== null) {
      if (this.#wake.time <= time) return;
      cancel(this.#wake);
    }
    this.#wake = this.machine.scheduler.at(time, () => {
      this.#wake = null;
      for (const instance of this.instances) instance.process?.run(() => instance.wake());
    });
  }

  /** The Applications port of one process; `hosts` are both sites'. */
  static applicationsOf(hosts: Readonly<Record<Site, ApplicationHost>>, process: Process): Applications {
    return {
      probe: (site, deadlineMs) => (process.mayAffect() ? hosts[site].#probe(process, deadlineMs) : Process.never),
    };
  }

  /** All three are asked at once, and one that hangs keeps the report waiting until the deadline. */
  #probe(process: Process, deadlineMs: number): Promise<readonly InstanceReport[]> {
    let heard: readonly InstanceReport[] | null = null;
    return exchange(
      this.#network,
      process,
      this.machine,
      deadlineMs,
      (reply: (reports: readonly InstanceReport[]) => void) => {
        if (this.machine.suspended) return;
        const reports = this.instances.map(reportOf);
        if (!this.instances.some((instance) => instance.frozen)) return reply(reports);
        if (this.#network.reaches(this.machine, process.machine)) heard = reports;
      },
      () => heard ?? this.instances.map(({ name }) => silentInstance(name, 'timeout')),
      true,
    );
  }

  #instanceDied(instance: Instance): void {
    if (!this.machine.up && this.#hasPower) {
      this.#hasPower = false;
      this.files.powerLost(this.#random);
    }
    instance.died();
    const { low, high } = restartMicros;
    this.machine.scheduler.after(this.#random.range(low, high), () => this.startInstance(instance));
  }

  #obey(order: HostOrder): Work {
    const { files } = this;
    let told = 0;
    const answer = (): HostAnswer => ({ ok: true, kind: 'env', env: files.report(), reloaded: told });
    if (order.verb === 'read') return { steps: [], answer };
    const change = (act: () => void) => (next: () => void) => {
      act();
      this.onFiles(this);
      next();
    };
    const reload = change(() => {
      told = this.#reload();
    });
    const reloaded = change(() => files.noteReloaded());
    if (order.verb !== 'switch') return { steps: order.verb === 'reload' ? [reload, reloaded] : [], answer };
    const { site, token } = order;
    return {
      steps: [
        change(() => files.noteSwitch(token, site)),
        change(() => files.writeTemporary(site)),
        change(() => files.rename(site)),
        change(() => files.sync()),
        reload,
        reloaded,
      ],
      answer,
    };
  }

  #reload(): number {
    let told = 0;
    for (const instance of this.instances) {
      if (instance.process === null) continue;
      told += 1;
      instance.process.run(() => instance.reload());
    }
    return told;
  }
}

function reportOf(instance: Instance): InstanceReport {
  if (instance.process === null) return silentInstance(instance.name, 'refused');
  return instance.frozen ? silentInstance(instance.name, 'timeout') : instance.report();
}
