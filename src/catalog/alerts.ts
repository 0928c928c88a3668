// What somebody should be told of, in Prometheus' words; the worst first. docs/METRICS.md and deploy/prometheus/ are made
// from it, and every expression stands for any number of clusters.

export type Alert = {
  readonly name: string;
  /** `page`: writes or clients are lost, or may be at any moment. `ticket`: in the morning. */
  readonly severity: 'page' | 'ticket';
  readonly expression: string;
  /** How long it has to be so, as Prometheus writes it; at once when left out. */
  readonly lasting?: string;
  /** One sentence. */
  readonly summary: string;
  readonly whatToDo: string;
};

/** The job that the rules look for, since `up` says nothing else of what a target is. */
export const scrapeJob = 'siteward';

export const alerts: readonly Alert[] = [
  {
    name: 'SitewardNoLease',
    severity: 'page',
    // The agents' as well: with both guards down there is no other.
    expression: 'max by (cluster) (siteward_lease_left_seconds) == 0',
    lasting: '30s',
    summary: 'No guard holds a lease: nothing accepts writes.',
    whatToDo:
      '`siteward status` says what is in the way: "Nothing fails over although the primary is down" in RUNBOOK.md. With no majority of voters: "Both databases are stopped" in RUNBOOK.md.',
  },
  {
    name: 'SitewardPrimaryFailed',
    severity: 'page',
    expression: 'max by (cluster) (siteward_verdict{part="primary",verdict="failed"}) == 1',
    lasting: '1m',
    summary: 'The primary has failed for an agent, and nothing has replaced it.',
    whatToDo:
      '`siteward status` says what is in the way: "Nothing fails over although the primary is down" in RUNBOOK.md.',
  },
  {
    name: 'SitewardEntryFailed',
    severity: 'page',
    expression: ['site1', 'site2']
      .map(
        (site) =>
          `max by (cluster, part) (siteward_verdict{part="entry-${site}",verdict="failed"}) == 1 and on (cluster) siteward_entry{site="${site}"} == 1`,
      )
      .join(' or '),
    lasting: '2m',
    summary: 'The public name points to a balancer that has failed, and has not been moved.',
    whatToDo:
      '`siteward status` says why; `siteward entry --to SITE` moves it by hand: the end of "Nothing fails over although the primary is down" in RUNBOOK.md.',
  },
  {
    name: 'SitewardNoRecord',
    severity: 'page',
    // Not absent(siteward_epoch): it is silent while any other cluster has one, and a witness says 0.
    expression: 'count by (cluster) (siteward_ballot{role="agent"}) unless on (cluster) siteward_epoch{role="agent"}',
    lasting: '5m',
    summary: 'No agent knows a record of the cluster: nothing is decided.',
    whatToDo:
      'Before `siteward init` it is always so. After it `siteward status` names the voter that lost its state: "An agent lost its memory" in RUNBOOK.md.',
  },
  {
    name: 'SitewardAgentAlone',
    severity: 'page',
    expression: 'siteward_voters_heard < 2',
    lasting: '30s',
    summary: 'An agent hears no other voter.',
    whatToDo:
      '`siteward status` on both service hosts. If both are alone: "Both databases are stopped" in RUNBOOK.md. If the other site and the witness are lost for long: "The other site and the witness are lost, and will not come back soon" in RUNBOOK.md.',
  },
  {
    name: 'SitewardFuseNotAlive',
    severity: 'page',
    expression: 'siteward_fuse_alive == 0',
    lasting: '10s',
    summary: 'A guard is without its fuse, and without it renews no lease.',
    whatToDo: '`systemctl status siteward-fuse` on that host: "What is going on?" in RUNBOOK.md.',
  },
  {
    name: 'SitewardDown',
    severity: 'page',
    expression: `up{job="${scrapeJob}"} == 0`,
    lasting: '1m',
    summary:
      "An agent, guard or witness is down or cannot be scraped: if it is the primary's guard, its fuse ends the database when the lease ends; without any other the service goes on.",
    whatToDo:
      '`siteward status` says whether the primary still serves and who is not heard: "What is going on?" in RUNBOOK.md. When no agent answers: "No agent answers" in RUNBOOK.md. A guard that does not start: "A guard lost its state" in RUNBOOK.md.',
  },
  {
    name: 'SitewardCommitsStalled',
    severity: 'page',
    expression: 'siteward_commits_stalled_seconds > 10',
    summary: 'Writes wait for a standby that does not keep up (zero-loss).',
    whatToDo: '"Writes stall: the standby is gone (zero-loss)" in RUNBOOK.md.',
  },
  {
    name: 'SitewardMayNotTakeOver',
    severity: 'ticket',
    expression: 'siteward_may_take_over == 0',
    lasting: '2m',
    summary: 'A primary that is lost now is not replaced.',
    whatToDo:
      '`siteward status` says why: the standby\'s PostgreSQL, guard or fuse, its lag, `sync: false`. The second table of "Nothing fails over although the primary is down" in RUNBOOK.md.',
  },
  {
    name: 'SitewardWaitsForPerson',
    severity: 'ticket',
    expression: 'siteward_waits_for_person == 1',
    lasting: '1m',
    summary: '`siteward status` has a line that begins with `!`.',
    whatToDo:
      'That line names the order to give: "What is going on?" in RUNBOOK.md. Where there is no witness it is always so: silence it there.',
  },
  {
    name: 'SitewardVoterMissing',
    severity: 'ticket',
    // A register is read too rarely in quiet times to be heard all the time, and without a witness there are two voters.
    expression: 'siteward_voters_heard < 3 and on (cluster) siteward_witness{kind="agent"} == 1',
    lasting: '2m',
    summary:
      'An agent does not hear the other agent or the witness: one more that is lost stops changes, or the primary.',
    whatToDo:
      '`siteward status` says which. An agent: that host, and the network to it: "What is going on?" in RUNBOOK.md. The witness: "The witness is silent" in RUNBOOK.md.',
  },
  {
    name: 'SitewardBalancerFailed',
    severity: 'ticket',
    expression: 'max by (cluster, part) (siteward_verdict{part=~"entry-.+",verdict="failed"}) == 1',
    lasting: '2m',
    summary:
      'The balancer of a service host has failed: clients that come there are lost, and the name cannot move there.',
    whatToDo:
      'HAProxy, the network and the applications behind it on that service host: the end of "Nothing fails over although the primary is down" in RUNBOOK.md.',
  },
  {
    name: 'SitewardPrimaryMoved',
    severity: 'ticket',
    expression: 'max by (cluster) (changes(siteward_epoch{role="agent"}[10m])) > 0',
    summary: 'The primary has moved, by an order or not.',
    whatToDo: '"A failover happened" in RUNBOOK.md.',
  },
  {
    name: 'SitewardFenced',
    severity: 'ticket',
    expression: 'increase(siteward_fences_total[10m]) > 0',
    summary: 'A guard has stopped its database, by an order or not, or (outcome failed) tried to.',
    whatToDo:
      '`siteward status`, and the `cause` of fence.done or fence.failed in the log of that guard: "A failover happened" in RUNBOOK.md.',
  },
  {
    name: 'SitewardCheckFailed',
    severity: 'ticket',
    expression: 'siteward_check_ok == 0',
    lasting: '15m',
    summary:
      "A failover would meet an obstacle: a staged file, SSH, the register, the name, or the disk of the agent's host.",
    whatToDo: 'The event check.failed says why: "What is going on?" in RUNBOOK.md.',
  },
  {
    name: 'SitewardChecksStopped',
    severity: 'ticket',
    // Four times the default of checks.schedule.
    expression: 'time() - siteward_check_timestamp_seconds > 1200',
    summary: 'A scheduled check has not run for 20 minutes.',
    whatToDo:
      '`journalctl -u siteward-agent` there: "What is going on?" in RUNBOOK.md. Where checks.schedule is rarer than every 5 minutes, write four times its interval instead of 1200.',
  },
  {
    name: 'SitewardConfigFallback',
    severity: 'ticket',
    expression: 'siteward_config_fallback == 1',
    summary: 'A daemon runs on its last good cluster file, because the present one is wrong.',
    whatToDo: '`siteward config check` on that host: "Change the cluster file" in RUNBOOK.md.',
  },
  {
    name: 'SitewardPaused',
    severity: 'ticket',
    expression: 'max by (cluster) (siteward_paused) == 1',
    lasting: '1h',
    summary: 'The cluster has been paused for an hour: nothing moves by itself.',
    whatToDo: '`siteward resume` when the work is done: "Maintenance" in RUNBOOK.md.',
  },
  {
    name: 'SitewardNotScraped',
    severity: 'ticket',
    expression: `absent(up{job="${scrapeJob}"})`,
    lasting: '5m',
    summary: `Prometheus has no job ${scrapeJob}, so nobody would be told of a daemon that is down.`,
    whatToDo:
      'The scrape job of METRICS.md; what it shows, `siteward status` shows: "What is going on?" in RUNBOOK.md.',
  },
];
