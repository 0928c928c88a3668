/** One sequence in a lab of its own: up, load, faults, heal, come together, then the history is checked. */
import { eyesOf } from '../../lab/scenarios/kit/eyes.ts';
import { Broken, nowMs, Unsafe } from '../../lab/scenarios/kit/scenario.ts';
import { record } from '../../lab/scenarios/kit/world.ts';
import { keepLogs } from '../../lab/scenarios/run/logs.ts';
import { PATIENT } from '../../lab/scenarios/run/plan.ts';
import { StarvationProbe, startsSlowly } from '../../lab/scenarios/run/starvation.ts';
import { readEvents } from '../../lab/src/events.ts';
import { Lab } from '../../lab/src/lab.ts';
import { sleep } from '../../lab/src/process.ts';
import { beliefsIn, changesIn, entryMovesIn } from '../collect/changes.ts';
import { readFinal } from '../collect/final.ts';
import { longestOutageMs, readJournals } from '../collect/journals.ts';
import { healEverything, thawVolumes } from '../faults/heal.ts';
import type { Verdict } from '../history/check.ts';
import { checkHistory } from '../history/check.ts';
import type { History } from '../history/history.ts';
import type { Plan } from '../plan/plan.ts';
import { Relay } from '../relay/relay.ts';
import type { Convergence } from './converge.ts';
import { converge } from './converge.ts';
import { Load } from './load.ts';
import { Narrator } from './narrator.ts';
import { Person } from './person.ts';
import type { Result } from './result.ts';
import { Struggle } from './struggle.ts';

/** Writes that nobody disturbs any more, so that the last epoch has a history too. */
const AFTERMATH_MS = 2_000;
const MAX_LAG_BYTES = 16 * 1024 * 1024;

type Say = (text: string) => void;

export interface SequenceOptions {
  readonly say: Say;
  /** Also when nothing was found. */
  readonly keepLogs: boolean;
}

export class Sequence {
  readonly #plan: Plan;
  readonly #lab: Lab;
  readonly #say: Say;
  readonly #keepsLogs: boolean;
  #relay: Relay | null = null;
  #load: Load | null = null;
  #person: Person | null = null;
  #narrator: Narrator | null = null;
  #struggle: Struggle | null = null;
  #verdict: Verdict | null = null;
  #convergence: Convergence | null = null;
  #outageMs: number | null = null;

  constructor(name: string, plan: Plan, options: SequenceOptions) {
    this.#plan = plan;
    this.#lab = new Lab({ name });
    this.#say = options.say;
    this.#keepsLogs = options.keepLogs;
  }

  async run(attempt: number): Promise<Result> {
    const begin = performance.now();
    // One for the way up, where sixteen processes start at once, and one for what counts.
    let probe = new StarvationProbe();
    let failure: unknown;
    try {
      await this.#prepare();
      await probe.end();
      probe = new StarvationProbe();
      await this.#fight();
    } catch (error) {
      failure = error;
    }
    const starvation = await probe.end();
    const findings = this.#verdict?.findings ?? [];
    const why = [...findings.map(({ what }) => what), ...(failure === undefined ? [] : [sayWhy(failure)])];
    const logs = why.length === 0 && !this.#keepsLogs ? null : await this.#keepLogs(attempt);
    await this.close();
    return {
      plan: this.#plan,
      ok: why.length === 0,
      unsafe: failure instanceof Unsafe || findings.some(({ unsafe }) => unsafe),
      why,
      findings,
      figures: this.#verdict?.figures ?? null,
      struck: this.#struggle?.struck ?? {},
      convergence: this.#convergence,
      longestOutageMs: this.#outageMs,
      rebuilt: this.#person?.rebuilt ?? 0,
      tookMs: performance.now() - begin,
      starvation,
      attempts: attempt,
      logs,
    };
  }

  /** Whatever it was in the middle of. */
  async close(): Promise<void> {
    const lab = this.#lab;
    if (lab.isUp) await thawVolumes(lab).catch(() => undefined);
    await this.#narrator?.end();
    await this.#person?.end();
    this.#relay?.close();
    eyesOf(lab).close();
    await lab.down();
  }

  async #prepare(): Promise<void> {
    const { witness, set, replication, relayMs, seed } = this.#plan;
    const probes = startsSlowly() ? PATIENT : [];
    const settings = [...set, ...probes, ...(replication === 'async' ? [] : [`replication=${replication}`])];
    await this.#lab.up({ witness, set: settings, tied: true, volumes: true });
    this.#say('the lab is up');
    if (relayMs > 0) this.#relay = await Relay.start(this.#lab, relayMs, seed);
    this.#narrator = new Narrator(this.#lab, this.#say);
    this.#load = await Load.start(this.#lab);
    await sleep(this.#plan.calmMs);
  }

  async #fight(): Promise<void> {
    const lab = this.#lab;
    const struggle = new Struggle(lab, this.#plan, this.#relay, this.#say);
    this.#struggle = struggle;
    const take = (site: string) => struggle.take([`${site}-db`, 'orders']);
    this.#person = new Person(lab, { say: this.#say, take });
    await struggle.run(() => false);
    this.#say('everything is healed');
    await healEverything(lab, this.#relay, this.#plan.relayMs);
    struggle.endAll();
    let late: Error | undefined;
    try {
      this.#convergence = await converge(lab);
      this.#say(`all agree after ${(this.#convergence.servedMs / 1000).toFixed(1)} s`);
      await sleep(AFTERMATH_MS);
    } catch (error) {
      // What was seen is checked all the same: an unsafe history weighs more than a late heal.
      late = error as Error;
    }
    await this.#judge(struggle);
    if (late !== undefined) throw late;
    const broken = this.#relay?.problem;
    if (broken !== undefined) throw new Broken(broken);
  }

  async #judge(struggle: Struggle): Promise<void> {
    const lab = this.#lab;
    const broken = this.#load?.problem;
    await this.#person?.end();
    await this.#load?.stop();
    if (broken !== undefined) throw new Broken(broken);
    const { primary } = await record(lab);
    const journals = readJournals(this.#load?.directory ?? '');
    const final = await readFinal(lab, primary, this.#load?.run ?? '', journals.base);
    const wallToMonotonic = nowMs() - Date.now();
    const atOf = (wallMs: number) => wallMs + wallToMonotonic;
    const events = readEvents(lab.paths);
    const history: History = {
      ...journals,
      replication: this.#plan.replication,
      witness: this.#plan.witness,
      maxLagBytes: MAX_LAG_BYTES,
      changes: changesIn(events, atOf),
      entryMoves: entryMovesIn(events, atOf),
      beliefs: beliefsIn(events),
      impairments: struggle.impairments,
      final,
    };
    this.#outageMs = longestOutageMs(journals.answeredAt);
    this.#verdict = checkHistory(history);
    for (const reason of this.#verdict.figures.reasons) this.#say(`  failover, ${reason}`);
  }

  async #keepLogs(attempt: number): Promise<string | null> {
    try {
      return await keepLogs(this.#lab, `chaos-${this.#plan.seed}-${attempt}`);
    } catch {
      return null;
    }
  }
}

function sayWhy(error: unknown): string {
  const { name, message, stack } = error as Error;
  return error instanceof Broken || name === 'LabError' ? message : String(stack ?? error);
}
