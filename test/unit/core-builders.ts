// Small builders for tests of the core.

import type { GuardStatus, Renew, StateNotice, VoterView } from '../../src/core/messages.ts';
import type { Ballot } from '../../src/core/quorum/ballot.ts';
import type { Accepted, ClusterRecord, EpochId } from '../../src/core/quorum/record.ts';
import type { Round } from '../../src/core/quorum/round.ts';
import { emptyVoterDurable, startVoter, type Voter, type VoterDurable } from '../../src/core/quorum/voter.ts';
import type { Settings, WitnessKind } from '../../src/core/settings.ts';
import type { Site, VoterId } from '../../src/core/site.ts';
import type { Moment } from '../../src/core/time.ts';

/** The core may change nothing that it is given: in tests everything it is given is frozen. */
export function deepFreeze<T>(value: T): T {
  if (typeof value !== 'object' || value === null || Object.isFrozen(value)) return value;
  Object.freeze(value);
  for (const part of Object.values(value)) deepFreeze(part);
  return value;
}

export const era0 = { number: 0, site: 'site1' } as const;

export function ballot(counter: number, voter: VoterId = 'site1'): Ballot {
  return { counter, voter };
}

export function epoch(number: number): EpochId {
  return { era: era0, epoch: number };
}

export function record(change: Partial<ClusterRecord> = {}): ClusterRecord {
  return {
    cluster: 'c-1',
    era: era0,
    epoch: 1,
    primary: 'site1',
    entry: 'site1',
    mode: 'auto',
    sync: false,
    voters: 'three',
    by: 'operator:ann',
    at: '2026-01-01T00:00:00.000Z',
    reason: 'founded',
    ...change,
  };
}

/** Epoch 2, moved to site2. */
export const moved = record({ epoch: 2, primary: 'site2', reason: 'moved' });

export function at(counter: number, value: ClusterRecord = record(), voter: VoterId = 'site1'): Accepted {
  return { ballot: ballot(counter, voter), record: value };
}

export const rules = { voters: 'three', drift: 0.05, longestTtlMs: 15_000 };

/** What every voter holds after `siteward init`. */
export function durable(change: Partial<VoterDurable> = {}): VoterDurable {
  return {
    ...emptyVoterDurable,
    cluster: 'c-1',
    promised: ballot(1),
    accepted: at(1),
    chosen: at(1),
    longestTtlMs: 15_000,
    ...change,
  };
}

/** A voter whose quarantine is over. */
export function voter(change: Partial<VoterDurable> = {}, more: Partial<Voter> = {}): Voter {
  return deepFreeze({ ...startVoter(durable(change), false, rules, 0), quarantinedUntil: 0, ...more });
}

export function round(seq: number, start = 1): Round {
  return { start, seq };
}

export function moment(now: number, wall = 1_700_000_000_000 + now): Moment {
  return { now, wall, random: '0123456789abcdef0123456789abcdef' };
}

export function view(change: Partial<VoterView> = {}): VoterView {
  return {
    promised: ballot(1),
    accepted: at(1),
    chosen: at(1),
    bindsMs: 0,
    bindsTo: null,
    quarantineMs: 0,
    amnesia: false,
    longestTtlMs: 15_000,
    ...change,
  };
}

export function notice(change: Partial<StateNotice> = {}): StateNotice {
  return {
    type: 'state',
    cluster: 'c-1',
    voters: 'three',
    version: 1,
    view: view(),
    verdicts: { primary: 'healthy', standby: 'healthy', entry: 'healthy', otherEntry: 'healthy' },
    refusing: false,
    register: null,
    lastPrimary: null,
    standbyPeak: null,
    orderMs: 0,
    orderRefuses: false,
    seenOfYou: null,
    voteOfYou: null,
    ...change,
  };
}

/** site1's guard renews its lease of epoch 1. */
export function renew(change: Partial<Renew> = {}): Renew {
  return {
    type: 'renew',
    cluster: 'c-1',
    voters: 'three',
    epoch: epoch(1),
    site: 'site1',
    round: round(2),
    ttlMs: 6000,
    status: guardStatus('site1'),
    ...change,
  };
}

export function guardStatus(site: Site, change: Partial<GuardStatus> = {}): GuardStatus {
  return {
    site,
    noted: epoch(1),
    database: site === 'site1' ? 'primary' : 'standby',
    crashed: false,
    leaseLeftMs: site === 'site1' ? 5000 : 0,
    fuseAlive: true,
    systemId: 'one',
    timeline: 1,
    position: 1000,
    quarantineMs: 0,
    restingMs: 0,
    missingMs: 0,
    syncAt: null,
    diskFull: false,
    unheardMs: { site1: 0, site2: 0 },
    failsafeOf: null,
    ...change,
  };
}

/** The defaults of protocol.md, "Timing". */
export function settings(witness: WitnessKind = 'route53'): Settings {
  return {
    cluster: 'c',
    voters: 'three',
    witness,
    dns: true,
    replication: 'async',
    lease: {
      ttlMs: 6000,
      renewEveryMs: 750,
      witnessAfterMs: 400,
      witnessTtlMs: witness === 'route53' ? 15_000 : 6000,
      witnessEveryMs: 6000,
      drift: 0.05,
      fenceBudgetMs: 900,
      fuseBudgetMs: 400,
      registerLegMs: 1200,
      watchEveryMs: 30_000,
      releaseWaitMs: 3000,
      otherDelayMs: 500,
    },
    probe: { everyMs: 500, deadlineMs: 800, confirm: 3, recover: 2 },
    policy: { onCrash: 'fastest', maxLagBytes: 1000, coolDownMs: 300_000, entryCoolDownMs: 300_000 },
    orderTimeoutMs: 10_000,
    restartBudgetMs: 30_000,
    peerDeadlineMs: 2000,
    outerFenceMs: 4000,
    instances: { site1: ['a1', 'a2'], site2: ['b1', 'b2'] },
    databases: { site1: '10.1.0.1', site2: '10.2.0.1' },
  };
}

export function but<T extends object>(value: T, change: Partial<T>): T {
  return deepFreeze({ ...value, ...change });
}
