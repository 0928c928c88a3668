// V7, row by row: each answer has a state that yields it, and one beside it that just does not.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { decideEntry } from '../../../src/core/decide/entry.ts';
import { night, now, type StateBuilder, state } from '../agent-state.ts';

const failed = () => state().entry('site1', 'failed', 'unreachable').peerSays({ entry: 'failed' });
const booting = (ms: number) => {
  const given = failed().with({ startedAt: now - ms });
  return ms < 30_000 ? given.peerSays({ entry: 'suspect' }) : given;
};
const answering = () => {
  const given = failed();
  const { site1, site2 } = given.state.entries;
  return given.with({ entries: { site1: { ...site1, successes: 1 }, site2 } });
};
/** As site1's agent sees it; the name is to go to site2. */
const second = (sinceMs: number) => {
  const given = state('site1').entry('site1', 'failed', 'unreachable').peerSays({ entry: 'failed' });
  const { site1, site2 } = given.state.entries;
  return given.with({ entries: { site1: { ...site1, changedAt: now - sinceMs }, site2 } });
};
/** Nothing of site1's service host is seen from site2's; the guards heard its agent so long ago. */
const cut = (heardAgoMs: number, how = 'timeout') =>
  state().entry('site1', 'failed', how).peerCutFor(2001).guardsHeardPeer(heardAgoMs);
const unsaid = { unheardMs: { site1: null, site2: null } };
const served = (ms: number) => ({ servesSince: { site1: null, site2: now - ms } });

type Row = readonly [rule: string, yields: string, state: StateBuilder, just: string, beside: StateBuilder];

const rows: readonly Row[] = [
  ['Q8: no memory', 'entry-no-record', failed().voter({ amnesia: true }), 'entry', failed()],
  ['Q0: not founded', 'entry-no-record', failed().remembers({ founded: false }), 'entry', failed()],
  ['Orders: a forced era', 'entry-forced', failed().record({ voters: 'only:site1' }), 'entry', failed()],
  ['it serves', 'entry-healthy', state(), 'entry', failed()],
  ['hysteresis', 'entry-healthy', failed().entry('site1', 'suspect', 'unreachable'), 'entry', failed()],
  ['S12: never seen to serve since this agent started', 'entry-booting', booting(29_999), 'entry', booting(30_000)],
  ['pause', 'entry-paused', failed().record({ mode: 'paused' }), 'entry', failed()],
  [
    'no voter is heard',
    'entry-no-majority',
    failed().peerSilentFor(2001).registerSilent(),
    'entry',
    failed().peerSilentFor(2001),
  ],
  ['the peer does not see it so', 'entry-peer-objects', failed().peerSays({ entry: 'suspect' }), 'entry', failed()],
  [
    'the peer speaks of another entry',
    'entry-peer-objects',
    failed()
      .record({ entry: 'site1', epoch: 1 })
      .with({ peer: state().record({ entry: 'site2' }).peerSays({ entry: 'failed' }).state.peer }),
    'entry',
    failed(),
  ],
  ['one cut link: a guard hears its agent', 'entry-peer-lives', cut(2000), 'entry', cut(2001)],
  ['the host answers, its HAProxy does not', 'entry', cut(100, 'refused'), 'entry-peer-lives', cut(100, 'timeout')],
  [
    'a guard that is itself not heard proves nothing',
    'entry',
    cut(100).guard('site1', {}, 2001).guard('site2', {}, 2001),
    'entry-peer-lives',
    cut(100).guard('site1', {}, 2001),
  ],
  [
    'guards of an older version say nothing of it',
    'entry',
    cut(100).guard('site1', unsaid).guard('site2', unsaid),
    'entry-peer-lives',
    cut(100).guard('site1', unsaid),
  ],
  [
    'its own HAProxy is no guess',
    'entry',
    state('site1').entry('site1', 'failed', 'timeout').peerCutFor(2001).guardsHeardPeer(0),
    'entry-peer-objects',
    state('site1').entry('site1', 'failed', 'timeout'),
  ],
  [
    'a cut between the sites: the other one only holds requests',
    'entry-other-unfit',
    failed().with({ servesSince: { site1: null, site2: null } }),
    'entry',
    failed(),
  ],
  [
    'a heal lets the other one serve first',
    'entry-settling',
    failed().with(served(2299)),
    'entry',
    failed().with(served(2300)),
  ],
  ['it answers again', 'entry-settling', answering(), 'entry', failed()],
  ['the agent that the name goes to acts first', 'entry-others-turn', second(999), 'entry', second(1000)],
  ['unless it is gone', 'entry', second(999).peerSilentFor(2001), 'entry-others-turn', second(999)],
  [
    'a cool-down of its own',
    'entry-cool-down',
    failed().remembers({ entryMoved: night.wall - 299_999 }),
    'entry',
    failed().remembers({ entryMoved: night.wall - 300_000 }),
  ],
];

for (const [rule, yields, { state: given }, just, { state: beside }] of rows) {
  test(`V7: ${rule}: ${yields}, else ${just}`, () => {
    assert.equal(decideEntry(given, night).decision.code, yields);
    assert.equal(decideEntry(beside, night).decision.code, just, 'the row beside it');
  });
}

test('V7: it waits for no lease', () => {
  const { intent } = decideEntry(failed().promised(6000).state, night);
  assert.deepEqual(intent, {
    kind: 'entry',
    to: 'site2',
    order: false,
    reason: "site1's HAProxy cannot serve: unreachable",
  });
});
