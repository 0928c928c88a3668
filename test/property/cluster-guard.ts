// A simulated guard: renews by L1 and L5, counts grants of one round only, releases by L7. It holds nothing back that a
// real one would: it is there to be believed by the voters, and its leases are what they must respect.

import type { Answer, GuardAnswer, GuardStatus, Release, Renew, Request } from '../../src/core/messages.ts';
import { type Accepted, compareEpochs, epochOf } from '../../src/core/quorum/record.ts';
import { compareRounds, type Round, sameRound } from '../../src/core/quorum/round.ts';
import type { Settings } from '../../src/core/settings.ts';
import { agentOf, type PeerId, peerOfVoter, type Site, type VoterId } from '../../src/core/site.ts';
import { clockGrainMs } from '../../src/core/time.ts';

type Tally = { round: Round; t0: number; ttlMs: number; epoch: number; granted: Set<VoterId> };

export type GuardWorld = {
  /** This machine's clock, rounded down as the real one is. */
  readonly clock: () => number;
  readonly send: (to: PeerId, request: Request, deadlineMs: number, then: (answer: Answer | null) => void) => void;
  readonly leased: (epoch: number, untilLocal: number) => void;
  readonly fenced: () => void;
  readonly position: () => number;
};

export type SimGuard = {
  /** Every P. */
  beat(): void;
  take(request: Request): Answer;
  /** Kills its database for good and gives its promises back (L7). */
  release(gone: boolean): void;
  /** Its process ends and starts again: rounds begin anew, nothing is released; the database runs on under the fuse. */
  restart(): void;
  /** Its disk: the highest epoch it knows to be chosen. */
  noted(): Accepted;
};

export function createGuard(site: Site, founded: Accepted, settings: Settings, world: GuardWorld): SimGuard {
  const { lease } = settings;
  const { cluster } = founded.record;
  let noted: Accepted = founded;
  let start = 1;
  let seq = 0;
  let covered: Round = { start: 0, seq: 0 };
  let until = 0;
  let tallies: Tally[] = [];
  let holdUntil = 0;
  let nextLongAt = 0;
  let missingSince: number | null = null;

  const isPrimary = (): boolean => noted.record.primary === site;
  const addressed = { cluster, voters: settings.voters };

  function status(): GuardStatus {
    const leaseLeftMs = Math.max(0, until - world.clock());
    return {
      site,
      noted: epochOf(noted.record),
      database: isPrimary() ? 'primary' : 'standby',
      crashed: false,
      leaseLeftMs,
      fuseAlive: true,
      systemId: 'one',
      timeline: 1,
      position: world.position(),
      quarantineMs: 0,
      restingMs: 0,
      missingMs: missingSince === null ? 0 : world.clock() - missingSince,
      syncAt: null,
      diskFull: false,
      unheardMs: { site1: null, site2: null },
      failsafeOf: null,
    };
  }

  /** L10: a higher chosen epoch is noted, and a database of the one before fenced at once. */
  function hear(chosen: Accepted | null): void {
    if (chosen === null || compareEpochs(epochOf(chosen.record), epochOf(noted.record)) <= 0) return;
    noted = chosen;
    until = 0;
    tallies = [];
    if (!isPrimary()) world.fenced();
  }

  function beat(): void {
    const now = world.clock();
    tallies = tallies.filter((tally) => now < tally.t0 + tally.ttlMs);
    if (!isPrimary() || now < holdUntil) return inquire();
    const missed = tallies.some((tally) => tally.granted.size < 2 && now - tally.t0 >= lease.witnessAfterMs);
    if (!missed) missingSince = null;
    else missingSince ??= now;
    const long = settings.witness === 'route53' && missed && now >= nextLongAt;
    if (long) nextLongAt = now + lease.witnessEveryMs;
    begin(long ? lease.witnessTtlMs : lease.ttlMs, long);
  }

  function inquire(): void {
    const message = { type: 'inquire', ...addressed, status: status() } as const;
    for (const agent of ['site1', 'site2'] as const) {
      world.send(agentOf(agent), message, 1000, (answer) => {
        if (answer?.type === 'guard-answer') hear(answer.chosen);
      });
    }
  }

  function begin(ttlMs: number, long: boolean): void {
    seq += 1;
    const tally: Tally = {
      round: { start, seq },
      t0: world.clock(),
      ttlMs,
      epoch: noted.record.epoch,
      granted: new Set(),
    };
    tallies.push(tally);
    for (const voter of ['site1', 'site2'] as const) renew(tally, voter, long);
  }

  function ask(tally: Tally): Omit<Renew, 'type' | 'status'> {
    return { ...addressed, epoch: epochOf(noted.record), site, round: tally.round, ttlMs: tally.ttlMs };
  }

  function renew(tally: Tally, voter: VoterId, long: boolean): void {
    const message: Renew = { type: 'renew', ...ask(tally), status: status() };
    world.send(peerOfVoter(voter), message, 1500, (answer) => {
      const granted = onAnswer(tally, answer, voter);
      if (!granted || voter === 'witness') return;
      if (settings.witness === 'agent' && !tally.granted.has('witness')) renew(tally, 'witness', long);
      if (!long || tally.granted.has('witness')) return;
      const request = { type: 'register-grant', ...ask(tally) } as const;
      world.send(peerOfVoter(voter), request, 3000, (more) => onAnswer(tally, more, 'witness'));
    });
  }

  function onAnswer(tally: Tally, answer: Answer | null, voter: VoterId): boolean {
    if (answer?.type !== 'guard-answer') return false;
    hear(answer.chosen);
    if (!isGrantOf(tally, answer, voter) || !tallies.includes(tally)) return false;
    tally.granted.add(voter);
    const needed = settings.witness === 'none' ? 1 : 2;
    const end = tally.t0 + tally.ttlMs;
    if (tally.granted.size < needed || world.clock() + clockGrainMs >= end || end <= until) return true;
    until = end;
    world.leased(tally.epoch, until);
    return true;
  }

  /** L1, L7: grants of this round only, of this epoch, and of none before a release. */
  function isGrantOf(tally: Tally, answer: GuardAnswer, voter: VoterId): boolean {
    const fits = answer.round !== null && sameRound(answer.round, tally.round) && answer.granted === voter;
    return fits && compareRounds(tally.round, covered) > 0 && tally.epoch === noted.record.epoch;
  }

  function release(gone: boolean): void {
    if (!isPrimary()) return;
    covered = { start, seq };
    until = 0;
    tallies = [];
    holdUntil = world.clock() + lease.releaseWaitMs;
    world.fenced();
    const position = world.position();
    const message: Release = {
      type: 'release',
      ...addressed,
      epoch: epochOf(noted.record),
      site,
      round: covered,
      gone,
      position,
    };
    const witness: readonly PeerId[] = settings.witness === 'agent' ? ['witness'] : [];
    for (const to of [agentOf('site1'), agentOf('site2'), ...witness]) world.send(to, message, 1000, () => {});
  }

  function take(request: Request): Answer {
    if (request.type === 'chosen') hear(request.chosen);
    if (request.type === 'guard-order' && request.order === 'switchover' && isPrimary()) {
      release(false);
      holdUntil = world.clock() + request.timeoutMs;
    }
    return { type: 'ack', ok: true, why: '', steps: [] };
  }

  function restart(): void {
    start += 1;
    seq = 0;
    tallies = [];
    until = 0;
    holdUntil = 0;
  }

  return { beat, take, release, restart, noted: () => noted };
}
