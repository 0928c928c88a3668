// What must always hold, whatever the voters are asked in whatever order (I1, I2, I3, I6).

import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { type Action, VotersModel } from './voters-model.ts';
import { RegisterVotersModel } from './voters-register.ts';

const runs = Number(process.env['FC_RUNS'] ?? 10);

/** Kinds first: else what can be delivered soon outnumbers everything else. */
function pick(actions: readonly Action[], choice: number): Action | undefined {
  const kinds = [...new Set(actions.map(({ name }) => name))];
  const kind = kinds[choice % kinds.length];
  const same = actions.filter(({ name }) => name === kind);
  return same[Math.floor(choice / kinds.length) % same.length];
}

const worlds = [
  ['three voters with a clock', () => new VotersModel(['site1', 'site2', 'witness'])],
  ['two agents and a register', () => new RegisterVotersModel()],
] as const;
for (const [title, begin] of worlds) {
  test(`${title}: no order of asks breaks I1, I2, I3, I6 or a law of the voter`, () => {
    fc.assert(
      fc.property(fc.array(fc.nat({ max: 1_000_000 }), { minLength: 30, maxLength: 120, size: 'max' }), (choices) => {
        const model = begin();
        for (const choice of choices) pick(model.actions(), choice)?.run();
        assert.deepEqual(model.twin.broken, []);
      }),
      { numRuns: 40 * runs, endOnFailure: true, interruptAfterTimeLimit: 3000 * runs },
    );
  });
}
