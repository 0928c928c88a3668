import assert from 'node:assert/strict';
import { test } from 'node:test';
import { unknown } from '../../../src/core/outcome.ts';
import { act, ok, saved, settled, world } from './world.ts';

test('a persist that hangs does not hold up the fence: the alarm rings at the time that the state tells', async () => {
  const w = world();
  w.step({ persist: {}, fenceAt: 1500 });
  w.clock.pass(490);
  assert.deepEqual(w.happened, ['step:request', 'persist']);
  w.clock.pass(10);
  assert.deepEqual(w.happened, ['step:request', 'persist', 'fence']);
  assert.deepEqual(w.logged, ['fence.alarm']);
  await w.fences.calls[0]!.settle(saved);
  await w.saves.calls[0]!.settle(saved);
  assert.deepEqual(w.events[1], { type: 'fenced', outcome: saved }, 'the core learns of it when it can');
});

test('what was decided before an alarm is not done after it', async () => {
  const w = world();
  w.step({ persist: {}, fenceAt: 1500, act: [act(1, 'start-primary')] });
  w.clock.pass(600);
  await w.saves.calls[0]!.settle(saved);
  assert.ok(!w.happened.includes('act:start-primary'));
  assert.deepEqual(w.events[1], { type: 'acted', id: 1, outcome: { kind: 'cancelled' } });
});

test('a loop that stood still fences before it takes the next event', () => {
  const w = world();
  w.step({ fenceAt: 1500 });
  w.clock.jump(5000);
  w.step({});
  assert.deepEqual(w.happened, ['step:request', 'fence', 'step:request']);
});

test('a later lease moves the alarm, none takes it away', () => {
  const w = world();
  w.step({ fenceAt: 1500 });
  w.step({ fenceAt: 2500 });
  w.clock.pass(1000);
  assert.ok(!w.happened.includes('fence'));
  w.step({ fenceAt: null });
  w.clock.pass(5000);
  assert.ok(!w.happened.includes('fence'));
});

test('an alarm rings once, and again for another time', async () => {
  const w = world();
  w.step({ fenceAt: 1500 });
  w.clock.pass(600);
  await w.fences.calls[0]!.settle(saved);
  w.step({});
  w.clock.pass(600);
  assert.equal(w.fences.calls.length, 1);
  w.step({ fenceAt: 3000 });
  w.clock.pass(1000);
  assert.equal(w.fences.calls.length, 2);
});

test('a fence cancels what waits, tells what runs, and lets the acts of its own step go', async () => {
  const w = world();
  w.step({ act: [act(1, 'promote'), act(2, 'beat'), act(3, 'look', 'files')] });
  w.step({ fence: true, act: [act(4, 'clear-deadline', 'fuse')] });
  assert.equal(w.terms[0]!.mayGoOn(), false);
  assert.deepEqual(w.happened, [
    'step:request',
    'act:promote',
    'act:look',
    'step:request',
    'fence',
    'act:clear-deadline',
    'step:acted',
  ]);
  assert.deepEqual(w.events[2], { type: 'acted', id: 2, outcome: { kind: 'cancelled' } });
  await w.acts.calls[0]!.settle(unknown('killed'));
  assert.deepEqual(
    w.events.at(-1),
    { type: 'acted', id: 1, outcome: unknown('killed') },
    'the running one says how it ended',
  );
});

test('one that is asked for while one is under way begins at once; there is one event, when both have ended', async () => {
  const w = world();
  w.step({ fenceAt: 1500 });
  w.clock.jump(600);
  w.step({ fence: true });
  assert.equal(w.fences.calls.length, 2);
  await w.fences.calls[1]!.settle(saved);
  assert.ok(!w.happened.includes('step:fenced'));
  await w.fences.calls[0]!.settle(unknown('somebody was left'));
  assert.deepEqual(
    w.events.filter((event) => event.type === 'fenced'),
    [{ type: 'fenced', outcome: saved }],
    'what the later one found counts',
  );
});

test('a fence that hangs is unknown at last', async () => {
  const w = world();
  w.step({ fence: true });
  w.clock.pass(5000);
  await settled();
  const event = w.events[1];
  assert.ok(event?.type === 'fenced' && event.outcome.kind === 'unknown');
});

test('a fence that throws is reported as unknown', async () => {
  const fence = { now: () => Promise.reject(new Error('bug')), at: () => null };
  const w = world({ fence });
  w.step({ fence: true });
  await settled();
  assert.deepEqual(w.events[1], { type: 'fenced', outcome: unknown('Error: bug') });
  w.step({ act: [act(1, 'look')] });
  await w.acts.calls[0]!.settle(ok);
});
