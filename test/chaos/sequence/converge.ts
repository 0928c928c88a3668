/** I7: healed, the cluster comes together by itself; nobody does anything but what the plan says is a person's. */
import { until } from '../../lab/scenarios/kit/wait.ts';
import { disagreement } from '../../lab/scenarios/kit/world.ts';
import type { Lab } from '../../lab/src/lab.ts';

/**
 * docs/TIMING.md, worst case after everything was healed: what a restarted agent never saw work counts as booting
 * (`order.restartBudget` 30 s), then the longest promise (15.75 s), then S3 (8.8 s) and the name (TTL 10 s is the client's,
 * not the cluster's).
 */
export const CONVERGENCE_MS = 30_000 + 15_750 + 8_800;
/** Beyond it, for what the looking itself takes on a machine that is shared. */
const LOOKING_MS = 3_000;
/** A base backup by the person, and its standby's way back; the wait to be sure included. */
const STANDBY_MS = 45_000;

export interface Convergence {
  /** Until one site wrote and everything agreed. */
  readonly servedMs: number;
  /** Until the other database could take over, too. */
  readonly protectedMs: number;
}

export async function converge(lab: Lab): Promise<Convergence> {
  const what = 'one site writes, and record, databases, .env, instances, HAProxy and DNS agree';
  const servedMs = await until(what, CONVERGENCE_MS + LOOKING_MS, () => disagreement(lab, { standby: false }), 250);
  const restMs = await until('the other database may take over', STANDBY_MS, () => disagreement(lab), 400);
  return { servedMs, protectedMs: servedMs + restMs };
}
