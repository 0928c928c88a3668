// V8 at the guard: when it lets commits wait and when not, what it names, and whose word lets it fall back.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Renew, SyncAnswer, SyncOff } from '../../../src/core/messages.ts';
import { sameBallot } from '../../../src/core/quorum/ballot.ts';
import { type Accepted, epochOf } from '../../../src/core/quorum/record.ts';
import type { Replication } from '../../../src/core/settings.ts';
import { Pair, type PairOptions } from './pair.ts';
import { chosenAt, settings } from './voters.ts';

const agents = ['site1', 'site2'] as const;

/** site1 writes in epoch 1, its standby streams. */
function inService(replication: Replication, options: PairOptions = {}): Pair {
  return Pair.inService({ ...options, settings: { ...settings, replication } });
}

/** What its last renewal named. */
function named(pair: Pair) {
  const renewals = pair.primary.asked.filter((request): request is Renew => request.type === 'renew');
  return renewals.at(-1)?.status.syncAt ?? null;
}

function questions(pair: Pair): SyncOff[] {
  return pair.primary.asked.filter((request): request is SyncOff => request.type === 'sync-off');
}

const waits = (pair: Pair): readonly [disk: boolean | undefined, server: boolean] => [
  pair.primary.disk?.waits,
  pair.primary.db.waits,
];

/** The agents make the change that they are asked for, as real ones do. */
function agentsAnswer(pair: Pair): void {
  for (const site of agents) {
    pair.voters[site].syncOff = (question) => {
      if (!pair.change({ sync: false })) return null;
      return { type: 'sync-answer', ok: true, why: '', chosen: pair.chosen, ask: question.ask };
    };
  }
}

test('zero-loss: with a standby commits wait, and the guard names the ballot of the record it was told last', () => {
  const pair = inService('zero-loss');
  assert.deepEqual(waits(pair), [true, true]);
  assert.deepEqual(named(pair), pair.chosen.ballot);
  assert.ok(pair.change({ sync: true }));
  pair.pass(1500);
  assert.deepEqual(named(pair), pair.chosen.ballot);
  assert.deepEqual(questions(pair), []);
});

test('that they wait is on disk before the server is told', () => {
  let before: boolean | null = null;
  const watched = inService('zero-loss', {
    watch: (host, _before, _event, { effects }) => {
      if (!effects.act.some(({ deed }) => deed.kind === 'set-waits')) return;
      before ??= effects.persist?.waits ?? host.disk?.waits ?? false;
    },
  });
  assert.equal(before, true);
  assert.deepEqual(waits(watched), [true, true]);
});

test('a standby that has just come has to stay for a while; one that streams in vain is never waited for', () => {
  const pair = inService('zero-loss');
  pair.primary.db.standby = 'gone';
  agentsAnswer(pair);
  assert.notEqual(
    pair.until(() => !pair.primary.db.waits),
    null,
  );
  pair.primary.db.standby = 'silent';
  pair.pass(20_000);
  assert.deepEqual(waits(pair), [false, false]);
  pair.primary.db.standby = 'up';
  const backAfter = pair.until(() => pair.primary.db.waits) ?? 0;
  assert.ok(backAfter >= 5000 && backAfter < 7000, `after ${backAfter} ms`);
});

test('a switchover that was undone: what it left half done may be chosen yet, so commits wait until a fresh change', () => {
  const pair = inService('zero-loss');
  pair.primary.db.standby = 'gone';
  agentsAnswer(pair);
  pair.until(() => !pair.primary.db.waits);
  assert.deepEqual(waits(pair), [false, false]);
  for (const site of agents) pair.voters[site].syncOff = () => null;
  const { cluster } = pair.chosen.record;
  const order = { type: 'guard-order', cluster, epoch: epochOf(pair.chosen.record), order: 'switchover' } as const;
  pair.primary.request('site1-agent', { ...order, timeoutMs: 4000 }, () => {});
  assert.notEqual(
    pair.until(() => pair.voters.site2.releases.length > 0, 2000),
    null,
  );
  assert.equal(pair.primary.disk?.waits, true, 'on disk before the release is told');
  assert.notEqual(
    pair.until(() => pair.primary.writable, 8000),
    null,
  );
  const before = questions(pair).length;
  pair.pass(8000);
  assert.deepEqual(waits(pair), [true, true], 'from its first commit');
  assert.ok(questions(pair).length > before);
  agentsAnswer(pair);
  pair.pass(2000);
  assert.deepEqual(waits(pair), [false, false]);
});

test('zero-loss: a guard without memory starts what may have run in this epoch waiting, until a fresh change', () => {
  const pair = inService('zero-loss');
  pair.pass(1500);
  const { primary, standby } = pair;
  const started: boolean[] = [];
  const perform = primary.db.perform.bind(primary.db);
  primary.db.perform = (deed, mayGoOn, epoch) => {
    if (deed.kind === 'start-primary' || deed.kind === 'promote') started.push(deed.waits);
    return perform(deed, mayGoOn, epoch);
  };
  primary.killGuard();
  primary.disk = null;
  primary.db.die();
  primary.db.waits = false;
  standby.db.standby = 'gone';
  primary.db.standby = 'gone';
  primary.db.signalFile = true;
  primary.startGuard();
  pair.pass(12_000);
  assert.deepEqual(started, [true]);
  assert.deepEqual(waits(pair), [true, true]);
  agentsAnswer(pair);
  pair.pass(2000);
  assert.deepEqual(waits(pair), [false, false]);
});

test('zero-loss: a record of its own epoch that says `sync` makes a guard wait that remembers no word of it', () => {
  const pair = inService('zero-loss');
  pair.primary.db.standby = 'gone';
  agentsAnswer(pair);
  pair.until(() => !pair.primary.db.waits);
  for (const site of agents) pair.voters[site].syncOff = () => null;
  // An agent that had voted for it, and was away since, is back (Q5).
  assert.ok(pair.change({ sync: true }));
  pair.pass(20_000);
  assert.equal(pair.primary.writable, true);
  assert.deepEqual(waits(pair), [true, true]);
});

test('nothing is named before the server was seen to make a commit wait', () => {
  const pair = new Pair({ settings: { ...settings, replication: 'zero-loss' } });
  pair.primary.db.role = 'primary';
  pair.primary.db.controlState = 'in production';
  const perform = pair.primary.db.perform.bind(pair.primary.db);
  pair.primary.db.perform = (deed, mayGoOn, epoch) => {
    const outcome = perform(deed, mayGoOn, epoch);
    return deed.kind === 'set-waits' ? { kind: 'unknown', detail: 'no commit was seen to wait' } : outcome;
  };
  for (const site of agents) pair.hosts[site].startGuard();
  pair.pass(20_000);
  assert.deepEqual(waits(pair), [true, true]);
  assert.equal(named(pair), null);
});

for (const how of ['gone', 'silent'] as const) {
  test(`a standby that is ${how} stalls commits until an agent has answered; the guard falls back by nothing else`, () => {
    const pair = inService('zero-loss');
    assert.ok(pair.change({ sync: true }));
    pair.pass(1500);
    pair.primary.db.standby = how;
    const { renewEveryMs } = settings.lease;
    const asked = pair.until(() => questions(pair).length > 0) ?? Number.POSITIVE_INFINITY;
    assert.ok(asked <= 1500 + (how === 'gone' ? 1 : 2) * renewEveryMs + 300, `asked after ${asked} ms`);
    // The record says it already, for a reason of somebody else's: that is no answer.
    assert.ok(pair.change({ sync: false }));
    pair.pass(10_000);
    assert.deepEqual(waits(pair), [true, true]);
    assert.equal(named(pair), null, 'while it asks it names nothing');
    const asks = new Set(questions(pair).map(({ ask }) => ask.seq));
    assert.equal(asks.size, 1, 'one question, asked again and again');
    agentsAnswer(pair);
    assert.notEqual(
      pair.until(() => !pair.primary.db.waits, 2000),
      null,
    );
    assert.deepEqual(waits(pair), [false, false]);
    assert.equal(named(pair), null);
  });
}

type Row = readonly [
  name: string,
  change: (good: SyncAnswer, told: Accepted) => Partial<SyncAnswer>,
  fallsBack: boolean,
];
const rows: readonly Row[] = [
  ['the answer to this question', () => ({}), true],
  ['a no', () => ({ ok: false }), false],
  ['the answer to another question', ({ ask }) => ({ ask: { ...ask, seq: ask.seq - 1 } }), false],
  ['no record', () => ({ chosen: null }), false],
  ['a record that says sync: true', ({ chosen }) => ({ chosen: chosen && withSync(chosen) }), false],
  ['a record of another epoch', () => ({ chosen: chosenAt(99, { epoch: 2, primary: 'site1' }) }), false],
  ['a record below one it was told', (_, told) => ({ chosen: below(told) }), false],
];

function withSync(chosen: Accepted): Accepted {
  return { ...chosen, record: { ...chosen.record, sync: true } };
}

function below({ ballot, record }: Accepted): Accepted {
  return { ballot: { ...ballot, counter: ballot.counter - 1 }, record: { ...record, sync: false } };
}

for (const [name, change, fallsBack] of rows) {
  test(`${fallsBack ? 'falls back on' : 'goes on waiting after'} ${name}`, () => {
    const pair = inService('zero-loss');
    pair.pass(1500);
    let answers = 0;
    pair.voters.site2.syncOff = ({ ask }) => {
      answers += 1;
      const told = pair.chosen;
      const chosen = { ballot: { counter: told.ballot.counter + 1, voter: 'site2' }, record: told.record } as const;
      const good: SyncAnswer = { type: 'sync-answer', ok: true, why: '', chosen, ask };
      return { ...good, ...change(good, told) };
    };
    pair.primary.db.standby = 'gone';
    pair.until(() => answers > 0);
    pair.pass(100);
    assert.equal(pair.primary.disk?.waits, !fallsBack);
  });
}

test('the standby is back before an answer: the question is withdrawn, its late answer means nothing, the next is a new one', () => {
  const pair = inService('zero-loss');
  pair.pass(1500);
  const { site2 } = pair.voters;
  pair.primary.db.standby = 'gone';
  pair.until(() => questions(pair).length > 0);
  const [first] = questions(pair);
  pair.primary.db.standby = 'up';
  pair.pass(1500);
  assert.ok(sameBallot(named(pair) ?? { counter: 0, voter: 'site1' }, pair.chosen.ballot));
  // An agent may put `sync: true` onto what it names now; the old answer may come at any time.
  assert.ok(first !== undefined);
  site2.syncOff = () => {
    const chosen = { ballot: { counter: 50, voter: 'site2' }, record: pair.chosen.record } as const;
    return { type: 'sync-answer', ok: true, why: '', chosen, ask: first.ask };
  };
  pair.primary.db.standby = 'gone';
  pair.pass(8000);
  assert.equal(pair.primary.disk?.waits, true);
  assert.notDeepEqual(questions(pair).at(-1)?.ask, first.ask);
});

test('strict: commits wait for as long as it takes, nobody is asked, and what was named stays true', () => {
  const pair = inService('zero-loss-strict');
  assert.ok(pair.change({ sync: true }));
  pair.pass(1500);
  agentsAnswer(pair);
  pair.primary.db.standby = 'gone';
  pair.pass(60_000);
  assert.deepEqual(waits(pair), [true, true]);
  assert.deepEqual(questions(pair), []);
  assert.equal(pair.primary.writable, true, 'and it keeps its lease meanwhile');
});

test('async: nothing waits, nothing is set; what another mode left behind is asked about first', () => {
  const pair = inService('async');
  assert.deepEqual(waits(pair), [false, false]);
  assert.equal(pair.primary.deeds.includes('set-waits'), false);
  assert.equal(named(pair), null);
  const { primary } = pair;
  primary.killGuard();
  if (primary.disk !== null) primary.disk = { ...primary.disk, waits: true };
  primary.db.waits = true;
  primary.startGuard();
  pair.pass(1000);
  assert.deepEqual(waits(pair), [true, true]);
  agentsAnswer(pair);
  pair.pass(3000);
  assert.deepEqual(waits(pair), [false, false]);
});

test('a guard that restarts names nothing before it has seen a commit wait itself', () => {
  const pair = inService('zero-loss');
  const { primary } = pair;
  primary.killGuard();
  primary.asked.length = 0;
  primary.deeds.length = 0;
  primary.startGuard();
  pair.until(() => named(pair) !== null);
  assert.ok(primary.deeds.includes('set-waits'));
  assert.equal(primary.deeds.includes('fence'), false);
});

test('a start in place waits from its first commit on; a new epoch does not, in strict mode it does', () => {
  for (const mode of ['zero-loss', 'zero-loss-strict'] as const) {
    const pair = inService(mode);
    const started: (boolean | null)[] = [];
    for (const host of [pair.hosts.site1, pair.hosts.site2]) {
      const perform = host.db.perform.bind(host.db);
      host.db.perform = (deed, mayGoOn, epoch) => {
        if (deed.kind === 'start-primary' || deed.kind === 'promote') started.push(deed.waits);
        return perform(deed, mayGoOn, epoch);
      };
    }
    pair.primary.db.stop();
    pair.pass(6000);
    assert.deepEqual(started, [true]);
    pair.hosts.site1.loseHost();
    assert.notEqual(pair.moveTo('site2'), null);
    pair.pass(5000);
    assert.deepEqual(started, [true, mode === 'zero-loss-strict']);
  }
});

test('whatever its disk says, a database starts waiting in an epoch whose record says sync: true', () => {
  const pair = inService('zero-loss');
  assert.ok(pair.change({ sync: true }));
  pair.pass(1500);
  const { primary } = pair;
  const started: boolean[] = [];
  const perform = primary.db.perform.bind(primary.db);
  primary.db.perform = (deed, mayGoOn, epoch) => {
    if (deed.kind === 'start-primary') started.push(deed.waits);
    return perform(deed, mayGoOn, epoch);
  };
  primary.killGuard();
  if (primary.disk !== null) primary.disk = { ...primary.disk, waits: false };
  primary.db.die();
  primary.startGuard();
  pair.pass(10_000);
  assert.deepEqual(started, [true]);
  assert.equal(primary.disk?.waits, true);
});
