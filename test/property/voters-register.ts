// The same with a register for a witness: agents read it, believe what they read, and swap exact values, all of which may
// land late or go unheard (L5 to L7, W2).

import type { Accepted } from '../../src/core/quorum/record.ts';
import {
  absorbRead,
  absorbValue,
  absorbWord,
  isCurrent,
  type RegisterMind,
  registerBindsMs,
  registerChangesPrimary,
  unseenRegister,
  withGrant,
  withRecord,
  withRelease,
} from '../../src/core/quorum/register.ts';
import type { RegisterState } from '../../src/core/quorum/register-state.ts';
import { accept, bindsAgainst } from '../../src/core/quorum/voter.ts';
import { otherSite, type Site, sites } from '../../src/core/site.ts';
import { at, deepFreeze } from '../unit/core-builders.ts';
import { type Action, type Attempt, drift, type Renewal, rules, ttls, VotersModel } from './voters-model.ts';

type Swap = { readonly by: Site; readonly expected: string; readonly next: RegisterState; readonly then: () => void };
type Read = { readonly by: Site; readonly state: RegisterState; readonly serialAtSend: number };

const text = (state: RegisterState): string => JSON.stringify(state);
const founded: RegisterState = {
  cluster: 'c-1',
  serial: 1,
  promised: at(1).ballot,
  accepted: at(1),
  nonce: { id: 'founded', site: 'site1', round: { start: 0, seq: 0 }, ttlMs: ttls.long },
  position: null,
};

export class RegisterVotersModel extends VotersModel {
  #register: RegisterState = founded;
  #nonces = 0;
  readonly #minds: Record<Site, RegisterMind> = { site1: unseenRegister, site2: unseenRegister };
  readonly #reads: Read[] = [];
  readonly #swaps: Swap[] = [];

  constructor() {
    super(['site1', 'site2']);
  }

  override actions(): Action[] {
    return [
      ...super.actions(),
      ...sites.flatMap((by) => this.#look(by)),
      ...this.#reads.map((read) => ({ name: `${read.by} hears what it read`, run: () => this.#hear(read) })),
      ...this.#swaps.map((swap) => ({ name: `a swap of ${swap.by} lands`, run: () => this.#land(swap) })),
      ...this.renewals.flatMap((renewal) => this.#grants(renewal)),
      ...this.attempts.flatMap((attempt) => this.#records(attempt)),
      ...this.chosen.flatMap((chosen) => sites.flatMap((by) => this.#repairs(by, chosen))),
      ...this.releases.flatMap(({ site, round }) => sites.flatMap((by) => this.#releases(by, site, round))),
    ];
  }

  #look(by: Site): Action[] {
    const { watch, serial } = this.#minds[otherSite(by)];
    return [
      {
        name: `${by} reads the register`,
        run: () => void this.#reads.push({ by, state: this.#register, serialAtSend: this.#minds[by].serial }),
      },
      {
        name: `${by} hears its peer's word of the register`,
        run: () => {
          if (watch !== null) this.#minds[by] = deepFreeze(absorbWord(this.#minds[by], serial, watch.id, this.now));
        },
      },
      { name: `${by} forgets the register`, run: () => this.#forget(by) },
    ];
  }

  /** A restart: the serial is on disk, nothing else. */
  #forget(by: Site): void {
    this.#minds[by] = { ...unseenRegister, serial: this.#minds[by].serial };
  }

  #hear({ by, state, serialAtSend }: Read): void {
    const read = { text: text(state), state };
    const mind = absorbRead(this.#minds[by], read, serialAtSend, 'c-1', this.now);
    if (mind.out !== null) this.twin.broken.push(`W3: ${by} takes the register for ${mind.out}`);
    this.#minds[by] = deepFreeze(mind);
  }

  #land(swap: Swap): void {
    const { by, expected, next, then } = swap;
    this.#swaps.splice(this.#swaps.indexOf(swap), 1);
    if (text(this.#register) !== expected) return;
    this.#register = deepFreeze(next);
    this.vote('witness', next.accepted);
    this.#minds[by] = deepFreeze(absorbValue(this.#minds[by], text(next), next, this.now));
    then();
  }

  #swap(name: string, by: Site, make: () => RegisterState | string | null, then: () => void): Action[] {
    const { held } = this.#minds[by];
    if (held === null || !isCurrent(this.#minds[by]) || this.#swaps.length >= 8) return [];
    const run = (): void => {
      const next = make();
      if (next === null || typeof next === 'string') return;
      this.#swaps.push({ by, expected: held.text, next, then });
    };
    return [{ name: `${by} ${name}`, run }];
  }

  /** L5: only by an agent that granted the round itself. */
  #grants(renewal: Renewal): Action[] {
    const { site, granted } = renewal;
    return sites
      .filter((by) => granted.has(by) && renewal.ttlMs === ttls.long)
      .flatMap((by) =>
        this.#swap(
          `runs the register's grant for ${site}`,
          by,
          () => {
            this.#nonces += 1;
            return withGrant(
              this.#minds[by],
              this.askOf(renewal),
              { id: `n${this.#nonces}`, position: null },
              drift,
              this.now,
            );
          },
          () => this.granted(renewal, 'witness'),
        ),
      );
  }

  #isFree(by: Site, state: RegisterState, record: Accepted['record']): boolean {
    return !registerChangesPrimary(state, record) || registerBindsMs(this.#minds[by], drift, this.now) === 0;
  }

  /** L6: prepare and accept are one swap, and the proposer's own vote follows it. */
  #records(attempt: Attempt): Action[] {
    const { by, ballot } = attempt;
    const state = this.#minds[by].held?.state;
    if (attempt.record !== null || state === undefined || !this.mine(attempt)) return [];
    const record = this.compute(attempt, state.accepted);
    if (record === null || bindsAgainst(this.voter(by), record, this.now) > 0) return [];
    if (!this.#isFree(by, state, record)) return [];
    const vote = { ballot, record };
    return this.#swap(
      'asks the register for its vote',
      by,
      () => withRecord(state, ballot, record, { id: 'wait', ttlMs: ttls.long }),
      () => {
        attempt.record = record;
        const message = { type: 'accept', cluster: 'c-1', voters: 'three', ...vote } as const;
        this.set(by, accept(this.voter(by), message, rules, this.now).voter);
        this.accepts.push(vote);
      },
    );
  }

  #repairs(by: Site, chosen: Accepted): Action[] {
    const state = this.#minds[by].held?.state;
    if (state === undefined || !this.#isFree(by, state, chosen.record)) return [];
    const wait = { id: 'wait', ttlMs: ttls.long };
    return this.#swap(
      'repairs the register',
      by,
      () => withRecord(state, chosen.ballot, chosen.record, wait),
      () => {},
    );
  }

  #releases(by: Site, site: Site, round: { start: number; seq: number }): Action[] {
    const state = this.#minds[by].held?.state;
    if (state === undefined) return [];
    return this.#swap(
      `releases ${site}'s nonce`,
      by,
      () => withRelease(state, site, round),
      () => {},
    );
  }
}
