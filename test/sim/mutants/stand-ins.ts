// Acting in another's place, and files that differ between hosts: caught by golden stories, too.

import type { StoryMutant } from './mutant.ts';

const facts = 'src/core/agent/facts.ts';
const voter = 'src/core/quorum/voter.ts';

export const standInMutants: readonly StoryMutant[] = [
  {
    name: 'touches-by-an-epoch-that-it-voted-away',
    rule: 'R2',
    edits: [
      {
        file: facts,
        find: 'const mayBeOver = movesOn(s.voter.durable.accepted, chosen);',
        put: 'const mayBeOver = now < 0 && movesOn(s.voter.durable.accepted, chosen);',
      },
    ],
    story: 'voted-and-cut-off.test.ts',
  },
  {
    name: 'hands-off-for-the-forgetful',
    rule: 'R3',
    edits: [
      {
        file: 'src/core/agent/reconciling.ts',
        find: 'return s.peer.view.amnesia || at.now',
        put: 'return at.now',
      },
    ],
    story: 'absent-hands.test.ts',
  },
  {
    name: 'name-is-its-own-agents-alone',
    rule: 'R3',
    edits: [
      {
        file: 'src/core/agent/reconciling.ts',
        find: 'if (isMine(d, record.entry) && d.s.settings.dns)',
        put: 'if (record.entry === d.s.me && d.s.settings.dns)',
      },
    ],
    story: 'absent-hands.test.ts',
  },
  {
    name: 'grants-by-the-file',
    rule: 'Q10',
    edits: [
      {
        file: voter,
        find: 'if (accepted.record.voters !== ask.voters && soleVoterOf(accepted.record) === null)',
        put: "if (accepted.record.voters === '' && soleVoterOf(accepted.record) === null)",
      },
    ],
    story: 'files-that-differ.test.ts',
  },
  {
    name: 'era-ends-before-its-leases-are-known',
    rule: 'L4',
    edits: [
      {
        file: 'src/core/agent/forcing.ts',
        find: '(view?.longestTtlMs ?? longest) >= longest;',
        put: '(view?.longestTtlMs ?? longest) >= 0;',
      },
      {
        file: voter,
        find: 'if (refusal !== null) return refuse(aware, refusal);',
        put: 'if (refusal !== null) return refuse(voter, refusal);',
      },
    ],
    story: 'files-that-differ.test.ts',
  },
  {
    name: 'an-older-copy-takes-over',
    rule: 'V8',
    edits: [
      {
        file: 'src/core/verdict/standby.ts',
        find: 'farthestOf(report) < s.standbyPeak',
        put: 'farthestOf(report) < 0 * s.standbyPeak',
      },
    ],
    story: 'files-that-differ.test.ts',
  },
];
