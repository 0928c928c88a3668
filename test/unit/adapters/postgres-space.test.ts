// V1: a full volume, and what is not known of one.

import assert from 'node:assert/strict';
import { mock, test } from 'node:test';
import { createSpace } from '../../../src/adapters/postgres/space.ts';

const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** Asks for ever as a guard does, every 100 ms of a clock of its own. */
function watch(room: () => Promise<number>) {
  let now = 0;
  mock.method(performance, 'now', () => now);
  const space = createSpace('/data', room);
  return async (ms: number): Promise<boolean> => {
    for (const end = now + ms; now < end; now += 100) {
      space.isFull();
      await settled();
    }
    return space.isFull();
  };
}

test('a volume is full with less room than for a few pages, and not any more once there is some', async () => {
  let bytes = 1e9;
  const after = watch(() => Promise.resolve(bytes));
  assert.equal(await after(600), false);
  bytes = 32 * 8192 - 1;
  assert.equal(await after(600), true);
  bytes = 32 * 8192;
  assert.equal(await after(600), false);
});

test('one that answers no more, or refuses to, is full for some seconds at most; nothing waits for it', async () => {
  for (const silent of [() => new Promise<number>(() => undefined), () => Promise.reject(new Error('EIO'))]) {
    let answers = true;
    let asked = 0;
    const after = watch(() => {
      asked += 1;
      return answers ? Promise.resolve(0) : silent();
    });
    assert.equal(await after(600), true);
    answers = false;
    assert.equal(await after(4000), true);
    assert.equal(await after(2000), false);
    assert.ok(asked < 20, `${asked}`);
  }
});
