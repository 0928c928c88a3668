// When `siteward disarm` may hand a database back, as a table.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { verdictOn, type Word } from '../../src/cli/disarm/verdict.ts';
import type { Accepted, ClusterRecord } from '../../src/core/quorum/record.ts';

const chosen = (counter: number, change: Partial<ClusterRecord> = {}): Accepted => ({
  ballot: { counter, voter: 'site1' },
  record: {
    cluster: 'c',
    era: { number: 0, site: 'site1' },
    epoch: 4,
    primary: 'site1',
    entry: 'site1',
    mode: 'paused',
    sync: false,
    voters: 'v',
    by: '',
    at: '',
    reason: '',
    ...change,
  },
});
const said = (accepted: Accepted | null): Word => ({ kind: 'said', chosen: accepted });
const silent: Word = { kind: 'silent', why: 'connect ETIMEDOUT' };
const auto = { mode: 'auto' } as const;
const moved = { epoch: 5, primary: 'site2' } as const;

const rows = [
  ['the paused primary', said(chosen(7)), said(chosen(7)), chosen(7), false, 'primary'],
  ['its disk lags behind', said(chosen(7)), said(chosen(7)), chosen(3, auto), false, 'primary'],
  ['one agent heard the resume', said(chosen(7)), said(chosen(8, auto)), chosen(7), false, 'refused'],
  ['not paused', said(chosen(7, auto)), said(chosen(7, auto)), chosen(7, auto), false, 'refused'],
  ['one agent knows that it moved', said(chosen(7)), said(chosen(9, moved)), chosen(7), false, 'standby'],
  ['the disk alone knows that it moved', said(chosen(7)), said(chosen(7)), chosen(9, moved), false, 'standby'],
  [
    'a forced era counts first',
    said(chosen(9)),
    said(chosen(8, { era: { number: 1, site: 'site2' }, primary: 'site2' })),
    null,
    false,
    'standby',
  ],
  [
    'the standby, not paused',
    said(chosen(7, { ...auto, primary: 'site2' })),
    said(chosen(7, { ...auto, primary: 'site2' })),
    null,
    false,
    'standby',
  ],
  ['one agent is silent', said(chosen(7)), silent, chosen(7), false, 'refused'],
  ['one is silent, its side is down', said(chosen(7)), silent, chosen(7), true, 'primary'],
  ['the same, not paused', said(chosen(7, auto)), silent, chosen(7, auto), true, 'refused'],
  ['nobody is left', silent, silent, chosen(7, auto), true, 'primary'],
  ['nobody is left, by mistake', silent, silent, chosen(7), false, 'refused'],
  ['no cluster yet', said(null), said(null), null, false, 'never-founded'],
] as const;

for (const [title, site1, site2, onDisk, down, wanted] of rows) {
  test(`disarm at site1: ${title}: ${wanted}`, () => {
    const verdict = verdictOn('site1', { site1, site2 }, onDisk, down);
    assert.equal(verdict.kind === 'may' ? verdict.as : verdict.kind, wanted);
  });
}
