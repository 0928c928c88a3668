// Joins the checkers to what they watch. Nothing here changes anything.

import type { AgentState } from '../../../src/core/agent/state.ts';
import { compareBallots, showBallot } from '../../../src/core/quorum/ballot.ts';
import {
  type ClusterRecord,
  compareEpochs,
  type EpochId,
  epochOf,
  showEpoch,
} from '../../../src/core/quorum/record.ts';
import type { Voter, VoterDurable } from '../../../src/core/quorum/voter.ts';
import { type Site, sites, type VoterId, voterOf } from '../../../src/core/site.ts';
import type { WitnessState } from '../../../src/core/witness/step.ts';
import { Instances } from '../checkers/instances.ts';
import type { Micros } from '../engine/scheduler.ts';
import { nothing } from '../faults/fault.ts';
import { registerValue } from './register-value.ts';
import type { AgentDaemon, WitnessDaemon, World } from './world.ts';

export function watch(world: World): void {
  watchVotes(world);
  watchDatabases(world);
  watchFiles(world);
  watchLeases(world);
}

function watchLeases(world: World): void {
  const { leases, votes, witness, guards, agents } = world;
  const counted = <State>(daemon: { onStepped: (state: State) => void }, look: (state: State) => void): void => {
    daemon.onStepped = (state) => {
      world.steps += 1;
      look(state);
    };
  };
  for (const site of sites) {
    counted(guards[site], (state) => leases.guardStepped(site, state));
    guards[site].onDied = () => leases.guardDied(site);
  }
  for (const site of sites) watchVoter(agents[site]);
  if (witness !== null) watchVoter(witness);

  function watchVoter(daemon: AgentDaemon | WitnessDaemon): void {
    const look = ({ voter }: { readonly voter: Voter }): void => {
      votes.stepped(daemon.name, daemon.machine, voter);
      leases.voterStepped(daemon.name, voter);
    };
    counted<AgentState & WitnessState>(daemon, look);
    daemon.onDied = () => {
      votes.died(daemon.name);
      leases.voterDied(daemon.name);
    };
  }
}

function watchVotes(world: World): void {
  const { records } = world;
  const saved = (voter: VoterId, durable: VoterDurable): void => {
    if (durable.accepted !== null) records.voted(voter, durable.accepted);
    if (durable.chosen !== null) records.believed(voter, durable.chosen);
  };
  for (const site of sites) world.agents[site].onSaved = ({ voter }) => saved(site, voter);
  if (world.witness !== null) world.witness.onSaved = (durable) => saved('witness', durable);
  world.route53.register.onWritten = (value, _before, by) => {
    const state = registerValue(value);
    // What a person puts back is no vote.
    if (state !== null && by !== 'a person') records.voted('witness', state.accepted);
  };
  // Q1, Q3: a promise is on the disk before anybody hears of it.
  world.peers.onBallot = (who, ballot) => {
    const voter = voterOf(who);
    const daemon = voter === null ? null : voter === 'witness' ? world.witness : world.agents[voter];
    const disk = daemon?.disk.synced as VoterDurable | { readonly voter: VoterDurable } | undefined;
    if (voter === null || disk === undefined) return;
    const promised = 'voter' in disk ? disk.voter.promised : disk.promised;
    if (compareBallots(promised, ballot) < 0)
      world.violations.add(
        'I2',
        `${who} speaks of ballot ${showBallot(ballot)}, and has ${showBallot(promised)} on its disk (Q3)`,
      );
  };
  for (const site of sites)
    world.guards[site].onSaved = ({ chosen }) => {
      if (chosen !== null) records.believed(`${site}-guard`, chosen);
    };
}

function watchDatabases(world: World): void {
  const { writers, records, history, postgres, moves, scheduler } = world;
  const serving = { site1: false, site2: false };
  const servedUntil: Record<Site, Micros> = { site1: 0, site2: 0 };
  let newest: EpochId | null = null;
  /** Epochs that an order began in good order, as against a failover's. */
  const nothingLost = new Set<string>();
  // From its first moment on a new primary is read, so what it lacks is counted then, not at its first beat.
  const begins = (site: Site, epoch: EpochId | null): void => {
    if (epoch === null || (newest !== null && compareEpochs(epoch, newest) <= 0)) return;
    newest = epoch;
    const mayLose = !nothingLost.has(showEpoch(epoch));
    history.compare((id) => postgres[site].contains(id), `${site}, the new primary`, mayLose);
  };
  for (const site of sites) {
    const pg = postgres[site];
    pg.onChange = (why) => {
      const writable = pg.isWritable();
      if (writable && !serving[site]) {
        world.leases.becameWritable(site);
        begins(site, world.guardEpochs[site]);
      }
      writers.changed(site, writable, why);
      if (serving[site]) servedUntil[site] = scheduler.now;
      serving[site] = writable;
    };
    pg.sessions.onAcknowledge = ({ epoch: row, write }) => {
      // Between a promotion and the first beat the row is that of the epoch before; the guard has noted the new one.
      const noted = world.guardEpochs[site];
      const epoch = noted !== null && (row === null || compareEpochs(noted, row) > 0) ? noted : row;
      writers.acknowledge(site, epoch);
      world.leases.acknowledged(site);
      history.decided(write, epoch === null ? '' : showEpoch(epoch));
    };
    pg.faults.onStrike = (kind) => moves.fault(kind, { what: `${site}-db`, lasts: 0, end: nothing });
    pg.onBegun = (what) => world.leases.begun(site, what);
    pg.onBeat = ({ epoch }) => {
      writers.beaten(site, epoch);
      begins(site, epoch);
    };
  }
  records.onChosen = ({ ballot, record }, before) => {
    world.trace.line(
      'CHOSEN',
      `${ballot.counter}.${ballot.voter}`,
      JSON.stringify({ ...record, cluster: undefined, at: undefined }),
    );
    if (before !== null && before.record.primary !== record.primary) {
      const { primary } = before.record;
      moves.changed(before, { ballot, record }, serving[primary] ? scheduler.now : servedUntil[primary]);
      if (isSwitchover(world, record)) nothingLost.add(showEpoch(epochOf(record)));
    } else if (before !== null && before.record.entry !== record.entry) moves.entryChanged(before, { ballot, record });
  };
}

/** "Orders": the old primary stopped at a checkpoint, and the standby has received beyond it. */
function isSwitchover({ agents }: World, { by }: ClusterRecord): boolean {
  const order = by === 'site1' || by === 'site2' ? (agents[by].state()?.order ?? null) : null;
  return order !== null && order.checkpoint !== null && !order.order.acceptLoss;
}

function watchFiles(world: World): void {
  const instances = new Instances(world.violations, world.records);
  for (const site of sites) instances.watch(world.applications[site]);
}
