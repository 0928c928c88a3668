// Observations to verdicts (V1 to V4): each probe's report is folded into its part's track, and out of the tracks, the
// peer's word and the standby's come `confirmed` and `refusing`.

import type { BalancerReport, InstanceReport, PrimaryReport, StandbyReport } from '../observe/observation.ts';
import { epochOf, sameEpoch } from '../quorum/record.ts';
import { otherSite, type Site } from '../site.ts';
import { bindingMs, type Instant, type Ms } from '../time.ts';
import { bearingOnPrimary } from '../verdict/classes.ts';
import { beginAnew, fold } from '../verdict/track.ts';
import { type AgentDraft, set, trace } from './draft.ts';
import { confirmTimeMs, recent, recordOf, standbySite, verdictsRest } from './facts.ts';
import { hearStandbysPosition, notePeak, seePosition } from './positions.ts';
import { refusesDatabase } from './refusing.ts';
import type { AgentState, Track } from './state.ts';

export function onPrimaryReport(d: AgentDraft, site: Site, report: PrimaryReport, startedAt: Instant): void {
  const record = recordOf(d.s);
  // A probe begun under another record speaks of another epoch's primary.
  if (record === null || record.primary !== site || startedAt < d.s.epochAt) return;
  const seenClass = classFor(d, report);
  const detail = seenClass === 'disk-full' && report.class === 'ok' ? fullDetail : report.detail;
  set(d, { primarySeen: { at: startedAt, value: { ...report, class: seenClass, detail } } });
  // V3, R2: time in which nobody was heard confirms nothing. "Orders": nor does what is seen of a database that is being
  // stopped, restarted or moved; how that ends is judged by what is seen from then on.
  const rests = verdictsRest(d.s, d.at.now);
  const confirmsNothing = d.s.hearingSince === null || rests;
  const bearing = confirmsNothing && bearingOnPrimary(seenClass) === 'bad' ? 'neutral' : bearingOnPrimary(seenClass);
  // V1: what its guard keeps stopped has not failed, whatever was seen of it before that guard was heard.
  const before = rests || seenClass === 'fenced' ? beginAnew(d.s.primary) : d.s.primary;
  const track = fold(before, { bearing, class: seenClass, detail, startedAt }, d.s.settings.probe, d.at.now);
  noteVerdict(d, 'primary', d.s.primary, track);
  const illSince = bearingOnPrimary(seenClass) === 'bad' ? (d.s.illSince ?? d.at.now) : d.s.illSince;
  set(d, { primary: track, illSince: track.verdict === 'healthy' ? null : illSince });
  if (report.class === 'ok') noteGood(d, report, startedAt);
}

/** Three intervals of its rounds. */
const roundForMs: Ms = 3000;

const fullDetail = 'its guard finds no room beside its data: what needs a new page is refused';

/**
 * V1: `fenced` instead of `refused` while its guard answers, keeps it stopped for want of a lease, and its rounds arrive
 * here; not where the grant that it wants is the one that this agent refuses (V4). `disk-full` instead of `ok` while its
 * guard says so: a probe changes a row in place, which still works then.
 */
function classFor(d: AgentDraft, report: PrimaryReport): PrimaryReport['class'] {
  const record = recordOf(d.s);
  if (record === null) return report.class;
  const pinned = d.s.durable.systemId;
  if (report.class === 'ok' && pinned !== null && report.systemId !== null && report.systemId !== pinned)
    return 'wrong-system';
  if (report.class !== 'refused' && report.class !== 'ok') return report.class;
  const guard = recent(d.s.guards[record.primary], d.at.now, 2000);
  if (report.class === 'ok') return guard?.diskFull === true ? 'disk-full' : 'ok';
  const stopped = guard !== null && (guard.database === 'stopped' || guard.database === 'unknown');
  // A guard that may not ask for a lease (its fuse is dead, its disk hangs) would keep it stopped for ever (I7).
  const asks = d.at.now - (d.s.roundAt[record.primary] ?? Number.NEGATIVE_INFINITY) <= roundForMs;
  const refused = refusesDatabase(d.s, epochOf(record), d.at.now);
  // A heal lets it in within a round or two; where a grant has been missing for longer than any promise lasts, nothing heals (I6).
  const waits =
    guard !== null && guard.missingMs <= bindingMs(d.s.voter.durable.longestTtlMs, d.s.settings.lease.drift);
  return stopped && asks && waits && !refused && !guard.crashed && guard.leaseLeftMs <= 0 ? 'fenced' : report.class;
}

function noteGood(d: AgentDraft, { systemId, position, row }: PrimaryReport, startedAt: Instant): void {
  const { durable } = d.s;
  if (durable.systemId === null && systemId !== null) set(d, { durable: { ...durable, systemId } });
  if (position !== null && row !== null) seePosition(d, { position, epoch: row.epoch }, startedAt);
}

export function onStandbyReport(d: AgentDraft, site: Site, report: StandbyReport, startedAt: Instant): void {
  const record = recordOf(d.s);
  const before = d.s.standbySeen;
  // Probes overlap ("Timing"): one begun earlier that ends later would make the position seem to move.
  if (record === null || standbySite(record) !== site || startedAt < Math.max(d.s.epochAt, before?.at ?? 0)) return;
  // V2: only a receive position that moved is a witness to a living primary, and only within the confirm time.
  const moved =
    before !== null &&
    startedAt - before.at <= confirmTimeMs(d.s) &&
    before.value.received !== null &&
    report.received !== null &&
    report.received > before.value.received;
  const bearing =
    report.class === 'ok' && report.inRecovery === true
      ? 'good'
      : report.class === 'auth' || report.class === 'too-many-connections'
        ? 'neutral'
        : 'bad';
  const track = fold(
    d.s.standby,
    { bearing, class: report.class, detail: report.detail, startedAt },
    d.s.settings.probe,
    d.at.now,
  );
  noteVerdict(d, 'standby', d.s.standby, track);
  set(d, {
    standbySeen: { at: startedAt, value: report },
    standby: track,
    receivedMovedAt: moved ? d.at.now : d.s.receivedMovedAt,
  });
  // Of this history only: an old primary has what nobody else has, until it is rewound. And whole records only: the part of one that
  // had been received is gone for those who ask after a restart.
  if (report.row !== null) notePeak(d, { epoch: report.row.epoch, position: report.replayed ?? 0 });
  hearStandbysPosition(d, report);
}

/** V7: HAProxy serves when it answers and has at least one instance up. */
export function onBalancerReport(d: AgentDraft, site: Site, report: BalancerReport, startedAt: Instant): void {
  const serves = report.class === 'ok' && report.servers.some((server) => server.status === 'up');
  const detail =
    report.class === 'ok'
      ? `${report.servers.filter((server) => server.status === 'up').length} instances up`
      : report.detail;
  const bearing = serves ? 'good' : report.class === 'auth' || report.class === 'protocol' ? 'neutral' : 'bad';
  const before = d.s.entries[site];
  const track = fold(
    before,
    { bearing, class: report.class === 'ok' && !serves ? 'no-instance' : report.class, detail, startedAt },
    d.s.settings.probe,
    d.at.now,
  );
  noteVerdict(d, `entry ${site}`, before, track);
  set(d, {
    entries: { ...d.s.entries, [site]: track },
    balancers: { ...d.s.balancers, [site]: { at: startedAt, value: report } },
  });
}

function noteVerdict(d: AgentDraft, part: string, before: Track, after: Track): void {
  if (before.verdict === after.verdict) return;
  // A changed verdict is told to the peer at once: the agreement of both is what confirms (V3).
  set(d, { due: { ...d.s.due, state: d.at.now } });
  const level = after.verdict === 'failed' ? 'warn' : 'info';
  trace(d, level, 'verdict.changed', {
    part,
    from: before.verdict,
    to: after.verdict,
    class: after.lastClass,
    detail: after.detail,
  });
}

/** V7: whether the other site's balancer serves from the right database, not merely holding requests. */
export function servesRightly(s: AgentState, site: Site, now: Instant): boolean {
  const record = recordOf(s);
  if (record === null || s.entries[site].verdict !== 'healthy') return false;
  const servers = s.balancers[site]?.value.servers ?? [];
  const isUp = (name: string): boolean => servers.some((server) => server.name === name && server.status === 'up');
  const serves = (i: InstanceReport): boolean =>
    i.ready && i.writable === true && i.epoch !== null && sameEpoch(i.epoch, epochOf(record)) && isUp(i.name);
  const both = [s.instances[site], s.instances[otherSite(site)]];
  return both.some((seen) => (recent(seen, now, 3000) ?? []).some(serves));
}
