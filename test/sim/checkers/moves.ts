// I5: each change of primary has a reason that the world itself can confirm. What the agents believed does not count.

import type { Accepted } from '../../../src/core/quorum/record.ts';
import { epochOf, showEpoch } from '../../../src/core/quorum/record.ts';
import { otherSite, type Site } from '../../../src/core/site.ts';
import { type Micros, second } from '../engine/scheduler.ts';
import type { Begun } from '../faults/fault.ts';
import type { FaultKind } from '../faults/kinds.ts';
import type { Violations } from './violations.ts';

/** One of these alone, with all else well, moves nothing: what only lies between the parts, or at the register and the zone. */
const betweenAlone: readonly FaultKind[] = [
  'cut-sites',
  'cut-machines',
  'cut-one-way',
  'lossy-path',
  'slow-path',
  'duplicates',
  'wall-jump',
  'register-slow',
  'register-throttled',
  'register-late',
  'register-down',
  'dns-slow',
  'replication-stalled',
  'replication-lag',
  'slot-lost',
  'ssh-dies',
];

const cuts: ReadonlySet<FaultKind> = new Set(['cut-sites', 'cut-machines', 'cut-one-way', 'lossy-path', 'slow-path']);

/** V7: neither does it move the public name, since both entries serve. */
const leavesEntriesAlone: ReadonlySet<FaultKind> = new Set(betweenAlone);

/** What strikes an entry moves no primary either. */
const harmlessAlone: ReadonlySet<FaultKind> = new Set([
  ...betweenAlone,
  'instance-crash',
  'instance-hang',
  'reload-lost',
  'application-host-down',
  'balancer-crash',
  'balancer-hang',
  'postgres-connections',
  'crash-daemon',
  'stall-daemon',
  'crash-fuse',
]);

const window = 90 * second;
/** order.timeout, and what is left of the database does not answer for two seconds more. */
const orderTakes = 15 * second;
/** A fault that was over for so long is no company for the next. */
const sameTime = 30 * second;

export class Moves {
  readonly counts = { ordered: 0, needed: 0, needless: 0 };
  readonly #now: () => Micros;
  readonly #violations: Violations;
  readonly #faults: { readonly kind: FaultKind; readonly what: string; readonly over: Micros }[] = [];
  #isTaken = false;
  #orderedAt: Micros = Number.NEGATIVE_INFINITY;

  /** A voter is out until a person makes it rejoin, however long ago it was struck: the next fault is the second one. */
  readonly #voterOut: () => boolean;
  /** Some daemons speak the older wire version, in which guards do not say whom they hear: one cut link is a lost entry then. */
  readonly #isMixed: boolean;

  constructor(violations: Violations, now: () => Micros, voterOut: () => boolean, isMixed: boolean) {
    this.#isMixed = isMixed;
    this.#violations = violations;
    this.#now = now;
    this.#voterOut = voterOut;
  }

  /** What people order is no fault: only what they asked for may come of it, or nothing. */
  fault(kind: FaultKind, { what, lasts }: Begun): void {
    if (kind === 'order-switchover' || kind === 'order-failover') this.#orderedAt = this.#now();
    if (!kind.startsWith('order-') || kind === 'order-force')
      this.#faults.push({ kind, what, over: this.#now() + lasts });
  }

  /** At the end of a run (take-over.ts), perhaps with its whole site. */
  primaryTaken(): void {
    this.#isTaken = true;
  }

  /** V7: the public name, without a change of primary. */
  entryChanged(before: Accepted, after: Accepted): void {
    const now = this.#now();
    if (this.#isTaken || isOrdered(after)) return;
    if (before.record.mode === 'paused' && after.record.mode === 'paused')
      this.#violations.add('I5', `the entry left ${before.record.entry} while paused`);
    // An entry that is cut off from the primary's site cannot serve.
    if (before.record.entry !== before.record.primary || this.#voterOut()) return;
    const recent = this.#faults.filter(({ over }) => over > now - window);
    const together = recent.filter(({ over }) => over > now - sameTime);
    if (together.length > 1 || recent.some((fault) => mayTakeEntry(fault, this.#isMixed))) return;
    const names = recent.map(({ kind }) => kind).join(', ') || 'none';
    this.#violations.add(
      'I5',
      `${after.record.by} moved the entry from ${before.record.entry} (${after.record.reason}) for no reason; faults: ${names}`,
    );
  }

  /** "Orders", V8: a switchover whose database did not stop ends so, where nothing is lost by it. */
  #wouldNotStop(before: Accepted, after: Accepted): boolean {
    return (
      before.record.sync &&
      after.record.reason.includes('gave its database up') &&
      this.#now() - this.#orderedAt < orderTakes
    );
  }

  /** `servedUntil`: when the old primary last served; from then on it may have waited for what lets the other take over. */
  changed(before: Accepted, after: Accepted, servedUntil: Micros): void {
    if (isOrdered(after) || this.#wouldNotStop(before, after)) {
      this.counts.ordered += 1;
      return;
    }
    if (before.record.mode === 'paused')
      this.#violations.add('I5', `${after.record.by} ended an epoch of ${before.record.primary} while paused, unasked`);
    if (this.#isTaken) {
      this.counts.needed += 1;
      return;
    }
    const { primary } = before.record;
    const recent = this.#faults.filter(({ what, over }) => over > servedUntil - window && !isBesides(what));
    const together = recent.filter(({ over }) => over > servedUntil - sameTime);
    const mayTake = recent.some(
      (fault) => !harmlessAlone.has(fault.kind) && !isOneFile(fault) && !isAt(fault.what, otherSite(primary)),
    );
    // With nothing but these, what ended the old primary was siteward itself: that it did not serve at the end is no reason.
    // A switchover in whose midst the sites were cut ends as a failover.
    const isCutOff = this.#now() - this.#orderedAt < orderTakes && together.some(({ kind }) => cuts.has(kind));
    if (this.#voterOut() || together.length > 1 || isCutOff || mayTake) {
      this.counts.needed += 1;
      return;
    }
    this.counts.needless += 1;
    const names = recent.map(({ kind }) => kind).join(', ') || 'none';
    this.#violations.add(
      'I5',
      `epoch ${showEpoch(epochOf(before.record))} of ${before.record.primary} was ended by ${after.record.by} (${after.record.reason}) for no reason; faults: ${names}`,
    );
  }
}

/** Neither holds a vote nor a lease nor the data: applications and HAProxies. */
function isBesides(what: string): boolean {
  return /^site[12]-(app|haproxy)/.test(what);
}

/** One daemon was started again, with another file. That who votes is not edited in a cluster that lives is another matter. */
function isOneFile({ kind, what }: { readonly kind: FaultKind; readonly what: string }): boolean {
  return kind === 'file-edited' && !what.includes('+') && !what.includes('"witness"');
}

/** The standby, its guard or its fuse: whatever befalls these alone is no reason to move the primary to them. */
function isAt(what: string, site: Site): boolean {
  return new RegExp(`^${site}-(db|guard|fuse)\\b`).test(what);
}

/**
 * A path between the sites so slow that no probe comes back in time while the sessions across it go on: from its end that is a lost
 * host and an entry that serves.
 */
function mayTakeEntry({ kind, what }: { readonly kind: FaultKind; readonly what: string }, isMixed: boolean): boolean {
  if (kind === 'cut-machines' && isMixed) return true;
  if (kind === 'slow-path') return what.includes('site1') && what.includes('site2');
  return !leavesEntriesAlone.has(kind);
}

/** As the record itself says. */
function isOrdered({ record }: Accepted): boolean {
  return /^(ordered|forced|entry moved) by /.test(record.reason);
}
