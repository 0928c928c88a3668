// What each alert is for: what is broken in the cluster `shop`, and what fires of it. Nothing fires of the cluster beside it.

import type { DaemonLabels } from '../../src/adapters/metrics/metrics.ts';
import type { DaemonRole } from '../../src/catalog/metrics.ts';
import { type Labels, target, until } from './alerts-bed.ts';

export type Change = {
  /** Every series with all of these in its name and labels. There has to be one. */
  readonly of: readonly string[];
  /** Their values from 0 on; null: they are not there at all. */
  readonly values: string | null;
};

export type Case = {
  readonly alert: string;
  readonly when: string;
  readonly changes: readonly Change[];
  readonly fires: readonly Labels[];
  /** Alerts that are for something else. */
  readonly not?: readonly string[];
};

const cluster = 'shop';
const labels = (role: DaemonRole, site: string): DaemonLabels => ({ cluster, role, site });
const at = (role: DaemonRole, site: string): Labels => target(labels(role, site));

function of(metric: string, role?: DaemonRole, site?: string, ...more: string[]): readonly string[] {
  const words = [`cluster="${cluster}"`, ...more];
  if (role !== undefined) words.push(`role="${role}"`);
  if (role !== undefined && site !== undefined) words.push(`instance="${target(labels(role, site))['instance']}"`);
  return [`${metric}{`, ...words];
}

const everything = (role: DaemonRole, site: string): Change => ({
  of: of('', role, site),
  values: null,
});

/** What stops being scraped: the last sample is followed by the mark of a series that ended. */
const ends = (metric: string, role: DaemonRole, value: number | string): Change => ({
  of: of(metric, role),
  values: until(value, 'stale'),
});

const failedAt = (site: string): readonly Change[] => [
  { of: of('siteward_verdict', 'agent', undefined, `part="entry-${site}"`, 'verdict="healthy"'), values: until(1, 0) },
  { of: of('siteward_verdict', 'agent', undefined, `part="entry-${site}"`, 'verdict="failed"'), values: until(0, 1) },
];

export const cases: readonly Case[] = [
  {
    alert: 'SitewardNoLease',
    when: 'no guard holds a lease',
    changes: [{ of: of('siteward_lease_left_seconds'), values: until(5, 0) }],
    fires: [{ cluster }],
  },
  {
    alert: 'SitewardNoLease',
    when: 'both guards are gone',
    changes: [
      { of: of('siteward_lease_left_seconds', 'agent'), values: until(5, 0) },
      ends('siteward_lease_left_seconds', 'guard', 5),
    ],
    fires: [{ cluster }],
  },
  {
    alert: 'SitewardPrimaryFailed',
    when: 'the primary has failed for one agent',
    changes: [
      { of: of('siteward_verdict', 'agent', 'site2', 'part="primary"', 'verdict="failed"'), values: until(0, 1) },
    ],
    fires: [{ cluster }],
    not: ['SitewardEntryFailed', 'SitewardBalancerFailed'],
  },
  {
    alert: 'SitewardEntryFailed',
    when: 'the name points to site1, whose balancer has failed',
    changes: failedAt('site1'),
    fires: [{ cluster, part: 'entry-site1' }],
    not: ['SitewardPrimaryFailed'],
  },
  {
    alert: 'SitewardEntryFailed',
    when: 'the name points to site2, whose balancer has failed',
    changes: [
      ...failedAt('site2'),
      { of: of('siteward_entry', 'agent', undefined, '{site="site1"'), values: until(0, 0) },
      { of: of('siteward_entry', 'agent', undefined, '{site="site2"'), values: until(1, 1) },
    ],
    fires: [{ cluster, part: 'entry-site2' }],
  },
  {
    alert: 'SitewardBalancerFailed',
    when: 'the balancer has failed that the name does not point to',
    changes: failedAt('site2'),
    fires: [{ cluster, part: 'entry-site2' }],
    not: ['SitewardEntryFailed'],
  },
  {
    alert: 'SitewardNoRecord',
    when: 'agents lost their memory, guards and witness go on',
    changes: [ends('siteward_epoch', 'agent', 1)],
    fires: [{ cluster }],
  },
  {
    alert: 'SitewardAgentAlone',
    when: 'one agent hears nobody',
    changes: [{ of: of('siteward_voters_heard', 'agent', 'site2'), values: until(3, 1) }],
    fires: [at('agent', 'site2')],
  },
  {
    alert: 'SitewardVoterMissing',
    when: 'one agent does not hear the witness',
    changes: [{ of: of('siteward_voters_heard', 'agent', 'site1'), values: until(3, 2) }],
    fires: [at('agent', 'site1')],
    not: ['SitewardAgentAlone'],
  },
  {
    alert: 'SitewardFuseNotAlive',
    when: 'a fuse does not look',
    changes: [{ of: of('siteward_fuse_alive', 'guard', 'site1'), values: until(1, 0) }],
    fires: [at('guard', 'site1')],
  },
  {
    alert: 'SitewardDown',
    when: 'a guard does not answer',
    changes: [{ of: of('up', 'guard', 'site1'), values: until(1, 0) }],
    fires: [{ cluster, role: 'guard', job: 'siteward', instance: String(at('guard', 'site1')['instance']) }],
    not: ['SitewardNotScraped'],
  },
  {
    alert: 'SitewardCommitsStalled',
    when: 'commits wait',
    changes: [{ of: of('siteward_commits_stalled_seconds', 'guard', 'site1'), values: until(0, 11) }],
    fires: [at('guard', 'site1')],
  },
  {
    alert: 'SitewardMayNotTakeOver',
    when: 'an agent says so',
    changes: [{ of: of('siteward_may_take_over', 'agent', 'site2'), values: until(1, 0) }],
    fires: [at('agent', 'site2')],
  },
  {
    alert: 'SitewardWaitsForPerson',
    when: 'an agent says so',
    changes: [{ of: of('siteward_waits_for_person', 'agent', 'site2'), values: until(0, 1) }],
    fires: [at('agent', 'site2')],
  },
  {
    alert: 'SitewardPrimaryMoved',
    when: 'the agents know a higher epoch',
    changes: [{ of: of('siteward_epoch'), values: until(1, 2) }],
    fires: [{ cluster }],
  },
  {
    alert: 'SitewardFenced',
    when: 'a guard fences for the first time',
    changes: [{ of: of('siteward_fences_total', 'guard', 'site1', 'outcome="done"'), values: until(0, 1) }],
    fires: [{ ...at('guard', 'site1'), outcome: 'done' }],
  },
  {
    alert: 'SitewardFenced',
    when: 'a guard tries to for the first time',
    changes: [{ of: of('siteward_fences_total', 'guard', 'site2', 'outcome="failed"'), values: until(0, 1) }],
    fires: [{ ...at('guard', 'site2'), outcome: 'failed' }],
  },
  {
    alert: 'SitewardCheckFailed',
    when: 'a check fails',
    changes: [{ of: of('siteward_check_ok', 'agent', 'site1'), values: until(1, 0) }],
    fires: [{ ...at('agent', 'site1'), check: 'disk-space' }],
  },
  {
    alert: 'SitewardChecksStopped',
    when: 'a check has not run since',
    changes: [{ of: of('siteward_check_timestamp_seconds', 'agent', 'site1'), values: until(0, 0) }],
    fires: [{ ...at('agent', 'site1'), check: 'disk-space' }],
  },
  {
    alert: 'SitewardConfigFallback',
    when: 'a guard runs on its last good file',
    changes: [{ of: of('siteward_config_fallback', 'guard', 'site2'), values: until(0, 1) }],
    fires: [at('guard', 'site2')],
  },
  {
    alert: 'SitewardPaused',
    when: 'somebody paused it',
    changes: [{ of: of('siteward_paused'), values: until(0, 1) }],
    fires: [{ cluster }],
  },
];

/** Nothing that anybody should be told of. */
export const harmless: readonly { readonly what: string; readonly changes: readonly Change[] }[] = [
  {
    what: 'there is no lease for one scrape',
    changes: [{ of: of('siteward_lease_left_seconds'), values: '5+0x11 0 5+0x588' }],
  },
  {
    what: 'the agents learn of the first record',
    changes: [
      { of: of('siteward_epoch', 'agent'), values: '_x12 1+0x588' },
      { of: of('siteward_epoch', 'witness'), values: '0+0x11 1+0x588' },
    ],
  },
  {
    what: 'a guard is restarted after a fence of long ago',
    changes: [{ of: of('siteward_fences_total', 'guard', 'site1', 'outcome="done"'), values: '1+0x99 _x3 0+0x496' }],
  },
  { what: 'there is no guard of site2 any more', changes: [everything('guard', 'site2')] },
];
