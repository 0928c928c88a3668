// The voters' own functions under everything that a network, a scheduler and a clock can do to them, without agents: what
// was sent is a fact that stays true, and is taken up at any later time, or never, or again (as in the exhaustive model
// of the protocol). Proposers try everything that Q2 and Q6 let them; guards renew, release and go on.

import { type Ballot, compareBallots, maxBallot, sameBallot } from '../../src/core/quorum/ballot.ts';
import { type Accepted, type ClusterRecord, compareEpochs, epochOf } from '../../src/core/quorum/record.ts';
import { compareRounds, type Round } from '../../src/core/quorum/round.ts';
import {
  accept,
  bindsAgainst,
  grant,
  isLaterAccepted,
  learnChosen,
  prepare,
  release,
  startVoter,
  type Voter,
  viewOf,
} from '../../src/core/quorum/voter.ts';
import { otherSite, type Site, sites, type VoterId } from '../../src/core/site.ts';
import { at, deepFreeze, durable } from '../unit/core-builders.ts';
import { brokenInMemory, brokenOnDisk, createTwin, type Twin } from './cluster-twin.ts';

export const drift = 0.05;
export const ttls = { quiet: 100, long: 200 } as const;
export const rules = { voters: 'three', drift, longestTtlMs: ttls.long };
const addressed = { cluster: 'c-1', voters: 'three' };
const founded = at(1);

/** A round of a proposer; `to` is the primary it wants, or null to alter nothing. */
export type Attempt = {
  readonly ballot: Ballot;
  readonly by: Site;
  readonly to: Site | null;
  readonly from: ClusterRecord;
  record: ClusterRecord | null;
};
type Promised = {
  readonly attempt: Attempt;
  readonly voter: VoterId;
  readonly accepted: Accepted | null;
  readonly free: number;
};
export type Renewal = {
  readonly site: Site;
  readonly record: ClusterRecord;
  readonly round: Round;
  readonly t0: number;
  readonly ttlMs: number;
  readonly granted: Set<VoterId>;
};
export type Action = { readonly name: string; readonly run: () => void };

type GuardMind = { noted: Accepted; seq: number; covered: Round };

export class VotersModel {
  now = 1000;
  readonly twin: Twin;
  readonly voters: Map<VoterId, Voter>;
  readonly attempts: Attempt[] = [];
  readonly accepts: Accepted[] = [];
  readonly chosen: Accepted[] = [founded];
  readonly renewals: Renewal[] = [];
  readonly releases: { readonly site: Site; readonly round: Round }[] = [];
  readonly #promised: Promised[] = [];
  readonly #guards: Record<Site, GuardMind>;

  /** The voters that are processes with a clock. */
  constructor(clocked: readonly VoterId[]) {
    this.twin = createTwin(founded, ['site1', 'site2', 'witness']);
    const fresh = (): Voter => deepFreeze({ ...startVoter(durable({ longestTtlMs: ttls.long }), false, rules, 0) });
    this.voters = new Map(clocked.map((id) => [id, fresh()]));
    const guard = (): GuardMind => ({ noted: founded, seq: 0, covered: { start: 1, seq: 0 } });
    this.#guards = { site1: guard(), site2: guard() };
  }

  voter(id: VoterId): Voter {
    const found = this.voters.get(id);
    if (found === undefined) throw new Error(`${id} is no voter with a clock`);
    return found;
  }

  set(id: VoterId, after: Voter, released = false): void {
    const before = this.voter(id);
    if (after === before) return;
    this.twin.broken.push(...brokenOnDisk(before.durable, after.durable), ...brokenInMemory(before, after, released));
    this.voters.set(id, deepFreeze(after));
    const vote = after.durable.accepted;
    if (vote !== null && vote !== before.durable.accepted) this.vote(id, vote);
  }

  vote(id: VoterId, vote: Accepted): void {
    this.twin.voted(id, vote, this.now);
    this.chosen.splice(0, this.chosen.length, ...this.twin.chosen());
  }

  pass(ms: number): void {
    this.now += ms;
  }

  actions(): Action[] {
    return [
      ...this.#clock(),
      ...sites.flatMap((site) => this.#begin(site)),
      ...this.attempts.flatMap((attempt) => this.#prepare(attempt)),
      ...this.#promised.flatMap((promised) => this.#proceed(promised)),
      ...this.accepts.flatMap((vote) => this.#accept(vote)),
      ...this.chosen.flatMap((chosen) => this.#learn(chosen)),
      ...sites.flatMap((site) => this.#guard(site)),
      ...this.renewals.flatMap((renewal) => this.#renew(renewal)),
      ...this.releases.flatMap((told) => this.#release(told)),
    ];
  }

  #clock(): Action[] {
    const pass = (ms: number) => ({ name: `pass ${ms}`, run: () => this.pass(ms) });
    const crash = (id: VoterId) => ({
      name: `crash ${id}`,
      run: () => void this.voters.set(id, startVoter(this.voter(id).durable, false, rules, this.now)),
    });
    return [pass(10), pass(50), pass(100), pass(110), pass(210), ...[...this.voters.keys()].map(crash)];
  }

  #begin(by: Site): Action[] {
    if (this.attempts.length >= 8) return [];
    const { durable: disk } = this.voter(by);
    const highest = this.attempts.reduce(
      (top, { ballot }) => (ballot.voter === by ? maxBallot(top, ballot) : top),
      disk.promised,
    );
    const known = disk.chosen?.record;
    if (known === undefined) return [];
    return [null, otherSite(known.primary)].map((to) => ({
      name: `${by} begins ${to ?? 'a change that alters nothing'}`,
      run: () => {
        const ballot = { counter: highest.counter + 1, voter: by };
        const own = prepare(this.voter(by), { type: 'prepare', ...addressed, ballot }, rules);
        if (own.refusal !== null) return;
        this.set(by, own.voter);
        this.attempts.push({ ballot, by, to, from: known, record: null });
      },
    }));
  }

  #prepare(attempt: Attempt): Action[] {
    return [...this.voters.keys()]
      .filter((id) => id !== attempt.by)
      .map((id) => ({
        name: `${id} is asked to promise`,
        run: () => {
          const before = this.voter(id);
          const { voter, refusal } = prepare(before, { type: 'prepare', ...addressed, ballot: attempt.ballot }, rules);
          if (refusal !== null) return;
          this.set(id, voter);
          const view = viewOf(before, this.now);
          const bindsMs = view.bindsTo === attempt.to ? view.quarantineMs : view.bindsMs;
          this.#promised.push({ attempt, voter: id, accepted: view.accepted, free: this.now + bindsMs });
        },
      }));
  }

  /** Q2: the record found among the proposer and one that promised, changed as wanted; null to give up. */
  compute({ by, to, from }: Attempt, other: Accepted | null): ClusterRecord | null {
    const own = this.voter(by).durable.accepted;
    const found = other !== null && (own === null || isLaterAccepted(other, own)) ? other : own;
    if (found === null) return null;
    if (to === null || found.record.primary === to) return found.record;
    if (compareEpochs(epochOf(found.record), epochOf(from)) !== 0) return null;
    return { ...found.record, epoch: from.epoch + 1, primary: to, by };
  }

  mine({ ballot, by }: Attempt): boolean {
    return sameBallot(this.voter(by).durable.promised, ballot);
  }

  #proceed({ attempt, accepted, free }: Promised): Action[] {
    if (attempt.record !== null || !this.mine(attempt)) return [];
    const record = this.compute(attempt, accepted);
    // Q6: judged by what the other one said; by now that may be old.
    const changes = accepted?.record.primary !== record?.primary;
    if (record === null || bindsAgainst(this.voter(attempt.by), record, this.now) > 0) return [];
    if (changes && free > this.now) return [];
    return [{ name: `${attempt.by} votes and asks for votes`, run: () => this.#propose(attempt, record) }];
  }

  #propose(attempt: Attempt, record: ClusterRecord): void {
    const vote = { ballot: attempt.ballot, record };
    const own = accept(this.voter(attempt.by), { type: 'accept', ...addressed, ...vote }, rules, this.now);
    if (own.refusal !== null) return;
    attempt.record = record;
    this.set(attempt.by, own.voter);
    this.accepts.push(vote);
  }

  #accept(vote: Accepted): Action[] {
    return [...this.voters.keys()].map((id) => ({
      name: `${id} is asked for its vote`,
      run: () => this.set(id, accept(this.voter(id), { type: 'accept', ...addressed, ...vote }, rules, this.now).voter),
    }));
  }

  #learn(chosen: Accepted): Action[] {
    const voters = [...this.voters.keys()].map((id) => ({
      name: `${id} learns what is chosen`,
      run: () => this.set(id, learnChosen(this.voter(id), chosen)),
    }));
    const guards = sites.map((site) => ({ name: `${site}'s guard learns`, run: () => this.#note(site, chosen) }));
    return [...voters, ...guards];
  }

  #note(site: Site, chosen: Accepted): void {
    const guard = this.#guards[site];
    if (compareBallots(chosen.ballot, guard.noted.ballot) <= 0) return;
    const moved = chosen.record.epoch !== guard.noted.record.epoch;
    guard.noted = chosen;
    if (moved) this.twin.fenced(site);
  }

  #guard(site: Site): Action[] {
    const guard = this.#guards[site];
    // L2 must hold whatever a guard believes (C1), so it asks for epochs too of which it does not know whether they are.
    const records = [guard.noted.record, ...this.attempts.map(({ record }) => record)].filter(
      (record) => record !== null && record.primary === site && record.epoch >= guard.noted.record.epoch,
    );
    const beats = this.renewals.length >= 8 ? [] : (['quiet', 'long'] as const);
    return [
      ...records.flatMap((record) =>
        beats.map((length) => this.#beat(site, guard, record ?? guard.noted.record, length)),
      ),
      {
        name: `${site}'s guard fences and releases`,
        run: () => {
          guard.covered = { start: 1, seq: guard.seq };
          this.twin.fenced(site);
          this.releases.push({ site, round: guard.covered });
        },
      },
    ];
  }

  #beat(site: Site, guard: GuardMind, record: ClusterRecord, length: 'quiet' | 'long'): Action {
    return {
      name: `${site}'s guard begins a ${length} round`,
      run: () => {
        guard.seq += 1;
        const round = { start: 1, seq: guard.seq };
        this.renewals.push({ site, record, round, t0: this.now, ttlMs: ttls[length], granted: new Set() });
      },
    };
  }

  askOf({ record, site, round, ttlMs }: Renewal) {
    return { ...addressed, epoch: epochOf(record), site, round, ttlMs };
  }

  #renew(renewal: Renewal): Action[] {
    return [...this.voters.keys()].map((id) => ({
      name: `${id} is asked to grant`,
      run: () => {
        const { voter, refusal } = grant(this.voter(id), this.askOf(renewal), false, rules, this.now);
        if (refusal !== null) return;
        this.set(id, voter);
        this.granted(renewal, id);
      },
    }));
  }

  /** L1: a majority of one round is a lease, in true time as long as the slowest clock allows. */
  granted(renewal: Renewal, id: VoterId): void {
    const { site, round, t0, ttlMs, record } = renewal;
    const guard = this.#guards[site];
    renewal.granted.add(id);
    const until = t0 + ttlMs * (1 + drift);
    const counts = compareRounds(round, guard.covered) > 0 && record.epoch >= guard.noted.record.epoch;
    if (renewal.granted.size < 2 || !counts || until <= this.now) return;
    this.twin.leased(site, { epoch: record.epoch, until }, this.now);
  }

  #release(told: { readonly site: Site; readonly round: Round }): Action[] {
    return [...this.voters.keys()].map((id) => ({
      name: `${id} hears a release`,
      run: () => this.set(id, release(this.voter(id), told), true),
    }));
  }
}
