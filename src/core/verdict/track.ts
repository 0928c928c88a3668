// V1: hysteresis of one part: `confirm` failures in a row and a minimum time make it failed, `recover` successes in a
// row make it healthy again. Pure.

import type { Track } from '../agent/state.ts';
import type { ProbeSettings } from '../settings.ts';
import type { Instant } from '../time.ts';
import type { Bearing } from './classes.ts';

export type Finding = {
  readonly bearing: Bearing;
  readonly class: string;
  readonly detail: string;
  /** When the probe began: the failure is at least that old. */
  readonly startedAt: Instant;
};

export function fold(track: Track, finding: Finding, settings: ProbeSettings, now: Instant): Track {
  const said = { lastClass: finding.class, detail: finding.detail };
  if (finding.bearing === 'neutral') return { ...track, ...said };
  if (finding.bearing === 'good')
    return {
      ...settle(track, { ...track, failures: 0, firstFailureAt: null, successes: track.successes + 1 }, settings, now),
      ...said,
    };
  const failures = track.failures + 1;
  const firstFailureAt = track.firstFailureAt ?? finding.startedAt;
  return { ...settle(track, { ...track, failures, firstFailureAt, successes: 0 }, settings, now), ...said };
}

function settle(before: Track, after: Track, settings: ProbeSettings, now: Instant): Track {
  const verdict = judge(before, after, settings, now);
  const everHealthy = after.everHealthy || verdict === 'healthy';
  return verdict === before.verdict ? { ...after, everHealthy } : { ...after, everHealthy, verdict, changedAt: now };
}

function judge(before: Track, after: Track, settings: ProbeSettings, now: Instant): Track['verdict'] {
  if (after.failures > 0) {
    const lasted = now - (after.firstFailureAt ?? now);
    // The minimum time keeps quick refusals from confirming faster than the probes' own rhythm.
    if (after.failures >= settings.confirm && lasted >= (settings.confirm - 1) * settings.everyMs) return 'failed';
    return before.verdict === 'failed' ? 'failed' : 'suspect';
  }
  if (before.verdict === 'failed') return after.successes >= settings.recover ? 'healthy' : 'failed';
  return 'healthy';
}

/** V3: time in which this agent heard no other voter confirms nothing; counting begins anew. */
export function beginAnew(track: Track): Track {
  if (track.failures === 0) return track;
  return { ...track, verdict: 'unknown', failures: 0, firstFailureAt: null, successes: 0 };
}
