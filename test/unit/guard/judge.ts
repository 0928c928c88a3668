// The laws of a guard, judged from outside after every step, by counting that is as plain as it can be: no cleverness of
// the code under test is used to check it.

import type { GuardEvent } from '../../../src/core/guard/deeds.ts';
import type { GuardState } from '../../../src/core/guard/state.ts';
import type { guardStep } from '../../../src/core/guard/step.ts';
import { compareEpochs, type EpochId, epochOf } from '../../../src/core/quorum/record.ts';
import type { Round } from '../../../src/core/quorum/round.ts';
import type { Host } from './host.ts';

type Result = ReturnType<typeof guardStep>;
type Twin = {
  readonly t0: number;
  readonly ttlMs: number;
  readonly epoch: EpochId;
  readonly life: GuardState['startedAt'];
  readonly votes: Set<string>;
  failsafe: boolean;
};

export class Judge {
  readonly broken: string[] = [];
  /** Every round that ever left each host, over all lives of its guard, and who granted it. */
  readonly #rounds = new Map<string, Twin>();
  readonly #asked = new Map<string, { readonly round: string; readonly voter: string }>();
  /** Which life of its guard is fencing each site's database; what it began ends with it. */
  readonly #fencing = new Map<string, number>();
  readonly #written = new Map<string, EpochId>();
  readonly #released = new Map<string, Round>();

  watch = (host: Host, before: GuardState, event: GuardEvent, result: Result): void => {
    this.#fences(host, event, result);
    this.#learn(host, before, event);
    this.#sends(host, before, result);
    this.#lease(host, before, result);
    this.#acts(host, before, result);
    this.#durable(host, before, result);
  };

  #law(holds: boolean, host: Host, sentence: string): void {
    if (!holds && this.broken.length < 10)
      this.broken.push(`${host.options.site} at ${host.options.world.time}: ${sentence}`);
  }

  #fences(host: Host, event: GuardEvent, { effects, wakeAt, state }: Result): void {
    const { site } = host.options;
    if (event.type === 'fenced') this.#fencing.delete(site);
    if (effects.fence) this.#fencing.set(site, state.startedAt);
    if (this.#fencing.get(site) === state.startedAt) {
      this.#law(
        !effects.act.some((act) => act.target === 'database'),
        host,
        'an act on the database after a fence and before `fenced`',
      );
    }
    const now = host.clock.now();
    this.#law(wakeAt > now && wakeAt <= now + 500, host, `wakes at ${wakeAt}, now is ${now}`);
    this.#law(state.pending.length < 60, host, 'what is pending grows');
    if (state.durable.heldFirstLease && state.startup === 'over' && state.fencing === null) {
      this.#law(state.db.role !== 'primary' || state.lease !== null, host, 'a primary without a lease is left alone');
    }
  }

  /** The naive twin: who answered which round with yes. */
  #learn(host: Host, before: GuardState, event: GuardEvent): void {
    if (event.type !== 'answer' || event.outcome.kind !== 'done') return;
    const asked = this.#asked.get(`${host.options.site} ${before.startedAt} ${event.id}`);
    const round = asked === undefined ? undefined : this.#rounds.get(asked.round);
    if (asked === undefined || round === undefined) return;
    const { value } = event.outcome;
    if (value.type === 'guard-answer' && value.granted === asked.voter) round.votes.add(asked.voter);
    if (value.type === 'failsafe-answer' && value.promised) round.failsafe = true;
  }

  #sends(host: Host, before: GuardState, { effects, state }: Result): void {
    const { site, settings } = host.options;
    const now = host.clock.now();
    for (const send of effects.send) {
      if (send.kind !== 'ask') continue;
      const { request } = send;
      if (request.type === 'release') {
        this.#released.set(site, request.round);
        this.#law(host.db.role !== 'primary', host, 'a release though the database is a primary');
        this.#law(host.fuse.deadline === null, host, 'a release while a restarted guard would take over');
      }
      if (request.type !== 'renew' && request.type !== 'failsafe' && request.type !== 'register-grant') continue;
      const key = `${site} ${request.round.start}.${request.round.seq}`;
      const known = this.#rounds.get(key);
      const same =
        known === undefined ||
        (known.life === before.startedAt &&
          known.ttlMs === request.ttlMs &&
          compareEpochs(known.epoch, request.epoch) === 0);
      this.#law(same, host, `round ${key} was used before`);
      if (known === undefined)
        this.#rounds.set(key, {
          t0: now,
          ttlMs: request.ttlMs,
          epoch: request.epoch,
          life: before.startedAt,
          votes: new Set(),
          failsafe: false,
        });
      const voter =
        request.type === 'register-grant' ? 'witness' : send.to === 'witness' ? 'witness' : send.to.slice(0, 5);
      this.#asked.set(`${site} ${before.startedAt} ${send.id}`, { round: key, voter });
      const onDisk = host.disk?.roundStart ?? -1;
      this.#law(
        (effects.persist?.roundStart ?? onDisk) === request.round.start,
        host,
        'a round leaves before its start is on disk',
      );
      this.#law(
        request.type !== 'renew' || request.ttlMs <= Math.max(settings.lease.ttlMs, settings.lease.witnessTtlMs),
        host,
        'a ttl beyond the longest',
      );
      this.#law(
        known !== undefined || (state.leaving === null && state.hold === null),
        host,
        'a round begins while it gives up',
      );
    }
  }

  /** L1, L8: no later end than that of one round of its own, counted by itself. */
  #lease(host: Host, before: GuardState, { state, trace }: Result): void {
    const { lease } = state;
    const { site, settings } = host.options;
    if (lease !== null && state.db.role === 'primary') {
      const due = host.clock.now() >= lease.until - settings.lease.fenceBudgetMs;
      this.#law(!due || state.fencing !== null, host, 'it is not fenced though F is left');
    }
    if (lease === null || lease === before.lease) return;
    const released = this.#released.get(site);
    const counts = released === undefined || lease.round.start > released.start || lease.round.seq > released.seq;
    this.#law(counts || trace.some((line) => line.event === 'guard.takeover'), host, 'a released round counts');
    if (trace.some((line) => line.event === 'guard.takeover' && line.fields['how'] !== 'founded with it')) {
      const { deadline } = host.fuse;
      this.#law(
        deadline !== null && lease.until <= deadline + host.options.settings.lease.fuseBudgetMs,
        host,
        'takes over for longer than the deadline found',
      );
      return;
    }
    const round = this.#rounds.get(`${host.options.site} ${lease.round.start}.${lease.round.seq}`);
    const { witness } = host.options.settings;
    const votes = round?.votes.size ?? 0;
    const enough = witness === 'none' ? votes >= 1 : votes >= 2;
    this.#law(
      round !== undefined && lease.until === round.t0 + round.ttlMs,
      host,
      'a lease that is not t0 + ttl of its round',
    );
    this.#law(
      round !== undefined && (enough || round.failsafe),
      host,
      `a lease by ${votes} grants of round ${lease.round.seq}`,
    );
    this.#law(
      round?.failsafe !== true || enough || before.lease !== null,
      host,
      'a promise of the other guard acquired a lease',
    );
    const shorter =
      before.lease !== null && compareEpochs(before.lease.epoch, lease.epoch) === 0 && lease.until < before.lease.until;
    this.#law(!shorter, host, 'an earlier deadline replaced a later one');
  }

  /** L9, L10: nothing begins but under a lease of the highest epoch noted, with more than F left, on disk before it. */
  #acts(host: Host, before: GuardState, { effects, state }: Result): void {
    const now = host.clock.now();
    for (const { deed, notAfter } of effects.act) {
      if (deed.kind !== 'start-primary' && deed.kind !== 'promote') continue;
      const { lease, durable } = state;
      const { fenceBudgetMs, fuseBudgetMs } = host.options.settings.lease;
      const { chosen, noted } = durable;
      this.#law(lease !== null && now + fenceBudgetMs < lease.until, host, `${deed.kind} without a lease with F left`);
      if (lease === null || noted === null || chosen === null) continue;
      this.#law(compareEpochs(lease.epoch, noted) === 0, host, `${deed.kind} below the highest epoch noted`);
      this.#law(
        chosen.record.primary === host.options.site && compareEpochs(epochOf(chosen.record), noted) === 0,
        host,
        `${deed.kind} of a site that is not named`,
      );
      this.#law(
        notAfter !== null && notAfter + fenceBudgetMs < lease.until,
        host,
        `${deed.kind} may begin with less than F left`,
      );
      const onDisk = (effects.persist ?? host.disk)?.ranIn ?? null;
      this.#law(
        onDisk !== null && compareEpochs(onDisk, noted) === 0,
        host,
        `${deed.kind} before its epoch is on disk`,
      );
      const { deadline } = host.fuse;
      this.#law(
        deadline !== null && deadline > now && deadline + fuseBudgetMs <= lease.until,
        host,
        `${deed.kind} before its deadline is written`,
      );
      this.#law(now >= state.promisedUntil, host, `${deed.kind} against a failsafe promise`);
      const first = before.durable.ranIn === null || compareEpochs(before.durable.ranIn, noted) !== 0;
      this.#law(
        !first || noted.epoch === 1 || now >= state.quarantinedUntil,
        host,
        `${deed.kind} in a new epoch within the quarantine`,
      );
    }
  }

  #durable(host: Host, before: GuardState, { state, effects }: Result): void {
    const a = before.durable;
    const b = state.durable;
    this.#law(
      a.noted === null || (b.noted !== null && compareEpochs(b.noted, a.noted) >= 0),
      host,
      'the epoch noted went back',
    );
    this.#law(
      a.chosen === null || (b.chosen !== null && b.chosen.ballot.counter >= a.chosen.ballot.counter),
      host,
      'the record known went back',
    );
    this.#law(a === b || effects.persist === b, host, 'what changed is not persisted');
  }

  /** I1, I3: called after everything that happens in the world. */
  writers(hosts: readonly Host[]): void {
    const writing = hosts.filter((host) => host.writable);
    const [first] = writing;
    if (first === undefined) return;
    this.#law(writing.length < 2, first, 'I1: two databases accept writes');
    const { epoch } = first.db;
    if (epoch === null) return;
    const last = this.#written.get('any');
    this.#law(
      last === undefined || compareEpochs(epoch, last) >= 0,
      first,
      'I3: an older epoch is writable after a newer one',
    );
    if (last === undefined || compareEpochs(epoch, last) > 0) this.#written.set('any', epoch);
  }
}
