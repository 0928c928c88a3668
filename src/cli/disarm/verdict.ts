// May this host's database be handed back, and as what? Pure: from what the agents and this host's own disk say.

import { compareBallots } from '../../core/quorum/ballot.ts';
import { type Accepted, type ClusterRecord, compareEpochs, epochOf } from '../../core/quorum/record.ts';
import { otherSite, type Site, sites } from '../../core/site.ts';

/** The chosen record that an agent knows, or why it does not say. */
export type Word =
  | { readonly kind: 'said'; readonly chosen: Accepted | null }
  | { readonly kind: 'silent'; readonly why: string };

export type Verdict =
  | { readonly kind: 'may'; readonly as: 'primary' | 'standby'; readonly record: ClusterRecord }
  | { readonly kind: 'never-founded' }
  | { readonly kind: 'refused'; readonly why: string };

/**
 * A primary only while the cluster is paused: without its guard nothing would end it when the other site takes over. A
 * standby at any time: it stays what it is. `otherSideIsDown`: a person's word instead of an agent's.
 */
export function verdictOn(
  me: Site,
  words: Readonly<Record<Site, Word>>,
  onDisk: Accepted | null,
  otherSideIsDown: boolean,
): Verdict {
  const silent = sites.filter((site) => words[site].kind === 'silent');
  const told = sites.map((site) => words[site]).flatMap((word) => (word.kind === 'said' ? [word.chosen] : []));
  const newest = [...told, onDisk].filter((each) => each !== null).sort(newestFirst)[0];
  if (silent.length > 0 && !otherSideIsDown) {
    const who = silent.map((site) => `${site}'s (${whyOf(words[site])})`).join(', ');
    return {
      kind: 'refused',
      why: `agents that do not answer: ${who}. What they know may be newer than what is known here; if they are gone for good, --other-side-is-down`,
    };
  }
  if (newest === undefined) return { kind: 'never-founded' };
  const { record } = newest;
  if (record.primary !== me) return { kind: 'may', as: 'standby', record };
  if (record.mode !== 'paused' && told.length > 0) {
    return {
      kind: 'refused',
      why: `the cluster is not paused: ${otherSite(me)} could take over while this database goes on writing. First: siteward pause`,
    };
  }
  return { kind: 'may', as: 'primary', record };
}

function whyOf(word: Word): string {
  return word.kind === 'silent' ? word.why : '';
}

function newestFirst(a: Accepted, b: Accepted): number {
  return compareEpochs(epochOf(b.record), epochOf(a.record)) || compareBallots(b.ballot, a.ballot);
}
