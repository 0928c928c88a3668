/** Faults of the lines between hosts. */
import { pairsBetween } from '../../lab/src/topology.ts';
import type { Strike } from './struck.ts';
import { otherOf } from './struck.ts';

const siteCutOff: Strike = async ({ lab }, _fault, site) => {
  await lab.cut(site, 'all');
  return { impairs: pairsBetween(site, 'all', false), heal: () => lab.heal(site, 'all') };
};

/** `S-db O-svc` or `S-db > O-svc`: S the struck site, O the other one, `witness` whichever there is. */
const cut: Strike = async ({ lab }, { variant }, site) => {
  const oneWay = variant?.includes(' > ') ?? false;
  const [a = '', b = ''] = (variant ?? '').split(oneWay ? ' > ' : ' ').map((place) => {
    if (place === 'witness') return lab.record().witness === 'agent' ? 'witness' : 'zone';
    return place.replace(/^S/, site).replace(/^O/, otherOf(site));
  });
  await lab.cut(a, b, { oneWay });
  return { impairs: pairsBetween(a, b, oneWay), heal: () => lab.heal(a, b) };
};

/** Slow is not cut: it moves nothing. */
const slowLine: Strike = async ({ relay, relayMs }, { variant }) => {
  relay?.delay(Number(variant));
  return { impairs: [], heal: async () => relay?.delay(relayMs) };
};

const lossyLine: Strike = async ({ relay }, { variant }) => {
  relay?.loss(Number(variant));
  return { impairs: pairsBetween('site1', 'site2', false), heal: async () => relay?.loss(0) };
};

export const lineFaults = {
  'site-cut-off': siteCutOff,
  cut,
  'one-way-cut': cut,
  'slow-line': slowLine,
  'lossy-line': lossyLine,
} as const satisfies Readonly<Record<string, Strike>>;
