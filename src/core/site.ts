// Who takes part (protocol.md, "Who takes part"). Two sites, three voters, and the names they have on the wire.

export type Site = 'site1' | 'site2';
export const sites: readonly Site[] = ['site1', 'site2'];

export function otherSite(site: Site): Site {
  return site === 'site1' ? 'site2' : 'site1';
}

/** A voter: the agent of a site, or the witness. */
export type VoterId = Site | 'witness';

export type AgentId = 'site1-agent' | 'site2-agent';
export type GuardId = 'site1-guard' | 'site2-guard';
/** A process that speaks the peer protocol; the name under which its public key is pinned. */
export type PeerId = AgentId | GuardId | 'witness' | `operator:${string}`;

export function agentOf(site: Site): AgentId {
  return `${site}-agent`;
}

export function guardOf(site: Site): GuardId {
  return `${site}-guard`;
}

/** The voter that speaks as `peer`, if it is one. */
export function voterOf(peer: PeerId): VoterId | null {
  if (peer === 'witness') return 'witness';
  if (peer === 'site1-agent') return 'site1';
  if (peer === 'site2-agent') return 'site2';
  return null;
}

export function peerOfVoter(voter: VoterId): PeerId {
  return voter === 'witness' ? 'witness' : agentOf(voter);
}

/** The site whose guard speaks as `peer`, if it is one. */
export function guardSite(peer: PeerId): Site | null {
  if (peer === 'site1-guard') return 'site1';
  if (peer === 'site2-guard') return 'site2';
  return null;
}
