// I6 at the end of a run: all is well, then something takes the primary away, and the other site has to take over with
// nobody doing anything. What makes it harder is drawn from the seed: each of these once made the wait endless.

import { soleVoterOf } from '../../src/core/quorum/sole-voter.ts';
import { otherSite, type Site, sites } from '../../src/core/site.ts';
import { Random } from './engine/random.ts';
import { type Micros, milli, second } from './engine/scheduler.ts';
import type { Machine } from './world/machine.ts';
import type { World } from './world/world.ts';

/** Loses the primary of `lost`; answers how long the other site may take from then on. Null: it may as well wait for a person. */
type Story = (world: World, lost: Site, random: Random) => Micros | null;

/** docs/TIMING.md's S2 and S3, after what may have started a moment ago (L4, L8). */
const limit = 30 * second;

const database: Story = (world, lost) => {
  world.powerOff(world.postgres[lost].machine);
  return limit;
};

const wholeSite: Story = (world, lost) => {
  for (const machine of world.machinesOf(lost)) world.powerOff(machine);
  return limit;
};

/** While the standby's host is booting nothing can be done; and what knows that nobody holds a lease is started anew. */
const siteWhileStandbyBoots: Story = (world, lost, random) => {
  const other = otherSite(lost);
  const host = world.postgres[other].machine;
  wholeSite(world, lost, random);
  world.powerOff(host);
  pass(world, random.range(5000, 90_000) * milli);
  const daemon = world.witness !== null && random.ratio(1, 2) ? world.witness : world.agents[other];
  daemon.kill('started anew');
  pass(world, random.range(5000, 30_000) * milli);
  world.powerOn(host);
  return 2 * limit;
};

/** Its guard is heard by the other site's agent alone, and tells of a database that does not come back. */
const databaseWithoutItsAgent: Story = (world, lost, random) => {
  world.powerOff(world.agents[lost].machine);
  pass(world, random.range(10_000, 40_000) * milli);
  const postgres = world.postgres[lost];
  postgres.faults.slowStartMs = 3_600_000;
  postgres.killAll('it crashes, and its recovery takes an hour');
  return world.settings.restartBudgetMs * milli + limit;
};

/** The other site's agent does not see the primary for minutes, which alone does no harm. */
const siteAfterCutLink: Story = (world, lost, random) => {
  const agent = world.agents[otherSite(lost)].machine;
  const host = world.postgres[lost].machine;
  world.network.block(agent, host);
  world.network.block(host, agent);
  pass(world, random.range(40_000, 150_000) * milli);
  return wholeSite(world, lost, random);
};

/** Nothing says when it is time to die any more, so its guard gives the database up, and has to be believed. */
const deadFuse: Story = (world, lost) => {
  world.fuses[lost].process?.freeze();
  return 2 * limit;
};

/**
 * The primary goes on with the witness, unseen from the other site, which knows of it by the witness alone: how far it
 * went decides (V5), and whatever is decided, no more may be lost than that (checkers/history.ts).
 */
const siteAfterCutSites: Story = (world, lost, random) => {
  for (const near of world.machinesOf(lost))
    for (const far of world.machinesOf(otherSite(lost))) {
      world.network.block(near, far);
      world.network.block(far, near);
    }
  pass(world, random.range(20_000, 300_000) * milli);
  const lag = world.postgres[lost].data.flushed.lsn - world.postgres[otherSite(lost)].receiver.received();
  wholeSite(world, lost, random);
  // Where it is clearly within the limit it has to, and where it is clearly beyond it may not (checkers/history.ts).
  if (world.options.replication === 'async' && lag < world.settings.policy.maxLagBytes / 2) return 2 * limit;
  pass(world, limit);
  return null;
};

/** Its guard lives and would go on: ill is what cannot write any more, and does not end by itself. */
function sicken(world: World, lost: Site, random: Random): void {
  const { faults } = world.postgres[lost];
  const ill = random.pick(['frozen', 'disk hangs', 'read-only', 'disk full'] as const);
  world.trace.line('world', 'falls ill', `${lost}: ${ill}`);
  if (ill === 'frozen') faults.freeze();
  else if (ill === 'disk hangs') faults.hangDisk();
  else if (ill === 'read-only') faults.set({ readOnly: true }, ill);
  else faults.fillDisk(true);
}

/** One way at least. */
function cut(world: World, random: Random, one: Machine, other: Machine): void {
  const both = random.ratio(1, 2);
  const [from, to] = random.ratio(1, 2) ? [one, other] : [other, one];
  world.network.block(from, to);
  if (both) world.network.block(to, from);
  pass(world, random.range(3000, 60_000) * milli);
}

/** One of the agents does not see the standby, or is not heard by it: what it renews stands against what the other one wants. */
const illWhileStandbyUnseen: Story = (world, lost, random) => {
  cut(world, random, world.agents[random.pick(sites)].machine, world.postgres[otherSite(lost)].machine);
  sicken(world, lost, random);
  return 2 * limit;
};

/** Its guard and one of the agents do not hear each other. */
const illWhileGuardUnheard: Story = (world, lost, random) => {
  cut(world, random, world.agents[random.pick(sites)].machine, world.postgres[lost].machine);
  sicken(world, lost, random);
  return 2 * limit;
};

const withoutMajority: readonly Story[] = [database, illWhileStandbyUnseen, illWhileGuardUnheard];

const withMajority: readonly Story[] = [
  database,
  wholeSite,
  siteWhileStandbyBoots,
  databaseWithoutItsAgent,
  siteAfterCutLink,
  deadFuse,
  siteAfterCutSites,
  illWhileStandbyUnseen,
  illWhileGuardUnheard,
];

/** Those in which the database itself may get well again. */
const ills: ReadonlySet<Story> = new Set([illWhileStandbyUnseen, illWhileGuardUnheard]);

function pass(world: World, time: Micros): void {
  world.scheduler.runUntil(world.scheduler.now + time);
}

export function takeOver(world: World): void {
  const record = world.records.newest()?.record ?? null;
  // Null: the other one's guard waits for a person (calm.ts), so that nobody takes over.
  if (record === null || sites.some((site) => world.guards[site].state() === null)) return;
  const lost = record.primary;
  const random = new Random(`take over ${world.options.seed}`);
  // Without a witness, or in an era that one agent forced, a lost service host leaves nobody who may choose.
  const mayLoseAgent = world.options.witness !== 'none' && soleVoterOf(record) === null;
  const story = random.pick(mayLoseAgent ? withMajority : withoutMajority);
  world.moves.primaryTaken();
  world.trace.line('world', 'takes the primary away', `${lost}: ${story.name}`);
  const within = story(world, lost, random);
  if (within === null) return;
  const until = within + world.files.longerBy + world.scheduler.now;
  while (world.scheduler.now < until) {
    pass(world, second / 2);
    if (world.postgres[otherSite(lost)].isWritable()) return serves(world, otherSite(lost));
  }
  // A fence ends what stood still, and its guard may have started it again meanwhile.
  if (ills.has(story) && world.postgres[lost].isWritable()) return serves(world, lost);
  world.violations.add('I6', `${lost}'s primary was lost (${story.name}), and ${otherSite(lost)} did not take over`);
}

/** What is writable has to be reached, too: the name's TTL, and what the zone takes. */
function serves(world: World, site: Site): void {
  // What waits for its standby for ever, as it was told to, tells no client that it is done.
  if (world.options.replication === 'zero-loss-strict') return;
  const since = world.scheduler.now;
  while (world.scheduler.now - since < 2 * limit) {
    pass(world, second / 2);
    if (world.history.lastAcknowledgedAt > since) return;
  }
  world.violations.add('I6', `${site}'s database accepts writes, and no client was told of one`);
}
