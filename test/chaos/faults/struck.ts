/** What every fault is given, and what it gives back. */
import type { Lab } from '../../lab/src/lab.ts';
import type { SiteName } from '../../lab/src/topology.ts';
import type { PlannedFault } from '../plan/plan.ts';
import type { Relay } from '../relay/relay.ts';

export interface Scene {
  readonly lab: Lab;
  readonly relay: Relay | null;
  readonly relayMs: number;
  /** Who is what at the moment of the strike. */
  readonly primary: SiteName;
  readonly standby: SiteName;
  /** Something that ends by itself and that nobody waits for has a line to say. */
  say(text: string): void;
}

export interface Struck {
  /** Hosts, `SITE-haproxy`, `witness`, or ways `A>B` that it takes while it lasts; what may excuse nothing is not named. */
  readonly impairs: readonly string[];
  /** So long it is felt although there is nothing to heal. */
  readonly feltMs?: number;
  heal(): Promise<void>;
}

/** The struck site is given where the fault has a role, else site1. */
export type Strike = (scene: Scene, fault: PlannedFault, site: SiteName) => Promise<Struck>;

export const nothingToHeal = async (): Promise<void> => {};

export const otherOf = (site: SiteName): SiteName => (site === 'site1' ? 'site2' : 'site1');
