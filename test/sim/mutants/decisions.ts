// What the agents decide and order: when a primary or the name moves, what for, and onto what.

import type { Mutant } from './mutant.ts';

const primary = 'src/core/decide/primary.ts';
const entry = 'src/core/decide/entry.ts';
const standby = 'src/core/verdict/standby.ts';
const note = 'src/cli/host/note.ts';

/** Short runs: what counts is their end, where the primary is taken away (take-over.ts). */
const endOnly = { brisk: true, minutes: 1, faultEveryMs: 20_000 } as const;
const longCut = { ...endOnly, replication: 'async', writesPerSecond: 5, bytesPerWrite: 200_000 } as const;

export const decisionMutants: readonly Mutant[] = [
  {
    name: 'failover-never',
    rule: 'I6',
    edits: [
      {
        file: primary,
        find: 'const delayMs = s.me === to ? 0 : s.settings.lease.otherDelayMs - (at.now - (s.readySince ?? at.now));',
        put: 'const delayMs = 9_000_000;',
      },
    ],
    seeds: 100,
  },
  {
    name: 'pause-ignored',
    rule: 'pause',
    edits: [
      {
        file: primary,
        find: "if (record.mode === 'paused') return hold(",
        put: "if (record.mode === ('x' as string)) return hold(",
      },
      {
        file: 'src/core/agent/intent.ts',
        find: "if (base.mode === 'paused' && !intent.order) return foundPaused(found, s);\n  // The",
        put: '// The',
      },
    ],
    seeds: 200,
    options: {
      brisk: true,
      faultEveryMs: 8000,
      faultsAtOnce: 2,
      faults: { 'order-pause': 8, 'postgres-crash': 6, 'power-loss': 6, 'postgres-hang': 4 },
    },
  },
  {
    name: 'any-row-may-take-over',
    rule: 'V5',
    edits: [
      {
        file: standby,
        find: 'if (report.row.cluster !== record.cluster || !sameEpoch(report.row.epoch, epochOf(record))) {',
        put: "if (report.row.cluster === 'x') {",
      },
    ],
    seeds: 200,
    skip: 26,
  },
  {
    name: 'witness-tells-no-position',
    rule: 'V5',
    edits: [
      {
        file: 'src/core/witness/step.ts',
        find: "answer: { type: 'view', view: viewOf(next, now), lastPrimary } };",
        put: "answer: { type: 'view', view: viewOf(next, now), lastPrimary: null } };",
      },
    ],
    seeds: 100,
    options: { ...longCut, witness: 'agent' },
  },
  {
    name: 'register-tells-no-position',
    rule: 'V5',
    edits: [
      {
        file: 'src/core/agent/register-io.ts',
        find: 'last !== null && sameEpoch(last.epoch, epoch) ? last.position : null;',
        put: 'last !== null && sameEpoch(last.epoch, epoch) && epoch.epoch < 0 ? last.position : null;',
      },
    ],
    seeds: 100,
    options: { ...longCut, witness: 'route53' },
  },
  {
    name: 'an-undone-order-is-a-failure',
    rule: 'orders',
    edits: [
      {
        file: 'src/core/agent/judging.ts',
        find: 'const rests = verdictsRest(d.s, d.at.now);',
        put: 'const rests = verdictsRest(d.s, d.at.now) && d.at.now < 0;',
      },
      {
        file: 'src/core/guard/orders.ts',
        find: 'set(d, { restingUntil: d.at.now + d.s.settings.restartBudgetMs });',
        put: '',
      },
    ],
    seeds: 100,
    skip: 15,
    options: {
      replication: 'async',
      brisk: true,
      minutes: 4,
      faultEveryMs: 8000,
      faultsAtOnce: 2,
      faults: { 'replication-stalled': 8, 'order-switchover': 8 },
    },
  },
  {
    name: 'refuses-by-itself-only',
    rule: 'V4',
    edits: [
      {
        file: 'src/core/agent/refusing.ts',
        find: ' || followsPeer(s, epoch, now)',
        put: '',
      },
      // Either makes the other good where the guard can tell that its database serves nobody.
      {
        file: 'src/core/guard/facts.ts',
        find: '(by.length > 0 && servesNobody(s, now))',
        put: '(now < 0 && servesNobody(s, now))',
      },
    ],
    seeds: 100,
    options: endOnly,
  },
  {
    name: 'forces-by-an-old-sync',
    rule: 'V8',
    edits: [
      {
        file: standby,
        find: 'if (hearsMajority(s, now)) return true;',
        put: 'if (now > 0) return true;',
      },
    ],
    seeds: 200,
    skip: 31,
    options: { replication: 'zero-loss', minutes: 4, faultEveryMs: 20_000, faultsAtOnce: 1, faults: { disaster: 1 } },
  },
  {
    name: 'fenced-without-rounds',
    rule: 'V1',
    edits: [
      {
        file: 'src/core/agent/judging.ts',
        find: '?? Number.NEGATIVE_INFINITY) <= roundForMs;',
        put: '?? Number.NEGATIVE_INFINITY) <= 9e15;',
      },
    ],
    seeds: 100,
    skip: 24,
    options: endOnly,
  },
  {
    name: 'lag-ignored',
    rule: 'V5',
    edits: [
      { file: standby, find: 'if (lag > s.settings.policy.maxLagBytes)', put: 'if (lag > Number.POSITIVE_INFINITY)' },
    ],
    seeds: 200,
    options: {
      brisk: true,
      replication: 'async',
      bytesPerWrite: 200_000,
      writesPerSecond: 5,
      faultEveryMs: 8000,
      faultsAtOnce: 2,
      faults: { 'replication-stalled': 10, 'replication-lag': 6, 'power-loss': 6, 'postgres-crash': 4 },
    },
  },
  {
    name: 'cut-moves-entry',
    rule: 'V7',
    edits: [
      { file: entry, find: 'if (mayBeCutOnly(s, from, at.now))', put: "if (from === ('x' as string))" },
      { file: entry, find: 'if (settleMs > 0 || isRecovering(track))', put: 'if (settleMs > 9e9)' },
      {
        file: entry,
        find: "if (hearsPeer(s, at.now) && peerVerdicts(s, record, at.now)?.entry !== 'failed')",
        put: "if (from === ('x' as string))",
      },
    ],
    seeds: 100,
    options: { faultEveryMs: 20_000, faultsAtOnce: 1, faults: { 'cut-sites': 10, 'cut-one-way': 5 } },
  },
  {
    name: 'switchover-before-the-checkpoint-arrived',
    rule: 'Orders',
    edits: [
      {
        file: 'src/core/agent/orders.ts',
        find: 'const enough = stopped.position !== null && received > stopped.position;',
        put: 'const enough = stopped.position !== null;',
      },
    ],
    seeds: 100,
    // A primary that stops waits for its standby, unless that is down just then.
    options: {
      replication: 'async',
      faultEveryMs: 3000,
      faultsAtOnce: 3,
      faults: {
        'order-switchover': 10,
        'postgres-crash': 8,
        'postgres-stopped-by-hand': 6,
        'replication-stalled': 5,
        'replication-lag': 5,
      },
    },
  },
  {
    // Each of the two hides the other.
    name: 'lower-token-obeyed-and-given-from-memory',
    rule: 'R1',
    edits: [
      { file: 'src/core/agent/reconciling.ts', find: 'if (!mayTouch(d.s, d.at.now)) return;', put: '' },
      {
        file: note,
        find: 'if (compareTokens(token, note.token) < 0) {',
        put: 'if (compareTokens(token, note.token) < -99) {',
      },
      {
        file: note,
        find: 'if (primary !== null && note.primary !== null && primary !== note.primary && compareEpochs(token, note.token) === 0) {',
        put: 'if (primary === undefined) {',
      },
    ],
    seeds: 200,
    skip: 26,
  },
];
