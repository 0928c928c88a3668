// Which agent is asked first, and which one an order is given to.

import type { AgentStatus } from '../core/agent/status.ts';
import type { Order } from '../core/messages.ts';
import { type ClusterRecord, compareEpochs, epochOf } from '../core/quorum/record.ts';
import { soleVoterOf } from '../core/quorum/sole-voter.ts';
import { otherSite, type Site } from '../core/site.ts';

export type Living = { readonly site: Site; readonly status: AgentStatus };

/**
 * A sorting order: an agent in good standing before one that lost its memory, then the newest record, era first (in a
 * forced era the side that was left out still has its own), then one that hears another voter.
 */
export function newestFirst(one: AgentStatus, other: AgentStatus): number {
  return (
    Number(one.amnesia) - Number(other.amnesia) ||
    compareRecords(other.record, one.record) ||
    Number(hearsAnother(other)) - Number(hearsAnother(one))
  );
}

function compareRecords(one: ClusterRecord | null, other: ClusterRecord | null): number {
  if (one === null || other === null) return Number(one !== null) - Number(other !== null);
  return compareEpochs(epochOf(one), epochOf(other));
}

function hearsAnother({ votes: { peer, witness } }: AgentStatus): boolean {
  return peer.heard || ('heard' in witness && witness.heard);
}

/**
 * `living` is not empty, and newest first. In a forced era its only voter takes orders; else a planned move is driven best
 * by the agent of the site it goes to, and all else by the first.
 */
export function driverOf(living: readonly Living[], order: Order): Living {
  const [first] = living;
  if (first === undefined) throw new Error('an order needs an agent that answers');
  const { record } = first.status;
  const wanted = soleVoterOf(record) ?? (order.kind === 'failover' ? (order.to ?? elsewhere(record)) : null);
  return living.find(({ site }) => site === wanted) ?? first;
}

function elsewhere(record: ClusterRecord | null): Site | null {
  return record === null ? null : otherSite(record.primary);
}
