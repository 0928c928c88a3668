// Every line that a daemon can log: a closed list, compared with docs/EVENTS.md by a test. `message` is constant, what
// varies is in the fields; `doc` says what it means and what to do, if anything.

export type EventDefinition = {
  readonly level: 'debug' | 'info' | 'warn' | 'error';
  readonly message: string;
  readonly doc: string;
};

const process = {
  'process.started': {
    level: 'info',
    message: 'started',
    doc: 'The daemon runs with the configuration and state named.',
  },
  'process.stopping': { level: 'info', message: 'stopping', doc: 'The daemon was told to end.' },
  'process.fatal': {
    level: 'error',
    message: 'ending: cannot go on',
    doc: 'State could not be saved, or the core failed. The process ends and is started again; lease and fuse cover the time between.',
  },
  'config.fallback': {
    level: 'error',
    message: 'the configuration is wrong: running on the last good one',
    doc: 'Repair the file named; `siteward config check` says what is wrong.',
  },
  'loop.stalled': {
    level: 'warn',
    message: 'the process stood still',
    doc: 'A timer came more than a second late: the machine was suspended, frozen or starved of CPU.',
  },
  'persist.slow': {
    level: 'warn',
    message: 'saving state took long',
    doc: 'The disk of the state directory took more than half a second to write one small block.',
  },
  'peer.refused': {
    level: 'warn',
    message: 'refused a connection or request',
    doc: 'A key that is not pinned, or a request that this peer may not make.',
  },
  'peer.lost': {
    level: 'warn',
    message: 'a peer does not answer',
    doc: 'Redundancy is reduced until it answers again.',
  },
  'peer.back': { level: 'info', message: 'a peer answers again', doc: 'The end of peer.lost.' },
} as const satisfies Readonly<Record<string, EventDefinition>>;

const lease = {
  'round.begun': { level: 'debug', message: 'round begun', doc: 'The guard asks for its lease again (L1).' },
  'round.long': {
    level: 'info',
    message: 'long round begun',
    doc: 'A grant was missed: the guard asks for a long lease with the register (L5).',
  },
  'round.missed': { level: 'warn', message: 'round not granted', doc: 'No majority granted this round in time.' },
  'lease.acquired': {
    level: 'info',
    message: 'lease acquired',
    doc: 'The guard holds a lease and may let its database accept writes.',
  },
  'lease.lost': {
    level: 'warn',
    message: 'lease lost',
    doc: 'The lease ran out or was given up; the database does not accept writes any more.',
  },
  'lease.failsafe': {
    level: 'warn',
    message: 'lease renewed by the other guard',
    doc: 'No majority answered, the other guard promised not to promote (L8).',
  },
  'grant.given': { level: 'debug', message: 'grant given', doc: 'This agent granted a round (L2).' },
  'grant.refused': {
    level: 'info',
    message: 'grant refused',
    doc: 'This agent refused a round; the field `refusal` says why (L2, V4).',
  },
  'release.taken': {
    level: 'info',
    message: 'release taken',
    doc: 'A guard fenced its database and gave back what it was granted (L7).',
  },
} as const satisfies Readonly<Record<string, EventDefinition>>;

const quorum = {
  'vote.promised': { level: 'info', message: 'promise given', doc: 'This voter promised a ballot (Q2).' },
  'vote.granted': { level: 'info', message: 'vote given', doc: 'This voter accepted a record (Q2).' },
  'vote.refused': {
    level: 'info',
    message: 'vote refused',
    doc: 'A promise or vote was refused; the field `refusal` says why.',
  },
  'record.proposed': {
    level: 'info',
    message: 'change proposed',
    doc: 'This agent asks the voters for a change of the record (Q2).',
  },
  'record.given-up': {
    level: 'info',
    message: 'change given up',
    doc: 'The reason for the change no longer holds, or the ballot was refused (Q2, Q7).',
  },
  'record.chosen': {
    level: 'info',
    message: 'record chosen',
    doc: 'A majority accepted the record: it is in force (Q4).',
  },
  'record.repaired': {
    level: 'info',
    message: 'voter repaired',
    doc: 'A voter that was behind was sent the chosen record again (Q5).',
  },
  'amnesia.found': {
    level: 'error',
    message: 'this voter lost its memory and does not vote',
    doc: 'Its state is missing, damaged or too old (Q8). Run `siteward agent rejoin`.',
  },
  'register.out': {
    level: 'error',
    message: 'the register is out',
    doc: 'It is older than what is known, unreadable, or of another cluster (W3). It is not used until `siteward witness rejoin`.',
  },
  'register.back': { level: 'info', message: 'the register is used again', doc: 'The end of register.out.' },
} as const satisfies Readonly<Record<string, EventDefinition>>;

const judgement = {
  'verdict.changed': {
    level: 'info',
    message: 'verdict changed',
    doc: 'This agent judges a part differently than before (V1 to V3).',
  },
  'decide.act': {
    level: 'info',
    message: 'decided to act',
    doc: 'A change of the record is due; the field `because` says why.',
  },
  'decide.hold': {
    level: 'info',
    message: 'decided to hold',
    doc: 'No change is made; the field `because` says why. Logged when the reason changes.',
  },
  'refusing.begun': {
    level: 'warn',
    message: 'refusing the database its lease',
    doc: 'It is confirmed as failed and only its lease stands against a change (V4).',
  },
  'refusing.ended': { level: 'info', message: 'no longer refusing', doc: 'The end of refusing.begun.' },
  'order.accepted': {
    level: 'info',
    message: 'order accepted',
    doc: 'A person gave an order and it is being carried out.',
  },
  'order.refused': {
    level: 'warn',
    message: 'order refused',
    doc: 'The field `why` says what stands in the way, and until when.',
  },
  'order.done': { level: 'info', message: 'order done', doc: 'The order came to its end.' },
  'order.undone': {
    level: 'warn',
    message: 'order undone',
    doc: 'It did not come to its end in time (order.timeout).',
  },
} as const satisfies Readonly<Record<string, EventDefinition>>;

const world = {
  'fence.begun': {
    level: 'warn',
    message: 'fencing the database',
    doc: 'The guard kills its database; the field `cause` says why (L9, L10).',
  },
  'fence.alarm': {
    level: 'warn',
    message: 'fencing past a busy disk',
    doc: 'The lease was about to end while the guard waited for its disk: it fenced without waiting (L9).',
  },
  'fence.done': { level: 'info', message: 'database fenced', doc: 'No process of the database is left.' },
  'promote.begun': {
    level: 'info',
    message: 'promoting',
    doc: 'The guard holds a lease and promotes its standby (L10).',
  },
  'promote.done': { level: 'info', message: 'promoted', doc: 'The database accepts writes.' },
  'database.started': { level: 'info', message: 'database started', doc: 'The guard started its database.' },
  'database.crashed': {
    level: 'warn',
    message: 'database gone without an order',
    doc: 'It crashed or was killed; policy.onCrash says what follows.',
  },
  'database.writable-without-lease': {
    level: 'error',
    message: 'database writable without a lease: killed',
    doc: 'Somebody else started or promoted it (L10).',
  },
  'env.switched': {
    level: 'info',
    message: 'applications switched',
    doc: 'The .env of a site is the one of the primary, and its instances serve from it.',
  },
  'balancer.changed': {
    level: 'info',
    message: 'balancer server changed',
    doc: 'An instance was drained or made ready.',
  },
  'dns.moved': {
    level: 'info',
    message: 'public name moved',
    doc: 'The name points to the entry and Route 53 is in sync.',
  },
  'step.failed': {
    level: 'warn',
    message: 'a step failed and stays due',
    doc: 'It is tried again until it is done (R3).',
  },
  'check.failed': {
    level: 'warn',
    message: 'scheduled check failed',
    doc: 'The field `why` says what is wrong; the service is not affected yet.',
  },
  'check.passed': {
    level: 'debug',
    message: 'scheduled check passed',
    doc: 'Logged after each scheduled check that passed.',
  },
} as const satisfies Readonly<Record<string, EventDefinition>>;

export const events = { ...process, ...lease, ...quorum, ...judgement, ...world };

export type EventName = keyof typeof events;

/** Undefined for a name that is not listed. */
export function describeEvent(name: string): EventDefinition | undefined {
  return (events as Readonly<Record<string, EventDefinition>>)[name];
}
