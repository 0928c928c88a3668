// What arrives at a daemon is taken at once, or waits a while for company: a probe may take a little longer, and so may
// a notice on its way, and one step for several of them is what makes runs cheap. What a lease or a vote hangs on never
// waits, nor does what came at its deadline.

import type { Answer } from '../../../src/core/messages.ts';
import type { DriverEvent } from '../../../src/driver/events.ts';
import type { Random } from '../engine/random.ts';
import { cancel, type Event, type Micros, milli, type Scheduler } from '../engine/scheduler.ts';
import type { Process } from './process.ts';

/** The guard's look at the fuse's files comes every 250 ms: with the next one at the latest. */
const fuseWaits: Micros = 260 * milli;
/** A quarter of a probe's deadline. */
const probeWaits: Micros = 200 * milli;
/** Voters and agents count as heard for 2 s. */
const noticeWaits: Micros = 150 * milli;
/** A look at processes takes that long, and so does a question to a busy server, whose deadline is 700 ms. */
const lookWaits: Micros = 80 * milli;
/** An event loop that has something else to do; the fence's alarm (L9) is no tick. */
const tickWaits: Micros = 60 * milli;

export class Company {
  readonly #scheduler: Scheduler;
  readonly #process: Process;
  readonly #random: Random;
  #isSoon = false;
  #later: Event | null = null;

  /** Whether ticks and looks wait too. */
  readonly #isPatient: boolean;

  constructor(scheduler: Scheduler, process: Process, random: Random, isPatient: boolean) {
    this.#isPatient = isPatient;
    this.#scheduler = scheduler;
    this.#process = process;
    this.#random = random;
  }

  /** `take` takes all that has arrived by then. */
  arrived(take: () => void, event: DriverEvent<unknown>): void {
    if (this.#isSoon) return;
    const wait = patience(event, this.#isPatient);
    // Now and then it does not wait, so that each order of things is met.
    if (wait > 0 && !this.#random.ratio(1, 8)) {
      this.#later ??= this.#scheduler.after(wait, () => this.#process.run(() => this.#take(take)));
      return;
    }
    this.#isSoon = true;
    this.#scheduler.soon(() => {
      this.#isSoon = false;
      this.#process.run(() => this.#take(take));
    });
  }

  #take(take: () => void): void {
    if (this.#later !== null) cancel(this.#later);
    this.#later = null;
    take();
  }
}

function patience(event: DriverEvent<unknown>, isPatient: boolean): Micros {
  switch (event.type) {
    case 'tick':
      return isPatient ? tickWaits : 0;
    case 'acted':
      return event.outcome.kind === 'done' ? ofReport(event.outcome.value as Value, isPatient) : 0;
    case 'answer':
      if (event.outcome.kind !== 'done') return 0;
      return event.outcome.value.type === 'view' || isPlainWord(event.outcome.value) ? noticeWaits : 0;
    case 'request':
      return event.request.type === 'state' || event.request.type === 'inquire' ? noticeWaits : 0;
    default:
      return 0;
  }
}

type Value = { readonly kind: string; readonly report?: { readonly class?: string } };

function ofReport({ kind, report }: Value, isPatient: boolean): Micros {
  if (kind === 'looked' || kind === 'server') return isPatient ? lookWaits : 0;
  if (kind === 'fuse') return fuseWaits;
  if (kind === 'instances') return probeWaits;
  const isProbe = kind === 'primary' || kind === 'standby' || kind === 'balancer';
  return isProbe && report?.class !== 'timeout' && report?.class !== 'write-stalled' ? probeWaits : 0;
}

/** What an agent answers to an inquiry: nothing is granted or refused. */
function isPlainWord(answer: Answer): boolean {
  return answer.type === 'guard-answer' && answer.refusal === null && answer.granted === null;
}
