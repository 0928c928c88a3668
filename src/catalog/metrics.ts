// Every metric there is: a closed list, compared with docs/METRICS.md by a test. Names carry their unit.

type Labels = Readonly<Record<string, string>>;

export type MetricDefinition = {
  readonly type: 'gauge' | 'counter' | 'histogram';
  readonly help: string;
  readonly labels: readonly string[];
  /** Histogram only, in seconds. */
  readonly buckets?: readonly number[];
  /**
   * Counter only: what is there at 0 from the start of the daemons that count it, so that the first event is an increase. A
   * series that is born at 1 is none to Prometheus. Left out where the values of a label are no closed list.
   */
  readonly fromStart?: { readonly of: readonly DaemonRole[]; readonly series: readonly Labels[] };
};

export type DaemonRole = 'agent' | 'guard' | 'witness';

/** A probe answers in milliseconds, a failover in seconds. */
const phaseBuckets = [0.05, 0.1, 0.25, 0.5, 1, 2, 3, 5, 8, 13, 30, 60];
const askBuckets = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5];

export const metrics = {
  siteward_epoch: { type: 'gauge', help: 'Epoch of the chosen record as known here.', labels: [] },
  siteward_era: { type: 'gauge', help: 'Era of the chosen record; above 0 once a change was forced.', labels: [] },
  siteward_primary: { type: 'gauge', help: '1 for the site whose database may accept writes.', labels: ['site'] },
  siteward_entry: {
    type: 'gauge',
    help: '1 for the site whose service host the public name points to.',
    labels: ['site'],
  },
  siteward_paused: { type: 'gauge', help: '1 while the cluster is paused.', labels: [] },
  siteward_voters_heard: {
    type: 'gauge',
    help: 'Voters heard within the last 2 s, this one included. A register is read every lease.watchEvery in quiet times, so 2 is a quiet 3 there.',
    labels: [],
  },
  siteward_witness: {
    type: 'gauge',
    help: '1 for the kind of witness in the cluster file (agent): agent, route53 or none.',
    labels: ['kind'],
  },
  siteward_ballot: { type: 'gauge', help: 'Counter of the highest ballot promised here.', labels: [] },
  siteward_votes_total: {
    type: 'counter',
    help: 'Votes that this agent gave, to its own proposals or others: vote="accept", outcome="yes". Refusals are not counted.',
    labels: ['vote', 'outcome'],
    fromStart: { of: ['agent'], series: [{ vote: 'accept', outcome: 'yes' }] },
  },
  siteward_rounds_total: {
    type: 'counter',
    help: 'Rounds of renewals (guard): granted; missed counts only the first of a row that both agents did not grant.',
    labels: ['outcome'],
    fromStart: { of: ['guard'], series: [{ outcome: 'granted' }, { outcome: 'missed' }] },
  },
  siteward_lease_left_seconds: {
    type: 'gauge',
    help: "Time left of the lease: a guard's own, at an agent the primary's as its guard last said; 0 without one.",
    labels: [],
  },
  siteward_promise_left_seconds: {
    type: 'gauge',
    help: 'For how long this agent accepts no change of primary (L3, L4).',
    labels: [],
  },
  siteward_quarantine_left_seconds: {
    type: 'gauge',
    help: 'Time left of the quarantine after a start (L4, L8).',
    labels: [],
  },
  siteward_cool_down_left_seconds: {
    type: 'gauge',
    help: 'Time left in which no other change of primary is made without an order (V6).',
    labels: [],
  },
  siteward_replication_lag_bytes: {
    type: 'gauge',
    help: 'How far the standby is behind the position of the primary that this agent keeps on disk: one of at most 5 s ago, or a quarter of policy.maxLagBytes. Stays as it was while nothing is seen of the standby.',
    labels: [],
  },
  siteward_verdict: { type: 'gauge', help: '1 for the verdict in force on a part.', labels: ['part', 'verdict'] },
  siteward_may_take_over: {
    type: 'gauge',
    help: '1 while the standby may take over (V5); at 0 a primary that is lost now is not replaced. `siteward status` says why.',
    labels: [],
  },
  siteward_failovers_total: {
    type: 'counter',
    help: 'Not only failovers. kind="failover" and "entry", outcome="begun": decided here without an order, and not yet chosen. kind="order", outcome="done" or "undone": any order that this agent drove, a pause or rejoin as well. A failover that happened is a higher siteward_epoch.',
    labels: ['kind', 'outcome'],
    fromStart: {
      of: ['agent'],
      series: [
        { kind: 'failover', outcome: 'begun' },
        { kind: 'entry', outcome: 'begun' },
        { kind: 'order', outcome: 'done' },
        { kind: 'order', outcome: 'undone' },
      ],
    },
  },
  siteward_phase_seconds: {
    type: 'histogram',
    help: 'From a decision without an order until the record is chosen (agree), the applications are switched, the name is moved (dns), the primary is seen healthy (whole). At the agent that decided.',
    labels: ['phase'],
    buckets: phaseBuckets,
  },
  siteward_fences_total: {
    type: 'counter',
    help: 'Fences by outcome (guard): done, or failed, which counts each try.',
    labels: ['outcome'],
    fromStart: { of: ['guard'], series: [{ outcome: 'done' }, { outcome: 'failed' }] },
  },
  siteward_fuse_alive: { type: 'gauge', help: '1 while the fuse looks at least once a second (guard).', labels: [] },
  siteward_database_writable: {
    type: 'gauge',
    help: '1 while this guard lets its database accept writes.',
    labels: [],
  },
  siteward_sync: {
    type: 'gauge',
    help: '1 while the chosen record says that the standby has all that was acknowledged (zero-loss mode).',
    labels: [],
  },
  siteward_commits_wait: {
    type: 'gauge',
    help: '1 while commits of this database wait for the standby (guard, zero-loss mode).',
    labels: [],
  },
  siteward_commits_stalled_seconds: {
    type: 'gauge',
    help: 'For how long commits have waited for a standby that does not keep up (guard); 0 while it does.',
    labels: [],
  },
  siteward_register_out: { type: 'gauge', help: '1 while the register is not used (W3).', labels: [] },
  siteward_register_serial: { type: 'gauge', help: 'Highest serial seen at the register.', labels: [] },
  siteward_register_accesses_total: {
    type: 'counter',
    help: 'Reads and swaps at the register by outcome.',
    labels: ['access', 'outcome'],
  },
  siteward_waits_for_person: {
    type: 'gauge',
    help: '1 while `siteward status` has a line that begins with `!`: a voter without memory, a register that is out, no witness at all, a failed primary whose standby may not take over, a pause, no other voter heard.',
    labels: [],
  },
  siteward_asks_total: { type: 'counter', help: 'Requests to peers by outcome.', labels: ['peer', 'outcome'] },
  siteward_ask_seconds: {
    type: 'histogram',
    help: 'Time until a peer answered.',
    labels: ['peer'],
    buckets: askBuckets,
  },
  siteward_refused_connections_total: {
    type: 'counter',
    help: 'Connections and requests refused by the peer server.',
    labels: [],
    fromStart: { of: ['agent', 'guard', 'witness'], series: [{}] },
  },
  siteward_loop_stalls_total: {
    type: 'counter',
    help: 'Times that the process stood still for more than 1 s (agent, guard).',
    labels: [],
    fromStart: { of: ['agent', 'guard'], series: [{}] },
  },
  siteward_check_ok: {
    type: 'gauge',
    help: '1 when the scheduled check passed last time (agent): staged-env-SITE, ssh-database-SITE, register, dns, disk-space.',
    labels: ['check'],
  },
  siteward_check_timestamp_seconds: { type: 'gauge', help: 'When the scheduled check ran last.', labels: ['check'] },
  siteward_config_fallback: {
    type: 'gauge',
    help: '1 when this daemon runs on its last good file because the present one is wrong.',
    labels: [],
  },
} as const satisfies Readonly<Record<string, MetricDefinition>>;

export type MetricName = keyof typeof metrics;
