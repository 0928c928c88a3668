import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createClock } from '../../../src/adapters/clock/clock.ts';
import { createRandomSource } from '../../../src/adapters/clock/random.ts';

test('readings are whole tens of milliseconds and never go back', () => {
  const clock = createClock();
  let last = 0;
  const end = performance.now() + 100;
  while (performance.now() < end) {
    const now = clock.now();
    assert.equal(now % 10, 0);
    assert.ok(now >= last);
    last = now;
  }
});

test('a wake comes once its time is reached, never before; one that was taken back never', async () => {
  const clock = createClock();
  const at = clock.now() + 57;
  const woken = new Promise<number>((resolve) => clock.wakeAt(at, () => resolve(clock.now())));
  let taken = false;
  clock.wakeAt(at, () => {
    taken = true;
  })();
  assert.ok((await woken) >= at);
  assert.equal(taken, false);
  await new Promise<void>((resolve) => clock.wakeAt(at - 1000, resolve));
});

test('128 random bits, other ones each time', () => {
  const random = createRandomSource();
  assert.match(random.bits(), /^[0-9a-f]{32}$/);
  assert.notEqual(random.bits(), random.bits());
});
