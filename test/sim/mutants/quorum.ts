// Votes, ballots and the register's record (Q1 to Q8, W).

import type { Mutant } from './mutant.ts';

const register = 'src/core/quorum/register.ts';
const voter = 'src/core/quorum/voter.ts';
const proposing = 'src/core/agent/proposing.ts';

export const quorumMutants: readonly Mutant[] = [
  {
    name: 'vote-sent-before-fsync',
    rule: 'Q3',
    edits: [
      {
        file: 'src/driver/driver.ts',
        find: 'if (result.effects.persist === null) this.#release(result, generation);',
        put: 'if (result.effects.persist !== null) void saved(this.#options.store, result.effects.persist);\n    if (generation >= 0) this.#release(result, generation);',
      },
    ],
    seeds: 200,
    options: {
      faults: {
        'crash-between-effects': 10,
        'crash-daemon': 6,
        'power-loss': 6,
        'order-switchover': 4,
        'disk-slow': 8,
        'postgres-crash': 3,
      },
    },
  },
  {
    name: 'vote-reaches-disk-late',
    rule: 'Q3',
    edits: [
      {
        file: 'src/core/agent/step.ts',
        find: 'persist: changed ? durableOf(d.s) : null',
        put: 'persist: changed ? { ...durableOf(d.s), voter: { ...d.s.voter.durable, accepted: state.voter.durable.accepted } } : null',
      },
    ],
    seeds: 40,
  },
  {
    name: 'quorum-of-one',
    rule: 'Q2',
    edits: [
      {
        file: proposing,
        find: "Object.values(p.accepted).includes('yes')) return choose",
        put: "p.phase === 'accept') return choose",
      },
    ],
    seeds: 40,
  },
  {
    name: 'accept-below-promise',
    rule: 'Q3',
    edits: [
      {
        file: voter,
        find: "if (compareBallots(message.ballot, promised) < 0) return refuse(voter, 'promised-more');",
        put: '',
      },
    ],
    seeds: 400,
  },
  {
    name: 'own-record-instead-of-highest',
    rule: 'Q2',
    edits: [
      {
        file: proposing,
        find: 'const [newest, older] = isLaterAccepted(other, own) ? [other, own] : [own, other];',
        put: 'const [newest, older] = [own, other];',
      },
    ],
    seeds: 400,
    options: {
      faultEveryMs: 3000,
      faults: {
        'crash-between-effects': 10,
        'cut-machines': 8,
        'order-switchover': 8,
        'lossy-path': 6,
        'order-entry': 8,
        'crash-daemon': 4,
      },
    },
  },
  {
    name: 'lone-record-passed-over-with-a-witness',
    rule: 'Q2',
    edits: [
      {
        file: proposing,
        find: "d.s.settings.witness === 'none' && ofOneEra && !isOver && isProposers",
        put: 'ofOneEra && !isOver',
      },
    ],
    seeds: 400,
    skip: 67,
    options: {
      witness: 'agent',
      faultEveryMs: 3000,
      faults: {
        'crash-between-effects': 10,
        'cut-machines': 8,
        'order-switchover': 8,
        'lossy-path': 6,
        'order-entry': 8,
        'crash-daemon': 4,
      },
    },
  },
  {
    name: 'promise-reaches-disk-late',
    rule: 'Q1',
    edits: [
      {
        file: 'src/core/agent/step.ts',
        find: 'persist: changed ? durableOf(d.s) : null',
        put: 'persist: changed ? { ...durableOf(d.s), voter: { ...d.s.voter.durable, promised: state.voter.durable.promised } } : null',
      },
    ],
    seeds: 20,
  },
  {
    name: 'change-of-primary-not-held-back',
    rule: 'Q6',
    edits: [
      {
        file: voter,
        find: "if (bindsAgainst(voter, message.record, now) > 0) return refuse(voter, 'not-free');",
        put: '',
      },
    ],
    seeds: 400,
    skip: 49,
  },
  {
    name: 'half-done-record-left',
    rule: 'Q5',
    edits: [
      {
        file: 'src/core/agent/repairing.ts',
        find: 'export function driveRepair(d: AgentDraft): void {',
        put: 'export function driveRepair(d: AgentDraft): void {\n  if (d.s.startedAt >= 0) return;',
      },
    ],
    seeds: 40,
  },
  {
    name: 'register-record-over-a-living-nonce',
    rule: 'L6',
    edits: [
      {
        file: register,
        find: "if (state.nonce === 'released') return 0;",
        put: 'if (state.nonce !== null) return 0;',
      },
    ],
    seeds: 100,
    options: { witness: 'route53' },
  },
  {
    name: 'swap-without-an-answer-counted',
    rule: 'W2',
    edits: [
      {
        file: 'src/core/agent/register-io.ts',
        find: "  distrustRegister(d);\n  if (outcome.kind === 'rejected' && pending.retried)",
        put: "  if (outcome.kind === 'unknown') return granted(d, pending);\n  distrustRegister(d);\n  if (outcome.kind === 'rejected' && pending.retried)",
      },
    ],
    seeds: 60,
    options: {
      witness: 'route53',
      minutes: 3,
      faultEveryMs: 5000,
      faults: { 'register-late': 10, 'cut-machines': 8, 'isolate-machine': 6, 'power-loss': 4 },
    },
  },
  {
    name: 'older-value-of-the-register-used',
    rule: 'W3',
    edits: [
      {
        file: register,
        find: 'if (read.state.serial < serialAtSend) {',
        put: 'if (now < 0 && read.state.serial < serialAtSend) {',
      },
      {
        file: register,
        find: 'if (read.state.serial < mind.serial) return',
        put: 'if (now < 0 && read.state.serial < mind.serial) return',
      },
    ],
    seeds: 60,
    options: {
      witness: 'route53',
      minutes: 3,
      faultEveryMs: 5000,
      faults: { 'register-late': 8, 'register-put-back': 8, 'cut-machines': 6, 'order-switchover': 6 },
    },
  },
];
