// What chance would meet too seldom, or no checker could tell from bad luck: each is caught by a golden story
// (test/sim/stories), which passes without it.

import type { StoryMutant } from './mutant.ts';

const facts = 'src/core/agent/facts.ts';
const halfDone = 'src/core/agent/half-done.ts';
const primary = 'src/core/decide/primary.ts';
const voter = 'src/core/quorum/voter.ts';
const register = 'src/core/quorum/register.ts';

export const storyMutants: readonly StoryMutant[] = [
  {
    name: 'lone-record-stays-in-the-way',
    rule: 'Q2',
    edits: [
      {
        file: 'src/core/agent/proposing.ts',
        find: 'return mayPass ? [newest, older] : [newest];',
        put: 'return mayPass && d.at.now < 0 ? [newest, older] : [newest];',
      },
    ],
    story: 'lone-record.test.ts',
  },
  {
    name: 'failsafe-for-the-ill',
    rule: 'L8',
    edits: [
      {
        file: 'src/core/guard/failsafe.ts',
        find: 'if (servesNobody(s, at.now)) return false;',
        put: '',
      },
    ],
    story: 'lease-of-the-ill.test.ts',
  },
  {
    name: 'nobody-yields',
    rule: 'V4',
    edits: [
      {
        file: 'src/core/agent/refusing.ts',
        find: ' || yields(s, now);',
        put: ' || (now < 0 && yields(s, now));',
      },
    ],
    story: 'lease-of-the-ill.test.ts',
  },
  {
    name: 'yields-in-every-recovery',
    rule: 'V4',
    edits: [
      {
        file: 'src/core/agent/refusing.ts',
        find: '(isStarting ? sinceMs : sinceMs %',
        put: '(sinceMs < 0 ? sinceMs : sinceMs %',
      },
      {
        file: 'src/core/agent/judging.ts',
        find: 'illSince: track.verdict === ',
        put: "illSince: track.verdict === 'suspect' ? d.at.now : track.verdict === ",
      },
    ],
    story: 'lease-of-the-well.test.ts',
  },
  {
    name: 'yields-what-writes',
    rule: 'V4',
    edits: [
      {
        file: 'src/core/agent/refusing.ts',
        find: 'now - s.positionMovedAt < heardForMs',
        put: 'now - s.positionMovedAt < 0',
      },
    ],
    story: 'lease-of-the-well.test.ts',
  },
  {
    name: 'one-refusal-is-none',
    rule: 'V4',
    edits: [
      {
        file: 'src/core/guard/facts.ts',
        find: '(by.length > 0 && servesNobody(s, now))',
        put: '(now < 0 && servesNobody(s, now))',
      },
    ],
    story: 'lease-of-the-ill.test.ts',
  },
  {
    name: 'fenced-for-ever',
    rule: 'V1',
    edits: [
      {
        file: 'src/core/agent/judging.ts',
        find: 'asks && waits &&',
        put: 'asks && (waits || d.at.now > 0) &&',
      },
    ],
    story: 'fenced-unheard.test.ts',
  },
  {
    name: 'late-accept-counts',
    rule: 'V5',
    edits: [
      {
        file: voter,
        find: 'return compareBallots(ballot, grantedUnder) <= 0;',
        put: 'return compareBallots(ballot, grantedUnder) <= 0 && ballot.counter < 0;',
      },
    ],
    story: 'late-accept.test.ts',
  },
  {
    name: 'ends-what-is-half-done-in-an-order',
    rule: 'orders',
    edits: [
      {
        file: halfDone,
        find: 'if (d.s.order !== null || (peerNotice(d.s, d.at.now)?.orderMs ?? 0) > 0)',
        put: 'if (d.at.now < 0 || (peerNotice(d.s, d.at.now)?.orderMs ?? 0) < 0)',
      },
    ],
    story: 'repair-in-switchover.test.ts',
  },
  {
    name: 'an-old-gone-undoes-orders',
    rule: 'orders',
    edits: [{ file: 'src/core/agent/orders.ts', find: 'd.s.gone.at >= order.startedAt', put: 'd.s.gone.at >= 0' }],
    story: 'gone-before-the-order.test.ts',
  },
  {
    name: 'moves-to-where-nobody-grants',
    rule: 'orders',
    edits: [
      {
        file: 'src/core/agent/orders.ts',
        find: "if (waives === 'sync' && mayGetNoLease(d, to))",
        put: "if (waives === 'sync' && d.at.now < 0 && mayGetNoLease(d, to))",
      },
    ],
    story: 'standby-without-a-majority.test.ts',
  },
  {
    name: 'agent-waits-for-no-words',
    rule: 'Q8',
    edits: [
      {
        file: facts,
        find: 'if (s.voter.amnesia || now - s.startedAt >= hearFirstMs) return false;',
        put: 'if (now > 0) return false;',
      },
    ],
    story: 'put-back-agent.test.ts',
  },
  {
    name: 'witness-waits-for-no-words',
    rule: 'Q8',
    edits: [
      {
        file: 'src/core/witness/step.ts',
        find: 'return !voter.amnesia && toldBy.length < sites.length && now - startedAt < hearFirstMs;',
        put: 'return !voter.amnesia && toldBy.length < 0 && now - startedAt < hearFirstMs;',
      },
    ],
    story: 'put-back-witness.test.ts',
  },
  {
    name: 'what-was-put-back-is-not-noticed',
    rule: 'Q8',
    edits: [
      {
        file: voter,
        find: '  const holds = memoryIn(view);\n  if (voted === null) return',
        put: '  if (view.quarantineMs >= 0) return false;\n  const holds = memoryIn(view);\n  if (voted === null) return',
      },
    ],
    story: 'put-back-witness.test.ts',
  },
  {
    name: 'a-missing-vote-is-not-missed',
    rule: 'Q8',
    edits: [
      {
        file: voter,
        find: 'return compareBallots(holds.promised, promised) < 0 || compareBallots(holds.voted, voted) < 0;',
        put: 'return compareBallots(holds.promised, promised) < 0;',
      },
    ],
    story: 'put-back-vote.test.ts',
  },
  {
    name: 'late-release-takes-a-later-grant',
    rule: 'L7',
    edits: [{ file: register, find: 'if (compareRounds(state.nonce.round, round) > 0) return null;', put: '' }],
    story: 'late-release.test.ts',
  },
  {
    name: 'register-rejoined-as-released',
    rule: 'W4',
    edits: [
      {
        file: 'src/core/quorum/rejoin.ts',
        find: 'nonce: { ...fresh, site: accepted.record.primary, round: noRound },',
        put: "nonce: fresh.ttlMs < 0 ? { ...fresh, site: accepted.record.primary, round: noRound } : 'released',",
      },
    ],
    story: 'register-made-anew.test.ts',
  },
  {
    name: 'standby-never-testifies',
    rule: 'V2',
    edits: [{ file: facts, find: 'return now - s.receivedMovedAt < confirmTimeMs(s);', put: 'return now < 0;' }],
    story: 'standby-testifies.test.ts',
  },
  {
    name: 'peer-has-no-veto',
    rule: 'V3',
    edits: [
      {
        file: primary,
        find: "if (theirs === 'healthy') return hold(",
        put: "if (theirs === ('x' as string)) return hold(",
      },
      {
        file: primary,
        find: "if (theirs !== 'failed') return hold(",
        put: "if (theirs === ('x' as string)) return hold(",
      },
    ],
    story: 'peer-objects.test.ts',
  },
  {
    name: 'refused-by-both-and-not-fenced',
    rule: 'V4',
    edits: [
      {
        file: 'src/core/guard/fencing.ts',
        find: 'if (duty === null || d.s.leaving !== null ||',
        put: 'if (d.at.now > 0 || duty === null || d.s.leaving !== null ||',
      },
    ],
    story: 'both-refuse.test.ts',
  },
  {
    name: 'half-done-change-is-not-asked-again',
    rule: 'V5',
    edits: [
      {
        file: halfDone,
        find: 'if (chosen === null || !movesOn(found, chosen)) return null;',
        put: 'if (d.at.now > 0 || chosen === null || !movesOn(found, chosen)) return null;',
      },
    ],
    story: 'half-done-change.test.ts',
  },
  {
    name: 'half-done-although-it-was-chosen',
    rule: 'V5',
    edits: [
      {
        file: halfDone,
        find: 'if (isNoted(d, found)) return null;',
        put: 'if (d.at.now < 0 && isNoted(d, found)) return null;',
      },
    ],
    story: 'chosen-by-the-lost-agent.test.ts',
  },
  {
    name: 'no-cool-down',
    rule: 'V6',
    edits: [
      {
        file: facts,
        find: 'return left(learned.wall, s.settings.policy.coolDownMs, wall);',
        put: 'return left(learned.wall, 0, wall);',
      },
    ],
    story: 'cool-down.test.ts',
  },
  {
    // Each of the two hides the other.
    name: 'waits-only-if-it-remembers',
    rule: 'V8',
    edits: [
      {
        file: 'src/core/guard/facts.ts',
        find: "return replication === 'zero-loss' && (deed === 'start-primary' || mayHaveRun(s, epoch));",
        put: "return s.startedAt < 0 && (deed === 'start-primary' || mayHaveRun(s, epoch));",
      },
      {
        file: 'src/core/guard/syncing.ts',
        find: 'const said = d.s.durable.chosen?.record.sync === true;',
        put: 'const said = d.at.now < 0;',
      },
    ],
    story: 'guard-without-memory.test.ts',
  },
  {
    name: 'all-instances-drained',
    rule: 'R3',
    edits: [
      {
        file: 'src/core/agent/reconciling.ts',
        find: "const want = wrong && someRight() ? 'drain' : 'ready';",
        put: "const want = wrong && (d.at.now > 0 || someRight()) ? 'drain' : 'ready';",
      },
    ],
    story: 'never-all-drained.test.ts',
  },
  {
    // Of any two voters one would wait still, were it only one of these.
    name: 'forced-era-ends-without-a-wait',
    rule: 'orders',
    edits: [
      {
        file: voter,
        find: 'if (!endsForcedEra(accepted?.record ?? null, message.record)) return',
        put: 'if (now > 0 || !endsForcedEra(accepted?.record ?? null, message.record)) return',
      },
      {
        file: register,
        find: 'const kept = endsForcedEra(state.accepted.record, record) ? wait : state.nonce;',
        put: 'const kept = state.serial < 0 && endsForcedEra(state.accepted.record, record) ? wait : state.nonce;',
      },
    ],
    story: 'forced-era-ends.test.ts',
  },
];
