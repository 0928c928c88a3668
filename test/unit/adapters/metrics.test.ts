import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { createMetrics } from '../../../src/adapters/metrics/metrics.ts';
import { alerts, metrics as catalogue } from '../../../src/catalog/metrics.ts';

test('gauges, counters and histograms of the catalogue, with the default labels', async () => {
  const metrics = createMetrics({ cluster: 'birthday' });
  metrics.set('siteward_epoch', 4);
  metrics.set('siteward_primary', 1, { site: 'site1' });
  metrics.count('siteward_rounds_total', { outcome: 'granted' });
  metrics.count('siteward_rounds_total', { outcome: 'granted' });
  metrics.observe('siteward_phase_seconds', 0.7, { phase: 'promoted' });
  const { type, text } = await metrics.render();
  assert.match(type, /^text\/plain/);
  for (const line of [
    'siteward_epoch{cluster="birthday"} 4',
    'siteward_primary{site="site1",cluster="birthday"} 1',
    'siteward_rounds_total{outcome="granted",cluster="birthday"} 2',
    'siteward_phase_seconds_bucket{le="1",cluster="birthday",phase="promoted"} 1',
  ]) {
    assert.ok(text.split('\n').includes(line), `${line}\n---\n${text}`);
  }
});

test('a process shows only what it sets, and two registries share nothing', async () => {
  const one = createMetrics({});
  one.set('siteward_epoch', 1);
  const other = createMetrics({});
  other.set('siteward_epoch', 2);
  assert.match((await one.render()).text, /^siteward_epoch 1$/m);
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

for (const { expression } of alerts) {
  test(`there is something to alert on: ${expression}`, () => {
    const names = expression.match(/siteward_[a-z_]+/g) ?? [];
    assert.deepEqual(
      names.filter((name) => !(name in catalogue)),
      [],
    );
  });
}
