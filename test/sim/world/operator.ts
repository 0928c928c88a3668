// People: they found the cluster, give orders, and mend what only a person can mend.

import type { Answer, Order, Request } from '../../../src/core/messages.ts';
import type { Outcome } from '../../../src/core/outcome.ts';
import type { Accepted } from '../../../src/core/quorum/record.ts';
import { lacksMemory } from '../../../src/core/quorum/rejoin.ts';
import { agentOf, otherSite, type PeerId, type Site, sites, type VoterId } from '../../../src/core/site.ts';
import { spoken } from '../../../src/wire/versions.ts';
import { Random } from '../engine/random.ts';
import { milli, second } from '../engine/scheduler.ts';
import { type PeerCodec, peerCodec } from './codec.ts';
import type { Machine } from './machine.ts';
import type { Postgres } from './postgres.ts';
import { Process } from './process.ts';
import { isPrefix } from './wal.ts';
import type { AnyDaemon, World } from './world.ts';

const alice: PeerId = 'operator:alice';

export class Operator {
  readonly #world: World;
  readonly #desk: Process;
  readonly #primary: Site;
  readonly #codec: PeerCodec = peerCodec(spoken, 1);
  /** Its own, so that what it does shifts nothing else. */
  readonly #random: Random;
  #healing = false;

  /** `primary` is the site whose database is the primary on the first day. */
  constructor(world: World, desk: Machine, primary: Site) {
    this.#world = world;
    this.#primary = primary;
    this.#random = new Random(`operator ${world.options.seed}`);
    this.#desk = new Process(desk, alice, 0, () => {});
  }

  /** Everything runs, unfounded; then Q0, as `siteward init` does it, and `siteward resume` when that is through. */
  found(): void {
    const { postgres, machines, clients, scheduler } = this.#world;
    postgres[this.#primary].bornPrimary();
    postgres[otherSite(this.#primary)].bornStandby();
    for (const machine of machines.values()) this.startAll(machine);
    scheduler.after(second, () => void this.#init());
    if (this.#random.ratio(3, 4)) this.#watch();
    scheduler.after(2 * second, () => clients.start());
  }

  /** What a machine's boot starts. */
  startAll(machine: Machine): void {
    const world = this.#world;
    for (const site of sites) {
      if (world.postgres[site].machine === machine) world.fuses[site].boot();
      if (world.applications[site].machine === machine) world.applications[site].start();
      if (world.balancers[site].machine === machine) world.balancers[site].start();
      const pg = world.postgres[site];
      // The distribution starts it where somebody left it enabled.
      if (pg.machine === machine && !pg.processesLeft() && world.random.ratio(1, 3)) {
        world.fuses[site].inhibit();
        pg.faults.startedBySomebodyElse();
      }
    }
    for (const daemon of world.daemons) {
      if (daemon.machine === machine)
        world.scheduler.after(world.random.range(50, 3000) * milli, () => {
          if (!daemon.stopped) daemon.start();
        });
    }
  }

  order(site: Site, order: Order): void {
    const world = this.#world;
    const before = world.lossAcceptedAt;
    // Before its answer is heard it may be done; one that was refused accepted nothing.
    const acceptsLoss = 'acceptLoss' in order && order.acceptLoss;
    if (acceptsLoss) world.lossAcceptedAt = world.scheduler.now;
    void this.#ask(agentOf(site), { type: 'order', cluster: '', order }).then((outcome) => {
      const isRefused = outcome.kind === 'done' && outcome.value.type === 'ack' && !outcome.value.ok;
      if (isRefused && acceptsLoss) world.lossAcceptedAt = before;
      world.trace.line('operator', order.kind, answerLine(outcome));
    });
  }

  heal(): void {
    const world = this.#world;
    world.network.heal();
    world.route53.heal();
    world.files.clear();
    for (const machine of world.machines.values()) {
      world.resume(machine);
      world.powerOn(machine);
    }
    for (const site of sites) {
      world.postgres[site].faults.heal();
      world.applications[site].heal();
      world.databaseCommands[site].heal();
      world.balancers[site].heal();
      world.fuses[site].process?.thaw();
    }
    for (const daemon of world.daemons) {
      daemon.disk.extraDelay = 0;
      daemon.disk.full = false;
      daemon.process?.thaw();
      daemon.process?.dieAtEffect(-1);
      this.#upgrade(daemon);
      if (world.files.isStale(daemon.name)) daemon.kill('restarted for its file');
      if (daemon.process === null && !(daemon.disk.damaged && daemon.stopped)) daemon.start();
    }
    world.trace.line('world', 'healed', '');
    if (!this.#healing) this.#mend();
    this.#healing = true;
  }

  /** The last hosts get the new release. */
  #upgrade(daemon: AnyDaemon): void {
    if (daemon.speaks === spoken) return;
    daemon.speaks = spoken;
    daemon.kill('upgraded');
  }

  /** What waits for a person by the runbook: a pause, a database whose history is another one. */
  #mend(): void {
    const { scheduler, records } = this.#world;
    scheduler.after(2 * second, () => {
      const record = records.newest()?.record ?? null;
      if (record?.mode === 'paused') this.order(record.primary, { kind: 'resume' });
      if (record !== null) this.#rewind(record.primary);
      for (const site of sites) this.#replaceGuardState(site);
      this.#rejoin();
      this.#mend();
    });
  }

  /** In most runs somebody looks at the status while the faults go on, and sees what only a person mends. */
  #watch(): void {
    this.#world.scheduler.after(this.#random.range(2, 20) * second, () => {
      if (this.#healing) return;
      if (this.#world.memoryLost) this.#rejoin();
      const primary = this.#world.records.newest()?.record.primary;
      if (this.#world.options.brisk && primary !== undefined) this.#rewind(primary);
      this.#watch();
    });
  }

  /** RUNBOOK, "An agent lost its memory", "The witness is out": until status says so no more. */
  #rejoin(): void {
    const { agents, witness } = this.#world;
    for (const site of sites) {
      const state = agents[site].state();
      if (state === null) continue;
      if (lacksMemory(state.voter)) this.#orderRejoin(otherSite(site), site);
      if (state.register.out !== null) this.#orderRejoin(site, 'witness');
    }
    const voter = witness?.state()?.voter;
    const site = this.#random.pick(sites);
    if (voter !== undefined && lacksMemory(voter)) this.#orderRejoin(site, 'witness');
  }

  /**
   * As the command does it: the status first, which also tells which version is spoken there. A loss is accepted once nothing
   * else is left to wait for, and the order before this one was undone for want of that word.
   */
  #orderRejoin(site: Site, voter: VoterId): void {
    const last = this.#world.agents[site].state()?.lastOrder ?? null;
    const acceptLoss = this.#healing && last?.what.startsWith('rejoin') === true && last.why.includes('--accept-loss');
    const cutOff = /a half-done change of primary: (site[12]) .*--accept-loss/.exec(last?.why ?? '')?.[1] as
      | Site
      | undefined;
    // RUNBOOK, "An agent lost its memory": with a witness the change itself is carried out first.
    const isFirst = acceptLoss && cutOff !== undefined && this.#world.options.witness !== 'none';
    const order: Order = isFirst
      ? { kind: 'failover', to: cutOff, dryRun: false, acceptLoss, force: false, otherSideIsDown: false }
      : { kind: 'rejoin', voter, acceptLoss };
    void this.#ask(agentOf(site), { type: 'status' }).then(() => this.order(site, order));
  }

  /** RUNBOOK: stop the guard of a database that took another way, then the database, rewind it, start the guard. */
  #rewind(primary: Site): void {
    const { postgres, guards } = this.#world;
    const source = postgres[primary];
    const old = postgres[otherSite(primary)];
    const guard = guards[otherSite(primary)];
    if (!source.isWritable() || isCopy(old, source)) return;
    guard.stop();
    if (old.processesLeft()) old.faults.stoppedBySomebodyElse();
    else if (old.faults.rewind()) guard.start();
  }

  /** RUNBOOK, "A guard lost its state". */
  #replaceGuardState(site: Site): void {
    const { disk } = this.#world.guards[site];
    const pg = this.#world.postgres[site];
    if (!disk.damaged) return;
    if (pg.processesLeft()) return pg.faults.stoppedBySomebodyElse();
    // One that never was a primary was never armed.
    const armed = this.#world.fuses[site].armed || !this.#world.writers.everWritable.has(site);
    if (!armed || !pg.data.putSignalFile()) return;
    disk.damaged = false;
    disk.synced = undefined;
    this.#world.guards[site].start();
  }

  async #init(): Promise<void> {
    const { settings, options } = this.#world;
    const accepted: Accepted = {
      ballot: { counter: 1, voter: 'site1' },
      record: {
        cluster: `${settings.cluster}-1`,
        era: { number: 0, site: 'site1' },
        epoch: 1,
        primary: this.#primary,
        entry: this.#primary,
        mode: 'paused',
        sync: false,
        voters: settings.voters,
        by: alice,
        at: '2026-01-01T00:00:00.000Z',
        reason: 'founded',
      },
    };
    this.#world.records.founded(accepted);
    const voters: PeerId[] = ['site1-agent', 'site2-agent'];
    if (options.witness === 'agent') voters.push('witness');
    for (const voter of voters) await this.#insist(voter, { type: 'init', accepted, createRegister: false });
    if (options.witness === 'route53')
      await this.#insist(agentOf(this.#primary), { type: 'init', accepted, createRegister: true });
    await this.#insist(agentOf(this.#primary), { type: 'order', cluster: '', order: { kind: 'resume' } });
  }

  /** Again until it is done, as a person would. */
  async #insist(to: PeerId, request: Request): Promise<void> {
    for (;;) {
      const outcome = await this.#ask(to, request);
      this.#world.trace.line('operator', request.type, `${to} ${answerLine(outcome)}`);
      if (outcome.kind === 'done' && outcome.value.type === 'ack' && outcome.value.ok) return;
      await this.#desk.later(second, () => undefined);
    }
  }

  #ask(to: PeerId, request: Request): Promise<Outcome<Answer>> {
    return this.#world.peers.peersOf(alice, this.#desk, this.#codec).ask(to, request, 5000);
  }
}

/** Whether it can go on as the standby of `source`. */
function isCopy({ data }: Postgres, source: Postgres): boolean {
  return !data.lacksWal && isPrefix(data.flushed, source.data.flushed);
}

function answerLine(outcome: Outcome<Answer>): string {
  if (outcome.kind !== 'done') return outcome.kind === 'rejected' ? outcome.code : 'no answer';
  return outcome.value.type === 'ack'
    ? `${outcome.value.ok ? 'done' : 'refused'} ${outcome.value.why}`
    : outcome.value.type;
}
