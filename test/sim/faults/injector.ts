// Lets faults begin and end: when, which and how many at once comes from the run's options.

import { Random } from '../engine/random.ts';
import { milli } from '../engine/scheduler.ts';
import type { World } from '../world/world.ts';
import { applicationFaults } from './applications.ts';
import type { Begun, FaultTable } from './fault.ts';
import { fileFaults } from './files.ts';
import type { FaultKind } from './kinds.ts';
import { machineFaults } from './machines.ts';
import { networkFaults } from './network.ts';
import { peopleFaults } from './people.ts';
import { postgresFaults } from './postgres.ts';
import { processFaults } from './processes.ts';
import { registerFaults } from './register.ts';

export const faultTable: FaultTable = {
  ...networkFaults,
  ...processFaults,
  ...machineFaults,
  ...registerFaults,
  ...postgresFaults,
  ...applicationFaults,
  ...peopleFaults,
  ...fileFaults,
};

/** The lines of a trace at which what is half done can be met. */
const cues = [
  'round.begun',
  'vote.cast',
  'vote.granted',
  'CHOSEN',
  'record.chosen',
  'round.given-up',
  'register.accepted',
  'decide.act',
  'grants.refused',
  'grants.resumed',
  'order.accepted',
  'lease.acquired',
  'lease.lost',
  'lease.released',
  'lease.refused',
  'failsafe.promised',
  'failsafe.renewed',
  'sync.asked',
  'sync.waiting',
  'sync.off',
  'database.promoting',
  'database.promoted',
  'database.writable',
  'database.starting',
  'database.started',
  'database.stopped',
  'database.fenced',
  'epoch.noted',
  'env.switched',
  'voter.forgot',
  'voter.remembers',
  'register.rejoining',
  'starts',
  'boots',
] as const;

export class Injector {
  /** How often each kind began. */
  readonly counts = new Map<FaultKind, number>();
  readonly active = new Set<Begun>();
  readonly #world: World;
  readonly #random: Random;
  readonly #weighted: readonly FaultKind[];
  /** Drawn apart, so that runs without ambushes draw what they always drew. */
  readonly #ambushes: Random;
  #stopped = false;

  constructor(world: World, random: Random) {
    this.#world = world;
    this.#random = random;
    const { faults, seed } = world.options;
    this.#ambushes = new Random(`ambushes ${seed}`);
    this.#weighted = (Object.keys(faults) as FaultKind[])
      .sort()
      .flatMap((kind) => new Array<FaultKind>(faults[kind] ?? 0).fill(kind));
  }

  start(): void {
    if (this.#weighted.length > 0) this.#next();
  }

  /** Nothing begins any more, and everything that is there ends. */
  stop(): void {
    this.#stopped = true;
    for (const begun of [...this.active]) this.#end(begun, 'healed');
  }

  #next(): void {
    const { faultEveryMs, faultsAtOnce } = this.#world.options;
    const wait = this.#random.range(Math.ceil(faultEveryMs / 10), 2 * faultEveryMs) * milli;
    this.#world.scheduler.after(wait, () => {
      if (this.#stopped) return;
      const { ambushOneIn } = this.#world.options;
      if (ambushOneIn > 0 && this.#ambushes.ratio(1, ambushOneIn)) this.#lieInWait();
      else if (this.active.size < faultsAtOnce) this.begin(this.#random.pick(this.#weighted));
      this.#next();
    });
  }

  /**
   * What breaks a protocol has to happen within the tenths of a second in which something changes: a fault that begins at
   * any time hardly ever does. This one waits for the next vote, say, and begins right after it.
   */
  #lieInWait(): void {
    const random = this.#ambushes;
    const cue = random.pick(cues);
    const kind = random.pick(this.#weighted);
    const after = random.pick([0, random.range(0, 50), random.range(50, 1500)]) * milli;
    const { scheduler, trace } = this.#world;
    trace.onNext(cue, () => {
      scheduler.after(after, () => {
        if (this.#stopped || this.active.size > this.#world.options.faultsAtOnce) return;
        if (this.begin(kind)) trace.line('world', 'ambush', `${kind} after ${cue}`);
      });
    });
  }

  /** False when it could not begin now. */
  begin(kind: FaultKind): boolean {
    const begun = faultTable[kind]?.(this.#world, this.#random) ?? null;
    if (begun === null) return false;
    this.counts.set(kind, (this.counts.get(kind) ?? 0) + 1);
    this.#world.trace.line('world', kind, begun.what);
    this.active.add(begun);
    this.#world.onFault(kind, begun);
    this.#world.scheduler.after(begun.lasts, () => this.#end(begun, kind));
    return true;
  }

  #end(begun: Begun, how: string): void {
    if (!this.active.delete(begun)) return;
    this.#world.trace.line('world', 'ends', `${how} ${begun.what}`);
    begun.end();
  }
}
