// A forced era ("Orders", docs/decisions/0006): while its record names one agent as the only voter, that agent's vote
// alone chooses and its grant alone is a lease.

import type { Site } from '../site.ts';
import type { ClusterRecord } from './record.ts';

const mark = 'only:';

/** What `voters` of the record says while `site`'s agent is the only voter. */
export function onlyVoter(site: Site): string {
  return `${mark}${site}`;
}

/** The only voter of the record's era; null in every era that has the configured voters. */
export function soleVoterOf(record: Pick<ClusterRecord, 'voters'> | null): Site | null {
  if (record === null || !record.voters.startsWith(mark)) return null;
  const site = record.voters.slice(mark.length);
  return site === 'site1' || site === 'site2' ? site : null;
}

/** Whether accepting `next` after `before` makes a voter one again: L4's wait begins with it. */
export function endsForcedEra(
  before: Pick<ClusterRecord, 'voters'> | null,
  next: Pick<ClusterRecord, 'voters'>,
): boolean {
  return soleVoterOf(before) !== null && soleVoterOf(next) === null;
}
