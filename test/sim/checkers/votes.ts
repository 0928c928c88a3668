// I2 and I1 one step earlier: what each voter does, held against what it said itself. Another voter may make good what it
// does wrong, for this once; so nothing else in a run may ever show it.

import { type Outcome, unknown } from '../../../src/core/outcome.ts';
import { type Ballot, compareBallots, showBallot } from '../../../src/core/quorum/ballot.ts';
import { type Accepted, compareEpochs, epochOf, showEpoch } from '../../../src/core/quorum/record.ts';
import { compareRounds } from '../../../src/core/quorum/round.ts';
import type { Voter } from '../../../src/core/quorum/voter.ts';
import { clockGrainMs } from '../../../src/core/time.ts';
import { milli } from '../engine/scheduler.ts';
import type { Machine } from '../world/machine.ts';
import type { World } from '../world/world.ts';

type Said = { readonly vote: Accepted | null; readonly promised: Ballot; readonly promise: Voter['promise'] };

export class Votes {
  readonly #world: World;
  /** Since its start. */
  readonly #said = new Map<string, Said>();

  constructor(world: World) {
    this.#world = world;
  }

  died(name: string): void {
    this.#said.delete(name);
  }

  /** R1, I7: an agent that is behind has the database of the newest epoch switched off. It is not carried out here. */
  fencedFromOutside(command: readonly string[]): Promise<Outcome<void>> {
    const { forced, memoryLost, records, violations } = this.#world;
    const newest = records.newest()?.record ?? null;
    const isBehind = newest !== null && newest.primary === command[1] && newest.epoch > Number(command[2]);
    if (isBehind && !forced && !memoryLost)
      violations.add('I7', `\`${command.join(' ')}\` is aimed at the primary of epoch ${newest.epoch} (R1, R2)`);
    return Promise.resolve(unknown('it is not carried out'));
  }

  stepped(name: string, machine: Machine, voter: Voter): void {
    const { accepted: vote, promised } = voter.durable;
    const { promise } = voter;
    const before = this.#said.get(name);
    if (before?.vote === vote && before.promised === promised && before.promise === promise) return;
    this.#said.set(name, { vote, promised, promise });
    const { forced, memoryLost } = this.#world;
    if (before === undefined || forced || memoryLost) return;
    if (vote !== before.vote && vote !== null) this.#voted(name, machine, voter, vote, before);
    if (promise !== before.promise && promise !== null) this.#granted(name, voter, promise);
  }

  #voted(name: string, machine: Machine, voter: Voter, { ballot, record }: Accepted, before: Said): void {
    const { vote, promised, promise } = before;
    const { scheduler, violations } = this.#world;
    if (compareBallots(ballot, promised) < 0)
      violations.add('I2', `${name} votes at ${showBallot(ballot)}, having promised ${showBallot(promised)} (Q3)`);
    // Q6, L3: nobody votes for another primary than the one that it promised to, before that promise is over.
    if (vote === null || vote.record.primary === record.primary) return;
    if (promise === null || promise.site === record.primary) return;
    // L7: given back meanwhile, perhaps by what came with this very vote.
    if (compareRounds(voter.released[promise.site], promise.round) >= 0) return;
    const leftMs = (machine.trueTime(promise.until) - scheduler.now) / milli;
    if (leftMs > clockGrainMs)
      violations.add('I1', `${name} votes for ${record.primary} ${Math.ceil(leftMs)} ms before its promise ends (Q6)`);
  }

  /** L2: its own memory says so, whatever others know. */
  #granted(name: string, { durable: { chosen } }: Voter, { epoch }: NonNullable<Voter['promise']>): void {
    if (chosen !== null && compareEpochs(epochOf(chosen.record), epoch) >= 0) return;
    this.#world.violations.add('I3', `${name} grants ${showEpoch(epoch)}, not knowing it to be chosen (L2)`);
  }
}
