import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Answer } from '../../../src/core/messages.ts';
import { done, rejected, unknown } from '../../../src/core/outcome.ts';
import { act, ask, ok, saved, settled, world } from './world.ts';

const yes: Answer = { type: 'ack', ok: true, why: '', steps: [] };

test('one step: fence, then persist, and only when it is on disk send, then act', async () => {
  const w = world();
  w.step({ fence: true, persist: {}, send: [ask(1)], act: [act(2, 'start')] });
  await settled();
  assert.deepEqual(w.happened, ['step:request', 'fence', 'persist']);
  await w.saves.calls[0]!.settle(saved);
  assert.deepEqual(w.happened, ['step:request', 'fence', 'persist', 'ask:site2-agent', 'act:start']);
});

test('without a persist sends and acts go at once, sends first', () => {
  const w = world();
  w.step({ send: [ask(1)], act: [act(2, 'look')] });
  assert.deepEqual(w.happened, ['step:request', 'ask:site2-agent', 'act:look']);
});

test('no step runs while a persist is under way; what came meanwhile is one step, in order', async () => {
  const w = world();
  w.step({ persist: {}, wakeAt: 1200 });
  w.clock.pass(500);
  w.driver.handle('site2-agent', { type: 'status' }, () => {});
  assert.deepEqual(w.happened, ['step:request', 'persist']);
  await w.saves.calls[0]!.settle(saved);
  assert.deepEqual(w.happened, ['step:request', 'persist', 'step:several']);
  const taken = w.events[1];
  assert.deepEqual(taken?.type === 'several' && taken.events.map(({ type }) => type), ['tick', 'request']);
});

test('V5: one that may fail is told of, and its step goes on', async () => {
  const w = world();
  w.step({ persist: {}, mayFail: true, send: [ask(1)] });
  await w.saves.calls[0]!.settle(unknown('ENOSPC'));
  assert.deepEqual(w.happened, ['step:request', 'persist', 'ask:site2-agent']);
  w.step({ persist: {}, mayFail: true });
  assert.equal(w.saves.calls.length, 2, 'it goes on');
});

for (const outcome of [rejected('too-large', 'x'), unknown('EIO')]) {
  test(`a persist that is ${outcome.kind} drops the step's sends and acts and ends the process`, async () => {
    const w = world();
    w.step({ persist: {}, send: [ask(1)], act: [act(2, 'start')] });
    await w.saves.calls[0]!.settle(outcome);
    assert.deepEqual(w.happened, ['step:request', 'persist']);
    assert.equal(w.fatal.length, 1);
    w.driver.start();
    assert.equal(w.events.length, 1, 'no event is taken any more');
  });
}

test('a core that throws ends the process', () => {
  const w = world({
    step: () => {
      throw new Error('bug');
    },
  });
  w.driver.start();
  assert.match(w.fatal.join(), /bug/);
});

test('a core that answers each event by an act that fails at once is stopped', () => {
  let id = 0;
  const w = world({
    step: (state, event) => ({
      state,
      effects: {
        fence: false,
        persist: null,
        send: [],
        // The target is full after the first step: every further act fails at once.
        act: Array.from({ length: event.type === 'tick' ? 66 : 1 }, () => act(++id, 'look')),
      },
      trace: [],
      wakeAt: Number.MAX_SAFE_INTEGER,
    }),
  });
  w.driver.start();
  assert.match(w.fatal.join(), /spins/);
});

test('every ask comes back as one event, a port that throws as unknown', async () => {
  const w = world({ peers: { ask: () => Promise.reject(new Error('bug')) } });
  w.step({ send: [ask(7)] });
  await settled();
  assert.deepEqual(w.events[1], { type: 'answer', id: 7, outcome: unknown('Error: bug') });
});

test('the register: read as text and meaning, swapped as text, absent where there is none', async () => {
  const none = world();
  none.step({ send: [{ kind: 'register-read', id: 1, deadlineMs: 100 }] });
  await settled();
  assert.ok(none.events[1]?.type === 'register-read' && none.events[1].outcome.kind === 'rejected');

  const values = ['siteward1 nonsense', null];
  const register = { read: () => Promise.resolve(done(values.shift() ?? null)), swap: () => Promise.resolve(saved) };
  const w = world({ register });
  w.step({ send: [1, 2].map((id) => ({ kind: 'register-read', id, deadlineMs: 100 }) as const) });
  await settled();
  const read = (text: string | null, state: 'absent' | 'unreadable') => done({ text, state });
  assert.deepEqual(w.events.slice(1), [
    { type: 'register-read', id: 1, outcome: read('siteward1 nonsense', 'unreadable') },
    { type: 'register-read', id: 2, outcome: read(null, 'absent') },
  ]);
});

test('a reply goes to who asked, once', () => {
  const w = world();
  const answers: Answer[] = [];
  w.onNext('request', { send: [1, 1, 99].map((replyTo) => ({ kind: 'reply', replyTo, answer: yes }) as const) });
  w.driver.handle('site1-guard', { type: 'status' }, (answer) => void answers.push(answer));
  assert.deepEqual(answers, [yes]);
});

test('more requests than the limit are told that this process is busy; the core does not see them', async () => {
  const w = world({ requestLimit: 2 });
  w.step({ persist: {} });
  const answers: Answer[] = [];
  for (let i = 0; i < 4; i += 1)
    w.driver.handle('site1-guard', { type: 'status' }, (answer) => void answers.push(answer));
  assert.deepEqual(
    answers.map((answer) => answer.type === 'ack' && answer.why),
    ['busy', 'busy'],
  );
  await w.saves.calls[0]!.settle(saved);
  const taken = w.events[1];
  assert.equal(taken?.type === 'several' && taken.events.length, 2);
});

test('a fence that ended is told apart from whatever waits beside it', async () => {
  const w = world();
  w.step({ persist: {}, fence: true });
  await w.fences.calls[0]!.settle(saved);
  w.driver.handle('site2-agent', { type: 'status' }, () => {});
  w.driver.handle('site1-agent', { type: 'status' }, () => {});
  await w.saves.calls[0]!.settle(saved);
  assert.deepEqual(w.happened.slice(-2), ['step:fenced', 'step:several']);
});

test('on one target one act at a time, in order; targets do not wait for each other', async () => {
  const w = world();
  w.step({ act: [act(1, 'first'), act(2, 'second'), act(3, 'other', 'dns')] });
  assert.deepEqual(w.happened.slice(1), ['act:first', 'act:other']);
  await w.acts.calls[0]!.settle(ok);
  assert.deepEqual(w.happened.slice(1), ['act:first', 'act:other', 'step:acted', 'act:second']);
  assert.deepEqual(w.events[1], { type: 'acted', id: 1, outcome: ok });
});

test('notAfter is checked right before the act, whatever time it waited', async () => {
  const w = world();
  w.step({ act: [act(1, 'first'), act(2, 'late', 'database', 1100), act(3, 'in-time', 'database', 1200)] });
  w.clock.jump(150);
  await w.acts.calls[0]!.settle(ok);
  assert.deepEqual(w.happened.slice(1), ['act:first', 'step:acted', 'step:acted', 'act:in-time']);
  assert.deepEqual(w.events[2], { type: 'acted', id: 2, outcome: { kind: 'expired' } });
  assert.equal(w.terms[1]!.mayGoOn(), true);
  w.clock.jump(60);
  assert.equal(w.terms[1]!.mayGoOn(), false, 'and again right before each side effect');
});

test('an act that never comes back is unknown at last, may do nothing more, and blocks nobody', async () => {
  const w = world();
  w.step({ act: [act(1, 'first'), act(2, 'second')] });
  w.clock.pass(5000);
  await settled();
  assert.deepEqual(w.happened.slice(1), ['act:first']);
  w.clock.pass(500);
  await settled();
  assert.deepEqual(w.happened.slice(1), ['act:first', 'step:acted', 'act:second']);
  assert.deepEqual(w.logged, ['act.overdue']);
  assert.equal(w.terms[0]!.mayGoOn(), false);
  await w.acts.calls[0]!.settle(ok);
  assert.equal(w.events.length, 2, 'what it says later is not heard');
});

test('a tick that comes more than a second late is reported', () => {
  const w = world();
  w.step({ wakeAt: 1100 });
  w.clock.jump(1500);
  w.clock.pass(10);
  assert.deepEqual(w.logged, ['loop.stalled']);
  assert.equal(w.events[1]?.type, 'tick');
});

test('stop waits for the persist that is under way and lets nothing out after it', async () => {
  const w = world();
  w.step({ persist: {}, send: [ask(1)] });
  const stopped = w.driver.stop();
  await w.saves.calls[0]!.settle(saved);
  await stopped;
  assert.deepEqual(w.happened, ['step:request', 'persist']);
  assert.deepEqual(w.fatal, []);
});

test('effects are named once they are complete', async () => {
  const names: string[] = [];
  const w = world({ afterEffect: (name) => void names.push(name), namePersist: () => ['accepted'] });
  w.step({ persist: {}, send: [ask(1), { kind: 'reply', replyTo: 1, answer: yes }], act: [act(2, 'switch-env')] });
  assert.deepEqual(names, []);
  await w.saves.calls[0]!.settle(saved);
  assert.deepEqual(names, ['persist', 'persist:accepted', 'reply:ack']);
  await w.asks.calls[0]!.settle(done(yes));
  await w.acts.calls[0]!.settle(ok);
  assert.deepEqual(names.slice(3), ['send:status', 'act:switch-env']);
});
