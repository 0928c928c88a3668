// Two database hosts, three voters, and a network that can lose, delay and cut. Changes of the record are made by hand:
// a vote at each voter, which its own promises may forbid (L3), chosen when two of them took it.

import type { Answer, Request } from '../../../src/core/messages.ts';
import { done, type Outcome, unknown } from '../../../src/core/outcome.ts';
import type { Accepted, ClusterRecord } from '../../../src/core/quorum/record.ts';
import type { Settings } from '../../../src/core/settings.ts';
import { guardSite, otherSite, type PeerId, type Site, sites, type VoterId, voterOf } from '../../../src/core/site.ts';
import { Clockwork, dice } from './clockwork.ts';
import { Host, type HostOptions } from './host.ts';
import { chosenAt, FakeRegister, FakeVoter, settings } from './voters.ts';

export type PairOptions = {
  readonly settings?: Settings;
  readonly seed?: number;
  readonly rates?: Readonly<Partial<Record<Site | VoterId, number>>>;
  readonly chosen?: Accepted;
  readonly watch?: HostOptions['watch'];
};

export class Pair {
  readonly world = new Clockwork();
  readonly random: () => number;
  readonly settings: Settings;
  readonly hosts: { readonly site1: Host; readonly site2: Host };
  readonly voters: { readonly site1: FakeVoter; readonly site2: FakeVoter; readonly witness: FakeVoter };
  readonly register: FakeRegister;
  readonly cuts = new Set<string>();
  loss = 0;
  delayMs = 2;
  chosen: Accepted;
  #ballots: number;

  constructor(options: PairOptions = {}) {
    this.settings = options.settings ?? settings;
    this.random = dice(options.seed ?? 1);
    this.chosen = options.chosen ?? chosenAt(1);
    this.#ballots = this.chosen.ballot.counter;
    const { world, random } = this;
    const host = (site: Site): Host =>
      new Host({
        site,
        world,
        random,
        settings: this.settings,
        network: this.#send,
        rate: options.rates?.[site] ?? 1,
        ...(options.watch === undefined ? {} : { watch: options.watch }),
      });
    this.hosts = { site1: host('site1'), site2: host('site2') };
    const voter = (id: VoterId): FakeVoter => {
      const made = new FakeVoter(id, world, this.settings, options.rates?.[id] ?? 1);
      made.found(this.chosen);
      return made;
    };
    this.voters = { site1: voter('site1'), site2: voter('site2'), witness: voter('witness') };
    this.register = new FakeRegister(this.chosen);
  }

  get primary(): Host {
    return this.hosts[this.chosen.record.primary];
  }

  get standby(): Host {
    return this.hosts[otherSite(this.chosen.record.primary)];
  }

  /** A pair in service: site1 writes in epoch 1 under a lease, site2 follows it. */
  static inService(options: PairOptions = {}): Pair {
    const pair = new Pair(options);
    pair.primary.db.role = 'primary';
    pair.primary.db.controlState = 'in production';
    pair.standby.db.role = 'standby';
    pair.standby.db.signalFile = true;
    pair.standby.db.controlState = 'in archive recovery';
    for (const site of sites) pair.hosts[site].startGuard();
    pair.pass(20_000);
    return pair;
  }

  pass(ms: number): void {
    this.world.pass(ms);
  }

  /** Passes time until it holds; the time that took, or null when it never did. */
  until(holds: () => boolean, limitMs = 30_000): number | null {
    for (let waited = 0; waited <= limitMs; waited += 10) {
      if (holds()) return waited;
      this.pass(10);
    }
    return null;
  }

  cut(a: string, b: string): void {
    this.cuts.add(`${a} ${b}`);
  }

  heal(): void {
    this.cuts.clear();
  }

  /** Tries to choose a change at the voters given; tells everyone when it is chosen. */
  change(change: Partial<ClusterRecord>, at: readonly VoterId[] = ['site1', 'site2', 'witness'], push = true): boolean {
    this.#ballots += 1;
    const next: Accepted = {
      ballot: { counter: this.#ballots, voter: 'site2' },
      record: { ...this.chosen.record, ...change },
    };
    const votes = at.filter((id) => !this.voters[id].down && this.voters[id].vote(next));
    if (votes.length < 2) return false;
    this.chosen = next;
    this.register.accepted = next;
    for (const id of at) this.voters[id].learn(next);
    if (!push) return true;
    for (const site of sites) {
      this.#send(
        `${site}-agent`,
        `${site}-guard`,
        { type: 'chosen', cluster: next.record.cluster, chosen: next },
        1000,
        () => {},
      );
    }
    return true;
  }

  /** The change of primary, as soon as the promises of two voters allow it. */
  moveTo(site: Site, limitMs = 20_000): number | null {
    const { epoch } = this.chosen.record;
    return this.until(() => this.change({ primary: site, epoch: epoch + 1 }), limitMs);
  }

  #send = (
    from: PeerId,
    to: PeerId,
    request: Request,
    deadlineMs: number,
    answer: (outcome: Outcome<Answer>) => void,
  ): void => {
    let over = false;
    const end = (outcome: Outcome<Answer>): void => {
      if (over) return;
      over = true;
      answer(outcome);
    };
    this.world.after(deadlineMs, () => end(unknown('timed out')));
    this.#travel(from, to, () =>
      this.#deliver(from, to, request, (value) => this.#travel(to, from, () => end(done(value)))),
    );
  };

  #travel(from: PeerId, to: PeerId, arrive: () => void): void {
    const isCut = (): boolean =>
      this.cuts.has(`${from} ${to}`) ||
      this.cuts.has(`${to} ${from}`) ||
      this.cuts.has(`* ${to}`) ||
      this.cuts.has(`${from} *`);
    if (isCut() || this.random() < this.loss) return;
    this.world.after(this.delayMs * (0.5 + this.random()), () => {
      if (!isCut()) arrive();
    });
  }

  #deliver(from: PeerId, to: PeerId, request: Request, answer: (value: Answer) => void): void {
    const guard = guardSite(to);
    if (guard !== null) return this.hosts[guard].request(from, request, answer);
    const id = voterOf(to);
    if (id === null || (id === 'witness' && this.settings.witness !== 'agent')) return;
    const voter = this.voters[id];
    if (request.type === 'register-grant') {
      // A read and a swap, each within its bound.
      const mayRun = this.register.granter(request, voter);
      this.world.after(300 * (0.5 + this.random()), () => {
        const granted = this.register.grant(request, voter, mayRun);
        if (granted !== null) answer(granted);
      });
      return;
    }
    const value = voter.answer(request);
    if (value !== null) answer(value);
  }
}
