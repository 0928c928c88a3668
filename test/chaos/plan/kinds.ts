/**
 * What can be struck, by role, and for how long. All of it is within what the protocol promises safety for: two faults
 * never hold one host at once, and a guard and its fuse are never both taken from the same database.
 */
import type { WitnessKind } from '../../lab/src/cluster-file.ts';

/** Sites by what they are at the moment of the strike. */
export type Role = 'primary' | 'standby';

export interface Kind {
  readonly name: string;
  /** What is held while it lasts: `db`, `svc` and `app` are the struck site's host, the others there is one of. */
  readonly holds: 'db' | 'svc' | 'app' | 'site' | 'line' | 'witness' | 'orders';
  readonly weight: number;
  /** Shortest and longest, in seconds; of length 0 where there is nothing to heal. */
  readonly lasts: readonly [number, number];
  /** Struck sites; without any the variant says all. */
  readonly roles: readonly Role[];
  readonly variants?: readonly string[];
  readonly witness?: WitnessKind;
  /**
   * Struck first, in a calm cluster: the write outage in ms that docs/TIMING.md bounds it by (all of what is under "at
   * worst", the change of the name included).
   */
  readonly boundMs?: number;
}

const BOTH = ['primary', 'standby'] as const;
const PRIMARY = ['primary'] as const;

const DATABASE: readonly Kind[] = [
  { name: 'postmaster-killed', holds: 'db', weight: 4, lasts: [0, 0], roles: PRIMARY, boundMs: 3_000 },
  { name: 'postgres-frozen', holds: 'db', weight: 3, lasts: [2, 12], roles: BOTH },
  { name: 'database-power', holds: 'db', weight: 4, lasts: [3, 20], roles: BOTH, variants: ['off', 'boot-postgres'] },
  { name: 'guard-killed', holds: 'db', weight: 3, lasts: [0, 0], roles: BOTH },
  { name: 'guard-restarted', holds: 'db', weight: 2, lasts: [0, 0], roles: BOTH },
  { name: 'guard-stopped', holds: 'db', weight: 2, lasts: [3, 15], roles: BOTH },
  { name: 'guard-frozen', holds: 'db', weight: 3, lasts: [2, 15], roles: BOTH },
  { name: 'fuse-frozen', holds: 'db', weight: 2, lasts: [2, 12], roles: BOTH },
  { name: 'disk-full', holds: 'db', weight: 3, lasts: [4, 15], roles: BOTH },
  { name: 'disk-hung', holds: 'db', weight: 3, lasts: [2, 12], roles: BOTH },
  { name: 'connection-storm', holds: 'db', weight: 3, lasts: [3, 10], roles: PRIMARY },
];

const HOSTS: readonly Kind[] = [
  { name: 'agent-killed', holds: 'svc', weight: 3, lasts: [0, 0], roles: BOTH },
  { name: 'agent-upgraded', holds: 'svc', weight: 2, lasts: [0, 0], roles: BOTH },
  { name: 'agent-frozen', holds: 'svc', weight: 3, lasts: [2, 15], roles: BOTH },
  { name: 'balancer-stopped', holds: 'svc', weight: 2, lasts: [3, 12], roles: BOTH },
  { name: 'service-power', holds: 'svc', weight: 2, lasts: [3, 20], roles: BOTH },
  { name: 'application-power', holds: 'app', weight: 1, lasts: [3, 15], roles: BOTH },
  { name: 'instance-killed', holds: 'app', weight: 1, lasts: [0, 0], roles: BOTH },
  { name: 'site-power', holds: 'site', weight: 3, lasts: [8, 20], roles: BOTH },
];

/** A cut's variant is `A B` for both ways, `A > B` for one; S is the struck site, O the other, Z the zone's host. */
const LINES: readonly Kind[] = [
  { name: 'site-cut-off', holds: 'line', weight: 4, lasts: [3, 18], roles: BOTH },
  {
    name: 'cut',
    holds: 'line',
    weight: 6,
    lasts: [2, 15],
    roles: BOTH,
    variants: ['S O', 'S-svc O-svc', 'S-db O-db', 'S-db O-svc', 'S-svc S-db', 'S-svc witness', 'S-db O', 'S-svc O'],
  },
  {
    name: 'one-way-cut',
    holds: 'line',
    weight: 5,
    lasts: [2, 15],
    roles: BOTH,
    variants: ['S > O', 'S-svc > O-svc', 'S-db > O-db', 'O-svc > S-db', 'S-db > S-svc', 'S-svc > witness', 'all > S'],
  },
  { name: 'slow-line', holds: 'line', weight: 2, lasts: [4, 12], roles: [], variants: ['80', '150'] },
  { name: 'lossy-line', holds: 'line', weight: 2, lasts: [4, 12], roles: [], variants: ['5', '15'] },
];

const WITNESS: readonly Kind[] = [
  { name: 'zone-throttled', holds: 'witness', weight: 2, lasts: [3, 15], roles: [], witness: 'route53' },
  { name: 'zone-failing', holds: 'witness', weight: 2, lasts: [3, 15], roles: [], witness: 'route53' },
  {
    name: 'zone-slow',
    holds: 'witness',
    weight: 2,
    lasts: [3, 15],
    roles: [],
    variants: ['300', '900', '2500'],
    witness: 'route53',
  },
  { name: 'zone-answers-lost', holds: 'witness', weight: 2, lasts: [3, 12], roles: [], witness: 'route53' },
  { name: 'witness-power', holds: 'witness', weight: 3, lasts: [3, 15], roles: [], witness: 'agent' },
  { name: 'witness-frozen', holds: 'witness', weight: 2, lasts: [2, 12], roles: [], witness: 'agent' },
];

const ORDERS: readonly Kind[] = [
  { name: 'switchover', holds: 'orders', weight: 4, lasts: [0, 0], roles: [], variants: ['site1-svc', 'site2-svc'] },
  { name: 'pause', holds: 'orders', weight: 1, lasts: [3, 10], roles: [] },
];

export const KINDS: readonly Kind[] = [...DATABASE, ...HOSTS, ...LINES, ...WITNESS, ...ORDERS];

export function kindOf(name: string): Kind {
  const found = KINDS.find((kind) => kind.name === name);
  if (found === undefined) throw new Error(`there is no fault "${name}"`);
  return found;
}
