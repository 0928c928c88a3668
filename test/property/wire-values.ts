// Arbitrary messages, as the core may make them: the generators of the wire's properties.

import fc from 'fast-check';
import type { Answer, Request } from '../../src/core/messages.ts';
import type { RegisterState } from '../../src/core/quorum/register-state.ts';

const site = fc.constantFrom('site1' as const, 'site2' as const);
const voter = fc.constantFrom('site1' as const, 'site2' as const, 'witness' as const);
const count = fc.nat({ max: Number.MAX_SAFE_INTEGER });
const ms = fc.nat({ max: 86_400_000 });
const ttlMs = fc.integer({ min: 1, max: 86_400_000 });
const maybe = <T>(value: fc.Arbitrary<T>) => fc.option(value, { nil: null });
const text = (maxLength: number) => fc.string({ maxLength, unit: 'binary' });

const name = fc.string({ minLength: 1, maxLength: 64, unit: 'binary' });
const ballot = fc.record({ counter: count, voter });
const round = fc.record({ start: count, seq: count });
const era = fc.record({ number: count, site });
const epoch = fc.record({ era, epoch: count });
export const recordOf = (cluster: fc.Arbitrary<string>, words: (limit: number) => fc.Arbitrary<string>) =>
  fc.record({
    cluster,
    era,
    epoch: count,
    primary: site,
    entry: site,
    mode: fc.constantFrom('auto' as const, 'paused' as const),
    sync: fc.boolean(),
    voters: words(64),
    by: words(32),
    at: words(32),
    reason: words(80),
  });
const record = recordOf(name, text);
const accepted = fc.record({ ballot, record });
const addressed = { cluster: name, voters: text(64) };

const status = fc.record({
  site,
  noted: maybe(epoch),
  database: fc.constantFrom('primary', 'standby', 'starting', 'stopping', 'stopped', 'unknown'),
  crashed: fc.boolean(),
  leaseLeftMs: ms,
  fuseAlive: fc.boolean(),
  systemId: maybe(text(20)),
  timeline: maybe(count),
  position: maybe(count),
  quarantineMs: ms,
  restingMs: ms,
  missingMs: ms,
  syncAt: maybe(ballot),
  diskFull: fc.boolean(),
  unheardMs: fc.record({ site1: maybe(ms), site2: maybe(ms) }),
  failsafeOf: maybe(fc.record({ position: count, epoch })),
});
const view = fc.record({
  promised: ballot,
  accepted: maybe(accepted),
  chosen: maybe(accepted),
  bindsMs: ms,
  bindsTo: maybe(site),
  quarantineMs: ms,
  amnesia: fc.boolean(),
  longestTtlMs: maybe(ms),
});
const leaseOf = { ...addressed, epoch, site, round, ttlMs };
const verdict = fc.constantFrom('unknown', 'healthy', 'suspect', 'failed');
const is = <T extends string>(type: T) => fc.constant(type);

const order = fc.oneof(
  fc.record({
    kind: is('failover'),
    to: maybe(site),
    dryRun: fc.boolean(),
    acceptLoss: fc.boolean(),
    force: fc.boolean(),
    otherSideIsDown: fc.boolean(),
  }),
  fc.record({ kind: is('entry'), to: site }),
  fc.record({ kind: is('pause'), reason: text(400) }),
  fc.record({ kind: fc.constantFrom('resume', 'restart') }),
  fc.record({ kind: is('rejoin'), voter, acceptLoss: fc.boolean() }),
);

export const requests = fc.oneof(
  fc.record({ type: is('renew'), ...leaseOf, status }),
  fc.record({ type: is('register-grant'), ...leaseOf }),
  fc.record({ type: is('failsafe'), ...leaseOf, position: maybe(count) }),
  fc.record({ type: is('release'), ...addressed, epoch, site, round, gone: fc.boolean(), position: maybe(count) }),
  fc.record({ type: is('inquire'), ...addressed, status }),
  fc.record({ type: is('sync-off'), ...addressed, epoch, site, ask: round }),
  fc.record({ type: is('prepare'), ...addressed, ballot }),
  fc.record({ type: is('accept'), ...addressed, ballot, record }),
  fc.record({ type: is('chosen'), cluster: name, chosen: accepted }),
  fc.record({
    type: is('state'),
    ...addressed,
    version: count,
    view,
    verdicts: fc.record({ primary: verdict, standby: verdict, entry: verdict, otherEntry: verdict }),
    refusing: fc.boolean(),
    register: maybe(fc.record({ serial: count, nonce: text(64), sinceMs: ms, out: fc.boolean() })),
    lastPrimary: maybe(fc.record({ position: count, epoch })),
    standbyPeak: maybe(fc.record({ position: count, epoch })),
    orderMs: ms,
    orderRefuses: fc.boolean(),
    seenOfYou: maybe(ballot),
    voteOfYou: maybe(ballot),
  }),
  fc.record({ type: is('rejoin'), ...addressed, voter, longestTtlMs: ms }),
  fc.record({
    type: is('rejoined'),
    ...addressed,
    ticket: text(64),
    accepted,
    chosen: fc.boolean(),
    registerSerial: count,
  }),
  fc.record({ type: is('refusing'), cluster: name, epoch, refusing: fc.boolean() }),
  fc.record({
    type: is('guard-order'),
    cluster: name,
    epoch,
    order: fc.constantFrom('switchover', 'restart'),
    timeoutMs: ms,
  }),
  fc.record({ type: is('order'), cluster: name, order }),
  fc.record({ type: is('status') }),
  fc.record({ type: is('init'), accepted, createRegister: fc.boolean() }),
) as fc.Arbitrary<Request>;

const refusal = maybe(fc.constantFrom('other-cluster', 'not-known', 'refusing', 'busy'));
export const answers = fc.oneof(
  fc.record({
    type: is('guard-answer'),
    granted: maybe(voter),
    refusal,
    grantedFor: maybe(fc.record({ voter, ttlMs: ms })),
    round: maybe(round),
    chosen: maybe(accepted),
    standby: fc.record({ mayTakeOver: fc.boolean(), why: text(200), received: maybe(count), ageMs: ms }),
    refusing: fc.boolean(),
    hearsPeer: fc.boolean(),
  }),
  fc.record({ type: is('promise'), promised: fc.boolean(), refusal, view }),
  fc.record({ type: is('accepted'), accepted: fc.boolean(), refusal, view }),
  fc.record({ type: is('view'), view, lastPrimary: maybe(fc.record({ position: count, epoch })) }),
  fc.record({ type: is('failsafe-answer'), promised: fc.boolean(), round, noted: maybe(epoch), why: text(100) }),
  fc.record({ type: is('sync-answer'), ok: fc.boolean(), why: text(100), chosen: maybe(accepted), ask: round }),
  fc.record({
    type: is('rejoin-answer'),
    ok: fc.boolean(),
    why: text(100),
    ticket: text(64),
    promised: ballot,
    waitMs: ms,
    longestTtlMs: ms,
    registerSerial: count,
  }),
  fc.record({ type: is('ack'), ok: fc.boolean(), why: text(100), steps: fc.array(text(100), { maxLength: 5 }) }),
  fc.record({ type: is('status-answer'), status: fc.jsonValue() }),
) as fc.Arbitrary<Answer>;

/** Any state of the register, with texts of any characters. */
export const registerStates: fc.Arbitrary<RegisterState> = name.chain((cluster) =>
  fc.record({
    cluster: fc.constant(cluster),
    serial: count,
    promised: ballot,
    accepted: fc.record({ ballot, record: recordOf(fc.constant(cluster), (limit) => text(2 * limit)) }),
    nonce: fc.oneof(
      fc.constant('released' as const),
      fc.record({ id: fc.uuid().map((id) => id.replaceAll('-', '')), site, round, ttlMs }),
    ),
    position: maybe(count),
  }),
);
