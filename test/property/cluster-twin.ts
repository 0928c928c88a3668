// The naive twin: counts votes from outside, knows nothing of ballots' meaning, and holds what must always hold (I1, I2,
// I6's safe half) and the laws of a voter against what the real steps do.

import { type Ballot, compareBallots, showBallot } from '../../src/core/quorum/ballot.ts';
import { type Accepted, type ClusterRecord, compareEpochs, epochOf } from '../../src/core/quorum/record.ts';
import type { Voter, VoterDurable } from '../../src/core/quorum/voter.ts';
import type { Site, VoterId } from '../../src/core/site.ts';

type Tally = { readonly ballot: Ballot; readonly record: ClusterRecord; readonly voters: Set<VoterId> };
/** A lease as its holder counts it, in true time. */
export type TrueLease = { readonly epoch: number; readonly until: number };

export type Twin = {
  /** A vote that is on a disk, or in the register. */
  voted(voter: VoterId, vote: Accepted, at: number): void;
  /** Somebody takes this for chosen, on its disk (Q4). */
  believed(by: VoterId, chosen: Accepted): void;
  /** A guard counted a majority of grants of one round. */
  leased(site: Site, lease: TrueLease, at: number): void;
  /** A guard has fenced its database for good. */
  fenced(site: Site): void;
  chosen(): readonly Accepted[];
  lease(site: Site): TrueLease | null;
  readonly broken: string[];
};

export function createTwin(founded: Accepted, voters: readonly VoterId[]): Twin {
  const tallies = new Map<string, Tally>();
  const leases: Record<Site, TrueLease | null> = { site1: null, site2: null };
  const broken: string[] = [];
  const law = (holds: boolean, sentence: string): void => {
    if (!holds) broken.push(sentence);
  };
  // Without a witness both agents are needed.
  const majority = 2;
  for (const voter of voters) voted(voter, founded, 0);

  function chosen(): readonly Accepted[] {
    return [...tallies.values()]
      .filter((tally) => tally.voters.size >= majority)
      .sort((a, b) => compareBallots(a.ballot, b.ballot));
  }

  function voted(voter: VoterId, vote: Accepted, at: number): void {
    const key = showBallot(vote.ballot);
    const tally: Tally = tallies.get(key) ?? { ...vote, voters: new Set() };
    tallies.set(key, tally);
    law(same(tally.record, vote.record), `I2: ballot ${key} carries two records`);
    const was = tally.voters.size;
    tally.voters.add(voter);
    if (was < majority && tally.voters.size >= majority) onChosen(tally, at);
  }

  function onChosen(tally: Tally, at: number): void {
    const chain = chosen();
    for (const [index, { ballot, record }] of chain.entries()) {
      const before = chain[index - 1]?.record;
      if (before === undefined) continue;
      const moved = before.primary !== record.primary;
      const grown = compareEpochs(epochOf(record), epochOf(before));
      law(grown >= 0, `I2: ballot ${showBallot(ballot)} goes back to epoch ${record.epoch}`);
      law(moved === (record.epoch === before.epoch + 1), `I2: ${showBallot(ballot)} moves primary without one epoch`);
      law(moved || record.epoch === before.epoch, `I2: ${showBallot(ballot)} jumps to epoch ${record.epoch}`);
    }
    if (chain.at(-1)?.ballot !== tally.ballot) return;
    for (const site of ['site1', 'site2'] as const) {
      const lease = leases[site];
      if (site === tally.record.primary || lease === null) continue;
      law(lease.until <= at, `I6: ${showBallot(tally.ballot)} moved the primary under ${site}'s lease, at ${at}`);
    }
  }

  function leased(site: Site, lease: TrueLease, at: number): void {
    const held = leases[site];
    // A guard that restarted forgot its lease, but its database runs on under the fuse.
    const until = held !== null && held.epoch === lease.epoch ? Math.max(held.until, lease.until) : lease.until;
    leases[site] = { epoch: lease.epoch, until };
    const other = leases[site === 'site1' ? 'site2' : 'site1'];
    law(other === null || other.until <= at, `I1: ${site} got a lease under the other one's, at ${at}`);
    const known = chosen().some(({ record }) => record.epoch === lease.epoch && record.primary === site);
    law(known, `I3: ${site} got a lease of epoch ${lease.epoch}, of which no record was chosen`);
  }

  function believed(by: VoterId, { ballot }: Accepted): void {
    const votes = tallies.get(showBallot(ballot))?.voters.size ?? 0;
    law(votes >= majority, `Q4: ${by} takes ${showBallot(ballot)} for chosen, which ${votes} voted for`);
  }

  return {
    voted,
    believed,
    leased,
    fenced: (site) => {
      leases[site] = null;
    },
    chosen,
    lease: (site) => leases[site],
    broken,
  };
}

function same(a: ClusterRecord, b: ClusterRecord): boolean {
  return JSON.stringify(Object.entries(a).sort()) === JSON.stringify(Object.entries(b).sort());
}

/** Q3: promises never go back, a vote is never taken back nor changed, what is known to be chosen is never forgotten. */
export function brokenOnDisk(before: VoterDurable, after: VoterDurable): readonly string[] {
  const broken: string[] = [];
  const back = (a: Accepted | null, b: Accepted | null): boolean =>
    a !== null && (b === null || compareBallots(b.ballot, a.ballot) < 0);
  if (compareBallots(after.promised, before.promised) < 0) broken.push('Q3: a promise went back');
  if (back(before.accepted, after.accepted)) broken.push('Q3: a vote was taken back');
  if (back(before.chosen, after.chosen)) broken.push('Q4: a chosen record was forgotten');
  if (after.accepted !== null && compareBallots(after.accepted.ballot, after.promised) > 0)
    broken.push('Q3: a vote above the promise');
  if (after.longestTtlMs < before.longestTtlMs) broken.push('L4: Tmax went back');
  return broken;
}

/** L3, L4: a deadline is never brought forward but by a release, and a quarantine by nothing. */
export function brokenInMemory(before: Voter, after: Voter, released: boolean): readonly string[] {
  const broken: string[] = [];
  if (after.quarantinedUntil < before.quarantinedUntil) broken.push('L4: a quarantine was shortened');
  const { promise: old } = before;
  const { promise: now } = after;
  if (old === null || released) return broken;
  if (now === null) broken.push('L3: a promise was dropped without a release');
  else if (now.site === old.site && now.until < old.until) broken.push('L3: a deadline was brought forward');
  return broken;
}
