// "Orders": who forces an era promises that the other side is down, and that it stays so until the era is known to whoever
// could grant it an old epoch's lease or choose a record with it: the register, the witness, or without one its own agent,
// which so has to come first.

import type { AgentDurable } from '../../../src/core/agent/state.ts';
import type { Accepted } from '../../../src/core/quorum/record.ts';
import type { VoterDurable } from '../../../src/core/quorum/voter.ts';
import type { Site } from '../../../src/core/site.ts';
import { type Micros, second } from '../engine/scheduler.ts';
import type { Machine } from './machine.ts';
import { registerValue } from './register-value.ts';
import type { World } from './world.ts';

/** An order that did nothing within this did not begin an era. */
const orderTakes: Micros = 15 * second;

export class PromisedDown {
  readonly #world: World;
  #promise: { readonly site: Site; readonly at: Micros } | null = null;

  constructor(world: World) {
    this.#world = world;
  }

  promise(site: Site): void {
    this.#promise = { site, at: this.#world.scheduler.now };
  }

  has(machine: Machine): boolean {
    const { options, postgres, records, scheduler } = this.#world;
    const promise = this.#promise;
    if (promise === null || machine.place !== promise.site) return false;
    if (options.witness === 'none' && machine !== postgres[promise.site].machine) return false;
    const isForced = (records.newest()?.record.era.number ?? 0) > 0;
    const isOver = isForced ? this.#isKnown(promise.site) : scheduler.now >= promise.at + orderTakes;
    if (isOver) this.#promise = null;
    return !isOver;
  }

  #isKnown(site: Site): boolean {
    return (this.#held(site)?.record.era.number ?? 0) > 0;
  }

  #held(site: Site): Accepted | null {
    const { options, route53, witness, agents } = this.#world;
    switch (options.witness) {
      case 'route53':
        return registerValue(route53.register.value)?.accepted ?? null;
      case 'agent':
        return (witness?.disk.synced as VoterDurable | undefined)?.accepted ?? null;
      case 'none':
        return (agents[site].disk.synced as AgentDurable | undefined)?.voter.accepted ?? null;
    }
  }
}
