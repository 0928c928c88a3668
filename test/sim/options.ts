// Everything that a run depends on besides the code: all of it drawn from the seed, all of it printed, all of it can be
// given back as JSON. Swarm (Groce et al., 2012): each kind of fault is off for a whole run with a fair chance, and the
// rest have random weights, because a run of everything at once never gets far enough into anything.

import type { WitnessKind } from '../../src/core/settings.ts';
import { Random } from './engine/random.ts';
import { type FaultKind, faultKinds } from './faults/kinds.ts';

export type Replication = 'async' | 'zero-loss' | 'zero-loss-strict';

export type RunOptions = {
  readonly seed: string;
  /** Simulated length of the phase with faults; the phase without follows until all has converged. */
  readonly minutes: number;
  readonly witness: WitnessKind;
  readonly replication: Replication;
  readonly onCrash: 'fastest' | 'restart';
  /** How fast each machine's clock runs, in parts per million off true time. */
  readonly clockPpm: Readonly<Record<string, number>>;
  /** Relative weight of each kind of fault; those that are left out do not happen. */
  readonly faults: Readonly<Partial<Record<FaultKind, number>>>;
  /** Mean time between the beginnings of two faults. */
  readonly faultEveryMs: number;
  /** Faults that may be there at the same time. */
  readonly faultsAtOnce: number;
  readonly writesPerSecond: number;
  /** One in so many messages goes through the wire codec as bytes; the others are handed over as they are. */
  readonly codecEvery: number;
  /** Every daemon speaks only the older wire version at first; they are upgraded, and put back, one by one. */
  readonly upgrade: boolean;
  /**
   * Everything happens at whole multiples of so many milliseconds, later than it could by less than one: much of it at
   * the same instant, which a run on exact time hardly ever meets, and at half the cost. 0: exact time.
   */
  readonly grainMs: number;
  /**
   * One failover follows the other: cool-downs of a second (the default is five minutes), and a person makes a diverged
   * standby anew while the faults go on. At the end the primary's database host is lost, and the other has to take over.
   */
  readonly brisk: boolean;
  /** Of WAL: with much of it a standby that is stalled for a while is too far behind (V5). */
  readonly bytesPerWrite: number;
  /** One in so many requests that meet a cut comes through when it is healed, as TCP may deliver it; 0: none does. */
  readonly lateOneIn: number;
  /** Ticks and looks at the own host wait a little for company (world/company.ts), at two thirds of the cost. */
  readonly patient: boolean;
  /** One in so many faults waits for a transition of the protocol and begins right after it (faults/injector.ts); 0: none does. */
  readonly ambushOneIn: number;
};

/** What runs were before these could be drawn; seeds that are pinned keep it. */
export const asBefore = { brisk: false, bytesPerWrite: 2000, lateOneIn: 0, patient: false, ambushOneIn: 0 } as const;

export const machineNames = [
  'site1-svc',
  'site1-app',
  'site1-db',
  'site2-svc',
  'site2-app',
  'site2-db',
  'third',
  'internet',
] as const;

/** D is 5 %: no two clocks may differ by more, so each stays within half of it. */
const ppmLimit = 24_000;

/** Drawn apart, so that seeds draw what they drew before. */
function isNewest(kind: FaultKind): boolean {
  return kind === 'slot-lost' || kind === 'disaster';
}

/** Likewise, and more seldom: what people do to hosts one by one. */
function isRare(kind: FaultKind): boolean {
  return faultKinds.indexOf(kind) >= faultKinds.indexOf('file-edited');
}

export function drawOptions(seed: string, given: Partial<RunOptions> = {}): RunOptions {
  const random = new Random(`options ${seed}`);
  const witness = random.pick(['route53', 'route53', 'agent', 'agent', 'none'] as const);
  const replication = random.pick(['async', 'async', 'zero-loss', 'zero-loss', 'zero-loss-strict'] as const);
  const perfect = random.ratio(1, 3);
  const clockPpm = Object.fromEntries(
    machineNames.map((name) => [name, perfect ? 0 : random.range(-ppmLimit, ppmLimit)]),
  );
  const single = random.ratio(1, 4);
  const faults: Partial<Record<FaultKind, number>> = {};
  const later = new Random(`later faults ${seed}`);
  const newest = new Random(`newest faults ${seed}`);
  const rare = new Random(`rare faults ${seed}`);
  for (const kind of faultKinds) {
    const source = kind === 'isolate-machine' ? later : isNewest(kind) ? newest : isRare(kind) ? rare : random;
    if (source.ratio(1, isRare(kind) ? 4 : 2)) faults[kind] = source.range(1, 10);
  }
  const upgrade = random.ratio(1, 8);
  // A fleet of one release stays so: what a mixed one does is another run's business.
  if (!upgrade) delete faults['upgrade-daemon'];
  return {
    seed,
    minutes: 8,
    witness,
    replication,
    onCrash: random.pick(['fastest', 'restart'] as const),
    clockPpm,
    faults,
    faultEveryMs: random.pick([3000, 8000, 20_000, 45_000]),
    faultsAtOnce: single ? 1 : random.range(2, 5),
    writesPerSecond: random.pick([1, 2, 5]),
    codecEvery: random.ratio(1, 32) ? 1 : 64,
    upgrade,
    grainMs: random.pick([0, 10, 20, 50]),
    brisk: later.ratio(1, 2),
    bytesPerWrite: later.pick([2000, 20_000, 200_000]),
    lateOneIn: later.pick([0, 4]),
    patient: later.ratio(3, 4),
    ambushOneIn: new Random(`ambushes ${seed}`).pick([0, 2]),
    ...given,
  };
}
