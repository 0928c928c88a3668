// Two guards, their databases, fuses and three voters under everything that can happen to them: the laws of judge.ts hold
// at every step and no two databases are ever writable at once.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { Settings } from '../../src/core/settings.ts';
import { type Site, sites, type VoterId } from '../../src/core/site.ts';
import { Judge } from '../unit/guard/judge.ts';
import { Pair } from '../unit/guard/pair.ts';
import { settings, withRegister } from '../unit/guard/voters.ts';

type Move =
  | { readonly kind: 'pass'; readonly ms: number }
  | { readonly kind: 'move' | 'half' | 'amend'; readonly pick: number }
  | { readonly kind: 'cut'; readonly pick: number }
  | { readonly kind: 'heal' | 'loss' | 'slow' | 'fast' | 'dark' | 'light' }
  | { readonly kind: 'voter-down' | 'voter-up' | 'voter-restart' | 'refuse' | 'trust'; readonly voter: VoterId }
  | {
      readonly kind:
        | 'kill'
        | 'start'
        | 'freeze'
        | 'disk-slow'
        | 'disk-back'
        | 'crash'
        | 'hang'
        | 'boot'
        | 'lose'
        | 'return'
        | 'break'
        | 'stop-clean';
      readonly site: Site;
      readonly ms: number;
    }
  | { readonly kind: 'order'; readonly order: 'switchover' | 'restart' };

const site = fc.constantFrom<Site>('site1', 'site2');
const voter = fc.constantFrom<VoterId>('site1', 'site2', 'witness');
const moves: fc.Arbitrary<Move> = fc.oneof(
  { weight: 8, arbitrary: fc.record({ kind: fc.constant('pass' as const), ms: fc.integer({ min: 5, max: 5000 }) }) },
  { weight: 4, arbitrary: fc.record({ kind: fc.constantFrom('move', 'half', 'amend'), pick: fc.nat(7) }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('cut' as const), pick: fc.nat(20) }) },
  {
    weight: 2,
    arbitrary: fc.record({ kind: fc.constantFrom('heal', 'loss', 'slow', 'fast', 'dark', 'dark', 'light', 'light') }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      kind: fc.constantFrom('voter-down', 'voter-up', 'voter-restart', 'refuse', 'trust'),
      voter,
    }),
  },
  {
    weight: 6,
    arbitrary: fc.record({
      kind: fc.constantFrom(
        'kill',
        'start',
        'freeze',
        'disk-slow',
        'disk-back',
        'crash',
        'hang',
        'boot',
        'lose',
        'return',
        'break',
        'stop-clean',
      ),
      site,
      ms: fc.integer({ min: 10, max: 9000 }),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({ kind: fc.constant('order' as const), order: fc.constantFrom('switchover', 'restart') }),
  },
);

const links = [
  'site1-guard site2-agent',
  'site1-guard site1-agent',
  'site2-guard site1-agent',
  'site2-guard site2-agent',
  'site1-guard site2-guard',
  '* witness',
  '* site1-agent',
  '* site2-agent',
  'site1-guard *',
  'site2-guard *',
];
const subsets: readonly (readonly VoterId[])[] = [
  ['site1', 'site2'],
  ['site1', 'witness'],
  ['site2', 'witness'],
  ['site1', 'site2', 'witness'],
];

function play(pair: Pair, disks: Record<Site, Pair['hosts']['site1']['disk']>, move: Move): void {
  switch (move.kind) {
    case 'pass':
      return pair.pass(move.ms);
    case 'move':
    case 'half':
    case 'amend': {
      const { record } = pair.chosen;
      const other = record.primary === 'site1' ? 'site2' : 'site1';
      const at = subsets[move.pick % 4] ?? [];
      if (move.kind === 'amend') pair.change({ mode: record.mode === 'auto' ? 'paused' : 'auto' }, at, move.pick > 3);
      else if (move.kind === 'half') pair.change({ primary: other, epoch: record.epoch + 1 }, at.slice(0, 1));
      else pair.change({ primary: other, epoch: record.epoch + 1 }, at, move.pick > 3);
      return;
    }
    case 'cut': {
      const link = (links[move.pick % links.length] ?? '').split(' ');
      return pair.cut(link[0] ?? '', link[1] ?? '');
    }
    case 'heal':
      pair.loss = 0;
      return pair.heal();
    case 'loss':
      pair.loss = 0.3;
      return;
    case 'dark':
    case 'light':
      for (const one of ['site1', 'site2', 'witness'] as const) pair.voters[one].down = move.kind === 'dark';
      return;
    case 'slow':
      pair.delayMs = 400;
      return;
    case 'fast':
      pair.delayMs = 2;
      return;
    case 'voter-down':
      pair.voters[move.voter].down = true;
      return;
    case 'voter-up':
      pair.voters[move.voter].down = false;
      return;
    case 'voter-restart':
      pair.voters[move.voter].down = false;
      return pair.voters[move.voter].restart();
    case 'refuse':
      pair.voters[move.voter].refusing = !pair.voters[move.voter].refusing;
      return;
    case 'trust':
      pair.voters[move.voter].mayTakeOver = !pair.voters[move.voter].mayTakeOver;
      return;
    case 'order': {
      const { record } = pair.chosen;
      const request = {
        type: 'guard-order',
        cluster: record.cluster,
        epoch: { era: record.era, epoch: record.epoch },
        order: move.order,
        timeoutMs: 4000,
      } as const;
      return pair.primary.request('site1-agent', request, () => {});
    }
    default:
      return playHost(pair, disks, move);
  }
}

function playHost(
  pair: Pair,
  disks: Record<Site, Pair['hosts']['site1']['disk']>,
  move: Extract<Move, { site: Site }>,
): void {
  const host = pair.hosts[move.site];
  switch (move.kind) {
    case 'kill':
      return host.killGuard();
    case 'start':
    case 'return':
      host.fuse.alive = true;
      disks[move.site] = host.disk;
      if (host.state === null) host.startGuard();
      return;
    case 'freeze':
      if (host.state !== null) host.freezeGuard(move.ms);
      return;
    case 'disk-slow':
      host.persistMs = host.persistMs === 0 ? move.ms / 10 : 0;
      return;
    case 'disk-back':
      // The round start must stay fresh by the wall clock alone (L1).
      host.killGuard();
      host.disk = disks[move.site];
      pair.pass(50);
      return host.startGuard();
    case 'crash':
      return host.db.die();
    case 'hang':
      host.db.frozen = host.db.role !== 'stopped';
      return;
    case 'boot':
      return host.db.boot();
    case 'lose':
      return host.loseHost();
    case 'break':
      host.db.broken = !host.db.broken;
      return;
    case 'stop-clean':
      if (host.db.role === 'primary') host.db.stop();
      return;
  }
}

type Case = { readonly seed: number; readonly script: readonly Move[]; readonly fast: number };

function run(used: Settings, { seed, script, fast }: Case): readonly string[] {
  const judge = new Judge();
  // One clock runs as much faster than all others as D allows.
  const parts = ['site1', 'site2', 'witness'] as const;
  const rates = Object.fromEntries(parts.map((part, index) => [part, index === fast ? 1 + used.lease.drift : 1]));
  const pair = Pair.inService({ settings: used, seed, rates, watch: judge.watch });
  pair.world.afterEach = () => judge.writers([pair.hosts.site1, pair.hosts.site2]);
  const disks = { site1: pair.hosts.site1.disk, site2: pair.hosts.site2.disk };
  for (const move of script) {
    play(pair, disks, move);
    if (judge.broken.length > 0) return judge.broken;
  }
  pair.pass(3000);
  return judge.broken;
}

const cases: fc.Arbitrary<Case> = fc.record({
  seed: fc.integer(),
  script: fc.array(moves, { minLength: 1, maxLength: 60 }),
  fast: fc.nat(3),
});

const runs = Number(process.env['GUARD_RUNS'] ?? '60');

for (const [name, used] of [
  ['an agent as witness', settings],
  ['a register as witness', withRegister],
] as const) {
  test(`with ${name} the laws hold whatever happens, and never are two databases writable`, {
    timeout: 600_000,
  }, () => {
    fc.assert(
      fc.property(cases, (one) => {
        assert.deepEqual(run(used, one), []);
      }),
      { numRuns: runs, interruptAfterTimeLimit: 500_000, endOnFailure: process.env['GUARD_SHRINK'] === undefined },
    );
  });
}

test('after the faults end, the site that the record names writes again by itself (I7)', { timeout: 600_000 }, () => {
  fc.assert(
    fc.property(cases, (one) => {
      const pair = Pair.inService({ seed: one.seed });
      const disks = { site1: pair.hosts.site1.disk, site2: pair.hosts.site2.disk };
      for (const move of one.script) play(pair, disks, move);
      repair(pair);
      // The longest order, release wait, quarantine and retry, one after the other.
      pair.pass(45_000);
      const before = pair.primary.rows.length;
      pair.pass(3000);
      assert.ok(pair.primary.rows.length > before + 2, `no beats are written: ${pair.primary.state?.db.role}`);
      assert.equal(pair.standby.db.role, 'standby');
    }),
    {
      numRuns: Math.ceil(runs / 2),
      interruptAfterTimeLimit: 500_000,
      endOnFailure: process.env['GUARD_SHRINK'] === undefined,
    },
  );
});

function repair(pair: Pair): void {
  pair.heal();
  pair.loss = 0;
  pair.delayMs = 2;
  for (const id of ['site1', 'site2', 'witness'] as const) {
    const { voter } = pair.voters[id];
    pair.voters[id].down = false;
    pair.voters[id].refusing = false;
    // Q5, by a hand that ends what is half done.
    const { durable } = voter;
    pair.voters[id].voter = { ...voter, durable: { ...durable, accepted: pair.chosen, chosen: pair.chosen } };
  }
  for (const name of sites) {
    const host = pair.hosts[name];
    host.persistMs = 0;
    host.db.broken = false;
    if (host.db.frozen) host.db.die();
    host.fuse.alive = true;
    if (host.state === null) host.startGuard();
  }
}
