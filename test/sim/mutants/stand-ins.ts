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
        find: 'isNeeded(s, chosen, now) && !movesOn(s.voter.durable.accepted, chosen)',
        put: 'isNeeded(s, chosen, now) && !(now < 0 && movesOn(s.voter.durable.accepted, chosen))',
      },
    ],
    story: 'voted-and-cut-off.test.ts',
  },
  {
    name: 'points-by-an-entry-that-it-voted-away',
    rule: 'R2',
    edits: [
      { file: facts, find: 'return !mayBeMoved || isBorneOut', put: 'return now > 0 || !mayBeMoved || isBorneOut' },
    ],
    story: 'voted-and-cut-off.test.ts',
  },
  {
    name: 'touches-before-it-has-heard',
    rule: 'R2',
    edits: [
      {
        file: facts,
        find: '&& record.primary === s.me && !waitsForWords(s, now)',
        put: '&& record.primary === s.me && now > 0',
      },
    ],
    story: 'forced-era-ends.test.ts',
  },
  {
    name: 'no-witness-by-the-file-alone',
    rule: 'Q10',
    edits: [
      {
        file: facts,
        find: "s.settings.witness === 'none' && recordOf(s)?.voters === s.settings.voters",
        put: "s.settings.witness === 'none' && recordOf(s)?.voters !== ''",
      },
    ],
    story: 'no-witness-in-one-file.test.ts',
  },
  {
    name: 'rejoins-by-the-file-alone',
    rule: 'Q10',
    edits: [
      {
        file: 'src/core/agent/rejoining.ts',
        find: 'if (sole === null && record.voters !== d.s.settings.voters)',
        put: "if (sole === null && record.voters === '')",
      },
    ],
    story: 'no-witness-in-one-file.test.ts',
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
        find: 'if (isMine(d, record.entry) && mayPointName',
        put: 'if (record.entry === d.s.me && mayPointName',
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
    story: 'no-witness-in-one-file.test.ts',
  },
  {
    name: 'era-ends-before-its-leases-are-known',
    rule: 'L4',
    edits: [
      {
        file: 'src/core/agent/forcing.ts',
        find: '(view?.longestTtlMs ?? 0) >= longest;',
        put: '(view?.longestTtlMs ?? 0) >= 0 * longest;',
      },
      {
        file: voter,
        find: 'soleVoterOf(chosen.record) === from &&',
        put: 'soleVoterOf(chosen.record) === from && from === null &&',
      },
    ],
    story: 'longer-leases-in-one-file.test.ts',
  },
  {
    name: 'nobody-learns-the-longest',
    rule: 'L4',
    edits: [
      {
        file: voter,
        find: 'soleVoterOf(chosen.record) === from &&',
        put: 'soleVoterOf(chosen.record) === from && from === null &&',
      },
    ],
    story: 'longer-leases-in-one-file.test.ts',
  },
  {
    name: 'grants-whatever-is-asked-for',
    rule: 'L4',
    edits: [
      {
        file: voter,
        find: 'return Math.min(ttlMs, longestTtlMs);',
        put: 'return longestTtlMs < 0 ? longestTtlMs : ttlMs;',
      },
    ],
    story: 'longer-leases-in-one-file.test.ts',
  },
  {
    name: 'counts-a-grant-for-what-it-asked-for',
    rule: 'L4',
    edits: [
      {
        file: 'src/core/guard/rounds.ts',
        find: 'return grantedFor?.voter === voter ? grantedFor.ttlMs : null;',
        put: 'return grantedFor?.voter === voter ? tally.ttlMs : null;',
      },
    ],
    story: 'longer-leases-in-one-file.test.ts',
  },
  {
    name: 'touches-by-an-era-that-is-over',
    rule: 'R2',
    edits: [{ file: facts, find: '=== s.me && !waitsForWords(s, now)) return true;', put: '=== s.me) return true;' }],
    story: 'forced-era-ends.test.ts',
  },
  {
    name: 'keeps-eight-rounds',
    rule: 'L5',
    edits: [{ file: 'src/core/agent/grants.ts', find: 'const roundsKept = 64;', put: 'const roundsKept = 8;' }],
    story: 'files-that-differ.test.ts',
  },
  {
    name: 'another-address-is-wrong',
    rule: 'R2',
    edits: [
      {
        file: 'src/core/agent/reconciling.ts',
        find: 'record.entry === d.s.me || seen?.value.entry !== null',
        put: 'record.entry === d.s.me || seen !== null',
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
        find: 'farthestOf(seen.value) < peak.position',
        put: 'farthestOf(seen.value) < 0 * peak.position',
      },
    ],
    story: 'files-that-differ.test.ts',
  },
  {
    name: 'first-words-are-not-said-again',
    rule: 'L4',
    edits: [
      {
        file: 'src/core/guard/rounds.ts',
        find: "if (pending.kind === 'renew' && pending.firstWords)",
        put: "if (pending.kind === 'renew' && pending.firstWords && d.at.now < 0)",
      },
    ],
    story: 'longer-leases-in-one-file.test.ts',
  },
  {
    name: 'forgets-what-the-standby-had',
    rule: 'V8',
    edits: [{ file: 'src/core/agent/state.ts', find: 'standbyPeak: disk.standbyPeak,', put: 'standbyPeak: null,' }],
    story: 'files-that-differ.test.ts',
  },
  {
    name: 'keeps-to-itself-what-the-standby-had',
    rule: 'V8',
    edits: [{ file: 'src/core/agent/probing.ts', find: 'standbyPeak: s.standbyPeak,', put: 'standbyPeak: null,' }],
    story: 'files-that-differ.test.ts',
  },
];
