// The driver's laws under random steps and random orders of everything that comes back.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { done, type Outcome } from '../../src/core/outcome.ts';
import { createDriver } from '../../src/driver/driver.ts';
import { settled, virtualClock } from '../unit/driver/world.ts';

type Plan = {
  readonly fence: boolean;
  readonly persist: boolean;
  readonly sends: number;
  readonly acts: readonly string[];
};
type Move = { readonly kind: 'request' | 'pass' | 'disk' | 'act' | 'fenced' | 'answer'; readonly pick: number };

const plans: fc.Arbitrary<readonly Plan[]> = fc.array(
  fc.record({
    fence: fc.integer({ min: 0, max: 4 }).map((dice) => dice === 0),
    persist: fc.boolean(),
    sends: fc.nat({ max: 2 }),
    acts: fc.array(fc.constantFrom('database', 'dns'), { maxLength: 3 }),
  }),
  { minLength: 1, maxLength: 12 },
);
const moves: fc.Arbitrary<readonly Move[]> = fc.array(
  fc.record({ kind: fc.constantFrom('request', 'pass', 'disk', 'act', 'fenced', 'answer'), pick: fc.nat() }),
  { maxLength: 60 },
);

type Waiting = { readonly step: number; readonly settle: () => void };

/** Every effect is named by the number of the step that asked for it. */
async function run(steps: readonly Plan[], script: readonly Move[]) {
  const clock = virtualClock();
  const saved: { step: number; on: boolean }[] = [];
  const log: string[] = [];
  const disk: Waiting[] = [];
  const acts: (Waiting & { readonly target: string; readonly mayGoOn: () => boolean })[] = [];
  const fences: Waiting[] = [];
  const asks: Waiting[] = [];
  const running = new Map<string, number>();
  let taken = 0;
  let fencedAt = -1;
  const hold = <T>(list: Waiting[], step: number, value: T, more: object = {}, then: () => void = () => {}) =>
    new Promise<Outcome<T>>((resolve) => {
      const settle = () => {
        then();
        resolve(done(value));
      };
      list.push({ step, settle, ...more });
    });

  const driver = createDriver<number, never, number, { readonly kind: string }, string>({
    step: (state) => {
      const plan = taken < steps.length ? steps[taken] : undefined;
      const step = taken;
      taken += 1;
      if (plan?.fence === true) fencedAt = step;
      const ids = (count: number) => Array.from({ length: count }, (_, index) => step * 10 + index);
      const effects = {
        fence: plan?.fence ?? false,
        persist: plan?.persist === true ? step : null,
        send: ids(plan?.sends ?? 0).map((id) => ({
          kind: 'ask' as const,
          id,
          to: 'site2-agent' as const,
          request: { type: 'status' as const },
          deadlineMs: step,
        })),
        act: (plan?.acts ?? []).map((target, index) => ({
          id: step * 10 + index,
          target,
          notAfter: null,
          deadlineMs: 1e9,
          deed: { kind: `${step}:${target}` },
        })),
      };
      return { state: state + 1, effects, trace: [], wakeAt: Number.MAX_SAFE_INTEGER };
    },
    initial: 0,
    clock,
    random: { bits: () => '0'.repeat(32) },
    store: {
      save: (document) => {
        const entry = { step: document as number, on: false };
        saved.push(entry);
        return hold(disk, entry.step, undefined, {}, () => {
          entry.on = true;
        });
      },
    },
    log: { event: () => {}, flush: () => {} },
    peers: {
      ask: (_to, _request, step) => {
        log.push(`send ${step}`);
        assert.ok(onDisk(step), `sent before step ${step} was on disk`);
        return hold(asks, step, { type: 'ack' as const, ok: true, why: '', steps: [] });
      },
    },
    register: null,
    perform: (deed, { mayGoOn }) => {
      const [number = '', target = ''] = deed.kind.split(':');
      const step = Number(number);
      log.push(`act ${step}`);
      assert.ok(onDisk(step), `acted before step ${step} was on disk`);
      assert.ok(step >= fencedAt, `step ${step} was decided before the fence of step ${fencedAt}`);
      assert.equal(running.get(target) ?? 0, 0, `two acts on ${target}`);
      assert.equal(log.lastIndexOf(`send ${step}`) > log.indexOf(`act ${step}`), false, 'sends go before acts');
      running.set(target, 1);
      return hold(acts as Waiting[], step, '', { target, mayGoOn }, () => running.set(target, 0));
    },
    fence: {
      now: () => {
        assert.ok(
          saved.every(({ step, on }) => on || step < fencedAt),
          'a fence goes before the persist of its step',
        );
        return hold(fences, fencedAt, undefined);
      },
      at: () => null,
    },
    onFatal: (reason) => assert.fail(reason),
  });
  const onDisk = (step: number) => saved.every((entry) => entry.on || entry.step > step);

  for (const { kind, pick } of script) {
    if (kind === 'request') driver.handle('site1-agent', { type: 'status' }, () => {});
    else if (kind === 'pass') clock.pass(pick % 2000);
    else {
      const list = { disk, act: acts as Waiting[], fenced: fences, answer: asks }[kind];
      list.splice(pick % Math.max(1, list.length), 1)[0]?.settle();
    }
    await settled();
    for (const { step, mayGoOn } of acts) assert.equal(mayGoOn(), step >= fencedAt, 'a fence tells what runs');
  }
  for (let left = 0; left < 200 && disk.length + acts.length + fences.length + asks.length > 0; left += 1) {
    for (const list of [disk, acts as Waiting[], fences, asks]) list.splice(0, 1)[0]?.settle();
    await settled();
  }
  return { asked: taken, left: disk.length + acts.length + fences.length + asks.length };
}

test('whatever comes back when: disk before word before deed, one deed at a time, none across a fence', async () => {
  await fc.assert(
    fc.asyncProperty(plans, moves, async (steps, script) => {
      const { left } = await run(steps, script);
      assert.equal(left, 0, 'everything that was begun came to its end');
    }),
    { numRuns: 500 },
  );
});
