/** One lab and its scenarios, one after the other; a lab that cannot be put right is made anew. */
import { performance } from 'node:perf_hooks';
import { Lab } from '../../src/lab.ts';
import { reportLoad } from '../../src/load.ts';
import { eyesOf } from '../kit/eyes.ts';
import type { Round, Scenario } from '../kit/scenario.ts';
import { Broken, seconds, Unsafe } from '../kit/scenario.ts';
import { makeWell } from '../kit/well.ts';
import { keepLogs, lastLines } from './logs.ts';
import type { Machine } from './machine.ts';
import { type LabPlan, PACE } from './plan.ts';
import type { Result } from './results.ts';
import { boundOf } from './results.ts';
import type { Starvation } from './starvation.ts';
import { StarvationProbe, showStarvation, wasStarved } from './starvation.ts';

const MAX_RETRIES = 2;

export type Say = (text: string) => void;

/** One at a time: sixteen processes that start at once are enough for two cores. */
let risingLabs: Promise<void> = Promise.resolve();

export class Lane {
  readonly lab: Lab;
  readonly #plan: LabPlan;
  readonly #machine: Machine;
  readonly #say: Say;
  #isFresh = false;
  #hasTurn = false;

  constructor(name: string, plan: LabPlan, machine: Machine, say: Say) {
    this.lab = new Lab({ name });
    this.#plan = plan;
    this.#machine = machine;
    this.#say = say;
  }

  /** A scenario that is not begun while time is left is left out, and said to be. */
  async run(isTimeLeft: () => boolean, onResult: (result: Result) => void): Promise<void> {
    try {
      for (const scenario of this.#plan.scenarios) {
        if (isTimeLeft()) onResult(await this.#scenario(scenario));
        else this.#say(`${scenario.id}: left out with witness ${this.#plan.witness}: no time is left for it`);
      }
    } finally {
      eyesOf(this.lab).close();
      await this.lab.down();
      this.#endTurn();
    }
  }

  async #scenario(scenario: Scenario): Promise<Result> {
    for (let attempt = 1; ; attempt += 1) {
      const result = await this.#inTurn(() => this.#attempt(scenario, attempt));
      const starved = wasStarved(result.starvation);
      if (starved) this.#machine.oneLabAtATime();
      if (result.ok || result.unsafe || !(starved || result.noLab)) return result;
      const found = `${scenario.id}: ${result.why}; ${showStarvation(result.starvation)}`;
      if (result.late && !this.#machine.mayMeasureAgain()) {
        this.#say(`${found}: everything else is as it has to be, and its time is not judged on this machine`);
        return { ...result, notJudged: true };
      }
      if (attempt > MAX_RETRIES) return result;
      this.#say(`${found}: tried again in a fresh lab, with none beside it`);
      this.#machine.oneLabAtATime();
      await this.lab.down();
    }
  }

  async #inTurn<T>(action: () => Promise<T>): Promise<T> {
    if (!this.#hasTurn) {
      // A lab that waits costs as much as one that is used.
      if (this.#machine.mustWait) await this.lab.down();
      await this.#machine.take();
      this.#hasTurn = true;
    }
    try {
      return await action();
    } finally {
      // Kept to the lane's end where labs run one after the other: a lab that was put away has to be made anew.
      if (this.#machine.isShared) this.#endTurn();
    }
  }

  #endTurn(): void {
    if (this.#hasTurn) this.#machine.give();
    this.#hasTurn = false;
  }

  async #attempt(scenario: Scenario, attempt: number): Promise<Result> {
    const { id, title } = scenario;
    const begin = performance.now();
    const beganWall = Date.now();
    const figures: Record<string, string | number> = {};
    let outageMs: number | null = null;
    const say: Say = (text) => this.#say(`${id}: ${text}`);
    const round: Round = {
      lab: this.lab,
      load: PACE,
      say,
      figure: (name, value) => {
        const before = figures[name];
        figures[name] = typeof value === 'number' && typeof before === 'number' ? before + value : value;
      },
      outage: (ms) => {
        outageMs = Math.max(outageMs ?? 0, ms);
      },
    };
    const boundMs = boundOf(scenario, this.#plan.bounded);
    let why: string | null = null;
    let unsafe = false;
    let late = false;
    let probe: StarvationProbe | null = null;
    try {
      await this.#prepare(say);
      probe = new StarvationProbe();
      this.#isFresh = false;
      await scenario.run(round);
      const outage = outageMs as number | null;
      late = boundMs !== null && (outage === null || outage > boundMs);
      if (boundMs !== null && late)
        why = `clients could not write for ${outage === null ? '?' : seconds(outage)}, the bound is ${seconds(boundMs)}`;
    } catch (error) {
      why =
        error instanceof Broken || (error as Error).name === 'LabError'
          ? (error as Error).message
          : String((error as Error).stack);
      unsafe = error instanceof Unsafe;
      const overlap = await this.#overlap();
      if (overlap > 0) {
        unsafe = true;
        why = `${overlap} writes were acknowledged by two databases at once; ${why}`;
      }
    }
    const starvation: Starvation = (await probe?.end()) ?? { worstMs: 0, waited: null };
    if (boundMs !== null || why !== null) say(showStarvation(starvation));
    const logs = why === null ? null : await this.#explain(say, why, id, beganWall);
    const tookMs = performance.now() - begin;
    const measured =
      outageMs === null
        ? ''
        : `, outage ${seconds(outageMs)}${boundMs === null ? '' : ` of at most ${seconds(boundMs)}`}`;
    say(`${why === null ? 'ok' : 'FAILED'}${measured} (${(tookMs / 1000).toFixed(0)} s)`);
    const { witness } = this.#plan;
    return {
      id,
      title,
      witness,
      ok: why === null,
      tookMs,
      outageMs,
      boundMs,
      figures,
      unsafe,
      noLab: probe === null,
      late,
      notJudged: false,
      why,
      starvation,
      attempts: attempt,
      logs,
    };
  }

  /** A lab in which all is well. After a bounded round that is always a fresh one: its cool-down runs. */
  async #prepare(say: Say): Promise<void> {
    if (this.lab.isUp && !this.#isFresh) {
      try {
        await makeWell(this.lab, say);
        return;
      } catch (error) {
        say(`the lab cannot be put right (${(error as Error).message}): a fresh one`);
      }
    }
    const { witness, set } = this.#plan;
    const begin = performance.now();
    const rising = risingLabs.then(() => this.lab.up({ witness, set, tied: true }));
    risingLabs = rising.catch(() => {});
    await rising;
    this.#isFresh = true;
    say(`lab up in ${seconds(performance.now() - begin)}, witness ${witness}`);
  }

  /** A round that came to no report of its own is asked this one thing all the same. */
  async #overlap(): Promise<number> {
    try {
      return (await reportLoad(this.lab, { check: false })).overlap;
    } catch {
      return 0;
    }
  }

  async #explain(say: Say, why: string, id: string, fromWallMs: number): Promise<string | null> {
    say(`FAILED: ${why}`);
    try {
      for (const line of lastLines(this.lab, fromWallMs)) say(`  ${line}`);
      const logs = await keepLogs(this.lab, `${id}-${this.#plan.witness}`);
      say(`logs of all hosts: ${logs}`);
      return logs;
    } catch (error) {
      say(`no logs: ${String(error)}`);
      return null;
    }
  }
}
