// V8 at two guards and their databases, agents by hand: standbys come and go, words and answers travel slowly and out of
// order, guards and databases die. Whatever happens: while the record chosen last says `sync: true`, a database that is
// writable in its epoch makes its commits wait (I4).

import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { Renew, SyncAnswer } from '../../src/core/messages.ts';
import { type Ballot, sameBallot } from '../../src/core/quorum/ballot.ts';
import type { Replication } from '../../src/core/settings.ts';
import { type Site, sites } from '../../src/core/site.ts';
import { Pair } from '../unit/guard/pair.ts';
import { settings } from '../unit/guard/voters.ts';

type Move =
  | { readonly kind: 'pass'; readonly ms: number }
  | { readonly kind: 'standby'; readonly is: 'up' | 'silent' | 'gone' }
  /** An agent acts on a word of the guard, fresh or old. */
  | { readonly kind: 'sync-on'; readonly back: number }
  | { readonly kind: 'amend' | 'failover' | 'deaf' | 'hears' | 'slow' | 'fast' | 'loss' | 'no-loss' | 'restart-order' }
  | { readonly kind: 'kill-guard' | 'start-guard' | 'crash' | 'freeze' | 'disk-slow'; readonly ms: number };

const plain = [
  'amend',
  'failover',
  'deaf',
  'hears',
  'hears',
  'slow',
  'fast',
  'loss',
  'no-loss',
  'restart-order',
] as const;
const moves: fc.Arbitrary<Move> = fc.oneof(
  { weight: 8, arbitrary: fc.record({ kind: fc.constant('pass' as const), ms: fc.integer({ min: 5, max: 4000 }) }) },
  {
    weight: 5,
    arbitrary: fc.record({ kind: fc.constant('standby' as const), is: fc.constantFrom('up', 'up', 'silent', 'gone') }),
  },
  { weight: 5, arbitrary: fc.record({ kind: fc.constant('sync-on' as const), back: fc.nat(12) }) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constantFrom(...plain) }) },
  {
    weight: 3,
    arbitrary: fc.record({
      kind: fc.constantFrom('kill-guard', 'start-guard', 'start-guard', 'crash', 'freeze', 'disk-slow'),
      ms: fc.integer({ min: 10, max: 6000 }),
    }),
  },
);

/** Both agents make a change for every question, and tell of it late or never. */
class Agents {
  readonly pair: Pair;
  deaf = false;
  readonly #answers = new Map<string, SyncAnswer>();

  constructor(pair: Pair) {
    this.pair = pair;
    for (const site of ['site1', 'site2'] as const) {
      pair.voters[site].syncOff = ({ ask, epoch }) => {
        const known = this.#answers.get(`${site} ${ask.start}.${ask.seq}`);
        if (known !== undefined) return known;
        const { record } = pair.chosen;
        if (this.deaf || record.epoch !== epoch.epoch || !pair.change({ sync: false })) return null;
        const answer: SyncAnswer = { type: 'sync-answer', ok: true, why: '', chosen: pair.chosen, ask };
        this.#answers.set(`${site} ${ask.start}.${ask.seq}`, answer);
        return answer;
      };
    }
  }

  /** Every word that the primary's guard ever said is one that an agent may still act on. */
  words(): readonly Ballot[] {
    const renewals = this.pair.primary.asked.filter((request): request is Renew => request.type === 'renew');
    return renewals.flatMap(({ status }) => status.syncAt ?? []);
  }

  syncOn(back: number): boolean {
    const word = this.words().at(-1 - back);
    if (word === undefined || !sameBallot(word, this.pair.chosen.ballot)) return false;
    return this.pair.change({ sync: true });
  }
}

function play(agents: Agents, move: Move): void {
  const { pair } = agents;
  const { primary } = pair;
  switch (move.kind) {
    case 'pass':
      return pair.pass(move.ms);
    case 'standby':
      for (const site of sites) pair.hosts[site].db.standby = move.is;
      return;
    case 'sync-on':
      agents.syncOn(move.back);
      return;
    case 'amend':
      pair.change({ mode: pair.chosen.record.mode === 'auto' ? 'paused' : 'auto' });
      return;
    case 'failover': {
      const { record } = pair.chosen;
      pair.change({ primary: record.primary === 'site1' ? 'site2' : 'site1', epoch: record.epoch + 1, sync: false });
      return;
    }
    case 'deaf':
    case 'hears':
      agents.deaf = move.kind === 'deaf';
      return;
    case 'slow':
    case 'fast':
      pair.delayMs = move.kind === 'slow' ? 400 : 2;
      return;
    case 'loss':
    case 'no-loss':
      pair.loss = move.kind === 'loss' ? 0.3 : 0;
      return;
    case 'restart-order': {
      const { cluster, era, epoch } = pair.chosen.record;
      const order = { type: 'guard-order', cluster, epoch: { era, epoch }, order: 'restart', timeoutMs: 4000 } as const;
      return primary.request('site1-agent', order, () => {});
    }
    case 'kill-guard':
      return primary.killGuard();
    case 'start-guard':
      for (const site of sites) if (pair.hosts[site].state === null) pair.hosts[site].startGuard();
      return;
    case 'crash':
      return primary.db.die();
    case 'freeze':
      if (primary.state !== null) primary.freezeGuard(move.ms);
      return;
    case 'disk-slow':
      primary.persistMs = primary.persistMs === 0 ? move.ms / 10 : 0;
      return;
  }
}

function holdsI4(pair: Pair): void {
  const { record } = pair.chosen;
  const { db } = pair.hosts[record.primary];
  if (!record.sync || db.role !== 'primary' || db.epoch?.epoch !== record.epoch) return;
  assert.ok(db.waits, `the record of epoch ${record.epoch} says sync: true, and commits do not wait`);
}

function inService(replication: Replication, seed: number): Pair {
  const pair = Pair.inService({ seed, settings: { ...settings, replication } });
  const { primary } = pair;
  primary.db.epoch = { era: pair.chosen.record.era, epoch: pair.chosen.record.epoch };
  return pair;
}

const runs = Number(process.env['GUARD_RUNS'] ?? '40');

for (const mode of ['zero-loss', 'zero-loss-strict'] as const) {
  test(`${mode}: while the record says sync: true, commits wait`, { timeout: 600_000 }, () => {
    let synced = 0;
    fc.assert(
      fc.property(fc.array(moves, { minLength: 5, maxLength: 60 }), fc.nat(1e6), (script, seed) => {
        const pair = inService(mode, seed);
        const agents = new Agents(pair);
        for (const move of script) {
          play(agents, move);
          holdsI4(pair);
          if (pair.chosen.record.sync) synced += 1;
          for (let i = 0; i < 5; i += 1) {
            pair.pass(20);
            holdsI4(pair);
          }
        }
      }),
      { numRuns: runs },
    );
    assert.ok(synced > 0, 'nothing was ever synchronous');
  });

  test(`${mode}: once all is well again, commits wait, and the word that lets the record say so is there`, () => {
    fc.assert(
      fc.property(fc.array(moves, { minLength: 5, maxLength: 40 }), fc.nat(1e6), (script, seed) => {
        const pair = inService(mode, seed);
        const agents = new Agents(pair);
        for (const move of script) play(agents, move);
        agents.deaf = false;
        pair.delayMs = 2;
        pair.loss = 0;
        for (const site of sites as readonly Site[]) {
          const host = pair.hosts[site];
          host.persistMs = 0;
          host.db.standby = 'up';
          host.fuse.alive = true;
          if (host.state === null) host.startGuard();
        }
        pair.pass(60_000);
        assert.ok(pair.primary.writable && pair.primary.db.waits);
        assert.ok(agents.syncOn(0), 'no fresh word');
      }),
      { numRuns: Math.ceil(runs / 3) },
    );
  });
}
