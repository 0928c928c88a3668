import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';
import os from 'node:os';
import { test } from 'node:test';
import { createClock } from '../../../src/adapters/clock/clock.ts';
import { createRandomSource } from '../../../src/adapters/clock/random.ts';
import { clockGrainMs } from '../../../src/core/time.ts';

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

/** CLOCK_BOOTTIME as the kernel tells it to anybody. */
const sinceBoot = () => Math.round(Number(readFileSync('/proc/uptime', 'utf8').split(' ', 1)[0]) * 1000);

function assertBetween(reading: number, before: number, after: number): void {
  assert.ok(reading >= before - clockGrainMs && reading <= after, `${before} <= ${reading} <= ${after}`);
}

test('a reading is the time since the boot, whenever this process began', () => {
  const before = sinceBoot();
  const reading = createClock().now();
  assertBetween(reading, before, sinceBoot());
});

const isRoot = process.getuid?.() === 0;
const noNamespace = existsSync('/proc/self/ns/time') ? false : 'this kernel has no time namespaces';
const suspending = { skip: isRoot ? noNamespace : 'needs root for a time namespace' };

// CLOCK_MONOTONIC (process.hrtime) is the same clock until the machine is first suspended, and then it lags: a lease
// would have hours left that are gone for everybody else. A time namespace in which only CLOCK_BOOTTIME is a day ahead
// is what a process sees after a day's suspend.
test('the time that the machine was suspended counts', suspending, () => {
  const day = 24 * 3600;
  const program = `
    import { createClock } from ${JSON.stringify(import.meta.resolve('../../../src/adapters/clock/clock.ts'))};
    console.log(createClock().now());`;
  const node = [process.execPath, '--input-type=module', '--eval', program];
  const before = sinceBoot();
  const printed = execFileSync('unshare', ['--time', '--boottime', String(day), ...node], { encoding: 'utf8' });
  assertBetween(Number(printed) - day * 1000, before, sinceBoot());
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

test('a wake an hour away comes right after a suspend of an hour: timers stood still, the clock did not', async (t) => {
  const clock = createClock();
  let suspended = 0;
  const uptime = os.uptime;
  t.mock.method(os, 'uptime', () => uptime() + suspended);
  syncBuiltinESMExports();
  let takeBack = () => {};
  try {
    const woken = new Promise<string>((resolve) => {
      takeBack = clock.wakeAt(clock.now() + 3_600_000, () => resolve('woken'));
    });
    const deadline = new Promise<string>((resolve) => setTimeout(resolve, 3000, 'not within 3 s').unref());
    suspended = 3600;
    assert.equal(await Promise.race([woken, deadline]), 'woken');
  } finally {
    takeBack();
    t.mock.restoreAll();
    syncBuiltinESMExports();
  }
});

test('128 random bits, other ones each time', () => {
  const random = createRandomSource();
  assert.match(random.bits(), /^[0-9a-f]{32}$/);
  assert.notEqual(random.bits(), random.bits());
});
