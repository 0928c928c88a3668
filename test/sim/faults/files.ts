// The cluster file is edited: on some hosts alone, or on one after the other while the cluster goes on, and put back in the same
// way (decision 20, "A file is not the cluster"). Each daemon goes by what it read when it was started.

import type { Settings } from '../../../src/core/settings.ts';
import type { Random } from '../engine/random.ts';
import { milli, second } from '../engine/scheduler.ts';
import type { RunOptions } from '../options.ts';
import { editedSettings, type FileEdit } from '../world/config.ts';
import type { AnyDaemon, World } from '../world/world.ts';
import type { Fault, FaultTable } from './fault.ts';
import { mayDisturb } from './sound.ts';

/** Longer than each default by far; every wait of a run's end grows by it. */
const longestLeaseMs = 30_000;

const ms = (random: Random, low: number, high: number): string => `${random.range(low, high)}ms`;

const edits: readonly ((random: Random) => FileEdit)[] = [
  (random) => ({ lease: { ttl: ms(random, 2000, 12_000), witnessTtl: ms(random, 12_000, longestLeaseMs) } }),
  (random) => ({ lease: { ttl: ms(random, 12_000, longestLeaseMs), witnessTtl: `${longestLeaseMs + 1}ms` } }),
  (random) => ({ lease: { renewEvery: ms(random, 110, 1000), witnessAfter: '100ms' } }),
  (random) => ({ lease: { drift: random.pick([0.06, 0.1, 0.2]) } }),
  (random) => ({ lease: { fenceBudget: ms(random, 600, 1500), fuseBudget: ms(random, 300, 550) } }),
  (random) => ({ lease: { otherDelay: ms(random, 100, 900), releaseWait: ms(random, 3500, 6000) } }),
  (random) => ({ lease: { witnessEvery: ms(random, 2000, 6000), watchEvery: ms(random, 2000, 40_000) } }),
  (random) => ({ probe: { every: ms(random, 200, 1000), confirm: random.range(2, 5), recover: random.range(1, 3) } }),
  (random) => ({
    policy: { maxLagBytes: random.pick(['64KiB', '1MiB']), onCrash: random.pick(['fastest', 'restart']) },
  }),
];

/**
 * Null: siteward refuses that file. Not the voter set in an era that was forced: whatever its one voter's file says when it
 * ends is the cluster's from then on.
 */
function edit(
  { options, forced }: World,
  random: Random,
): { readonly what: string; readonly settings: Settings } | null {
  const changed = random.pick<Partial<RunOptions>>([
    {},
    {},
    {},
    { replication: random.pick(['async', 'zero-loss', 'zero-loss-strict'] as const) },
    forced ? {} : { witness: 'none' },
  ]);
  const one = random.pick(edits)(random);
  const other = random.ratio(1, 3) ? random.pick(edits)(random) : {};
  const whole = { ...one, ...other };
  const settings = editedSettings({ ...options, ...changed }, whole);
  return settings === null ? null : { what: JSON.stringify({ ...changed, ...whole }), settings };
}

function whose({ daemons }: World, random: Random): readonly AnyDaemon[] {
  const one = random.pick(daemons);
  return random.pick([
    [one],
    daemons.filter(({ machine }) => machine.place === one.machine.place),
    daemons.filter(() => random.ratio(1, 2)),
    daemons,
  ]);
}

const edited: Fault = (world, random) => {
  const made = edit(world, random);
  const mine = whose(world, random);
  if (made === null || mine.length === 0 || world.files.size > 0) return null;
  const { what, settings } = made;
  const each = (put: (name: string) => boolean): void => {
    for (const daemon of mine)
      world.scheduler.after(random.range(0, 10_000) * milli, () => {
        const isPut = put(daemon.name);
        // One that cannot be struck now reads it when it is next started, for whatever reason.
        if (isPut && mayDisturb(world, daemon)) daemon.kill('restarted for its file');
      });
  };
  let isOver = false;
  each((name) => !isOver && world.files.set(name, settings).has(name));
  const end = (): void => {
    isOver = true;
    each((name) => world.files.delete(name));
  };
  return {
    what: `${mine.map(({ name }) => name).join('+')} ${what}`,
    lasts: random.range(1, 120) * second,
    end,
  };
};

export const fileFaults: FaultTable = { 'file-edited': edited };
