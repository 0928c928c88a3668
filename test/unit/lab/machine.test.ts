/** The lab where the machine is too weak for two of them, and for its times. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setImmediate } from 'node:timers/promises';
import { Machine } from '../../lab/scenarios/run/machine.ts';

test('labs run side by side until the machine was found too weak for two', async () => {
  const machine = new Machine();
  await machine.take();
  assert.equal(machine.mustWait, false);
  await machine.take();
  assert.equal(machine.isShared, true);

  machine.oneLabAtATime();
  assert.equal(machine.mustWait, true);
  assert.equal(machine.isShared, true, 'two are still at it');
  machine.give();
  assert.equal(machine.isShared, false);
});

test('whoever waits is next when one is given back, and only then', async () => {
  const machine = new Machine();
  machine.oneLabAtATime();
  await machine.take();
  const order: string[] = [];
  const second = machine.take().then(() => order.push('second'));
  const third = machine.take().then(() => order.push('third'));

  await setImmediate();
  assert.deepEqual(order, []);
  machine.give();
  await second;
  await setImmediate();
  assert.deepEqual(order, ['second'], 'the third one waits for the second');
  machine.give();
  await third;
  assert.deepEqual(order, ['second', 'third']);
});

test('rounds that only took too long are measured again twice in all, on whatever scenario', () => {
  const machine = new Machine();
  assert.deepEqual(
    [machine.mayMeasureAgain(), machine.mayMeasureAgain(), machine.mayMeasureAgain()],
    [true, true, false],
  );
});
