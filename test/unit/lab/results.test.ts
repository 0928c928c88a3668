/** The last line of the lab: what passed, failed, and was not judged or not begun. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Result } from '../../lab/scenarios/run/results.ts';
import { closingLine, hasFailed } from '../../lab/scenarios/run/results.ts';

function result(given: Partial<Result>): Result {
  return {
    id: 'S1',
    title: 'the postmaster is killed',
    witness: 'route53',
    ok: true,
    tookMs: 60_000,
    outageMs: 2_000,
    boundMs: 3_000,
    figures: {},
    unsafe: false,
    noLab: false,
    late: false,
    notJudged: false,
    why: null,
    starvation: { worstMs: 10, waited: 0 },
    attempts: 1,
    logs: null,
    ...given,
  };
}

const good = result({});
const bad = result({ ok: false, why: 'clients could not write' });
const notJudged = result({ ok: false, late: true, notJudged: true, why: 'clients could not write for 4 s' });

const CASES: readonly [string, readonly Result[], number, string][] = [
  ['all went well', [good, good], 2, '2 passed, 0 failed'],
  ['one failed', [good, bad], 2, '1 passed, 1 failed'],
  [
    'a time that the machine spoilt is neither',
    [good, notJudged],
    2,
    '1 passed, 0 failed, 1 skipped (1 on too busy a machine to judge their times)',
  ],
  [
    'what was not begun is said',
    [good, notJudged],
    4,
    '1 passed, 0 failed, 3 skipped (1 on too busy a machine to judge their times, 2 for want of time)',
  ],
];

for (const [name, results, scenarios, line] of CASES) {
  test(`the last line: ${name}`, () => assert.equal(closingLine(results, scenarios), line));
}

test('only what failed is a failure', () => {
  assert.deepEqual([good, bad, notJudged].map(hasFailed), [false, true, false]);
});
