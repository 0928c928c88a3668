// What can happen to the simulated cluster, as fast-check chooses it.

import fc from 'fast-check';
import type { Order } from '../../src/core/messages.ts';
import type { ProbeClass } from '../../src/core/observe/observation.ts';
import type { WitnessKind } from '../../src/core/settings.ts';
import type { Site } from '../../src/core/site.ts';
import { Cluster, type CrashPoint } from './cluster.ts';
import type { Weather } from './cluster-network.ts';

export type Happening =
  | { readonly kind: 'run'; readonly ms: number }
  | {
      readonly kind: 'weather';
      readonly loss: number;
      readonly slow: number;
      readonly repeat: number;
      readonly late: Weather['late'];
    }
  | { readonly kind: 'cut'; readonly a: string; readonly b: string }
  /** Cut off from all others, all of them from it. */
  | { readonly kind: 'isolate'; readonly node: string }
  /** The link between the sites; the witness is reached from both. */
  | { readonly kind: 'cut-sites' }
  | { readonly kind: 'heal' }
  | { readonly kind: 'crash'; readonly site: Site; readonly at: CrashPoint }
  | { readonly kind: 'start'; readonly site: Site }
  /** Down and up again at once, as a supervisor does it: what was promised is forgotten, what is on disk is not. */
  | { readonly kind: 'restart'; readonly who: readonly Site[] }
  | { readonly kind: 'restart-witness' }
  | { readonly kind: 'release'; readonly site: Site; readonly gone: boolean }
  | { readonly kind: 'restart-guard'; readonly site: Site }
  | { readonly kind: 'see'; readonly by: 'both' | Site; readonly primary: ProbeClass }
  | { readonly kind: 'see-entry'; readonly entry: ProbeClass }
  | { readonly kind: 'order'; readonly to: Site; readonly order: Order };

const site = fc.constantFrom<Site>('site1', 'site2');
const nodes = ['site1-agent', 'site2-agent', 'site1-guard', 'site2-guard', 'witness', 'register'] as const;
const lateOnes = ['prepare', 'accept', 'accept', 'renew', 'register-grant', 'release', 'register-swap'] as const;
const is = <T extends string>(kind: T): fc.Arbitrary<T> => fc.constant(kind);
const orders: fc.Arbitrary<Order> = fc.oneof(
  fc.constantFrom<Order>({ kind: 'pause', reason: 'a test' }, { kind: 'resume' }),
  fc.record({ kind: is('entry'), to: site }),
  fc.record({
    kind: is('failover'),
    to: fc.constant(null),
    dryRun: fc.constant(false),
    acceptLoss: fc.boolean(),
    force: fc.constant(false),
    otherSideIsDown: fc.constant(false),
  }),
);

const happening: fc.Arbitrary<Happening> = fc.oneof(
  {
    weight: 7,
    arbitrary: fc.record({ kind: is('run'), ms: fc.constantFrom(50, 400, 1500, 1500, 3500, 7000) }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      kind: is('weather'),
      loss: fc.constantFrom(0, 0.1, 0.3),
      slow: fc.constantFrom(0, 0.1, 0.3),
      repeat: fc.constantFrom(0, 0.2),
      late: fc.constantFrom<Weather['late']>(null, null, ...lateOnes),
    }),
  },
  { weight: 2, arbitrary: fc.record({ kind: is('cut'), a: fc.constantFrom(...nodes), b: fc.constantFrom(...nodes) }) },
  { weight: 3, arbitrary: fc.record({ kind: is('isolate'), node: fc.constantFrom(...nodes) }) },
  { weight: 2, arbitrary: fc.record({ kind: is('cut-sites') }) },
  { weight: 2, arbitrary: fc.record({ kind: is('heal') }) },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: is('crash'),
      site,
      at: fc.constantFrom<CrashPoint>(
        'now',
        'before-persist',
        'after-persist',
        'after-first-send',
        'after-vote',
        'after-vote',
      ),
    }),
  },
  { weight: 2, arbitrary: fc.record({ kind: is('start'), site }) },
  {
    weight: 3,
    arbitrary: fc.record({
      kind: is('restart'),
      who: fc.constantFrom<readonly Site[]>(['site1'], ['site2'], ['site1', 'site2']),
    }),
  },
  { weight: 1, arbitrary: fc.record({ kind: is('restart-witness') }) },
  { weight: 3, arbitrary: fc.record({ kind: is('release'), site, gone: fc.boolean() }) },
  { weight: 1, arbitrary: fc.record({ kind: is('restart-guard'), site }) },
  {
    weight: 4,
    arbitrary: fc.record({
      kind: is('see'),
      by: fc.constantFrom<'both' | Site>('both', 'both', 'site1', 'site2'),
      primary: fc.constantFrom<ProbeClass>('ok', 'refused', 'refused', 'timeout'),
    }),
  },
  { weight: 1, arbitrary: fc.record({ kind: is('see-entry'), entry: fc.constantFrom<ProbeClass>('ok', 'refused') }) },
  { weight: 2, arbitrary: fc.record({ kind: is('order'), to: site, order: orders }) },
);

export type Story = { readonly seed: number; readonly quiet: boolean; readonly happenings: readonly Happening[] };

export const stories: fc.Arbitrary<Story> = fc.record({
  seed: fc.nat({ max: 2 ** 31 }),
  /** Begins after the quarantine of the first start. */
  quiet: fc.boolean(),
  happenings: fc.array(happening, { minLength: 4, maxLength: 24 }),
});

/** mulberry32: small, seeded, good enough to choose delays by. */
export function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

export function tell(kind: WitnessKind, story: Story): Cluster {
  const cluster = new Cluster(kind, seeded(story.seed));
  if (story.quiet) cluster.run(8000);
  for (const one of story.happenings) happen(cluster, one);
  return cluster;
}

function happen(cluster: Cluster, one: Happening): void {
  switch (one.kind) {
    case 'run':
      return cluster.run(one.ms);
    case 'weather':
      cluster.network.weather = one;
      return;
    case 'cut':
      cluster.network.cuts.add(`${one.a}|${one.b}`);
      return;
    case 'isolate':
      for (const other of nodes) cluster.network.cuts.add(`${one.node}|${other}`);
      return;
    case 'cut-sites':
      for (const a of ['site1-agent', 'site1-guard']) {
        for (const b of ['site2-agent', 'site2-guard']) cluster.network.cuts.add(`${a}|${b}`);
      }
      return;
    case 'heal':
      return cluster.network.cuts.clear();
    case 'crash':
      return cluster.crashAgent(one.site, one.at);
    case 'start':
      return cluster.startAgent(one.site);
    case 'restart':
      for (const agent of one.who) {
        cluster.crashAgent(agent, 'now');
        cluster.startAgent(agent);
      }
      return;
    case 'restart-witness':
      return cluster.startWitness();
    case 'release':
      return cluster.guards[one.site].release(one.gone);
    case 'restart-guard':
      return cluster.guards[one.site].restart();
    case 'see':
      for (const by of ['site1', 'site2'] as const)
        if (one.by === 'both' || one.by === by) cluster.look.primary[by] = one.primary;
      return;
    case 'see-entry':
      cluster.look.entry.site1 = one.entry;
      cluster.look.entry.site2 = one.entry;
      return;
    case 'order':
      return cluster.order(one.to, one.order);
  }
}

/** All faults end. */
export function calm(cluster: Cluster): void {
  cluster.network.cuts.clear();
  cluster.network.weather = { loss: 0, slow: 0, repeat: 0, late: null };
  for (const site of ['site1', 'site2'] as const) {
    cluster.look.primary[site] = 'ok';
    cluster.look.entry[site] = 'ok';
    cluster.agents[site].crashAt = null;
    cluster.startAgent(site);
  }
}
