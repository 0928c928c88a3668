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
  /** What the driver catches, as it catches whatever a port throws, would be lost: broken laws are collected. */
  const broken: string[] = [];
  const law = (holds: boolean, sentence: string) => {
    if (!holds) broken.push(sentence);
  };
  const onDisk = new Set<number>();
  const safe = (step: number) => steps.slice(0, step + 1).every((plan, index) => !plan.persist || onDisk.has(index));
  const acted = new Set<number>();
  const disk: Waiting[] = [];
  const acts: (Waiting & { readonly target: string; readonly mayGoOn: () => boolean })[] = [];
  const fences: Waiting[] = [];
  const asks: Waiting[] = [];
  const running = new Map<string, number>();
  let taken = 0;
  let fencedAt = -1;
  /** Steps whose fence has begun. */
  const begun = new Set<number>();
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
        const step = document as number;
        law(steps[step]?.fence !== true || begun.has(step), `step ${step} was saved before its fence began`);
        return hold(disk, step, undefined, {}, () => onDisk.add(step));
      },
    },
    log: { event: () => {}, flush: () => {} },
    peers: {
      ask: (_to, _request, step) => {
        law(safe(step), `sent before step ${step} was on disk`);
        law(!acted.has(step), `step ${step} acted before it sent`);
        return hold(asks, step, { type: 'ack' as const, ok: true, why: '', steps: [] });
      },
    },
    register: null,
    perform: (deed, { mayGoOn }) => {
      const [number = '', target = ''] = deed.kind.split(':');
      const step = Number(number);
      acted.add(step);
      law(safe(step), `acted before step ${step} was on disk`);
      law(step >= fencedAt, `step ${step} was decided before the fence of step ${fencedAt}`);
      law((running.get(target) ?? 0) === 0, `two acts on ${target}`);
      running.set(target, 1);
      return hold(acts as Waiting[], step, '', { target, mayGoOn }, () => running.set(target, 0));
    },
    fence: {
      now: () => {
        begun.add(fencedAt);
        return hold(fences, fencedAt, undefined);
      },
      at: () => null,
    },
    onFatal: (reason) => law(false, reason),
  });

  for (const { kind, pick } of script) {
    if (kind === 'request') driver.handle('site1-agent', { type: 'status' }, () => {});
    else if (kind === 'pass') clock.pass(pick % 2000);
    else {
      const list = { disk, act: acts as Waiting[], fenced: fences, answer: asks }[kind];
      list.splice(pick % Math.max(1, list.length), 1)[0]?.settle();
    }
    await settled();
    for (const { step, mayGoOn } of acts) law(mayGoOn() === step >= fencedAt, `a fence tells what runs: step ${step}`);
  }
  for (let left = 0; left < 200 && disk.length + acts.length + fences.length + asks.length > 0; left += 1) {
    for (const list of [disk, acts as Waiting[], fences, asks]) list.splice(0, 1)[0]?.settle();
    await settled();
  }
  return { broken, left: disk.length + acts.length + fences.length + asks.length };
}

test('whatever comes back when: disk before word before deed, one deed at a time, none across a fence', async () => {
  await fc.assert(
    fc.asyncProperty(plans, moves, async (steps, script) => {
      const { broken, left } = await run(steps, script);
      assert.deepEqual(broken, []);
      assert.equal(left, 0, 'everything that was begun came to its end');
    }),
    { numRuns: 500 },
  );
});
