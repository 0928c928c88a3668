/**
 * The person with the runbook: asynchronous replication leaves an old primary with a tail that the new one lacks, and such
 * a database is made anew by hand. Nothing else in a sequence waits for a person.
 */
import { rebuildStandby } from '../../lab/scenarios/kit/well.ts';
import { agents } from '../../lab/scenarios/kit/world.ts';
import type { Lab } from '../../lab/src/lab.ts';
import { sleep } from '../../lab/src/process.ts';
import type { SiteName } from '../../lab/src/topology.ts';
import { SITES } from '../../lab/src/topology.ts';
import { otherOf } from '../faults/struck.ts';

/** A database that is only starting, or connecting, says for a moment what one with a tail says for ever. */
const SURE_MS = 6_000;

export interface PersonOptions {
  readonly say: (text: string) => void;
  /** Takes what the rebuild needs for itself; undefined while a fault holds it. */
  readonly take: (site: SiteName) => (() => void) | undefined;
}

export class Person {
  readonly #lab: Lab;
  readonly #options: PersonOptions;
  readonly #done: Promise<void>;
  #stopping = false;
  #unfitSince: number | null = null;
  /** One that was stopped for it and could not be made anew yet says anything or nothing; who began goes on. */
  #begun: SiteName | null = null;
  rebuilt = 0;

  constructor(lab: Lab, options: PersonOptions) {
    this.#lab = lab;
    this.#options = options;
    this.#done = this.#watch();
  }

  async end(): Promise<void> {
    this.#stopping = true;
    await this.#done;
  }

  async #watch(): Promise<void> {
    while (!this.#stopping) {
      const site = await this.#inNeed();
      if (site === 'none') this.#unfitSince = null;
      if (site === 'site1' || site === 'site2') {
        this.#unfitSince ??= performance.now();
        if (performance.now() - this.#unfitSince > SURE_MS) await this.#rebuild(site);
      }
      await sleep(700);
    }
  }

  /** The standby's site, where an agent says that its database cannot follow and none that it may take over. */
  async #inNeed(): Promise<SiteName | 'none' | 'unknown'> {
    const both = await agents(this.#lab);
    const known = SITES.flatMap((site) => both[site] ?? []);
    if (known.some(({ standby }) => standby.mayTakeOver)) return 'none';
    const [primary, ...others] = new Set(known.map(({ record }) => record?.primary));
    if (primary === undefined || others.length > 0) return 'unknown';
    const site = otherOf(primary);
    const unfit = site === this.#begun || known.some(({ standby }) => standby.why.includes('has to be made anew'));
    return unfit && this.#lab.isOn(`${site}-db`) && this.#lab.isOn(`${primary}-db`) ? site : 'unknown';
  }

  async #rebuild(site: SiteName): Promise<void> {
    const giveBack = this.#options.take(site);
    if (giveBack === undefined) return;
    try {
      this.#options.say(`the person makes ${site}'s database anew from the primary`);
      this.#begun = site;
      await rebuildStandby(this.#lab, site);
      this.rebuilt += 1;
      this.#options.say(`${site}'s database is a standby again`);
      this.#unfitSince = null;
      this.#begun = null;
    } catch (error) {
      this.#options.say(`${site}'s database could not be made anew yet: ${(error as Error).message.split('\n')[0]}`);
      await this.#lab.startService(`${site}-db`, 'guard').catch(() => undefined);
    } finally {
      giveBack();
    }
  }
}
