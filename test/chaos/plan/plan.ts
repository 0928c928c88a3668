/** From a seed to a plan: the whole of it is known before the lab is up, and printed first. */
import type { WitnessKind } from '../../lab/src/cluster-file.ts';
import type { Kind, Role } from './kinds.ts';
import { KINDS } from './kinds.ts';
import { Random } from './random.ts';

export type Replication = 'async' | 'zero-loss' | 'zero-loss-strict';

export interface PlannedFault {
  readonly id: number;
  readonly atMs: number;
  readonly forMs: number;
  readonly kind: string;
  readonly role: Role | null;
  readonly variant: string | null;
}

export interface Plan {
  readonly seed: number;
  readonly witness: WitnessKind;
  readonly replication: Replication;
  readonly relayMs: number;
  /** Keys of the cluster file that differ from the defaults. */
  readonly set: readonly string[];
  readonly calmMs: number;
  readonly faults: readonly PlannedFault[];
}

export interface PlanOptions {
  readonly seed: number;
  readonly relayMs: number;
  /** `mixed`: by the seed. */
  readonly replication: Replication | 'mixed';
  readonly witness?: WitnessKind;
  /** Only these kinds of fault. */
  readonly only?: readonly string[];
}

/** Strikes lie in this window; each is over, or ended by the heal, soon after. */
const WINDOW_MS = 50_000;
const MOST_AT_ONCE = 3;
/** A default lab is calm 20 s after the last start; the shorter wait strikes into quarantines and long promises. */
const CALM_MS = 12_000;
const SHORT_CALM_MS = 1_000;

/** A second change shortly after the first, which a cool-down of five minutes would never show. */
const NO_COOL_DOWN = ['policy.coolDown=1s', 'policy.entryCoolDown=1s'];

/** Without a register leases last 3 s, in which a guard that is killed has to be started again: too little here. */
const LONGER = ['lease.ttl=6s'];

export function makePlan(options: PlanOptions): Plan {
  const random = new Random(options.seed);
  const drawn = random.chance(0.6) ? 'route53' : 'agent';
  const witness = options.witness ?? drawn;
  const set = [...(random.chance(0.85) ? NO_COOL_DOWN : []), ...(witness === 'agent' ? LONGER : [])];
  const calmMs = random.chance(0.6) ? CALM_MS : SHORT_CALM_MS;
  const zeroLoss = random.chance(0.4);
  const replication = options.replication === 'mixed' ? (zeroLoss ? 'zero-loss' : 'async') : options.replication;
  const kinds = swarmOf(random, options, witness);
  const faults = drawFaults(random, kinds);
  return { seed: options.seed, witness, replication, relayMs: options.relayMs, set, calmMs, faults };
}

/** Each run knows only some kinds, so that rare combinations of few come as well as many of all. */
function swarmOf(random: Random, { only, relayMs }: PlanOptions, witness: WitnessKind): readonly Kind[] {
  const possible = KINDS.filter(
    (kind) =>
      (kind.witness === undefined || kind.witness === witness) &&
      (only === undefined || only.includes(kind.name)) &&
      (relayMs > 0 || !['slow-line', 'lossy-line'].includes(kind.name)),
  );
  const share = random.pick([0.25, 0.5, 0.8]);
  const chosen = possible.filter(() => random.chance(share));
  // Something has to be able to fail at all.
  return chosen.length >= Math.min(3, possible.length) ? chosen : possible;
}

function drawFaults(random: Random, kinds: readonly Kind[]): readonly PlannedFault[] {
  const faults: (PlannedFault & { readonly place: string; readonly untilMs: number })[] = [];
  const meanGapMs = random.pick([2_500, 4_500, 8_000]);
  let atMs = 0;
  for (let id = 1; atMs < WINDOW_MS; id += 1) {
    const kind = random.weighted(kinds);
    const role = roleOf(random, kind);
    const variant = kind.variants === undefined ? null : random.pick(kind.variants);
    const forMs = random.between(kind.lasts[0] * 10, kind.lasts[1] * 10) * 100;
    const active = faults.filter(({ untilMs }) => untilMs > atMs);
    const fault = {
      id,
      atMs,
      forMs,
      kind: kind.name,
      role,
      variant,
      place: placeOf(kind, role),
      untilMs: atMs + forMs,
    };
    if (active.length < MOST_AT_ONCE && !active.some(({ place }) => collides(place, fault.place))) faults.push(fault);
    atMs += Math.min(12_000, Math.max(300, Math.round(-Math.log(1 - random.next() * 0.98) * meanGapMs)));
  }
  return faults.map(({ id, atMs: at, forMs, kind, role, variant }) => ({ id, atMs: at, forMs, kind, role, variant }));
}

/** The primary more often: what strikes the standby seldom moves anything. */
function roleOf(random: Random, { roles }: Kind): Role | null {
  if (roles.length === 0) return null;
  return roles.length === 1 || random.chance(0.65) ? 'primary' : 'standby';
}

const placeOf = (kind: Kind, role: Role | null) => (role === null ? kind.holds : `${role} ${kind.holds}`);

function collides(a: string, b: string): boolean {
  if (a.endsWith('line') && b.endsWith('line')) return true;
  if (a === b) return true;
  const [roleA, holdsA] = a.split(' ');
  const [roleB, holdsB] = b.split(' ');
  return roleA === roleB && (holdsA === 'site' || holdsB === 'site');
}

export function showFault({ id, kind, role, variant, forMs }: PlannedFault): string {
  const words = [kind, role === null ? '' : `of the ${role}`, variant === null ? '' : `(${variant})`].filter(Boolean);
  return `#${id} ${words.join(' ')}${forMs > 0 ? ` for ${(forMs / 1000).toFixed(1)} s` : ''}`;
}
