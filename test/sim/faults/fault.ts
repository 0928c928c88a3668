// One kind of fault: begins in the world, lasts a while, ends. What it breaks it mends itself, and only that.

import type { Random } from '../engine/random.ts';
import type { Micros } from '../engine/scheduler.ts';
import type { World } from '../world/world.ts';
import type { FaultKind } from './kinds.ts';

/** What a fault did: for the trace, how long it lasts, and how it ends. */
export type Begun = { readonly what: string; readonly lasts: Micros; end(): void };

/** Null: it cannot begin now (its target is down already, or two faults together would break a promise of nobody). */
export type Fault = (world: World, random: Random) => Begun | null;

export type FaultTable = Readonly<Partial<Record<FaultKind, Fault>>>;

export const nothing = (): void => {};
