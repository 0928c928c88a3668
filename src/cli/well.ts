// What keeps `siteward status` from saying that all is well, beyond the lines that wait for a person.

import type { ClusterConfig } from '../config/cluster.ts';
import type { AgentStatus } from '../core/agent/status.ts';
import type { AgentReport } from './client.ts';

/** A register is read every lease.watchEvery in quiet times (L5); this much later it is missed. */
const registerLateMs = 5000;

/** In plain words, empty when all is well. Each part is asked of the agent that looks at it itself. */
export function notWell(reports: readonly AgentReport[], config: ClusterConfig): readonly string[] {
  const found = reports.flatMap(({ site, status, why }) =>
    status === null ? [`${site}'s agent does not answer: ${why}`] : ofAgent(status, config),
  );
  return [...new Set(found)];
}

function ofAgent(status: AgentStatus, config: ClusterConfig): readonly string[] {
  const { agent: site, record, decision, standby, votes, person, lease } = status;
  const here = status.applications.filter((app) => app.site === site);
  const { instances } = config.sites[site].application;
  const active = status.env[site];
  return [
    ...person,
    decision.code === 'healthy' ? '' : decision.sentence,
    standby.mayTakeOver ? '' : `the standby may not take over: ${standby.why}`,
    lease.holder === null ? `${site}'s agent knows of no lease` : '',
    votes.peer.heard ? '' : `${site}'s agent does not hear the other one`,
    hearsWitness(status, config) ? '' : `${site}'s agent does not hear the witness`,
    record === null || instances.length === 0 || active === record.primary
      ? ''
      : `${site}'s .env is that of ${active ?? 'nobody knows which site'}, and ${record.primary} is primary`,
    instances.length === 0 || here.some((app) => app.ready) ? '' : `no instance of ${site} is ready`,
    nameElsewhere(status) ?? '',
  ].filter((sentence) => sentence !== '');
}

function hearsWitness({ votes: { witness } }: AgentStatus, config: ClusterConfig): boolean {
  if (witness.kind === 'none') return true;
  if (witness.kind === 'agent' || witness.heard) return witness.heard;
  return witness.ageMs !== null && witness.ageMs <= config.lease.watchEveryMs + registerLateMs;
}

/** The public name as the entry's agent last saw it, which alone looks; null while it is right, or nobody has looked. */
export function nameElsewhere({ agent, record, dns }: AgentStatus): string | null {
  if (record === null || dns === null || record.entry !== agent || dns.entry === record.entry) return null;
  const where = dns.entry ?? dns.value ?? 'nothing';
  return `the public name points to ${where}, and the entry is ${record.entry} (step.failed in its agent's log says why)`;
}
