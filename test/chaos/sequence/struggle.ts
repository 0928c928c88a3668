/** Carries a plan out: strikes each fault at its time, heals it at its end, keeps what each one took for how long. */
import { nowMs } from '../../lab/scenarios/kit/scenario.ts';
import { agents } from '../../lab/scenarios/kit/world.ts';
import type { Lab } from '../../lab/src/lab.ts';
import { sleep } from '../../lab/src/process.ts';
import type { SiteName } from '../../lab/src/topology.ts';
import { SITES } from '../../lab/src/topology.ts';
import { holdsOf, obstacle, STRIKES, struckSite } from '../faults/strike.ts';
import type { Scene, Struck } from '../faults/struck.ts';
import { otherOf } from '../faults/struck.ts';
import type { Impairment } from '../history/history.ts';
import { kindOf } from '../plan/kinds.ts';
import type { Plan, PlannedFault } from '../plan/plan.ts';
import { showFault } from '../plan/plan.ts';
import type { Relay } from '../relay/relay.ts';

/** What has nothing to heal still has its host to itself for so long. */
const SETTLE_MS = 1_500;

interface Active {
  readonly fault: PlannedFault;
  readonly holds: readonly string[];
  readonly healAtMs: number;
  readonly struck: Struck;
}

export class Struggle {
  readonly #lab: Lab;
  readonly #plan: Plan;
  readonly #relay: Relay | null;
  readonly #say: (text: string) => void;
  readonly #held = new Set<string>();
  readonly #active: Active[] = [];
  readonly impairments: Impairment[] = [];
  /** By kind, those that were struck. */
  readonly struck: Record<string, number> = {};

  constructor(lab: Lab, plan: Plan, relay: Relay | null, say: (text: string) => void) {
    this.#lab = lab;
    this.#plan = plan;
    this.#relay = relay;
    this.#say = say;
  }

  /** To the last strike's end, or until `enough`. */
  async run(enough: () => boolean): Promise<void> {
    const begin = nowMs();
    const due = [...this.#plan.faults];
    while ((due.length > 0 || this.#active.length > 0) && !enough()) {
      for (const over of this.#active.filter(({ healAtMs }) => nowMs() >= healAtMs)) await this.#heal(over);
      const [next] = due;
      if (next !== undefined && nowMs() - begin >= next.atMs) {
        due.shift();
        await this.#strike(next);
      }
      await sleep(20);
    }
  }

  /** For who needs a host alone: the person who rebuilds a standby. */
  take(what: readonly string[]): (() => void) | undefined {
    if (what.some((each) => this.#held.has(each))) return undefined;
    for (const each of what) this.#held.add(each);
    return () => {
      for (const each of what) this.#held.delete(each);
    };
  }

  /** What is still on ends with the heal of everything, which the caller does. */
  endAll(): void {
    for (const active of this.#active.splice(0)) this.#over(active);
    this.#held.clear();
  }

  async #strike(fault: PlannedFault): Promise<void> {
    const scene = await this.#scene();
    const why = obstacle(fault, scene, this.#held);
    if (why !== undefined) return this.#say(`- ${showFault(fault)}: left out, ${why}`);
    const site = struckSite(fault, scene);
    const holds = holdsOf(kindOf(fault.kind), site);
    for (const what of holds) this.#held.add(what);
    const where = fault.role === null ? '' : ` (${site})`;
    this.#say(`! ${showFault(fault)}${where}`);
    const fromMs = nowMs();
    try {
      const strike = STRIKES[fault.kind];
      if (strike === undefined) throw new Error('nobody knows how');
      const struck = await strike(scene, fault, site);
      this.struck[fault.kind] = (this.struck[fault.kind] ?? 0) + 1;
      for (const what of struck.impairs)
        this.impairments.push({ fault: showFault(fault), what, fromMs, toMs: Number.POSITIVE_INFINITY });
      const lastsMs = fault.forMs > 0 ? fault.forMs : (struck.feltMs ?? SETTLE_MS);
      this.#active.push({ fault, holds, struck, healAtMs: nowMs() + lastsMs });
    } catch (error) {
      this.#say(`- ${showFault(fault)}: could not be struck, ${(error as Error).message.split('\n')[0]}`);
      // It may have been struck half: what it would have taken is not known, so it counts as the host's.
      for (const what of holds) this.impairments.push({ fault: showFault(fault), what, fromMs, toMs: nowMs() });
      for (const what of holds) this.#held.delete(what);
    }
  }

  async #heal(active: Active): Promise<void> {
    const { fault, struck } = active;
    this.#active.splice(this.#active.indexOf(active), 1);
    if (fault.forMs > 0) this.#say(`+ ${showFault(fault)} is over`);
    try {
      await struck.heal();
    } catch (error) {
      // The heal of everything mends what is left.
      this.#say(`- healing ${showFault(fault)}: ${(error as Error).message.split('\n')[0]}`);
    }
    this.#over(active);
  }

  #over({ fault, holds }: Active): void {
    for (const what of holds) this.#held.delete(what);
    const name = showFault(fault);
    for (const [index, each] of this.impairments.entries())
      if (each.fault === name && each.toMs === Number.POSITIVE_INFINITY)
        this.impairments[index] = { ...each, toMs: nowMs() };
  }

  /** By the record of the highest epoch that an agent knows; while none answers, by the last one known. */
  #primary: SiteName = 'site1';
  async #scene(): Promise<Scene> {
    const both = await agents(this.#lab);
    const records = SITES.flatMap((site) => both[site]?.record ?? []);
    const latest = records.toSorted((a, b) => b.epoch - a.epoch)[0];
    if (latest !== undefined) this.#primary = latest.primary;
    const { relayMs } = this.#plan;
    const roles = { primary: this.#primary, standby: otherOf(this.#primary) };
    return { lab: this.#lab, relay: this.#relay, relayMs, ...roles, say: this.#say };
  }
}
