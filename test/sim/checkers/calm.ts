// I6, I7: what "all is well again" means. The first thing that is not, as a sentence, or null.

import { compareBallots, showBallot } from '../../../src/core/quorum/ballot.ts';
import { epochOf, sameEpoch } from '../../../src/core/quorum/record.ts';
import { otherSite, sites } from '../../../src/core/site.ts';
import { spoken } from '../../../src/wire/versions.ts';
import { second } from '../engine/scheduler.ts';
import { addressOf } from '../world/config.ts';
import { registerValue } from '../world/register-value.ts';
import type { World } from '../world/world.ts';

export function notCalm(world: World): string | null {
  const newest = world.records.newest();
  if (newest === null) return 'no record was chosen';
  const { record, ballot } = newest;
  const { scheduler, history } = world;
  const primary = world.postgres[record.primary];
  if (!primary.isWritable()) return `the database of ${record.primary}, the primary, accepts no writes`;
  if (world.postgres[otherSite(record.primary)].isWritable()) return 'both accept writes';
  if (scheduler.now - history.lastAcknowledgedAt > 5 * second) return 'no client has been told of a write for 5 s';
  if (record.mode !== 'auto') return 'paused';
  const row = primary.visible().row;
  if (row === null || !sameEpoch(row.epoch, epochOf(record))) return 'siteward.cluster says another epoch';
  for (const site of sites) {
    const agent = world.agents[site].state();
    if (agent === null) return `${site}'s agent does not run`;
    if (agent.voter.amnesia) return `${site}'s agent has no memory`;
    if (agent.register.out !== null) return `to ${site}'s agent the register is out: ${agent.register.out}`;
    const accepted = agent.voter.durable.accepted;
    if (accepted === null || compareBallots(accepted.ballot, ballot) !== 0)
      return `${site}'s agent holds ballot ${accepted === null ? 'none' : showBallot(accepted.ballot)}, chosen is ${showBallot(ballot)}`;
    if (world.guards[site].state() === null) {
      // RUNBOOK, "A guard lost its state": where the fuse was never armed the disk has to be repaired, which nobody does here.
      if (world.guards[site].disk.damaged && !world.fuses[site].armed) return null;
      return `${site}'s guard does not run`;
    }
    const env = world.applications[site].files.report();
    if (env.active !== record.primary) return `${site}'s .env names ${env.active ?? 'neither site'}`;
    for (const instance of world.applications[site].instances)
      if (instance.database !== record.primary) return `${instance.name} uses ${instance.database ?? 'no'} database`;
  }
  const witness = witnessBallot(world);
  if (witness !== null && witness !== showBallot(ballot))
    return `the witness holds ${witness}, chosen is ${showBallot(ballot)}`;
  if (wasPutBack(world)) return 'the register was put back to an older value, and nobody has noticed it yet (W3)';
  if (world.route53.name.value !== addressOf(world.config, record.entry)) return 'the name points elsewhere';
  if (!world.postgres[otherSite(record.primary)].receiver.streaming()) return 'the standby does not stream';
  const upgraded = world.daemons.every(({ speaks }) => speaks === spoken);
  if (world.options.replication !== 'async' && upgraded && !record.sync) return 'the record says sync: false';
  return null;
}

/** It is noticed with the next look; whatever else is lost before that is lost beside the witness. */
function wasPutBack({ options, route53, agents }: World): boolean {
  if (options.witness !== 'route53') return false;
  const { serial = 0 } = registerValue(route53.register.value) ?? {};
  return sites.some((site) => (agents[site].state()?.durable.registerSerial ?? 0) > serial);
}

/** The ballot of the record that the witness holds; null where there is none. */
function witnessBallot(world: World): string | null {
  if (world.options.witness === 'agent') {
    const accepted = world.witness?.state()?.voter.durable.accepted ?? null;
    return accepted === null ? 'nothing' : showBallot(accepted.ballot);
  }
  if (world.options.witness === 'none') return null;
  const { value } = world.route53.register;
  const state = registerValue(value);
  return state === null ? 'nothing' : showBallot(state.accepted.ballot);
}
