// Making it so (R1 to R3): what an agent does to the world, and when it leaves it alone.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { BalancerServer, EnvReport, InstanceReport } from '../../../src/core/observe/observation.ts';
import { done, rejected } from '../../../src/core/outcome.ts';
import { instance, now, type StateBuilder, state } from '../agent-state.ts';
import { at, ballot, epoch, era0, guardStatus, notice, view } from '../core-builders.ts';
import { Session } from './session.ts';

const token = (number: number, counter = 5) => ({ era: era0, epoch: number, ballot: ballot(counter) });
const env = (change: Partial<EnvReport> = {}): EnvReport => ({
  active: 'site1',
  staged: ['site1', 'site2'],
  token: token(1),
  ...change,
});
const envs = (site2: EnvReport | null, ageMs = 100) => ({
  envs: { site1: null, site2: site2 === null ? null : { at: now - ageMs, value: site2 } },
  instances: { site1: null, site2: null },
});
const inEpoch2 = () => state().record({ epoch: 2, primary: 'site2' });

test('R1: an application host on the wrong site is switched, with era, epoch and ballot', () => {
  const session = new Session(inEpoch2().with(envs(env()))).tick();
  const [deed] = session.deeds('switch-env');
  assert.deepEqual(deed, { kind: 'switch-env', site: 'site2', primary: 'site2', token: token(2) });
});

test('what is as it should be is let be; a file that nobody looked at for long is read again', () => {
  const right = env({ active: 'site2', token: token(2) });
  const quiet = new Session(inEpoch2().with(envs(right))).tick();
  assert.deepEqual([...quiet.deeds('switch-env'), ...quiet.deeds('read-env')], []);
  const old = new Session(inEpoch2().with(envs(right, 10_001))).tick();
  assert.deepEqual(old.deeds('read-env'), [{ kind: 'read-env', site: 'site2' }]);
});

test('nothing is switched on a guess: the file is read first', () => {
  const session = new Session(inEpoch2().with(envs(null))).tick();
  assert.deepEqual(session.deeds('switch-env'), []);
  assert.equal(session.deeds('read-env').length, 1);
});

test('R1: a host that still has a lower epoch is told the new one although its file is right', () => {
  const session = new Session(inEpoch2().with(envs(env({ active: 'site2', token: token(1) })))).tick();
  assert.equal(session.deeds('switch-env').length, 1);
});

test('idempotent: one step at a time, again after half a second when it failed, never when it is done', () => {
  const session = new Session(inEpoch2().with(envs(env()))).tick();
  assert.equal(session.deeds('switch-env').length, 1);
  assert.equal(session.tick(100).deeds('switch-env').length, 0, 'it is under way');
  const again = new Session(inEpoch2().with(envs(env()))).tick();
  again.acted('switch-env', rejected('ssh', 'no'), 100);
  assert.ok(again.traces.includes('step.failed'));
  assert.equal(again.tick(399).deeds('switch-env').length, 0);
  assert.equal(again.tick(1).deeds('switch-env').length, 1, 'R3: it stays due');
  again.acted('switch-env', done({ kind: 'env', report: env({ active: 'site2', token: token(2) }) }), 50);
  assert.equal(again.tick(600).deeds('switch-env').length, 0);
});

test('an instance that still uses the other database has its reload done again', () => {
  const astray = { instances: { site1: null, site2: { at: now - 100, value: [instance('b1')] } } };
  const right = env({ active: 'site2', token: token(2) });
  const session = new Session(inEpoch2().with({ ...envs(right), ...astray })).tick();
  assert.equal(session.deeds('switch-env').length, 1);
});

const touching = [
  ['another voter was seen at this ballot a moment ago', inEpoch2(), true],
  ['nobody was heard within 2 s', inEpoch2().peerSilentFor(2001).registerSilent(), false],
  ['only the register was, in a read made for it', inEpoch2().peerSilentFor(2001), true],
  [
    'the peer holds a higher ballot',
    inEpoch2()
      .peerView({ accepted: at(6) })
      .registerSilent(),
    false,
  ],
  [
    'the peer knows a later record',
    inEpoch2()
      .peerView({ chosen: at(6) })
      .registerSilent(),
    false,
  ],
  [
    'a mere promise is no record',
    inEpoch2()
      .peerView({ promised: ballot(9) })
      .registerSilent(),
    true,
  ],
  [
    'the register is known to hold something newer',
    inEpoch2()
      .peerSilentFor(2001)
      .with({ register: { ...inEpoch2().state.register, serial: 99 } }),
    false,
  ],
  ['no memory', inEpoch2().voter({ amnesia: true }), false],
] as const;
for (const [title, given, touches] of touching) {
  test(`R2: ${title}: ${touches ? 'acts' : 'does nothing from memory'}`, () => {
    const session = new Session(given.with(envs(env()))).tick();
    const deeds = session.act.filter(({ deed }) => !deed.kind.startsWith('probe-'));
    assert.equal(deeds.length > 0, touches);
  });
}

test("R2: without a witness the agent of the primary's site needs nobody: no record is chosen without it", () => {
  const alone = (me: 'site1' | 'site2') =>
    new Session(state(me, 'none').record({ epoch: 3 }).peerSilentFor(9000)).tick();
  assert.ok(alone('site1').deeds('read-env').length > 0);
  assert.deepEqual(alone('site2').deeds('read-env'), []);
});

test("the other site's hosts are left to their own agent until that one is gone", () => {
  const sites = (given: StateBuilder) =>
    new Session(given)
      .tick()
      .deeds('read-env')
      .map((deed) => deed.site);
  assert.deepEqual(sites(inEpoch2().peerSilentFor(2500)), ['site2']);
  assert.deepEqual(sites(inEpoch2().peerSilentFor(2501)), ['site1', 'site2']);
});

// ------------------------------------------------------------------------------------ guards

test('L10: guards are told what is chosen at once, and again until they have noted it', () => {
  const session = new Session(inEpoch2()).tick();
  assert.deepEqual(
    session.asked('chosen').map((ask) => ask.to),
    ['site1-guard', 'site2-guard'],
  );
  assert.deepEqual(session.asked('chosen')[0]?.request.chosen.ballot, ballot(5));
  session.answered('chosen', { type: 'ack', ok: true, why: '', steps: [] });
  assert.equal(session.tick(900).asked('chosen').length, 0);
  assert.equal(session.tick(100).asked('chosen').length, 2, 'neither has noted epoch 2');
  session.answered('chosen', { type: 'ack', ok: true, why: '', steps: [] });
  for (const site of ['site1', 'site2'] as const) {
    const status = guardStatus(site, { noted: epoch(2) });
    session.request(`${site}-guard`, { type: 'inquire', cluster: 'c-1', voters: 'three', status });
  }
  assert.equal(session.tick(5000).asked('chosen').length, 0);
});

test('L10: they are told also by an agent that may touch nothing else', () => {
  const session = new Session(inEpoch2().peerSilentFor(9000).registerSilent()).tick();
  assert.equal(session.asked('chosen').length, 2);
});

test('a new record is told at once', () => {
  const session = new Session(state()).tick().answered('chosen', { type: 'ack', ok: true, why: '', steps: [] });
  const chosen = inEpoch2().state.voter.durable.chosen!;
  session.request('site1-agent', notice({ view: view({ chosen }) }));
  assert.deepEqual(
    session.asked('chosen').map((ask) => ask.request.chosen.record.epoch),
    [2, 2],
  );
});

// ------------------------------------------------------------------------------------ the old primary

const rogue = () =>
  inEpoch2().with({ standbySeen: { at: now, value: { ...state().state.standbySeen!.value, inRecovery: false } } });
const seenAgain = (session: Session) => {
  const { standbySeen } = session.state;
  session.state = new Session(
    state().with({ ...session.state, standbySeen: { ...standbySeen!, at: session.now } }),
  ).state;
};

test('an old primary that runs is left to its guard for a second, then fenced from outside', () => {
  const session = new Session(rogue()).tick();
  assert.deepEqual(session.deeds('fence'), []);
  session.now += 1499;
  seenAgain(session);
  assert.deepEqual(session.request('site1-agent', notice({ view: session.state.peer!.view })).deeds('fence'), []);
  session.now += 1;
  seenAgain(session);
  assert.deepEqual(session.tick().deeds('fence'), [{ kind: 'fence', site: 'site1', token: token(2) }]);
});

test('one that is in recovery meanwhile was dealt with', () => {
  const session = new Session(rogue()).tick();
  session.state = new Session(state().with({ ...session.state, standbySeen: state().state.standbySeen })).state;
  session.tick(1600);
  assert.deepEqual(session.deeds('fence'), []);
});

// ------------------------------------------------------------------------------------ DNS

const dns = (entry: 'site1' | 'site2' | null, ageMs = 100) => ({
  dns: { at: now - ageMs, value: { entry, value: 'x' } },
});

test("the agent of the entry's site points the name there, once; the other one does not", () => {
  const mine = new Session(state().record({ entry: 'site2' }).with(dns('site1'))).tick();
  assert.deepEqual(mine.deeds('point-dns'), [{ kind: 'point-dns', entry: 'site2', token: token(1) }]);
  assert.equal(mine.tick(5000).deeds('point-dns').length, 0, 'it is under way');
  const other = new Session(state('site1').record({ entry: 'site2' }).with(dns('site1'))).tick();
  assert.deepEqual(other.deeds('point-dns'), []);
});

test('a name that points right is read every quarter of a minute, and else let be', () => {
  const right = (ageMs: number) => new Session(state().record({ entry: 'site2' }).with(dns('site2', ageMs))).tick();
  assert.deepEqual([right(15_000).deeds('read-dns').length, right(15_001).deeds('read-dns').length], [0, 1]);
  assert.deepEqual(right(15_001).deeds('point-dns'), []);
});

// ------------------------------------------------------------------------------------ HAProxy

function balanced(servers: readonly BalancerServer[], instances: readonly InstanceReport[]): Session {
  const seen = { at: now - 100, value: { class: 'ok' as const, detail: '', servers } };
  const given = state().with({
    balancers: { site1: null, site2: seen },
    instances: { site1: null, site2: { at: now - 100, value: instances } },
  });
  return new Session(given).tick();
}
const up = (name: string): BalancerServer => ({ name, status: 'up' });
const wrong = (name: string) => instance(name, { database: '10.2.0.1' });
const set = (session: Session) => session.deeds('set-server').map(({ server, state: to }) => `${server} ${to}`);

const balances: readonly (readonly [string, Session, readonly string[]])[] = [
  ['all right', balanced([up('a'), up('b')], [instance('a'), instance('b')]), []],
  ['one wrong, one ready on the right one', balanced([up('a'), up('b')], [instance('a'), wrong('b')]), ['b drain']],
  ['all wrong: they hold their requests and stay', balanced([up('a'), up('b')], [wrong('a'), wrong('b')]), []],
  ['of another epoch', balanced([up('a'), up('b')], [instance('a'), instance('b', { epoch: epoch(0) })]), ['b drain']],
  ['the right one is not ready', balanced([up('a'), up('b')], [instance('a', { ready: false }), wrong('b')]), []],
  ['the right one may not write', balanced([up('a'), up('b')], [instance('a', { writable: false }), wrong('b')]), []],
  [
    'the right one is down for HAProxy',
    balanced([{ name: 'a', status: 'down' }, up('b')], [instance('a'), wrong('b')]),
    [],
  ],
  ['an instance that was not heard of is let be', balanced([up('a'), up('b')], [instance('a')]), []],
  [
    'one that is right again',
    balanced([up('a'), { name: 'b', status: 'drain' }], [instance('a'), instance('b')]),
    ['b ready'],
  ],
  [
    'the right one is gone: those drained come back',
    balanced(
      [
        { name: 'a', status: 'down' },
        { name: 'b', status: 'drain' },
      ],
      [wrong('b')],
    ),
    ['b ready'],
  ],
  [
    'maintenance is a person at work',
    balanced([{ name: 'a', status: 'maint' }, up('b')], [wrong('a'), instance('b')]),
    [],
  ],
];
for (const [title, session, wanted] of balances) {
  test(`HAProxy: ${title}: ${wanted.join(', ') || 'nothing'}`, () => assert.deepEqual(set(session), wanted));
}

test('never are all drained, whatever is seen', () => {
  const status = fc.constantFrom<BalancerServer['status']>('up', 'down', 'drain', 'maint', 'unknown');
  const report = fc.record({
    ready: fc.boolean(),
    database: fc.constantFrom('10.1.0.1', '10.2.0.1', null),
    writable: fc.constantFrom(true, false, null),
    epoch: fc.constantFrom(epoch(0), epoch(1), null),
  });
  const one = fc.record({ status, report: fc.option(report, { nil: null }) });
  fc.assert(
    fc.property(fc.array(one, { minLength: 1, maxLength: 6 }), (all) => {
      const servers = all.map(({ status: is }, index) => ({ name: `s${index}`, status: is }));
      const reports = all.flatMap(({ report: said }, index) => (said === null ? [] : [instance(`s${index}`, said)]));
      const session = balanced(servers, reports);
      const ordered = new Map(session.deeds('set-server').map(({ server, state: to }) => [server, to]));
      const after = servers.map(({ name, status: is }) => (ordered.get(name) === 'drain' ? 'drain' : is));
      const drains = [...ordered.values()].includes('drain');
      assert.ok(!drains || after.includes('up'), 'it drained the last one');
    }),
    { numRuns: 200 },
  );
});
