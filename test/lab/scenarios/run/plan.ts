/** Which scenario runs in which lab. Bounded rounds run alone in a fresh lab with nothing changed from the defaults. */
import type { WitnessKind } from '../../src/cluster-file.ts';
import type { LoadOptions } from '../../src/load.ts';
import type { Scenario } from '../kit/scenario.ts';
import { scenario as s1 } from '../s01-postmaster-killed.ts';
import { scenario as s2 } from '../s02-database-host-lost.ts';
import { scenario as s3 } from '../s03-site-lost.ts';
import { scenario as s4 } from '../s04-peering-cut.ts';
import { scenario as s5 } from '../s05-service-host-lost.ts';
import { scenario as s6 } from '../s06-site-cut-off.ts';
import { scenario as s7 } from '../s07-witness-unreachable.ts';
import { scenario as s8 } from '../s08-driver-killed.ts';
import { scenario as s9 } from '../s09-old-primary-returns.ts';
import { scenario as s10 } from '../s10-postgres-frozen.ts';
import { scenario as s11 } from '../s11-orders.ts';
import { scenario as s12 } from '../s12-all-hosts-killed.ts';
import { scenario as s13 } from '../s13-guard-killed.ts';
import { scenario as s14 } from '../s14-load-test.ts';
import { scenario as s15 } from '../s15-forced.ts';
import { scenario as s16 } from '../s16-zero-loss.ts';
import { scenario as s17 } from '../s17-zero-loss-strict.ts';

/** One lab and what runs in it, one after the other. */
export interface LabPlan {
  readonly witness: WitnessKind;
  readonly set: readonly string[];
  readonly scenarios: readonly Scenario[];
  /** The outage is held against the scenario's bound. */
  readonly bounded: boolean;
}

/** Labs of one stage run side by side. */
export type Stage = readonly LabPlan[];

/** A second failover shortly after the first: no scenario waits five minutes. */
const NO_COOL_DOWN = ['policy.coolDown=1s', 'policy.entryCoolDown=1s'];

/** Shorter leases for rounds that state no bound: the waits after each start are most of their time. */
const SHORT = [
  ...NO_COOL_DOWN,
  'lease.ttl=5s',
  'lease.renewEvery=500ms',
  'lease.witnessAfter=300ms',
  'lease.registerLeg=500ms',
  'lease.witnessEvery=2s',
  'lease.witnessTtl=8s',
];

/** What two cores bear beside both sites: half the programs' own pace. */
export const PACE: LoadOptions = { client: { writeEveryMs: 40, readEveryMs: 200 }, writer: { everyMs: 40 } };

/** Where two labs share the machine, or it is slow: probes with more patience. */
export const PATIENT = ['probe.deadline=1500ms', 'probe.confirm=5'];
/** Without a register leases last 3 s, in which a guard that is killed has to be started again. */
const LONGER = ['lease.ttl=6s'];

const alone = (...scenarios: readonly Scenario[]): Stage => [{ witness: 'route53', set: [], scenarios, bounded: true }];

const ZERO_LOSS = 'replication=zero-loss';
const STRICT = 'replication=zero-loss-strict';

/** Unbounded ones first in a lab that a bounded one ends: they leave epoch 1, where no cool-down runs. */
const REGULAR: readonly Stage[] = [
  alone(s1),
  alone(s4, s2),
  alone(s3),
  alone(s10),
  alone(s6),
  [
    { witness: 'route53', set: [...SHORT, ...PATIENT], scenarios: [s8, s12, s11, s9, s7], bounded: false },
    { witness: 'agent', set: [...NO_COOL_DOWN, ...PATIENT, ...LONGER], scenarios: [s13, s5], bounded: false },
  ],
  [{ witness: 'route53', set: NO_COOL_DOWN, scenarios: [s14], bounded: false }],
  [{ witness: 'route53', set: [...NO_COOL_DOWN, ZERO_LOSS], scenarios: [s16], bounded: false }],
];

/** What the regular run leaves to the other witness kind, or to none. */
const SLOW: readonly Stage[] = [
  [{ witness: 'agent', set: [...NO_COOL_DOWN, ...PATIENT], scenarios: [s1, s4, s2, s10, s15, s8], bounded: false }],
  [{ witness: 'route53', set: [...NO_COOL_DOWN, ...PATIENT], scenarios: [s13, s5], bounded: false }],
  [{ witness: 'agent', set: [...NO_COOL_DOWN, ZERO_LOSS], scenarios: [s16], bounded: false }],
  [{ witness: 'agent', set: [...NO_COOL_DOWN, STRICT, ...PATIENT, ...LONGER], scenarios: [s17], bounded: false }],
  [{ witness: 'none', set: NO_COOL_DOWN, scenarios: [s1], bounded: false }],
];

export function stagesOf(options: { readonly slow: boolean; readonly only: readonly string[] }): readonly Stage[] {
  const { only } = options;
  const wanted = (scenario: Scenario) => only.length === 0 || only.includes(scenario.id);
  const stages = options.slow ? SLOW : REGULAR;
  return stages
    .map((stage) =>
      stage
        .map((plan) => ({ ...plan, scenarios: plan.scenarios.filter(wanted) }))
        .filter((plan) => plan.scenarios.length > 0),
    )
    .filter((stage) => stage.length > 0);
}

export const ids: readonly string[] = [s1, s2, s3, s4, s5, s6, s7, s8, s9, s10, s11, s12, s13, s14, s15, s16, s17].map(
  ({ id }) => id,
);
