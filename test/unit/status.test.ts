// What `siteward status` calls well, what it shows, and whom the orders are given to.

import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import type { AgentReport } from '../../src/cli/client.ts';
import { driverOf, newestFirst } from '../../src/cli/driver.ts';
import { render } from '../../src/cli/status.ts';
import { nameElsewhere, notWell } from '../../src/cli/well.ts';
import { loadConfig } from '../../src/config/load.ts';
import { statusOf } from '../../src/core/agent/status.ts';
import type { Order } from '../../src/core/messages.ts';
import { onlyVoter } from '../../src/core/quorum/sole-voter.ts';
import { type Site, sites } from '../../src/core/site.ts';
import { now, type StateBuilder, state } from './agent-state.ts';
import { moment } from './core-builders.ts';

const loaded = loadConfig(join(import.meta.dirname, '../../docs/cluster.example.yaml'));
assert.ok(loaded.kind !== 'bad');
const { config } = loaded;

const token = { era: { number: 0, site: 'site1' }, epoch: 1, ballot: { counter: 1, voter: 'site1' } } as const;
const env = { at: now - 100, value: { active: 'site1', token, staged: [] } } as const;
const pointsTo = (entry: Site) => ({ at: now - 3000, value: { entry, value: '203.0.113.10' } }) as const;

/** Both agents in a quiet night. `change` says what one of them, or each, sees otherwise. */
function reports(change: (agent: StateBuilder, site: Site) => StateBuilder = (agent) => agent): readonly AgentReport[] {
  return sites.map((site) => {
    const agent = state(site).with({ envs: { site1: env, site2: env }, dns: pointsTo('site1') });
    const decision = { ...agent.state.decision, code: 'healthy' as const, sentence: 'all is well' };
    return { site, status: statusOf(change(agent.with({ decision }), site).state, moment(now)), why: '' };
  });
}

const at = (where: Site, change: (agent: StateBuilder) => StateBuilder) =>
  reports((agent, site) => (site === where ? change(agent) : agent));

test('a quiet night is well', () => {
  assert.deepEqual(notWell(reports(), config), []);
});

const late = (ms: number) => (agent: StateBuilder) =>
  agent.with({ register: { ...agent.state.register, heardAt: now - ms } });
const wrongs: readonly (readonly [string, readonly AgentReport[], RegExp])[] = [
  [
    'a name that points elsewhere',
    at('site1', (a) => a.with({ dns: pointsTo('site2') })),
    /public name points to site2/,
  ],
  [
    'an .env of the other site',
    at('site2', (a) => a.with({ envs: { site1: env, site2: { ...env, value: { ...env.value, active: 'site2' } } } })),
    /site2's \.env is that of site2, and site1/,
  ],
  ['an .env that nobody has read', at('site2', (a) => a.with({ envs: { site1: env, site2: null } })), /nobody knows/],
  [
    'no instance ready',
    at('site1', (a) => a.with({ instances: { ...a.state.instances, site1: null } })),
    /no instance of site1 is ready/,
  ],
  ['a peer that is not heard', at('site1', (a) => a.peerCutFor(2500)), /site1's agent does not hear the other one/],
  ['a register that was not heard when it was due', at('site2', late(36_000)), /does not hear the witness/],
  [
    'a standby that may not take over',
    reports((a) => a.standby({ streaming: false }, 9000)),
    /standby may not take over/,
  ],
  [
    'an agent that does not answer',
    reports().with(1, { site: 'site2', status: null, why: 'no route' }),
    /site2's agent does not answer: no route/,
  ],
];
for (const [what, seen, sentence] of wrongs)
  test(`not well: ${what}`, () => {
    const wrong = notWell(seen, config);
    assert.match(wrong.join('\n'), sentence);
    assert.match(render(seen, wrong).join('\n'), sentence);
  });

test('a register is quiet for lease.watchEvery', () => {
  assert.deepEqual(notWell(at('site2', late(30_000)), config), []);
});

test('only the agent of the entry looks at the name', () => {
  const [, other] = at('site2', (agent) => agent.with({ dns: pointsTo('site2') }));
  assert.equal(other?.status && nameElsewhere(other.status), null);
  assert.match(render(reports(), []).join('\n'), /name {4}203\.0\.113\.10 \(site1\), seen 3\.0 s ago/);
});

const forced = { era: { number: 1, site: 'site2' }, voters: onlyVoter('site2'), primary: 'site2', epoch: 2 } as const;
const living = (seen: readonly AgentReport[]) =>
  seen
    .flatMap(({ site, status }) => (status === null ? [] : [{ site, status }]))
    .toSorted((one, other) => newestFirst(one.status, other.status));
const pause: Order = { kind: 'pause', reason: '' };
const failover = { kind: 'failover', dryRun: false, acceptLoss: false, force: false, otherSideIsDown: false } as const;

test('the era comes before the epoch: the fenced side has the higher one', () => {
  const seen = reports((agent, site) => agent.record(site === 'site1' ? { epoch: 7 } : forced));
  assert.equal(living(seen)[0]?.site, 'site2');
  assert.match(render(seen, []).join('\n'), /epoch 2 of era 1\.site2 {2}primary site2/);
});

test('one that lost its memory, or knows no record, is asked last', () => {
  const amnesia = at('site1', (agent) => agent.voter({ amnesia: true }).record({ epoch: 9 }));
  const { voter } = state('site1').state;
  const noRecord = at('site1', (agent) => agent.voter({ durable: { ...voter.durable, chosen: null } }));
  for (const seen of [amnesia, noRecord]) assert.equal(living(seen)[0]?.site, 'site2');
});

test('of two that know the same, the one that hears another voter', () => {
  assert.equal(living(at('site1', (agent) => agent.peerCutFor(9000).registerSilent()))[0]?.site, 'site2');
});

test('in a forced era its only voter takes each order', () => {
  const both = living(reports((agent) => agent.record(forced)));
  for (const order of [pause, { ...failover, to: 'site1' } as const, { kind: 'restart' } as const])
    assert.equal(driverOf(both, order).site, 'site2');
});

test('a planned move is driven by the agent of the site it goes to', () => {
  const both = living(reports());
  assert.equal(driverOf(both, { ...failover, to: null }).site, 'site2');
  assert.equal(driverOf(both, { ...failover, to: 'site1' }).site, 'site1');
  assert.equal(driverOf(living(at('site1', (agent) => agent)).slice(0, 1), { ...failover, to: 'site2' }).site, 'site1');
});
