// What a wanted change makes of the record found (Q2), or why it no longer holds against it.

import { sameBallot } from '../quorum/ballot.ts';
import { type Accepted, type ClusterRecord, epochOf, sameEpoch } from '../quorum/record.ts';
import { onlyVoter, soleVoterOf } from '../quorum/sole-voter.ts';
import { isoTime, type Moment } from '../time.ts';
import type { AgentState, Intent } from './state.ts';

/**
 * "pause": no change of primary or entry without an order, whatever this agent knew when it began. A pause that is half done is
 * ended as it is (Q5): given up, it would stand in the way of every further round of this urgent change (I7).
 */
function foundPaused({ ballot, record }: Accepted, { voter }: AgentState): ClusterRecord | string {
  const { chosen } = voter.durable;
  return chosen !== null && sameBallot(chosen.ballot, ballot) ? 'the record found is paused' : record;
}

export function applyIntent(intent: Intent, found: Accepted, s: AgentState, at: Moment): ClusterRecord | string {
  const base = found.record;
  // A forced era stays one whatever else is changed in it; only `end-force` gives the others their votes back.
  const voters = soleVoterOf(base) === null ? s.settings.voters : base.voters;
  const stamp = { by: s.me, at: isoTime(at.wall), reason: plain(intent.reason), voters };
  switch (intent.kind) {
    case 'same':
    case 'rejoin':
      // A change that alters nothing, who wrote it and why included, so that history is not rewritten by a repair.
      return base;
    case 'mode':
      return base.mode === intent.mode ? base : { ...base, ...stamp, mode: intent.mode };
    case 'entry':
      if (base.entry === intent.to) return base;
      return base.mode === 'paused' && !intent.order ? foundPaused(found, s) : { ...base, ...stamp, entry: intent.to };
    case 'primary':
      return changePrimary(intent, found, s, stamp);
    case 'sync-on':
      if (!sameBallot(found.ballot, intent.onto)) return 'the record found is not the one that the guard named';
      return base.sync ? base : { ...base, ...stamp, sync: true };
    case 'sync-off':
      if (!sameEpoch(epochOf(base), intent.epoch)) return `the record found is of epoch ${base.epoch}`;
      return base.sync ? { ...base, ...stamp, sync: false } : base;
    case 'force': {
      const era = { number: base.era.number + 1, site: s.me };
      const { to } = intent;
      return {
        ...base,
        ...stamp,
        era,
        epoch: base.epoch + 1,
        primary: to,
        entry: to,
        sync: false,
        voters: onlyVoter(s.me),
      };
    }
    case 'end-force':
      return { ...base, ...stamp, voters: s.settings.voters };
  }
}

/** As short and plain as the register keeps it: every voter holds the same record of one ballot (I2). */
function plain(reason: string): string {
  return reason.replaceAll(/[^ -~]/g, '?').slice(0, 80);
}

function changePrimary(
  intent: Extract<Intent, { kind: 'primary' }>,
  found: Accepted,
  s: AgentState,
  stamp: Pick<ClusterRecord, 'by' | 'at' | 'reason' | 'voters'>,
): ClusterRecord | string {
  const base = found.record;
  // Half done by an earlier round: what is found already says so, and is ended as it is (Q5).
  if (base.primary === intent.to) return base;
  if (!sameEpoch(epochOf(base), intent.from))
    return `epoch ${intent.from.epoch} is over, the record found is of epoch ${base.epoch}`;
  if (base.mode === 'paused' && !intent.order) return foundPaused(found, s);
  // The old primary may have gone on under a later record, so that its standby lacks something after all (L7, V8).
  if (intent.onto !== null && !sameBallot(found.ballot, intent.onto))
    return 'the record found is not the one under which the old primary stopped';
  // V5. A half-done `sync: false` is ended as it is: given up it would stay in the way of every further round.
  if (intent.needsSync && !base.sync) return base;
  return {
    ...base,
    ...stamp,
    epoch: base.epoch + 1,
    primary: intent.to,
    entry: intent.entryToo ? intent.to : base.entry,
    sync: false,
  };
}
