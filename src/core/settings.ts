// The plain numbers the core decides by. `config/` resolves cluster.yaml into this; names follow protocol.md "Timing".
// All durations in milliseconds, sizes in bytes; `drift` is a ratio (0.05 is 5 %).

import type { Ms } from './time.ts';

export type WitnessKind = 'route53' | 'agent' | 'none';

/**
 * V8. `async`: what the standby had not received when the primary died is lost. `zero-loss`: commits wait for the standby;
 * without one they go on once the record says so. `zero-loss-strict`: without one they wait until it is back.
 */
export type Replication = 'async' | 'zero-loss' | 'zero-loss-strict';

export type LeaseSettings = {
  /** Quiet lease (L5). */
  readonly ttlMs: Ms;
  /** P: the guard renews, beats and asks this often. */
  readonly renewEveryMs: Ms;
  /** w: a grant missing for this long begins a long round. */
  readonly witnessAfterMs: Ms;
  /** Long lease, granted with the register. Equal to ttlMs unless the witness is a register. */
  readonly witnessTtlMs: Ms;
  /** Long rounds begin at most this often; records of the same primary are written to the register at most this often. */
  readonly witnessEveryMs: Ms;
  /** D: how much faster one machine's clock may run than another's. */
  readonly drift: number;
  /** F: the guard fences this long before the lease ends. */
  readonly fenceBudgetMs: Ms;
  /** The fuse kills this long before the lease ends; less than fenceBudgetMs. */
  readonly fuseBudgetMs: Ms;
  /** d: bound of one leg at the register: a read, a swap, or the answer to the guard. */
  readonly registerLegMs: Ms;
  /** In quiet times the register is read this often. */
  readonly watchEveryMs: Ms;
  /** After a release with no change chosen the guard goes on in the old epoch after this. */
  readonly releaseWaitMs: Ms;
  /** V6, Q5: the agent that is not the first to act waits this long. */
  readonly otherDelayMs: Ms;
};

export type ProbeSettings = {
  readonly everyMs: Ms;
  readonly deadlineMs: Ms;
  /** This many failures in a row confirm a failure. */
  readonly confirm: number;
  /** This many successes in a row end it. */
  readonly recover: number;
};

export type PolicySettings = {
  /** After a crash: `fastest` releases at once and counts a missing tail as lost; `restart` starts in place first. */
  readonly onCrash: 'fastest' | 'restart';
  readonly maxLagBytes: number;
  readonly coolDownMs: Ms;
  readonly entryCoolDownMs: Ms;
};

export type Settings = {
  readonly cluster: string;
  /** Fingerprint of the voter set: every message carries it. */
  readonly voters: string;
  readonly witness: WitnessKind;
  readonly dns: boolean;
  readonly replication: Replication;
  readonly lease: LeaseSettings;
  readonly probe: ProbeSettings;
  readonly policy: PolicySettings;
  readonly orderTimeoutMs: Ms;
  readonly restartBudgetMs: Ms;
  /** Deadline of one request between peers. */
  readonly peerDeadlineMs: Ms;
  /** To fence a database from outside: its host's forced command, and where there is one the operator's own after it. */
  readonly outerFenceMs: Ms;
  /** The application instances of each site, by the names HAProxy has for them. */
  readonly instances: { readonly site1: readonly string[]; readonly site2: readonly string[] };
  /** `address:port` of each site's database, as the instances name it. */
  readonly databases: { readonly site1: string; readonly site2: string };
};

/** Of a quiet lease, where the file says nothing: with a register there has to be time for its grants (L5). */
export const defaultTtlMs: Readonly<Record<WitnessKind, Ms>> = { route53: 6000, agent: 3000, none: 3000 };

/** Tmax as configured: the largest ttl this configuration may ask for (L4). */
export function longestTtl(lease: LeaseSettings, witness: WitnessKind): Ms {
  return witness === 'route53' ? Math.max(lease.ttlMs, lease.witnessTtlMs) : lease.ttlMs;
}
