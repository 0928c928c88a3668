// Grants, promises, rounds, releases, the fence (L1 to L11).

import { asBefore, type RunOptions } from '../options.ts';
import type { Mutant } from './mutant.ts';

const voter = 'src/core/quorum/voter.ts';
const register = 'src/core/quorum/register.ts';
const rounds = 'src/core/guard/rounds.ts';
const failsafe = 'src/core/guard/failsafe.ts';

/** L8 matters to a database host that only its twin still reaches, while a person moves the primary away from it. */
const cutFromTheAgents: Partial<RunOptions> = {
  ...asBefore,
  faultEveryMs: 3000,
  faultsAtOnce: 4,
  faults: { 'isolate-machine': 6, 'order-failover': 10 },
};

export const leaseMutants: readonly Mutant[] = [
  {
    name: 'lease-from-the-answers-time',
    rule: 'L1',
    edits: [
      {
        file: rounds,
        find: 'const lease = extendLease(held, tally);',
        put: 'const lease = extendLease(held, { ...tally, t0: d.at.now });',
      },
    ],
    seeds: 400,
    options: { faults: { 'slow-path': 10, 'cut-place': 8, 'cut-sites': 5, 'cut-one-way': 6, 'stall-daemon': 6 } },
  },
  {
    name: 'no-quarantine',
    rule: 'L4',
    edits: [
      {
        file: voter,
        find: 'quarantinedUntil: now + bindingMs(longest, rules.drift),\n    promise: null',
        put: 'quarantinedUntil: now,\n    promise: null',
      },
    ],
    seeds: 200,
    skip: 17,
  },
  {
    name: 'grant-on-accepted-only',
    rule: 'L2',
    edits: [
      {
        file: voter,
        find: "if (chosen === null || compareEpochs(epochOf(chosen.record), ask.epoch) < 0) return 'not-known';",
        put: '',
      },
    ],
    seeds: 400,
  },
  {
    name: 'shorter-grant-brings-promise-forward',
    rule: 'L3',
    edits: [{ file: voter, find: 'until: Math.max(held?.until ?? 0, until)', put: 'until' }],
    seeds: 400,
    options: { witness: 'route53' },
  },
  {
    name: 'drift-ignored',
    rule: 'L3',
    edits: [
      { file: 'src/core/time.ts', find: 'Math.ceil(ttlMs * (1 + drift)) + clockGrainMs', put: 'Math.ceil(ttlMs)' },
    ],
    seeds: 400,
  },
  {
    name: 'release-without-the-round-check',
    rule: 'L7',
    edits: [
      {
        file: voter,
        find: 'compareRounds(held.round, message.round) <= 0',
        put: 'compareRounds(held.round, message.round) <= 1',
      },
    ],
    seeds: 400,
    skip: 19,
  },
  {
    name: 'nonce-not-watched',
    rule: 'L6',
    edits: [
      {
        file: register,
        find: 'const watch = mind.watch?.id === id ? mind.watch : { id, since: now };\n  return { ...mind, held: { text, state }',
        put: 'const watch = { id, since: mind.watch?.since ?? now };\n  return { ...mind, held: { text, state }',
      },
    ],
    seeds: 200,
    options: { witness: 'route53' },
  },
  {
    name: 'shorter-nonce-over-a-longer-one',
    rule: 'L5',
    edits: [
      {
        file: register,
        find: "if (ask.ttlMs < state.nonce.ttlMs && registerBindsMs(mind, drift, now) > 0) return 'register';",
        put: '',
      },
      {
        file: rounds,
        find: "const ttlMs = length === 'long' ? lease.witnessTtlMs : lease.ttlMs;",
        put: "const ttlMs = length === 'long' ? (d.s.seq % 2 === 0 ? lease.witnessTtlMs : lease.ttlMs + 1) : lease.ttlMs;",
      },
    ],
    seeds: 400,
    skip: 58,
    options: { witness: 'route53' },
  },
  {
    name: 'grants-for-longer-than-its-file',
    rule: 'L4',
    edits: [
      { file: voter, find: 'return Math.min(ttlMs, longestTtlMs);', put: 'return longestTtlMs < 0 ? 0 : ttlMs;' },
    ],
    seeds: 60,
    options: {
      witness: 'agent',
      minutes: 4,
      upgrade: false,
      faultEveryMs: 2500,
      faultsAtOnce: 5,
      faults: { 'file-edited': 10, 'crash-daemon': 20 },
    },
  },
  {
    name: 'grants-to-another-voter-set',
    rule: 'Q10',
    edits: [
      {
        file: voter,
        find: 'if (accepted.record.voters !== ask.voters && soleVoterOf(accepted.record) === null)',
        put: "if (accepted.record.voters === '' && soleVoterOf(accepted.record) === null)",
      },
    ],
    seeds: 100,
    options: {
      minutes: 4,
      upgrade: false,
      faultEveryMs: 8000,
      faultsAtOnce: 3,
      faults: { 'file-edited': 10, 'isolate-machine': 5, 'cut-sites': 3, 'site-loss': 2 },
    },
  },
  {
    name: 'grants-of-two-rounds-added-up',
    rule: 'L1',
    edits: [
      {
        file: rounds,
        find: 'const counted = withAnswer(tally, voter, grantedMs);',
        put: 'const before = d.s.tallies.findLast((open) => open !== tally && open.granted.length > 0);\n  const counted = withAnswer(before === undefined ? tally : { ...tally, granted: before.granted }, voter, grantedMs);',
      },
    ],
    seeds: 400,
  },
  {
    name: 'promotes-without-a-lease',
    rule: 'L10',
    edits: [
      {
        file: 'src/core/guard/desired.ts',
        find: 'if (leaseUsable(s, now)) return',
        put: 'if (!followsOther(s)) return',
      },
      {
        file: 'src/core/guard/desired.ts',
        find: 'const epoch = s.lease?.epoch;',
        put: 'const epoch = s.lease?.epoch ?? s.durable.chosen?.record;',
      },
      {
        file: 'src/core/guard/database.ts',
        find: 'if (s.lease === null || !deadlineIsSet(s, at.now)) return;\n  const { epoch } = s.lease;\n  const notAfter = fenceInstant(s, s.lease) - 1;',
        put: 'const { record } = s.durable.chosen;\n  const [epoch, notAfter] = [{ era: record.era, epoch: record.epoch }, null];',
      },
    ],
    seeds: 100,
  },
  {
    name: 'fence-too-late',
    rule: 'L9',
    edits: [
      {
        file: 'src/core/guard/facts.ts',
        find: 'return lease.until - s.settings.lease.fenceBudgetMs - clockGrainMs;',
        put: 'return lease.until + 3000;',
      },
      {
        file: 'src/core/guard/facts.ts',
        find: 'return lease.until - s.settings.lease.fuseBudgetMs - clockGrainMs;',
        put: 'return lease.until + 3400;',
      },
    ],
    seeds: 100,
  },
  {
    name: 'deadline-by-timer-only',
    rule: 'L9',
    edits: [
      { file: 'src/driver/acts.ts', find: "if (!inTime()) return end(act, { kind: 'expired' });", put: '' },
      {
        file: 'src/driver/acts.ts',
        find: 'const mayGoOn = () => !ended && began === generation && inTime();',
        put: 'const mayGoOn = () => !ended;',
      },
      { file: 'src/driver/driver.ts', find: 'this.#fence?.check();', put: '' },
      { file: 'src/core/guard/step.ts', find: "if (event.type !== 'fenced') fenceWhenDue(d);", put: '' },
    ],
    seeds: 400,
    skip: 12,
    options: {
      faults: {
        'stall-daemon': 10,
        'freeze-daemon': 10,
        'cut-place': 8,
        'postgres-crash': 5,
        'order-switchover': 5,
        'start-misreported': 4,
      },
    },
  },
  {
    // The vow of the other guard is given and not kept.
    name: 'failsafe-promise-not-kept',
    rule: 'L8',
    edits: [
      {
        file: 'src/core/guard/facts.ts',
        find: 'return knows ? s.promisedUntil : Math.max(s.promisedUntil, s.quarantinedUntil);',
        put: 'return knows ? s.startedAt : s.quarantinedUntil;',
      },
      // An order is held back by what this guard says of itself (V5), too.
      {
        file: 'src/core/guard/status.ts',
        find: 'duty === null || isFounding(duty) ? Math.max(s.promisedUntil, s.quarantinedUntil)',
        put: 'duty === null || isFounding(duty) ? s.quarantinedUntil',
      },
    ],
    seeds: 400,
    skip: 22,
    options: cutFromTheAgents,
  },
  {
    // A lease that has ended is asked for and taken again, from a guard that refuses nothing.
    name: 'failsafe-acquires',
    rule: 'L8',
    edits: [
      {
        file: failsafe,
        find: 'if (epoch === null || s.lease === null || s.fencing !== null || at.now < s.nextFailsafeAt) return;',
        put: 'if (epoch === null || s.fencing !== null || at.now < s.nextFailsafeAt) return;',
      },
      {
        file: failsafe,
        find: "if (s.lease === null || s.db.role !== 'primary' || !leaseInForce(s, at.now)) return false;",
        put: 'if (s.lease === null) return soleVoterOf(s.durable.chosen?.record ?? null) === null;',
      },
      {
        file: failsafe,
        find: 'if (!counts || d.s.lease === null || !leaseInForce(d.s, d.at.now) || d.s.leaving !== null) {',
        put: 'if (!counts || d.s.leaving !== null) {',
      },
      { file: failsafe, find: 'const before = d.s.lease.until;', put: '' },
      { file: failsafe, find: 'if (d.s.lease.until > before) {', put: 'if (d.s.lease === null) {' },
      {
        file: failsafe,
        find: 'if (noted !== null && d.s.durable.noted !== null && compareEpochs(noted, d.s.durable.noted) > 0) {',
        put: 'if (d.s.startedAt < 0) {',
      },
      {
        file: failsafe,
        find: 'const why = whyNot(d, message);',
        put: 'const why = d.s.startedAt < 0 ? whyNot(d, message) : null;',
      },
    ],
    seeds: 50,
    skip: 505,
    options: cutFromTheAgents,
  },
  {
    name: 'failsafe-beside-a-lease',
    rule: 'L8',
    edits: [
      {
        file: failsafe,
        find: 'if (since.some((tally) => isMajority(tally.granted, s.settings.witness))) return false;',
        put: 'if (since.some((tally) => isMajority(tally.granted, s.settings.witness) && at.now < 0)) return false;',
      },
      // Where the database serves nobody this hides the other.
      { file: failsafe, find: 'if (servesNobody(s, at.now)) return false;', put: '' },
    ],
    seeds: 100,
    options: { witness: 'none', brisk: true, minutes: 1, faultEveryMs: 20_000 },
  },
  {
    name: 'restart-releases-a-running-database',
    rule: 'L11',
    edits: [
      {
        file: 'src/core/guard/startup.ts',
        find: 'if (underDeadline(d)) takeOver(d);\n  else beginFence',
        put: 'if (underDeadline(d)) releaseAll(d);\n  else beginFence',
      },
    ],
    seeds: 200,
    skip: 17,
  },
];
