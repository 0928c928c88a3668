// What a run was caught at. The first one counts; what follows it is its consequence.

import type { Trace } from '../engine/trace.ts';

export type InvariantId = 'I1' | 'I2' | 'I3' | 'I4' | 'I5' | 'I6' | 'I7' | 'I8' | 'bug' | 'bound';

export type Violation = { readonly id: InvariantId; readonly sentence: string };

export class Violations {
  readonly all: Violation[] = [];
  readonly #trace: Trace;

  constructor(trace: Trace) {
    this.#trace = trace;
  }

  add(id: InvariantId, sentence: string): void {
    // A broken world goes on breaking: enough to understand it.
    if (this.all.length >= 20) return;
    this.all.push({ id, sentence });
    this.#trace.line('CHECKER', `${id} violated`, sentence);
  }
}
