/** Zero-loss mode: what the record says of the standby, at every agent that answers. */
import type { Lab } from '../../src/lab.ts';
import { SITES } from '../../src/topology.ts';
import { until } from './wait.ts';
import { agents } from './world.ts';

export async function syncIs(lab: Lab, wanted: boolean, deadlineMs: number): Promise<void> {
  await until(`the record says sync: ${wanted}`, deadlineMs, async () => {
    const both = await agents(lab);
    const known = SITES.flatMap((site) => both[site]?.record ?? []);
    if (known.length === 0) return 'no agent knows a record';
    return known.every(({ sync }) => sync === wanted)
      ? undefined
      : `it says ${known.map(({ sync }) => sync).join(', ')}`;
  });
}
