// I1 one step earlier: what it rests on. A guard's lease never outlives the promises it was made of (L1 to L7), and no
// write is acknowledged after it ended (L9, L10). Two writable databases need a failover at the wrong moment besides;
// these are wrong by themselves, and seen at once. Measured in true time, which no node knows.

import type { AgentState } from '../../../src/core/agent/state.ts';
import type { GuardState } from '../../../src/core/guard/state.ts';
import { showEpoch } from '../../../src/core/quorum/record.ts';
import type { RegisterState } from '../../../src/core/quorum/register-state.ts';
import type { Voter } from '../../../src/core/quorum/voter.ts';
import { otherSite, type Site, sites } from '../../../src/core/site.ts';
import { bindingMs } from '../../../src/core/time.ts';
import { type Micros, milli } from '../engine/scheduler.ts';
import type { Machine } from '../world/machine.ts';
import { registerValue } from '../world/register-value.ts';
import type { World } from '../world/world.ts';

const never: Micros = Number.NEGATIVE_INFINITY;
const always: Micros = Number.POSITIVE_INFINITY;
/** L9: a start that was begun in time may be done when the fuse is just about to look. */
const fuseLooks: Micros = 400 * milli;

export class Leases {
  readonly #world: World;
  /** Until when, by the lease that each guard holds or held when it died; null: it gave it back, or has none. */
  readonly #held: Record<Site, Micros | null> = { site1: null, site2: null };
  /** The latest end of all leases that each guard ever held. */
  readonly #latest: Record<Site, Micros> = { site1: never, site2: never };
  readonly #lease: Record<Site, GuardState['lease'] | undefined> = { site1: undefined, site2: undefined };
  readonly #promises = new Map<string, Voter['promise']>();

  constructor(world: World) {
    this.#world = world;
  }

  guardStepped(site: Site, { lease }: GuardState): void {
    if (lease === this.#lease[site]) return;
    this.#lease[site] = lease;
    const { machine } = this.#world.guards[site];
    if (lease === null) return;
    const until = machine.trueTime(lease.until);
    if (!this.#world.records.wasChosen(lease.epoch))
      this.#world.violations.add(
        'I3',
        `${site}'s guard holds a lease of ${showEpoch(lease.epoch)}, of which no record was chosen`,
      );
    this.#held[site] = until;
    this.#latest[site] = Math.max(this.#latest[site], until);
    this.#check(site, 'its guard counted a majority');
  }

  guardDied(site: Site): void {
    this.#lease[site] = undefined;
  }

  voterStepped(name: string, { promise }: Voter): void {
    const before = this.#promises.get(name);
    if (promise === before) return;
    this.#promises.set(name, promise);
    const grew =
      promise !== null && (before === null || (before?.site === promise.site && before.until <= promise.until));
    if (!grew) for (const site of sites) this.#check(site, `${name} promises less`);
  }

  voterDied(name: string): void {
    this.#promises.delete(name);
  }

  /** Whoever starts a database, it accepts writes only under a lease of the highest epoch that its guard knows. */
  becameWritable(site: Site): void {
    const { scheduler, violations, records } = this.#world;
    const first = records.chosen[0]?.record.primary;
    // Q0: the running primary is taken over without a restart.
    const isFounding = first === undefined || (first === site && this.#latest[site] === never);
    if (isFounding || this.#isExcused() || this.#latest[site] + fuseLooks > scheduler.now) return;
    violations.add('I1', `${site} begins to accept writes without a lease (L10)`);
  }

  /** L9: the deadline is looked at right before each side effect, however long what came before it took. */
  begun(site: Site, what: string): void {
    const { scheduler, violations } = this.#world;
    const lateMs = (scheduler.now - this.#latest[site]) / milli;
    if (lateMs <= 0 || this.#isExcused()) return;
    violations.add('I1', `${site}'s guard ${what} ${Math.ceil(lateMs)} ms after its lease ended (L9)`);
  }

  acknowledged(site: Site): void {
    const { scheduler, violations } = this.#world;
    const lateMs = (scheduler.now - this.#latest[site]) / milli;
    if (this.#latest[site] === never || lateMs <= 0 || this.#isExcused()) return;
    violations.add('I1', `${site} acknowledges a write ${Math.ceil(lateMs)} ms after its lease ended (L9)`);
  }

  /** Nothing is promised after a person forced an era, or lost or put back what somebody has to remember. */
  #isExcused(): boolean {
    return this.#world.forced || this.#world.memoryLost;
  }

  #check(site: Site, why: string): void {
    const pg = this.#world.postgres[site];
    // The next life of a guard that died takes over what runs, and only that (L11).
    const isGivenBack =
      this.#lease[site] === null ? !pg.isWritable() : this.#lease[site] === undefined && !pg.processesLeft();
    if (isGivenBack) this.#held[site] = null;
    const until = this.#held[site];
    const { scheduler, options, violations, trace } = this.#world;
    if (until === null || until <= scheduler.now || this.#isExcused()) return;
    const ends = this.#ends(site);
    const covering = ends.filter((end) => end >= until).length;
    const needed = options.witness === 'none' ? 1 : 2;
    if (covering >= needed || this.#vowed(otherSite(site)) >= until) return;
    trace.line('CHECKER', 'lease not covered', JSON.stringify({ site, why, until, ends }));
    const missing = Math.ceil((until - (ends.sort((a, b) => b - a)[needed - 1] ?? 0)) / milli);
    violations.add('I1', `${site}'s lease outlives the promises of a majority by ${missing} ms (L1): ${why}`);
  }

  /** Until when each voter accepts no other primary than `site`. */
  #ends(site: Site): Micros[] {
    const { agents, witness, options } = this.#world;
    const ends = sites.map((each) => this.#voterEnd(agents[each].machine, agents[each].state()?.voter, site));
    if (witness !== null) ends.push(this.#voterEnd(witness.machine, witness.state()?.voter, site));
    if (options.witness === 'route53') ends.push(this.#registerEnd(site));
    return ends;
  }

  /** One that does not run waits out whatever it promised when it starts (L4). */
  #voterEnd(machine: Machine, voter: Voter | undefined, site: Site): Micros {
    if (voter === undefined || voter.amnesia) return always;
    const promised = voter.promise?.site === site ? machine.trueTime(voter.promise.until) : never;
    return Math.max(promised, machine.trueTime(voter.quarantinedUntil));
  }

  /** The first of the agents that will have watched the nonce for long enough (L6). */
  #registerEnd(site: Site): Micros {
    const { value } = this.#world.route53.register;
    const state = registerValue(value);
    if (state === null || state.nonce === 'released' || state.nonce.site !== site) return never;
    if (state.accepted.record.primary !== site) return never;
    return Math.min(...sites.map((each) => this.#watchedEnough(each, state)));
  }

  #watchedEnough(site: Site, { nonce }: RegisterState): Micros {
    const daemon = this.#world.agents[site];
    const state: AgentState | null = daemon.state();
    if (state === null || nonce === 'released' || state.register.watch?.id !== nonce.id) return always;
    const { since } = state.register.watch;
    return daemon.machine.trueTime(since + bindingMs(nonce.ttlMs, state.settings.lease.drift));
  }

  /** L8: the other guard promised not to begin, or waits since its start as if it had. */
  #vowed(site: Site): Micros {
    const guard = this.#world.guards[site];
    const state = guard.state();
    if (state === null) return always;
    return guard.machine.trueTime(Math.max(state.promisedUntil, state.quarantinedUntil));
  }
}
