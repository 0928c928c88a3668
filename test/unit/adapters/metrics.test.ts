import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { createMetrics, type MetricsRegistry } from '../../../src/adapters/metrics/metrics.ts';
import { metrics as catalogue, type DaemonRole, type MetricDefinition } from '../../../src/catalog/metrics.ts';
import type { Log } from '../../../src/ports/log.ts';
import { countTrace } from '../../../src/roles/agent-metrics.ts';
import { countFences } from '../../../src/roles/guard-metrics.ts';

const labelled = (role: DaemonRole) => createMetrics({ cluster: 'birthday', role, site: 'site1' });
const silent: Log = { event: () => {}, flush: () => {} };

/** Name and labels of every sample of a counter, with its value. */
async function counters(metrics: MetricsRegistry): Promise<readonly string[]> {
  const { text } = await metrics.render();
  return text.split('\n').filter((line) => /^siteward_[a-z_]+_total[ {]/.test(line));
}

test('gauges, counters and histograms of the catalogue, with the default labels', async () => {
  const metrics = labelled('witness');
  metrics.set('siteward_epoch', 4);
  metrics.set('siteward_primary', 1, { site: 'site2' });
  metrics.count('siteward_rounds_total', { outcome: 'granted' });
  metrics.count('siteward_rounds_total', { outcome: 'granted' });
  metrics.observe('siteward_phase_seconds', 0.7, { phase: 'promoted' });
  const { type, text } = await metrics.render();
  const daemon = 'cluster="birthday",role="witness",site="site1"';
  assert.match(type, /^text\/plain/);
  for (const line of [
    `siteward_epoch{${daemon}} 4`,
    'siteward_primary{site="site2",cluster="birthday",role="witness"} 1',
    `siteward_rounds_total{outcome="granted",${daemon}} 2`,
    `siteward_phase_seconds_bucket{le="1",${daemon},phase="promoted"} 1`,
  ]) {
    assert.ok(text.split('\n').includes(line), `${line}\n---\n${text}`);
  }
});

test('a process shows only what it sets, and two registries share nothing', async () => {
  const one = labelled('witness');
  one.set('siteward_epoch', 1);
  const other = labelled('witness');
  other.set('siteward_epoch', 2);
  assert.match((await one.render()).text, /^siteward_epoch\{[^}]*\} 1$/m);
  assert.ok(!(await one.render()).text.includes('siteward_lease_left_seconds'));
});

test('every metric of the catalogue is set somewhere', () => {
  const sources = join(import.meta.dirname, '../../../src');
  const files = readdirSync(sources, { recursive: true, encoding: 'utf8' });
  const code = files
    .filter((file) => file.endsWith('.ts') && !file.startsWith('catalog/'))
    .map((file) => readFileSync(join(sources, file), 'utf8'))
    .join('\n');
  assert.deepEqual(
    Object.keys(catalogue).filter((name) => !code.includes(`'${name}'`)),
    [],
  );
});

for (const [name, { type }] of Object.entries(catalogue)) {
  test(`${name} has the ending of its kind`, () => {
    assert.match(name, /^siteward_[a-z_]+$/);
    assert.equal(name.endsWith('_total'), type === 'counter');
    if (type === 'histogram') assert.match(name, /_(seconds|bytes)$/);
  });
}

test('what a daemon counts is there at 0 from its start, and nothing that it never counts', async () => {
  const all = (role: DaemonRole) => `cluster="birthday",role="${role}",site="site1"`;
  assert.deepEqual(await counters(labelled('guard')), [
    `siteward_rounds_total{outcome="granted",${all('guard')}} 0`,
    `siteward_rounds_total{outcome="missed",${all('guard')}} 0`,
    `siteward_fences_total{outcome="done",${all('guard')}} 0`,
    `siteward_fences_total{outcome="failed",${all('guard')}} 0`,
    `siteward_refused_connections_total{${all('guard')}} 0`,
    `siteward_loop_stalls_total{${all('guard')}} 0`,
  ]);
  assert.deepEqual(await counters(labelled('agent')), [
    `siteward_votes_total{vote="accept",outcome="yes",${all('agent')}} 0`,
    `siteward_failovers_total{kind="failover",outcome="begun",${all('agent')}} 0`,
    `siteward_failovers_total{kind="entry",outcome="begun",${all('agent')}} 0`,
    `siteward_failovers_total{kind="order",outcome="done",${all('agent')}} 0`,
    `siteward_failovers_total{kind="order",outcome="undone",${all('agent')}} 0`,
    `siteward_refused_connections_total{${all('agent')}} 0`,
    `siteward_loop_stalls_total{${all('agent')}} 0`,
  ]);
  assert.deepEqual(await counters(labelled('witness')), [`siteward_refused_connections_total{${all('witness')}} 0`]);
});

/** What makes each counter of a role count, with the words that the core puts into these events. */
const occasions = {
  agent: {
    wrap: countTrace,
    events: [
      ['vote.cast', {}],
      ['loop.stalled', {}],
      ['decide.act', { code: 'failover' }],
      ['decide.act', { code: 'entry' }],
      ['order.ended', { outcome: 'done' }],
      ['order.ended', { outcome: 'undone' }],
    ],
  },
  guard: {
    wrap: countFences,
    events: [
      ['lease.acquired', {}],
      ['round.missed', {}],
      ['fence.done', {}],
      ['fence.failed', {}],
      ['loop.stalled', {}],
    ],
  },
} as const;

for (const [role, { wrap, events }] of Object.entries(occasions)) {
  test(`the first time that the ${role} counts is an increase, of nothing that was not there`, async () => {
    const metrics = labelled(role as keyof typeof occasions);
    metrics.count('siteward_refused_connections_total');
    const log = wrap(silent, metrics);
    for (const [event, fields] of events) log.event('info', event, fields);
    const counted = await counters(metrics);
    assert.deepEqual(
      counted.filter((line) => !line.endsWith(' 1')),
      [],
    );
    assert.equal(counted.length, (await counters(labelled(role as keyof typeof occasions))).length);
  });
}

for (const [name, { type, labels, fromStart }] of Object.entries<MetricDefinition>(catalogue)) {
  if (fromStart === undefined) continue;
  test(`${name} begins with series of its own labels`, () => {
    assert.equal(type, 'counter');
    for (const series of fromStart.series) assert.deepEqual(Object.keys(series), labels);
  });
}
