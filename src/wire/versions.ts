// Which versions of the peer protocol a process speaks, and what it knows of its peers' (docs/decisions/0008). Version 1
// is what was spoken before versions were negotiated; version 2 adds zero-loss mode and rejoin.

import type { PeerId } from '../core/site.ts';

export type WireRange = { readonly oldest: number; readonly newest: number };

/** What this build speaks. One version back, so that hosts are upgraded, and downgraded, one by one. */
export const spoken: WireRange = { oldest: 1, newest: 2 };

/** Travels beside every request and answer, refusals too; a process of version 1 neither sends nor reads it. */
export const versionsHeader = 'siteward-wire';

const silent: WireRange = { oldest: 1, newest: 1 };

export function showRange({ oldest, newest }: WireRange): string {
  return `${oldest}-${newest}`;
}

export function speaks(range: WireRange, version: number): boolean {
  return version >= range.oldest && version <= range.newest;
}

/** What a peer said that it speaks. Nothing, or nonsense, is what a process of version 1 says. */
function readRange(said: string | null): WireRange {
  const [, oldest, newest] = /^([1-9]\d{0,3})-([1-9]\d{0,3})$/.exec(said ?? '') ?? [];
  const range = { oldest: Number(oldest), newest: Number(newest) };
  return range.oldest <= range.newest ? range : silent;
}

export type PeerVersions = {
  /** The version to ask this peer in: the newest that both speak, and the oldest of ours as long as it said nothing. */
  versionFor(peer: PeerId): number;
  hasSpoken(peer: PeerId): boolean;
  /** What came with any answer of the peer; it may have been upgraded or downgraded since the last one. */
  heard(peer: PeerId, said: string | null): WireRange;
};

export function createPeerVersions(ours: WireRange): PeerVersions {
  const known = new Map<PeerId, { readonly said: string | null; readonly range: WireRange }>();

  return {
    // A peer with which we share none is asked in our nearest one: it refuses, and says what it speaks by then.
    versionFor: (peer) => {
      const newest = known.get(peer)?.range.newest ?? ours.oldest;
      return Math.min(ours.newest, Math.max(ours.oldest, newest));
    },
    hasSpoken: (peer) => known.has(peer),
    heard: (peer, said) => {
      const last = known.get(peer);
      if (last !== undefined && last.said === said) return last.range;
      const range = readRange(said);
      known.set(peer, { said, range });
      return range;
    },
  };
}
