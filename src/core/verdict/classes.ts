// V1: which probe classes mean that clients cannot write. The others never count towards a failed primary; they alert.

import type { ProbeClass } from '../observe/observation.ts';

export type Bearing = 'good' | 'bad' | 'neutral';

const primaryBearing: Readonly<Record<ProbeClass, Bearing>> = {
  ok: 'good',
  refused: 'bad',
  timeout: 'bad',
  unreachable: 'bad',
  'starting-up': 'bad',
  'in-recovery': 'bad',
  'read-only': 'bad',
  'write-stalled': 'bad',
  'disk-full': 'bad',
  'wrong-system': 'bad',
  'wrong-timeline': 'bad',
  // Saturated is not dead: failing over would move the storm and repeat it.
  'too-many-connections': 'neutral',
  // A wrong password or certificate is the watcher's trouble, not the clients'.
  auth: 'neutral',
  protocol: 'neutral',
  // Its guard keeps it stopped for want of a lease and talks to us: it needs a grant, not a successor.
  fenced: 'neutral',
};

export function bearingOnPrimary(probe: ProbeClass): Bearing {
  return primaryBearing[probe];
}

/** For a class as a track keeps it: of any part, or none yet. */
export function isBadOfPrimary(probe: string): boolean {
  return primaryBearing[probe as ProbeClass] === 'bad';
}

/** V2: only against these two may the standby testify, since only they can be the watcher's own blindness. */
export function canBeBlindness(probe: string): boolean {
  return probe === 'timeout' || probe === 'unreachable';
}
