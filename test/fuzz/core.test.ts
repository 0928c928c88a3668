// Whatever can be decoded is fed to the cores, from whoever may ask it: agent, guard and witness never throw, never go
// back on what they promised, never write what they could not read again, and never say what could not be sent. What
// cannot be decoded does not reach them, and what is of another cluster changes nothing durable.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isDeepStrictEqual } from 'node:util';
import fc from 'fast-check';
import { agentStep } from '../../src/core/agent/step.ts';
import type { Effects } from '../../src/core/effects.ts';
import { emptyGuardDurable, startGuard } from '../../src/core/guard/state.ts';
import { guardStep } from '../../src/core/guard/step.ts';
import type { Answer, Request } from '../../src/core/messages.ts';
import { done, type Outcome, rejected, unknown } from '../../src/core/outcome.ts';
import { compareBallots } from '../../src/core/quorum/ballot.ts';
import { compareEpochs, type EpochId } from '../../src/core/quorum/record.ts';
import type { VoterDurable } from '../../src/core/quorum/voter.ts';
import type { PeerId } from '../../src/core/site.ts';
import type { Moment } from '../../src/core/time.ts';
import { startWitness, witnessStep } from '../../src/core/witness/step.ts';
import { mayAsk } from '../../src/wire/allowed.ts';
import { createCodec } from '../../src/wire/codec.ts';
import { readAgentDurable, readGuardDurable, readWitnessDurable, stateDocument } from '../../src/wire/state-files.ts';
import { spoken } from '../../src/wire/versions.ts';
import { answers, requests } from '../property/wire-values.ts';
import { state as agentAtNight, night, now } from '../unit/agent-state.ts';
import { at, deepFreeze, durable, epoch, rules, settings } from '../unit/core-builders.ts';
import { runs } from './kit.ts';

type Role = 'agent' | 'guard' | 'witness';
type Fed =
  | { readonly kind: 'tick' }
  | { readonly kind: 'request'; readonly from: PeerId; readonly request: Request }
  | { readonly kind: 'answer'; readonly which: number; readonly outcome: Outcome<Answer> };
type Core = {
  /** One event; gives the effects. */
  step(fed: Fed, moment: Moment): Effects<unknown, unknown>;
  voter(): VoterDurable | null;
  noted(): EpochId | null;
};

const codec = createCodec(spoken);
const peers: readonly PeerId[] = [
  'site1-agent',
  'site2-agent',
  'site1-guard',
  'site2-guard',
  'witness',
  'operator:ann',
];
const nameOf: Readonly<Record<Role, PeerId>> = { agent: 'site2-agent', guard: 'site1-guard', witness: 'witness' };

/** Numbers near what the cores hold, so that a message is not just refused for its first field. */
const near: Readonly<Record<string, number>> = {
  counter: 9,
  epoch: 4,
  number: 2,
  start: 3,
  seq: 8,
  position: 3000,
  serial: 9,
};
function closer<T>(value: T, words: boolean): T {
  const close = (key: string, inner: unknown): unknown => {
    const limit = near[key];
    if (limit !== undefined && typeof inner === 'number') return inner % limit;
    if (words && key === 'cluster' && typeof inner === 'string') return 'c-1';
    return words && key === 'voters' && typeof inner === 'string' ? 'three' : inner;
  };
  return JSON.parse(JSON.stringify(value), (key, inner: unknown) => close(key, inner)) as T;
}

const mostly = <T>(value: T) => fc.constantFrom(true, true, true, false).map((ours) => closer(value, ours));
/** What came out of the decoder; null where it was not understood. */
const decodedRequest = requests.chain(mostly).map((request) => {
  const encoded = codec.encodeRequest(request, spoken.newest);
  const decoded = encoded.kind === 'good' ? codec.decodeRequest(encoded.value) : encoded;
  return decoded.kind === 'good' ? decoded.value : null;
});
const outcome = fc.oneof(
  answers.chain(mostly).map((answer) => done(answer)),
  fc.constantFrom(unknown('silence'), rejected('unreachable', 'gone'), rejected('version', 'speaks 1-1')),
) as fc.Arbitrary<Outcome<Answer>>;
const fed = fc.oneof(
  { weight: 1, arbitrary: fc.constant<Fed>({ kind: 'tick' }) },
  {
    weight: 4,
    arbitrary: fc
      .tuple(fc.constantFrom(...peers), decodedRequest)
      .map(([from, request]): Fed => (request === null ? { kind: 'tick' } : { kind: 'request', from, request })),
  },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('answer' as const), which: fc.nat({ max: 7 }), outcome }) },
);
const story = fc.array(fc.tuple(fed, fc.constantFrom(0, 1, 10, 400, 1000, 3000, 20_000)), {
  minLength: 1,
  maxLength: 25,
});

const readers = { agent: readAgentDurable, guard: readGuardDurable, witness: readWitnessDurable };
const plain = (value: unknown): unknown => JSON.parse(JSON.stringify(value)) as unknown;

for (const witness of ['route53', 'agent', 'none'] as const) {
  test(`an agent with witness ${witness} bears whatever it is told`, () => tell('agent', () => agentCore(witness)));
}
test('a guard bears whatever it is told', () => tell('guard', guardCore));
test('a witness bears whatever it is told', () => tell('witness', witnessCore));

function tell(role: Role, start: () => Core): void {
  fc.assert(
    fc.property(story, (events) => {
      const core = start();
      let time = now;
      for (const [event, later] of events) {
        if (event.kind === 'request' && !mayAsk(event.from, nameOf[role], event.request.type)) continue;
        const moment = { ...night, now: time, wall: night.wall + time - now };
        // What was due by time alone is done before, so that what follows comes of the event.
        canBeWritten(role, core.step({ kind: 'tick' }, moment));
        const before = { voter: core.voter(), noted: core.noted() };
        const effects = core.step(event, moment);
        neverBack(before, core, event);
        canBeWritten(role, effects);
        canBeSaid(effects);
        time += later;
      }
    }),
    runs(150),
  );
}

function neverBack(
  before: Pick<Readonly<{ voter: VoterDurable | null; noted: EpochId | null }>, 'voter' | 'noted'>,
  core: Core,
  event: Fed,
): void {
  const [old, held] = [before.voter, core.voter()];
  if (old !== null && held !== null) {
    assert.ok(compareBallots(held.promised, old.promised) >= 0, 'Q2: a promise is never taken back');
    if (old.accepted !== null) {
      assert.ok(held.accepted !== null && compareBallots(held.accepted.ballot, old.accepted.ballot) >= 0, 'Q3');
    }
    if (old.chosen !== null)
      assert.ok(held.chosen !== null && compareEpochs(held.chosen.record, old.chosen.record) >= 0, 'I2');
    assert.ok(held.longestTtlMs >= old.longestTtlMs, 'L4');
    const foreign = event.kind === 'request' && 'cluster' in event.request && event.request.cluster !== 'c-1';
    if (foreign && event.request.type !== 'chosen') assert.deepEqual(held, old, 'of another cluster');
  }
  const [oldNoted, noted] = [before.noted, core.noted()];
  if (oldNoted !== null)
    assert.ok(noted !== null && compareEpochs(noted, oldNoted) >= 0, 'L10: noted epochs never go back');
}

function canBeWritten(role: Role, { persist }: Effects<unknown, unknown>): void {
  if (persist === null) return;
  const document = plain(stateDocument(role, persist));
  assert.ok(
    isDeepStrictEqual(plain(readers[role](document)), plain(persist)),
    `unreadable: ${JSON.stringify(document)}`,
  );
}

function canBeSaid({ send }: Effects<unknown, unknown>): void {
  for (const each of send) {
    if (each.kind !== 'ask' && each.kind !== 'reply') continue;
    const said =
      each.kind === 'ask'
        ? codec.encodeRequest(each.request, spoken.newest)
        : codec.encodeAnswer(each.answer, spoken.newest);
    assert.equal(said.kind, 'good', JSON.stringify(said.kind === 'bad' ? [said.problem, each] : ''));
  }
}

/** Answers go to what is awaited; what was asked of the world stays undone. */
function coreOf<State, Event, Durable, Deed>(
  initial: State,
  step: (
    state: State,
    event: Event,
    moment: Moment,
  ) => { readonly state: State; readonly effects: Effects<Durable, Deed> },
  voter: (state: State) => VoterDurable | null,
  noted: (state: State) => EpochId | null,
): Core {
  let state = initial;
  const awaited: number[] = [];
  const eventOf = (event: Fed): Event => {
    if (event.kind === 'tick') return { type: 'tick' } as Event;
    if (event.kind === 'request')
      return { type: 'request', from: event.from, request: event.request, replyTo: 1 } as Event;
    const [id] = awaited.splice(event.which % Math.max(1, awaited.length), 1);
    return (id === undefined ? { type: 'tick' } : { type: 'answer', id, outcome: event.outcome }) as Event;
  };
  return {
    step: (event, moment) => {
      const result = step(deepFreeze(state), deepFreeze(eventOf(event)), moment);
      state = result.state;
      for (const each of result.effects.send) if (each.kind === 'ask') awaited.push(each.id);
      return result.effects;
    },
    voter: () => voter(state),
    noted: () => noted(state),
  };
}

function agentCore(witness: 'route53' | 'agent' | 'none'): Core {
  return coreOf(
    agentAtNight('site2', witness).state,
    agentStep,
    (state) => state.voter.durable,
    () => null,
  );
}

function guardCore(): Core {
  const disk = { ...emptyGuardDurable, cluster: 'c-1', noted: epoch(1), chosen: at(1), heldFirstLease: true };
  return coreOf(
    startGuard('site1', settings(), disk, now - 60_000, night.wall - 60_000),
    guardStep,
    () => null,
    (state) => state.durable.noted,
  );
}

function witnessCore(): Core {
  return coreOf(
    startWitness({ ...durable(), lastPrimary: null }, false, rules, now - 60_000),
    witnessStep,
    (state) => state.voter.durable,
    () => null,
  );
}
