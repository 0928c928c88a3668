// Voters for guards to talk to, with the real grantor (core/quorum/voter.ts) behind them, and a register that grants what
// an agent granted. Anyone can be cut off, refuse, or be left behind.

import type { Answer, GuardAnswer, RegisterGrant, Request, SyncAnswer, SyncOff } from '../../../src/core/messages.ts';
import { type Accepted, type ClusterRecord, epochOf } from '../../../src/core/quorum/record.ts';
import { compareRounds, noRound, type Round, sameRound } from '../../../src/core/quorum/round.ts';
import {
  accept,
  emptyVoterDurable,
  grant,
  latestRound,
  learnChosen,
  prepare,
  release,
  startVoter,
  toldOfGrant,
  type Voter,
} from '../../../src/core/quorum/voter.ts';
import { longestTtl, type Settings } from '../../../src/core/settings.ts';
import type { VoterId } from '../../../src/core/site.ts';
import type { Clockwork } from './clockwork.ts';
import { HostClock } from './clockwork.ts';

export const clusterId = 'test-1';

export const settings: Settings = {
  cluster: 'test',
  voters: 'abc',
  witness: 'agent',
  dns: false,
  replication: 'async',
  lease: {
    ttlMs: 3000,
    renewEveryMs: 750,
    witnessAfterMs: 400,
    witnessTtlMs: 3000,
    witnessEveryMs: 6000,
    drift: 0.05,
    fenceBudgetMs: 900,
    fuseBudgetMs: 400,
    registerLegMs: 250,
    watchEveryMs: 30_000,
    releaseWaitMs: 3000,
    otherDelayMs: 500,
  },
  probe: { everyMs: 500, deadlineMs: 800, confirm: 3, recover: 2 },
  policy: { onCrash: 'fastest', maxLagBytes: 16_777_216, coolDownMs: 300_000, entryCoolDownMs: 300_000 },
  orderTimeoutMs: 10_000,
  restartBudgetMs: 30_000,
  peerDeadlineMs: 1000,
  outerFenceMs: 4000,
  instances: { site1: [], site2: [] },
  databases: { site1: '172.20.1.30', site2: '172.21.1.30' },
};

export const withRegister: Settings = {
  ...settings,
  witness: 'route53',
  lease: { ...settings.lease, ttlMs: 6000, witnessTtlMs: 15_000, registerLegMs: 1200 },
};

export function recordOf(change: Partial<ClusterRecord> = {}): ClusterRecord {
  return {
    cluster: clusterId,
    era: { number: 0, site: 'site1' },
    epoch: 1,
    primary: 'site1',
    entry: 'site1',
    mode: 'auto',
    sync: false,
    voters: 'abc',
    by: 'test',
    at: '',
    reason: '',
    ...change,
  };
}

export function chosenAt(counter: number, change: Partial<ClusterRecord> = {}): Accepted {
  return { ballot: { counter, voter: 'site1' }, record: recordOf(change) };
}

export class FakeVoter {
  readonly id: VoterId;
  readonly clock: HostClock;
  readonly settings: Settings;
  voter: Voter;
  down = false;
  refusing = false;
  /** It has just started and does not know yet whether it may grant. */
  busy = false;
  /** It has an order past this guard. */
  orders = false;
  mayTakeOver = false;
  hearsPeer = true;
  /** V8: what it says when it is asked; null says nothing. */
  syncOff: (question: SyncOff) => SyncAnswer | null = () => null;
  granted = 0;
  readonly releases: Extract<Request, { type: 'release' }>[] = [];
  readonly renewals: Extract<Request, { type: 'renew' }>[] = [];

  constructor(id: VoterId, world: Clockwork, used: Settings, rate = 1) {
    this.id = id;
    this.settings = used;
    this.clock = new HostClock(world, rate);
    this.voter = startVoter({ ...emptyVoterDurable, cluster: clusterId }, false, this.rules, this.clock.now());
  }

  get rules() {
    return {
      voters: this.settings.voters,
      drift: this.settings.lease.drift,
      longestTtlMs: longestTtl(this.settings.lease, this.settings.witness),
    };
  }

  /** Takes a record as founded with it, without a wait. */
  found(chosen: Accepted): void {
    this.voter = {
      ...this.voter,
      durable: { ...this.voter.durable, promised: chosen.ballot, accepted: chosen, chosen },
      quarantinedUntil: 0,
    };
  }

  restart(): void {
    this.voter = startVoter(this.voter.durable, false, this.rules, this.clock.now());
  }

  /** Prepare and accept at once; whether it voted for it. */
  vote(next: Accepted): boolean {
    const { cluster } = next.record;
    const message = { cluster, voters: this.settings.voters, ballot: next.ballot };
    const promised = prepare(this.voter, { type: 'prepare', ...message }, this.rules);
    if (promised.refusal !== null) return false;
    const voted = accept(
      promised.voter,
      { type: 'accept', ...message, record: next.record },
      this.rules,
      this.clock.now(),
    );
    this.voter = voted.refusal === null ? voted.voter : promised.voter;
    return voted.refusal === null;
  }

  learn(chosen: Accepted): void {
    this.voter = learnChosen(this.voter, chosen);
  }

  answer(request: Request): Answer | null {
    if (this.down) return null;
    switch (request.type) {
      case 'renew': {
        this.renewals.push(request);
        if (this.orders) return this.#say({ granted: null, refusal: 'order', round: request.round });
        if (this.busy) return this.#say({ granted: null, refusal: 'busy', round: request.round });
        const result = grant(this.voter, request, this.refusing, this.rules, this.clock.now());
        this.voter = result.voter;
        if (result.refusal === null) this.granted += 1;
        if (result.refusal === null)
          return this.#say({ ...toldOfGrant(this.id, request, this.rules), round: request.round });
        return this.#say({ granted: null, refusal: result.refusal, round: latestRound(this.voter, request) });
      }
      case 'release':
        this.releases.push(request);
        this.voter = release(this.voter, request);
        return this.#say({ granted: null, refusal: null, round: latestRound(this.voter, request) });
      case 'sync-off':
        return this.syncOff(request);
      case 'inquire':
        return this.#say({
          granted: null,
          refusal: null,
          round: latestRound(this.voter, { site: request.status.site, round: noRound }),
        });
      default:
        return null;
    }
  }

  #say(
    verdict: Pick<GuardAnswer, 'granted' | 'refusal' | 'round'> & Partial<Pick<GuardAnswer, 'grantedFor'>>,
  ): GuardAnswer {
    return {
      type: 'guard-answer',
      grantedFor: null,
      ...verdict,
      chosen: this.voter.durable.chosen,
      standby: { mayTakeOver: this.mayTakeOver, why: this.mayTakeOver ? '' : 'no', received: null, ageMs: 0 },
      refusing: this.refusing,
      hearsPeer: this.hearsPeer,
    };
  }
}

/** The register's grants, without its writes: one value, never given back to an older round (L5). */
export class FakeRegister {
  down = false;
  nonce: { readonly site: string; readonly round: Round } | null = null;
  accepted: Accepted;
  grants = 0;

  constructor(accepted: Accepted) {
    this.accepted = accepted;
  }

  /** Whether the agent granted the round itself is looked at when it is asked, the rest when it writes. */
  granter(request: RegisterGrant, agent: FakeVoter): boolean {
    const { promise } = agent.voter;
    return promise !== null && sameRound(promise.round, request.round);
  }

  grant(request: RegisterGrant, agent: FakeVoter, mayRun: boolean): GuardAnswer | null {
    if (agent.down) return null;
    const base = agent.answer({
      type: 'inquire',
      cluster: clusterId,
      voters: 'abc',
      status: { site: request.site } as never,
    });
    if (base?.type !== 'guard-answer') return null;
    const refuse = (refusal: GuardAnswer['refusal']): GuardAnswer => ({
      ...base,
      granted: null,
      refusal,
      round: request.round,
    });
    if (!mayRun) return refuse('not-granted');
    if (this.down) return refuse('register');
    const { record } = this.accepted;
    if (record.primary !== request.site || epochOf(record).epoch !== request.epoch.epoch) return refuse('not-accepted');
    if (compareRounds(this.nonce?.round ?? noRound, request.round) >= 0) return refuse('old-round');
    this.nonce = { site: request.site, round: request.round };
    this.grants += 1;
    return { ...base, granted: 'witness', refusal: null, round: request.round };
  }
}
