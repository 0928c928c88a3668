import assert from 'node:assert/strict';
import { test } from 'node:test';
import { stagesOf } from '../../../scripts/suites.ts';
import { STRIKES } from '../../chaos/faults/strike.ts';
import { KINDS, kindOf } from '../../chaos/plan/kinds.ts';
import type { Plan } from '../../chaos/plan/plan.ts';
import { makePlan, showFault } from '../../chaos/plan/plan.ts';

const options = { relayMs: 35, replication: 'mixed' } as const;
const plans: readonly Plan[] = Array.from({ length: 2000 }, (_, seed) => makePlan({ ...options, seed }));

test('the same seed gives the same plan, another seed another one', () => {
  assert.deepEqual(makePlan({ ...options, seed: 7 }), makePlan({ ...options, seed: 7 }));
  assert.equal(new Set(plans.map(({ faults }) => JSON.stringify(faults))).size, plans.length);
});

test('every kind is drawn, and there is somebody who can strike it', () => {
  const drawn = new Set(plans.flatMap(({ faults }) => faults.map(({ kind }) => kind)));
  assert.deepEqual([...drawn].sort(), KINDS.map(({ name }) => name).sort());
  for (const { name } of KINDS) assert.ok(STRIKES[name] !== undefined, name);
  assert.equal(Object.keys(STRIKES).length, KINDS.length);
});

test('the sequences of `make test-slow` strike every kind, in both modes and with both witnesses', () => {
  const command =
    stagesOf('slow')
      ?.flat()
      .find(({ name }) => name === 'chaos')?.command ?? [];
  const argument = (name: string): number => Number(command[command.indexOf(name) + 1]);
  const ours = Array.from({ length: argument('--seeds') }, (_, index) =>
    makePlan({ ...options, seed: argument('--from') + index }),
  );
  const drawn = new Set(ours.flatMap(({ faults }) => faults.map(({ kind }) => kind)));
  assert.deepEqual([...drawn].sort(), KINDS.map(({ name }) => name).sort());
  const settings = new Set(ours.map(({ replication, witness }) => `${replication} ${witness}`));
  assert.equal(settings.size, 4);
});

test('faults keep their shortest time, and are over soon enough for a sequence of two minutes', () => {
  for (const { seed, faults } of plans) {
    assert.ok(faults.length > 0, `seed ${seed}`);
    for (const fault of faults) {
      const { lasts } = kindOf(fault.kind);
      assert.ok(fault.forMs >= lasts[0] * 1000 && fault.forMs <= lasts[1] * 1000, showFault(fault));
      assert.ok(fault.atMs + fault.forMs <= 72_000, `seed ${seed} ${showFault(fault)}`);
    }
  }
});

test('no host has two faults at once, so guard and fuse of one database never both', () => {
  for (const { seed, faults } of plans) {
    for (const one of faults) {
      for (const other of faults) {
        if (one.id >= other.id || other.atMs >= one.atMs + one.forMs) continue;
        const [a, b] = [kindOf(one.kind).holds, kindOf(other.kind).holds];
        const same = one.role === other.role && (a === b || a === 'site' || b === 'site') && one.role !== null;
        const both = `seed ${seed} ${showFault(one)}, ${showFault(other)}`;
        assert.ok(!same || a === 'line' || b === 'line', both);
        assert.ok(!(a === 'line' && b === 'line'), both);
      }
    }
  }
});

test('the options are what they say', () => {
  const only = ['cut', 'switchover'];
  for (let seed = 0; seed < 50; seed += 1) {
    const plan = makePlan({ seed, relayMs: 0, replication: 'zero-loss', witness: 'agent', only });
    assert.equal(plan.replication, 'zero-loss');
    assert.equal(plan.witness, 'agent');
    assert.ok(plan.faults.every(({ kind }) => only.includes(kind)));
  }
  const quick = plans.filter(({ witness }) => witness === 'agent').flatMap(({ faults }) => faults);
  assert.ok(quick.every(({ kind }) => !kind.startsWith('zone-')));
  const short = makePlan({ ...options, relayMs: 0, seed: 1, only: ['slow-line', 'cut'] });
  assert.ok(short.faults.every(({ kind }) => kind === 'cut'));
});
