// What a guard logs: its lease, its fences, its database. A part of the one list in events.ts.

import type { EventDefinition } from './event-definition.ts';

export const leaseEvents = {
  'lease.acquired': {
    level: 'info',
    message: 'lease acquired',
    doc: 'The guard holds a lease and may let its database accept writes.',
  },
  'lease.extended': {
    level: 'debug',
    message: 'lease extended',
    doc: 'A round was granted: the lease lasts longer (L1).',
  },
  'lease.lost': {
    level: 'warn',
    message: 'lease lost',
    doc: 'The lease ran out or was given up; the database does not accept writes any more.',
  },
  'round.long': {
    level: 'info',
    message: 'long round begun',
    doc: 'A grant was missed: the guard asks for a long lease with the register (L5).',
  },
  'rounds.raised': {
    level: 'warn',
    message: 'rounds of an earlier life are known',
    doc: "The voters know later rounds of this guard than its own: its state was lost while the host's wall clock was put back. It goes on above them; nothing needs doing, but look at that clock.",
  },
  'round.missed': {
    level: 'info',
    message: 'round not granted by all',
    doc: 'Who granted it and who answered is in the fields; the lease goes on while a majority grants.',
  },
  'failsafe.renewed': {
    level: 'warn',
    message: 'lease renewed by the other guard',
    doc: 'No majority answered; the other guard promised not to promote, and the lease goes on (L8).',
  },
  'failsafe.refused': {
    level: 'info',
    message: 'no failsafe renewal',
    doc: 'The other guard did not promise, or too late; the field `why` says so (L8).',
  },
  'failsafe.promised': {
    level: 'warn',
    message: 'promised not to become primary',
    doc: 'The other guard heard no majority; this one promised not to promote for so long (L8).',
  },
  'failsafe.declined': {
    level: 'info',
    message: 'declined to promise',
    doc: 'The other guard asked for a promise that this one must not give; `why` says why (L8).',
  },
  'release.undone': {
    level: 'info',
    message: 'no change came: going on',
    doc: 'Nothing was chosen after a release in time: the guard goes on in the old epoch (L7).',
  },
  'epoch.noted': {
    level: 'info',
    message: 'epoch noted',
    doc: 'The guard learned that an epoch was chosen; it keeps the highest on disk and fences any older one (L10).',
  },
  'cluster.other': {
    level: 'warn',
    message: 'told of another cluster',
    doc: "Somebody with a pinned key speaks for a cluster that is not this guard's. It is not listened to.",
  },
  'guard.started': {
    level: 'info',
    message: 'guard has its bearings',
    doc: 'It knows what its database is and what may be done with it (L11).',
  },
  'guard.takeover': {
    level: 'info',
    message: 'running database taken over',
    doc: 'The guard took over a database that runs under the deadline of its fuse, without a restart (L11, Q0).',
  },
} as const satisfies Readonly<Record<string, EventDefinition>>;

export const fenceEvents = {
  'fence.begun': {
    level: 'warn',
    message: 'fencing the database',
    doc: 'The guard kills its database; the field `why` says why (L9, L10).',
  },
  'fence.alarm': {
    level: 'warn',
    message: 'fencing past a busy disk',
    doc: 'The lease was about to end while the guard could take no step: it fenced without waiting (L9).',
  },
  'fence.done': { level: 'info', message: 'database fenced', doc: 'No process of the database is left.' },
  'fence.failed': {
    level: 'error',
    message: 'the fence did not end',
    doc: 'Somebody of the database may be left; it is begun again, and the fuse kills at its deadline (L9).',
  },
} as const satisfies Readonly<Record<string, EventDefinition>>;

export const databaseEvents = {
  'database.role': { level: 'info', message: 'database role seen', doc: 'What the database is now, by its own word.' },
  'database.starting': {
    level: 'info',
    message: 'starting the database',
    doc: 'The guard holds a lease of the epoch and starts its database as the primary (L10).',
  },
  'database.started': { level: 'info', message: 'database started', doc: 'The guard started its database.' },
  'database.promoting': {
    level: 'info',
    message: 'promoting the standby',
    doc: 'The guard holds a lease of the new epoch and promotes its database (L10).',
  },
  'database.promoted': {
    level: 'info',
    message: 'standby promoted',
    doc: 'The database is no standby any more; it becomes writable with its first row of the new epoch.',
  },
  'database.writable': {
    level: 'info',
    message: 'database accepts writes',
    doc: 'The first write of this epoch went through.',
  },
  'database.stopped': {
    level: 'warn',
    message: 'database stopped cleanly',
    doc: 'By an order, or by somebody else (systemctl, apt); the field `by` says which.',
  },
  'database.crashed': {
    level: 'warn',
    message: 'database gone without an order',
    doc: 'It crashed or was killed; policy.onCrash says what follows.',
  },
  'database.writable-without-lease': {
    level: 'error',
    message: 'database writable without a lease: killed',
    doc: 'Somebody else started or promoted it (L10). Find out who.',
  },
  'database.deed-failed': {
    level: 'warn',
    message: 'a start, stop or promotion failed',
    doc: 'It is tried again; the field `why` is what PostgreSQL said.',
  },
  'database.beat-failed': {
    level: 'warn',
    message: 'could not write the row of the epoch',
    doc: 'The write of every renewEvery through the own socket failed (V1); the field `why` says how.',
  },
  'database.setup': {
    level: 'warn',
    message: 'tables, rights or slot are not as they should be',
    doc: 'The guard could not make siteward.cluster, siteward.probe, their rights or the replication slot; it tries again.',
  },
} as const satisfies Readonly<Record<string, EventDefinition>>;

/** V8: commits that wait for the standby. */
export const syncEvents = {
  'sync.waiting': {
    level: 'info',
    message: 'commits wait for the standby',
    doc: 'Zero-loss mode: a commit was seen to wait, and all that was acknowledged before is on the standby too (V8).',
  },
  'sync.asked': {
    level: 'warn',
    message: 'asks whether commits may stop waiting',
    doc: 'The standby does not keep up and writes stall. They go on once two voters have recorded `sync: false` (V8); failover is not automatic from then on until the standby is back.',
  },
  'sync.kept': {
    level: 'info',
    message: 'the standby is back before an answer came',
    doc: 'The question is withdrawn: commits go on waiting for the standby, and none was acknowledged without it.',
  },
  'sync.off': {
    level: 'warn',
    message: 'commits may stop waiting',
    doc: '`sync: false` was chosen after this guard had asked. The field `stalledMs` says for how long the standby had not kept up.',
  },
  'sync.fallen-back': {
    level: 'warn',
    message: 'commits do not wait for the standby any more',
    doc: 'Losing the primary now would lose what the standby lacks, so that needs a person. Bring the standby back.',
  },
  'sync.not-set': {
    level: 'warn',
    message: 'waiting for the standby could not be turned on or off',
    doc: 'The field `why` says what PostgreSQL said; it is tried again every second.',
  },
  'sync.question': {
    level: 'info',
    message: 'a guard asks for sync: false',
    doc: 'This agent begins a change for it, or the other one does (V8).',
  },
} as const satisfies Readonly<Record<string, EventDefinition>>;
