// I2 and I3's first half, from outside: counts what lies on the voters' disks and in the register, and knows by that
// alone what was chosen. It knows nothing of how anybody came to vote.

import { type Ballot, compareBallots, showBallot } from '../../../src/core/quorum/ballot.ts';
import {
  type Accepted,
  type ClusterRecord,
  compareEpochs,
  compareEras,
  type EpochId,
  epochOf,
  showEpoch,
} from '../../../src/core/quorum/record.ts';
import { soleVoterOf } from '../../../src/core/quorum/sole-voter.ts';
import type { VoterId } from '../../../src/core/site.ts';
import type { Violations } from './violations.ts';

type Tally = {
  readonly ballot: Ballot;
  readonly record: ClusterRecord;
  readonly voters: Set<VoterId>;
  chosen: boolean;
};

export class Records {
  /** Chosen records, ascending: by era, since who forces one may know of no later ballot, then by ballot. */
  readonly chosen: Tally[] = [];
  /** Told of each newly chosen record, in the order in which they were chosen. */
  onChosen: (accepted: Accepted, before: Accepted | null) => void = () => {};
  readonly #tallies = new Map<string, Tally>();
  readonly #violations: Violations;
  readonly #epochs = new Set<string>();

  constructor(violations: Violations) {
    this.#violations = violations;
  }

  /** A vote that is on a disk or in the register, and so cannot be taken back. */
  voted(voter: VoterId, vote: Accepted): void {
    const key = showBallot(vote.ballot);
    let tally = this.#tallies.get(key);
    if (tally === undefined) {
      tally = { ...vote, voters: new Set(), chosen: false };
      this.#comesBack(tally);
      this.#tallies.set(key, tally);
    } else if (!sameRecord(tally.record, vote.record)) {
      this.#violations.add('I2', `ballot ${key} carries two records`);
    }
    if (tally.voters.has(voter)) return;
    tally.voters.add(voter);
    if (!tally.chosen && this.#isMajority(tally)) this.#choose(tally);
  }

  /** Somebody acts on this as chosen. */
  believed(by: string, accepted: Accepted): void {
    const tally = this.#tallies.get(showBallot(accepted.ballot));
    if (tally?.chosen !== true)
      this.#violations.add('I2', `${by} takes ballot ${showBallot(accepted.ballot)} for chosen, which it is not`);
  }

  /** Q0: a person's word puts the first record at every voter. */
  founded(accepted: Accepted): void {
    const tally: Tally = { ...accepted, voters: new Set(), chosen: false };
    this.#tallies.set(showBallot(accepted.ballot), tally);
    this.#choose(tally);
  }

  wasChosen(epoch: EpochId): boolean {
    return this.#epochs.has(showEpoch(epoch));
  }

  newest(): Tally | null {
    return this.chosen.at(-1) ?? null;
  }

  /**
   * Q2, Q5: what a chosen ballot buried does not come back above it. A record that is carried on has the stamp of the change
   * that made it, so one that was voted for below the newest choice, and not from there on, comes from what was buried.
   */
  #comesBack({ ballot, record }: Tally): void {
    const newest = this.chosen.findLast((chosen) => compare(chosen, { ballot, record }) < 0);
    if (newest === undefined || compareEras(newest.record.era, record.era) !== 0 || isSame(newest.record, record))
      return;
    const made = [...this.#tallies.values()].filter(
      (one) => compareBallots(one.ballot, ballot) < 0 && isSame(one.record, record),
    );
    if (made.length === 0 || made.some((one) => compareBallots(one.ballot, newest.ballot) > 0)) return;
    const [first] = made.map((one) => showBallot(one.ballot));
    this.#violations.add(
      'I2',
      `ballot ${showBallot(ballot)} carries the record of ${first}, which the choice at ${showBallot(newest.ballot)} buried`,
    );
  }

  /** "Orders": in a forced era its agent's vote alone decides, the record that ends the era's lonely part included. */
  #isMajority(tally: Tally): boolean {
    const before = this.chosen.findLast((chosen) => compare(chosen, tally) < 0);
    const ends = before !== undefined && compareEras(before.record.era, tally.record.era) === 0;
    const sole = soleVoterOf(tally.record) ?? (ends ? soleVoterOf(before.record) : null);
    return sole === null ? tally.voters.size >= 2 : tally.voters.has(sole);
  }

  #choose(tally: Tally): void {
    tally.chosen = true;
    let at = this.chosen.length;
    while (at > 0 && compare(this.chosen[at - 1] as Tally, tally) > 0) at -= 1;
    this.chosen.splice(at, 0, tally);
    this.#epochs.add(showEpoch(epochOf(tally.record)));
    this.#lawful(this.chosen[at - 1], tally);
    this.#lawful(tally, this.chosen[at + 1]);
    this.onChosen(tally, this.chosen[at - 1] ?? null);
  }

  /** Of two chosen records that follow each other. */
  #lawful(before: Tally | undefined, after: Tally | undefined): void {
    if (before === undefined || after === undefined) return;
    const [one, two] = [before.record, after.record];
    const names = `${showBallot(before.ballot)} -> ${showBallot(after.ballot)}`;
    if (one.cluster !== two.cluster) return this.#violations.add('I2', `${names}: another cluster`);
    const era = compareEras(one.era, two.era);
    if (era > 0) return this.#violations.add('I2', `${names}: the era went back`);
    if (era < 0) return;
    const grown = two.epoch - one.epoch;
    if (one.primary !== two.primary ? grown !== 1 : grown !== 0)
      this.#violations.add(
        'I2',
        `${names}: epoch ${showEpoch(epochOf(one))} of ${one.primary} is followed by ${showEpoch(epochOf(two))} of ${two.primary}`,
      );
  }
}

function compare(one: Accepted, other: Accepted): number {
  return compareEras(one.record.era, other.record.era) || compareBallots(one.ballot, other.ballot);
}

/** The same change, by whoever and in whatever ballot it is carried on. */
function isSame(one: ClusterRecord, other: ClusterRecord): boolean {
  return one.by === other.by && one.at === other.at && one.reason === other.reason && sameRecord(one, other);
}

function sameRecord(one: ClusterRecord, other: ClusterRecord): boolean {
  return (
    one.primary === other.primary &&
    one.entry === other.entry &&
    one.mode === other.mode &&
    one.sync === other.sync &&
    compareEpochs(epochOf(one), epochOf(other)) === 0
  );
}
