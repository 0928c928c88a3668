// Making it so (R1 to R3): every part is compared with what the chosen record says and the difference done, again and
// again. Nothing here is done *because something happened*; a crash, a returned host and an order are the same path.

import type { InstanceReport, Token } from '../observe/observation.ts';
import { sameBallot } from '../quorum/ballot.ts';
import { type ClusterRecord, compareEpochs, epochOf, sameEpoch } from '../quorum/record.ts';
import { guardOf, otherSite, type Site, sites } from '../site.ts';
import type { Ms } from '../time.ts';
import { type AgentDraft, ask, isDoing, isPending, perform, set } from './draft.ts';
import { chosenOf, mayPointName, mayTouch, recent } from './facts.ts';

/** How often a part that looks right is looked at again. */
const envEveryMs: Ms = 10_000;
const dnsEveryMs: Ms = 15_000;
/** How long a step may take, and how soon one that did not succeed is tried again. */
const stepDeadlineMs: Ms = 4000;
const againMs: Ms = 500;
/** In which the instances of a failover are switched where all goes well. */
const switchMs: Ms = 3000;
/** A switch that its own agent begins at once, and one that it has to try again. */
const ownTurnMs: Ms = 2 * stepDeadlineMs;

export function driveReconcile(d: AgentDraft): void {
  const chosen = chosenOf(d.s);
  if (chosen === null || d.s.voter.durable.cluster === null) return;
  for (const site of sites) tellGuard(d, site);
  // R2: one that was cut off or frozen does nothing from memory.
  if (!mayTouch(d.s, d.at.now)) return;
  const { record } = chosen;
  const token: Token = { era: record.era, epoch: record.epoch, ballot: chosen.ballot };
  for (const site of sites)
    if (isMine(d, site) || staysAstray(d, site, record)) reconcileApplications(d, site, record, token);
  reconcileBalancer(d, record);
  if (isMine(d, record.entry) && mayPointName(d.s, d.at.now) && d.s.settings.dns) reconcileDns(d, record, token);
  reconcileOldPrimary(d, record, token);
}

/** The site's own agent does it; the other one when that agent is gone, or touches nothing since it lost its memory (R2, Q8). */
function isMine({ s, at }: AgentDraft, site: Site): boolean {
  if (site === s.me) return true;
  if (s.peer === null) return at.now - s.startedAt > 3000;
  return s.peer.view.amnesia || at.now - s.peer.at > 2000 + s.settings.lease.otherDelayMs;
}

/** Its own agent has had its time: it may be cut off from its host, or its key may be refused there. */
function staysAstray(d: AgentDraft, site: Site, record: ClusterRecord): boolean {
  const target = `astray:${site}`;
  const since = d.s.tried[target] ?? Number.NEGATIVE_INFINITY;
  // An address of neither database may be that of a file which this agent has not got yet.
  const old = d.s.settings.databases[otherSite(record.primary)];
  if (!hasInstance(d, site, ({ database }) => database === old)) {
    if (since !== Number.NEGATIVE_INFINITY) set(d, { tried: { ...d.s.tried, [target]: Number.NEGATIVE_INFINITY } });
    return false;
  }
  if (since === Number.NEGATIVE_INFINITY) note(d, target);
  return since !== Number.NEGATIVE_INFINITY && d.at.now - since > ownTurnMs;
}

function due(d: AgentDraft, target: string, everyMs: Ms): boolean {
  return d.at.now - (d.s.tried[target] ?? Number.NEGATIVE_INFINITY) >= everyMs;
}

function note(d: AgentDraft, target: string): void {
  set(d, { tried: { ...d.s.tried, [target]: d.at.now } });
}

/** L10: guards are told at once, and again until they have noted the epoch. They also ask by themselves. */
function tellGuard(d: AgentDraft, site: Site): void {
  const chosen = chosenOf(d.s);
  if (chosen === null) return;
  const told = d.s.told[site];
  const noted = d.s.guards[site]?.value.noted ?? null;
  const knows = noted !== null && compareEpochs(noted, epochOf(chosen.record)) >= 0;
  if (told !== null && sameBallot(told.ballot, chosen.ballot) && (knows || d.at.now - told.at < 2 * againMs)) return;
  if (isPending(d, (p) => p.kind === 'told' && p.site === site)) return;
  set(d, { told: { ...d.s.told, [site]: { at: d.at.now, ballot: chosen.ballot } } });
  ask(d, guardOf(site), { type: 'chosen', cluster: chosen.record.cluster, chosen }, { kind: 'told', site });
}

function reconcileApplications(d: AgentDraft, site: Site, record: ClusterRecord, token: Token): void {
  const env = d.s.envs[site];
  const stale = env === null || d.at.now - env.at > envEveryMs;
  const wrong = env !== null && (env.value.active !== record.primary || isBehind(env.value.token, token));
  const astray = env !== null && isAstray(d, site, record);
  if (!stale && !wrong && !astray) return;
  if (isDoing(d, 'switch-env', site) || isDoing(d, 'read-env', site)) return;
  const target = `switch:${site}:${token.era.number}.${token.epoch}`;
  if ((wrong && due(d, target, againMs)) || (astray && due(d, target, 2000))) {
    note(d, target);
    return perform(d, `env:${site}`, { kind: 'switch-env', site, primary: record.primary, token }, stepDeadlineMs);
  }
  const readTarget = `read:${site}`;
  if (!stale || !due(d, readTarget, againMs)) return;
  note(d, readTarget);
  perform(d, `env:${site}`, { kind: 'read-env', site }, stepDeadlineMs);
}

function isBehind(held: Token | null, token: Token): boolean {
  return held === null || compareEpochs(held, token) < 0;
}

/** The instances themselves have the last word: a reload that went missing is done again. */
function isAstray(d: AgentDraft, site: Site, record: ClusterRecord): boolean {
  const right = d.s.settings.databases[record.primary];
  return hasInstance(d, site, ({ database }) => database !== null && database !== right);
}

function hasInstance(d: AgentDraft, site: Site, is: (instance: InstanceReport) => boolean): boolean {
  const seen = recent(d.s.instances[site], d.at.now, 3000) ?? [];
  return seen.some((i) => i.class === 'ok' && is(i));
}

function isRight(d: AgentDraft, instance: InstanceReport, record: ClusterRecord): boolean {
  return (
    instance.class === 'ok' &&
    instance.database === d.s.settings.databases[record.primary] &&
    instance.epoch !== null &&
    sameEpoch(instance.epoch, epochOf(record))
  );
}

/**
 * An instance on another database or epoch takes no traffic once another one is ready on the right one; until then it
 * holds its requests and stays: never are all drained (HAProxy answers 503 at once when they are).
 */
function reconcileBalancer(d: AgentDraft, record: ClusterRecord): void {
  const balancer = recent(d.s.balancers[d.s.me], d.at.now, 3000);
  if (balancer === null || balancer.class !== 'ok') return;
  const { servers } = balancer;
  const seen = sites.flatMap((site) => recent(d.s.instances[site], d.at.now, 3000) ?? []);
  const isPlain = seen.every((i) => i.class !== 'ok' || isRight(d, i, record));
  if (isPlain && servers.every(({ status }) => status !== 'drain')) return;
  const late = d.at.now - d.s.epochAt > switchMs;
  const isUp = (name: string): boolean => servers.some((server) => server.name === name && server.status === 'up');
  const someRight = (): boolean =>
    seen.some((i) => i.ready && i.writable === true && isRight(d, i, record) && isUp(i.name));
  for (const { name, status: is } of servers) {
    const report = seen.find((i) => i.name === name);
    // What was not heard of is unknown, and unknown is never a reason to drain; its health check speaks for itself. On a database
    // that is gone an instance knows of no epoch. It is about to be switched; where it is not, it would hold its share of the requests.
    const wrong =
      report !== undefined &&
      report.class === 'ok' &&
      report.database !== null &&
      !isRight(d, report, record) &&
      (report.epoch !== null || (late && report.database !== d.s.settings.databases[record.primary]));
    if (!wrong && is !== 'drain') continue;
    const want = wrong && someRight() ? 'drain' : 'ready';
    const differs = want === 'drain' ? is === 'up' : is === 'drain';
    if (
      !differs ||
      !due(d, `server:${name}`, againMs) ||
      isPending(d, (p) => p.kind === 'deed' && p.deed.kind === 'set-server' && p.deed.server === name)
    )
      continue;
    note(d, `server:${name}`);
    perform(d, 'balancer', { kind: 'set-server', server: name, state: want }, 1000);
  }
}

function reconcileDns(d: AgentDraft, record: ClusterRecord, token: Token): void {
  if (isDoing(d, 'point-dns') || isDoing(d, 'read-dns')) return;
  const seen = d.s.dns;
  // On the other's behalf only what is surely wrong is written over: an address of neither may be that of a newer file.
  const isKnown = record.entry === d.s.me || seen?.value.entry !== null;
  if (seen !== null && isKnown && seen.value.entry !== record.entry && due(d, `dns:${record.entry}`, 1000)) {
    note(d, `dns:${record.entry}`);
    return perform(d, 'dns', { kind: 'point-dns', entry: record.entry, token }, 15_000);
  }
  const stale = seen === null || d.at.now - seen.at > dnsEveryMs;
  if (!stale || !due(d, 'read-dns', 2000)) return;
  note(d, 'read-dns');
  perform(d, 'dns', { kind: 'read-dns' }, stepDeadlineMs);
}

/** Its guard fences it first; only a database that is seen running as a primary a second later is fenced from outside. */
function reconcileOldPrimary(d: AgentDraft, record: ClusterRecord, token: Token): void {
  const old = otherSite(record.primary);
  const report = recent(d.s.standbySeen, d.at.now, 2000);
  const rogue = report !== null && report.inRecovery === false;
  if (!rogue) {
    if (d.s.tried['rogue'] !== undefined) set(d, { tried: { ...d.s.tried, rogue: Number.NEGATIVE_INFINITY } });
    return;
  }
  const since = d.s.tried['rogue'] ?? Number.NEGATIVE_INFINITY;
  if (since === Number.NEGATIVE_INFINITY) return note(d, 'rogue');
  const waitMs = old === d.s.me ? 1000 : 1000 + d.s.settings.lease.otherDelayMs;
  if (d.at.now - since < waitMs || isDoing(d, 'fence', old) || !due(d, `fence:${old}`, 1000)) return;
  note(d, `fence:${old}`);
  perform(d, `fence:${old}`, { kind: 'fence', site: old, token }, d.s.settings.outerFenceMs);
}
