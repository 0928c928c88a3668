// V5: may the standby take over, or the one reason why not. Unknown means hold, and say so.

import { hearsMajority, isWithoutWitness, recent, recordOf, standbySite } from '../agent/facts.ts';
import { mayHaveGoneOnMs, unnoticedMs } from '../agent/positions.ts';
import type { AgentState, Seen } from '../agent/state.ts';
import { showLsn } from '../lsn.ts';
import type { StandbyAdvice } from '../messages.ts';
import { farthestOf, type StandbyReport } from '../observe/observation.ts';
import { type ClusterRecord, compareEpochs, epochOf, sameEpoch, showEpoch } from '../quorum/record.ts';
import type { Instant, Ms } from '../time.ts';

/** An observation older than this is no ground to promote on. Four probe intervals with their deadline. */
export const standbyFreshMs: Ms = 3000;

function missing(why: string): StandbyAdvice {
  return { mayTakeOver: false, why, received: null, ageMs: 0 };
}

/**
 * What an order waives of V5. `sync`: nothing is lost though the record does not say `sync`, since the primary stops and
 * its last WAL is waited for. `loss`: the operator's word, which overrides that and the lag.
 */
export type Waiver = 'nothing' | 'sync' | 'loss';

/** V5: in zero-loss mode a change of primary needs `sync: true`, in the record known here as in the one found. */
export function needsSync(s: AgentState, waives: Waiver): boolean {
  return s.settings.replication !== 'async' && waives === 'nothing';
}

export function standbyAdvice(s: AgentState, now: Instant, waives: Waiver = 'nothing'): StandbyAdvice {
  const record = recordOf(s);
  if (record === null) return missing('no cluster record is known');
  const site = standbySite(record);
  const seen = s.standbySeen;
  const report = recent(seen, now, standbyFreshMs);
  if (report === null || seen === null)
    return missing(`nothing was seen of ${site}'s database within ${standbyFreshMs / 1000} s`);
  const ageMs = now - seen.at;
  const no = (why: string): StandbyAdvice => ({ mayTakeOver: false, why, received: report.received, ageMs });
  if (report.class !== 'ok') return no(`${site}'s database answers '${report.class}': ${report.detail}`);
  if (report.inRecovery !== true) return no(`${site}'s database is not a standby`);
  const guard = recent(s.guards[site], now, standbyFreshMs);
  if (guard === null) return no(`${site}'s guard was not heard within ${standbyFreshMs / 1000} s`);
  if (!guard.fuseAlive) return no(`${site}'s fuse is not alive`);
  if (guard.diskFull) return no(`${site}'s disk is full`);
  // I7: it promotes by its own socket, which others' probes do not use.
  if (guard.database !== 'standby')
    return no(`${site}'s guard does not see its own database as a standby (${guard.database})`);
  const waitMs = guard.quarantineMs - (now - (s.guards[site]?.at ?? now));
  if (waitMs > 0)
    return no(
      `${site}'s guard may not promote for ${Math.ceil(waitMs / 1000)} s: it started a moment ago, or promised so to the primary's guard (L8)`,
    );
  const pinned = s.durable.systemId;
  if (pinned === null || report.systemId === null)
    return no('the system identifier of the primary or the standby is unknown');
  if (report.systemId !== pinned)
    return no(`${site}'s database has another system identifier (${report.systemId}, the primary ${pinned})`);
  // An old primary that was not rewound has a higher position and must not take over: what counts is the replayed row.
  if (report.row === null) return no(`${site}'s database has not replayed the row of siteward.cluster`);
  if (report.row.cluster !== record.cluster || !sameEpoch(report.row.epoch, epochOf(record))) {
    return no(
      `${site}'s database has replayed epoch ${showEpoch(report.row.epoch)}, the cluster is in ${showEpoch(epochOf(record))}: where this lasts it has to be made anew`,
    );
  }
  if (needsSync(s, waives) && !(record.sync && isNewestSync(s, now))) {
    return no(
      record.sync
        ? 'zero-loss: the record that says that it has all that was acknowledged may be an old one, since nobody else is heard (--accept-loss goes on all the same)'
        : 'zero-loss: the record does not say that it has all that was acknowledged (--accept-loss goes on all the same)',
    );
  }
  if (s.settings.replication !== 'async' && waives !== 'loss' && isOlderCopy(s, seen, record)) {
    return no(
      `${site}'s database has less WAL than it had received before, so it is an older copy of it (--accept-loss goes on all the same)`,
    );
  }
  return lagAdvice(s, report.received ?? report.replayed, { ageMs, acceptLoss: waives === 'loss', now });
}

/** The other agent may have seen a moment later how far it is now. */
function isOlderCopy(s: AgentState, seen: Seen<StandbyReport>, record: ClusterRecord): boolean {
  const { standbyPeak: peak, standbyPeakAt } = s;
  if (peak === null || !sameEpoch(peak.epoch, epochOf(record)) || seen.at < standbyPeakAt) return false;
  return farthestOf(seen.value) < peak.position;
}

/**
 * V8: whether nobody can have chosen `sync: false` after the `sync: true` known here. Who hears another voter finds what was
 * chosen by its round (Q2); who forces an era asks nobody, and without it two others may have chosen.
 */
function isNewestSync(s: AgentState, now: Instant): boolean {
  if (hearsMajority(s, now)) return true;
  return isWithoutWitness(s) && s.voter.durable.accepted?.record.sync === true;
}

function lagAdvice(
  s: AgentState,
  received: number | null,
  { ageMs, acceptLoss, now }: { readonly ageMs: Ms; readonly acceptLoss: boolean; readonly now: Instant },
): StandbyAdvice {
  const record = recordOf(s);
  const last = s.lastPrimary;
  const no = (why: string): StandbyAdvice => ({ mayTakeOver: false, why, received, ageMs });
  if (received === null) return no('how much WAL the standby has received is unknown');
  if (acceptLoss) return { mayTakeOver: true, why: '', received, ageMs };
  if (last === null || record === null || compareEpochs(last.epoch, epochOf(record)) !== 0)
    return no("the primary's last position in this epoch is unknown (--accept-loss goes on all the same)");
  // V8: with `sync: true` it has all that was acknowledged, however long the primary went on.
  const isWhole = s.settings.replication !== 'async' && record.sync && isNewestSync(s, now);
  const unseen = isWhole ? 0 : mayHaveGoneOnMs(s, now);
  const lag = last.position - received;
  if (unseen > unnoticedMs(s))
    return no(
      `nobody who is heard knows how far the primary went on, and it was last seen ${Number.isFinite(unseen) ? `${Math.ceil(unseen / 1000)} s ago` : 'before this agent started'}: ${standbySite(record)} lacked ${Math.max(0, lag)} bytes of WAL then, what it lacks now is unknown (--accept-loss goes on all the same)`,
    );
  if (lag > s.settings.policy.maxLagBytes)
    return no(
      `the standby lacks ${lag} bytes of WAL, more than maxLagBytes ${s.settings.policy.maxLagBytes} (--accept-loss goes on all the same)`,
    );
  return { mayTakeOver: true, why: '', received, ageMs };
}

export type PossibleLoss = {
  readonly received: string | null;
  readonly lagBytes: number | null;
  readonly seenAgoMs: Ms | null;
};

/**
 * What a change of primary may lose, as far as is known when it is proposed: what was acknowledged up to `received` is on
 * the standby already; `lagBytes` is how far beyond it the primary was last seen, `seenAgoMs` before. Where it could not be
 * reached it went on until its lease ended, and what it acknowledged in that time is in neither.
 */
export function possibleLoss(s: AgentState, now: Instant): PossibleLoss {
  const report = s.standbySeen?.value ?? null;
  const received = report?.received ?? report?.replayed ?? null;
  const last = s.lastPrimary;
  const record = recordOf(s);
  const isOfNow = last !== null && record !== null && sameEpoch(last.epoch, epochOf(record));
  return {
    received: received === null ? null : showLsn(received),
    lagBytes: received === null || !isOfNow ? null : Math.max(0, last.position - received),
    seenAgoMs: isOfNow && s.positionAt !== null ? now - s.positionAt : null,
  };
}
