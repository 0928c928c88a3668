// What may be put out of order beside what is already.

import { type Site, sites } from '../../../src/core/site.ts';
import type { Process } from '../world/process.ts';
import type { AnyDaemon, World } from '../world/world.ts';

/**
 * Guard and fuse of one host together are the fence: with both out of order at once nobody fences, and nobody promises
 * to (protocol.md, "Outside the model"). One of them at a time.
 */
export function mayDisturb(world: World, daemon: AnyDaemon): boolean {
  const site = guardedSite(world, daemon);
  return isWell(daemon) && (site === null || isSound(world.fuses[site].process));
}

export function mayDisturbFuse(world: World, site: Site): boolean {
  return isWell(world.guards[site]) && isSound(world.fuses[site].process);
}

/** On a full disk it dies of its next save. */
function isWell(daemon: AnyDaemon): boolean {
  return isSound(daemon.process) && !daemon.disk.full;
}

function isSound(process: Process | null): process is Process {
  return process !== null && !process.frozen && !process.marked;
}

export function guardedSite(world: World, daemon: AnyDaemon): Site | null {
  return sites.find((site) => world.guards[site] === daemon) ?? null;
}
