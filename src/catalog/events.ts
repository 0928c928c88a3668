// Every line that a daemon can log: a closed list, compared with docs/EVENTS.md by a test. `message` is constant, what
// varies is in the fields; `doc` says what it means and what to do, if anything.

import type { EventDefinition } from './event-definition.ts';
import { databaseEvents, fenceEvents, leaseEvents, syncEvents } from './guard-events.ts';

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
  'state.damaged': {
    level: 'error',
    message: 'the state file is damaged',
    doc: 'Both of its slots are broken, or it is not of a form this version writes: this voter has lost its memory (Q8). Run `siteward agent rejoin`; for an agent witness `siteward witness rejoin`; a guard does not start: RUNBOOK.md, "A guard lost its state".',
  },
  'config.fallback': {
    level: 'error',
    message: 'the configuration is wrong: running on the last good one',
    doc: '`siteward config check` says what is wrong; repair the file, then restart the daemon.',
  },
  'listen.failed': {
    level: 'error',
    message: 'cannot listen',
    doc: 'Another process has the port, or the address is not on this host. It is tried again every second; the rest goes on.',
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
  'persist.passed-over': {
    level: 'warn',
    message: 'a position was not saved',
    doc: 'The disk of the state directory refuses to be written. What is granted and chosen needs it: the next vote ends the process. Only the position of the primary can do without (V5).',
  },
  'peer.refused': {
    level: 'warn',
    message: 'refused a connection or request',
    doc: 'A key that is not pinned, or a request that this peer may not make.',
  },
  'log.dropped': {
    level: 'warn',
    message: 'lines were left out',
    doc: 'There were too many of the event named in `of`; `dropped` of them are not in the log.',
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

const grants = {
  'lease.refused': {
    level: 'debug',
    message: 'grant refused',
    doc: 'This agent refused a round; the field `why` says why (L2, V4).',
  },
  'lease.released': {
    level: 'info',
    message: 'lease given back',
    doc: 'A guard fenced its database and gave back what it was granted (L7).',
  },
  'grants.refused': {
    level: 'warn',
    message: 'refusing the database its lease',
    doc: 'The database is confirmed as failed and only its lease stands against a change (V4).',
  },
  'grants.resumed': {
    level: 'info',
    message: 'no longer refusing the database its lease',
    doc: 'The end of grants.refused.',
  },
} as const satisfies Readonly<Record<string, EventDefinition>>;

const quorum = {
  'cluster.founded': {
    level: 'info',
    message: 'cluster founded',
    doc: 'The first guard holds its first lease; from now on records may be proposed (Q0).',
  },
  'round.begun': {
    level: 'info',
    message: 'change proposed',
    doc: 'This agent asks the voters for a change of the record (Q2). A change of primary says what it may lose: up to `received` the new primary has all that was acknowledged; the old one was seen `lagBytes` beyond that `seenAgoMs` before, and may have gone on until its lease ended.',
  },
  'round.given-up': {
    level: 'info',
    message: 'change given up',
    doc: 'The reason no longer holds, or the ballot was refused; the field `why` says which (Q2, Q7).',
  },
  'vote.granted': { level: 'info', message: 'vote given', doc: "This voter accepted another one's record (Q2)." },
  'vote.cast': {
    level: 'info',
    message: 'vote given to the own proposal',
    doc: 'The proposer accepts its own record first (Q2).',
  },
  'vote.repaired': {
    level: 'info',
    message: 'voter repaired',
    doc: 'A voter that was behind accepted the chosen record (Q5).',
  },
  'era.forced': {
    level: 'warn',
    message: 'a person forced a change without a majority',
    doc: 'One agent is the only voter until both others hold its record; the other side must stay down until then.',
  },
  'record.chosen': {
    level: 'info',
    message: 'record chosen',
    doc: 'A majority accepted the record: it is in force (Q4).',
  },
  'voters.silent': {
    level: 'warn',
    message: 'no other voter is heard',
    doc: 'This agent hears nobody: it confirms nothing and touches nothing until it does (V3, R2).',
  },
  'voters.heard': { level: 'info', message: 'another voter is heard again', doc: 'The end of voters.silent.' },
  'voter.amnesia': {
    level: 'error',
    message: 'this voter lost its memory and does not vote',
    doc: 'Others remember more of it than it holds itself: its disk went back (Q8). Run `siteward agent rejoin`.',
  },
  'voter.forgot': {
    level: 'error',
    message: 'another voter lost its memory',
    doc: 'It holds less than it was seen to hold; it does not count until `siteward agent rejoin` (or `witness rejoin`) (Q8).',
  },
  'voter.rejoined': {
    level: 'info',
    message: 'a voter has its memory again',
    doc: 'The agent that drove the rejoin gave it the record that the others hold (Q8), or wrote the register anew (W4).',
  },
  'voter.remembers': {
    level: 'warn',
    message: 'this voter has its memory again and votes',
    doc: 'A person ordered its rejoin. It accepts no change of primary until `quarantineMs` is over (L4).',
  },
  'register.rejoining': {
    level: 'warn',
    message: 'writing the register anew',
    doc: 'A person ordered its rejoin, and both agents hold one record at one ballot (W4). `found` is the serial of what lay there, or what it was instead.',
  },
  'register.granted': {
    level: 'debug',
    message: 'register took a grant',
    doc: 'A CAS put the nonce of a long round into the register (L5).',
  },
  'register.accepted': {
    level: 'info',
    message: 'register took a record',
    doc: 'A CAS wrote a record to the register (Q9).',
  },
  'register.silent': {
    level: 'debug',
    message: 'register gave no answer',
    doc: 'Throttling, a time-out or an error: no answer, it is asked again (W2).',
  },
  'register.out': {
    level: 'error',
    message: 'the register is out',
    doc: 'It is older than what is known, unreadable, or of another cluster (W3). It is not used until `siteward witness rejoin`.',
  },
  'register.in': { level: 'info', message: 'the register is used again', doc: 'The end of register.out.' },
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
    doc: 'A change of the record is due; the field `sentence` says why.',
  },
  'decide.hold': {
    level: 'info',
    message: 'decided to hold',
    doc: 'No change is made; the field `sentence` says why. Logged when the reason changes.',
  },
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
  'order.ended': {
    level: 'info',
    message: 'order ended',
    doc: 'The field `outcome` says whether it was done or undone, `why` what stood in the way.',
  },
} as const satisfies Readonly<Record<string, EventDefinition>>;

const world = {
  'database.fenced': {
    level: 'info',
    message: 'old primary fenced from outside',
    doc: "An agent had the other site's database fenced by its host's command.",
  },
  'env.switched': {
    level: 'info',
    message: 'applications switched',
    doc: 'The .env of a site is the one of the primary, and its instances serve from it.',
  },
  'dns.moved': {
    level: 'info',
    message: 'public name moved',
    doc: 'The name points to the entry and Route 53 is in sync.',
  },
  'act.overdue': {
    level: 'error',
    message: 'an act did not come back',
    doc: 'What should have ended by its deadline has not; it is taken as unknown and what waits behind it goes on.',
  },
  'step.failed': {
    level: 'warn',
    message: 'a step failed and stays due',
    doc: 'It is tried again until it is done (R3).',
  },
} as const satisfies Readonly<Record<string, EventDefinition>>;

export const events = {
  ...process,
  ...leaseEvents,
  ...fenceEvents,
  ...databaseEvents,
  ...syncEvents,
  ...grants,
  ...quorum,
  ...judgement,
  ...world,
};

export type EventName = keyof typeof events;

/** Undefined for a name that is not listed. */
export function describeEvent(name: string): EventDefinition | undefined {
  return (events as Readonly<Record<string, EventDefinition>>)[name];
}
