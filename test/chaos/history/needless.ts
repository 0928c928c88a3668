/**
 * I5: no failover while the primary serves writes and its guard can reach a majority. What each fault took away is known,
 * so for each change it can be said whether there was a moment before it that excuses it.
 */
import type { SiteName } from '../../lab/src/topology.ts';
import type { Change, Finding, History, Impairment } from './history.ts';
import { at, finding } from './history.ts';

/** A lease's longest time and what comes before and after it: what was struck longer ago moves nothing any more. */
const WINDOW_MS = 30_000;
/** Healed, a host still has to start, a connection to be made. */
const AFTER_MS = 5_000;

export function checkNeedless(history: History): readonly Finding[] {
  const needless = history.changes.filter((change) => !change.planned && excuseOf(history, change) === null);
  return finding(
    'needless',
    false,
    needless,
    'failovers had no reason',
    (change) =>
      `to ${change.to} in epoch ${change.epoch} at ${at(change.atMs)} (${change.reason}); ` +
      `${change.from} had last answered ${showAgo(history, change)}`,
  );
}

/** V7: the name moves when its balancer cannot serve, or with the primary; a balancer is well whose site nothing touched. */
export function checkEntries(history: History): readonly Finding[] {
  const needless = history.entryMoves.filter(({ from, atMs }) => {
    const near = (fromMs: number, toMs: number) => fromMs <= atMs && toMs >= atMs - WINDOW_MS;
    const touched = history.impairments.some(
      (each) => each.what.includes(from) && near(each.fromMs, each.toMs + AFTER_MS),
    );
    return !touched && !history.changes.some((change) => near(change.atMs, change.atMs));
  });
  return finding(
    'needless',
    false,
    needless,
    'moves of the name had no reason',
    ({ from, to, atMs, reason }) => `from ${from} to ${to} at ${at(atMs)} (${reason})`,
  );
}

/** Why the change may have been right: the fault that took the database, or those that left it without a majority. */
export function excuseOf(history: History, change: Change): string | null {
  const { from, atMs } = change;
  const near = history.impairments
    .map((each) => ({ ...each, toMs: each.toMs + AFTER_MS }))
    .filter(({ fromMs, toMs }) => fromMs <= atMs && toMs >= atMs - WINDOW_MS);
  const direct = near.find(({ what }) => what === `${from}-db`);
  if (direct !== undefined) return direct.fault;
  // Only where something begins can a majority be lost; the latest such moment is the likeliest.
  for (const { fromMs } of near.toSorted((a, b) => b.fromMs - a.fromMs)) {
    const moment = Math.max(fromMs, atMs - WINDOW_MS);
    const active = near.filter((each) => each.fromMs <= moment && each.toMs >= moment);
    if (!reachesMajority(active, from, history.witness))
      return [...new Set(active.map(({ fault }) => fault))].join(' and ');
  }
  return null;
}

function reachesMajority(active: readonly Impairment[], site: SiteName, witness: History['witness']): boolean {
  const taken = new Set(active.map(({ what }) => what));
  const open = (a: string, b: string) => !taken.has(`${a}>${b}`) && !taken.has(`${b}>${a}`);
  const db = `${site}-db`;
  const agents = (['site1-svc', 'site2-svc'] as const).filter((svc) => !taken.has(svc) && open(db, svc));
  const third =
    witness !== 'none' &&
    !taken.has('witness') &&
    (witness === 'agent' ? open(db, 'witness') : agents.some((svc) => open(svc, 'zone')));
  // The witness grants only what an agent has granted.
  return agents.length === 2 || (agents.length === 1 && third);
}

function showAgo({ sockets }: History, { from, atMs }: Change): string {
  let last = Number.NEGATIVE_INFINITY;
  for (const { site, a } of sockets) if (site === from && a <= atMs) last = Math.max(last, a);
  return Number.isFinite(last) ? `${((atMs - last) / 1000).toFixed(2)} s before` : 'never';
}
