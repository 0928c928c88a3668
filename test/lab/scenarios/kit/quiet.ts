/** When a bounded round may begin: nothing stands in the way, 20 s after the last start or long round. */
import type { AgentStatus } from '../../../../src/core/agent/status.ts';
import { readEvents } from '../../src/events.ts';
import type { Lab } from '../../src/lab.ts';
import { SITES } from '../../src/topology.ts';
import type { Missing } from './wait.ts';
import { until } from './wait.ts';
import { agents, disagreement } from './world.ts';

const QUIET_MS = 20_000;

/** All is well, and both agents say that a change of primary would have to wait for nothing but the lease. */
export async function ready(lab: Lab, deadlineMs = 60_000): Promise<void> {
  await until('all is well', deadlineMs, () => disagreement(lab), 400);
  await until('nothing stands in the way of a change of primary', deadlineMs, () => inTheWay(lab), 300);
}

/** As the bounds are stated: also 20 s after the last start of a daemon and after the last long round. */
export async function quiet(lab: Lab): Promise<void> {
  await until(
    '20 s without a start or a long round',
    90_000,
    () => {
      const unrest = readEvents(lab.paths).filter(({ event }) => event === 'process.started' || event === 'round.long');
      const last = unrest.at(-1);
      if (last === undefined) return 'no daemon has said that it started';
      const ago = Date.now() - last.at;
      return ago >= QUIET_MS ? undefined : `${last.event} of ${last.host} ${(ago / 1000).toFixed(1)} s ago`;
    },
    500,
  );
  await ready(lab);
}

async function inTheWay(lab: Lab): Promise<Missing> {
  const both = await agents(lab);
  for (const site of SITES) {
    const status = both[site];
    if (status === null) return `${site}'s agent does not answer`;
    const wait = waitOf(status);
    if (wait !== undefined) return `${site}'s agent: ${wait}`;
  }
  return undefined;
}

function waitOf({ standsInTheWay: way, votes, decision, standby, record }: AgentStatus): Missing {
  if (decision.code !== 'healthy') return decision.sentence;
  if (!standby.mayTakeOver) return standby.why;
  if (record?.mode !== 'auto') return `the mode is ${record?.mode}`;
  if (way.quarantineMs > 0) return `start-up wait ${way.quarantineMs} ms`;
  if (way.coolDownMs > 0) return `cool-down ${way.coolDownMs} ms`;
  if (!votes.peer.heard) return 'the peer is not heard';
  const { witness } = votes;
  if ('heard' in witness && !witness.heard && witness.kind === 'agent') return 'the witness is not heard';
  if ('bindsMs' in witness && witness.bindsMs !== 0) return `the register's nonce binds for ${witness.bindsMs} ms`;
  return undefined;
}
