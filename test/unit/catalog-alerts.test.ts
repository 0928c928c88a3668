// The alerts against the metrics and the runbook: what they look at exists, and so does what they send a reader to.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { alerts } from '../../src/catalog/alerts.ts';
import { type MetricDefinition, metrics } from '../../src/catalog/metrics.ts';

const runbook = readFileSync(join(import.meta.dirname, '../../docs/RUNBOOK.md'), 'utf8');
const sections = [...runbook.matchAll(/^## (.+)$/gm)].map(([, title = '']) => title);
const definitions: Readonly<Record<string, MetricDefinition>> = metrics;
const ofEveryDaemon = ['cluster', 'role', 'site'];

for (const { name, expression, whatToDo, summary } of alerts) {
  test(`${name} looks at metrics and labels that there are`, () => {
    for (const [, metric = '', matchers = ''] of expression.matchAll(/\b(siteward_[a-z_]+)(?:\{([^}]*)\})?/g)) {
      const labels = [...(definitions[metric]?.labels ?? []), ...ofEveryDaemon];
      assert.ok(metric in definitions, metric);
      for (const [, label = ''] of matchers.matchAll(/(\w+)=/g))
        assert.ok(labels.includes(label), `${metric}: ${label}`);
    }
    for (const [, grouped = ''] of expression.matchAll(/by \(([^)]*)\)/g)) assert.match(grouped, /^cluster\b/);
  });

  test(`${name} sends its reader to a section of the runbook`, () => {
    const named = [...whatToDo.matchAll(/"([^"]+)" in RUNBOOK\.md/g)].map(([, title = '']) => title);
    assert.ok(named.length > 0, 'to none');
    assert.deepEqual(
      named.filter((title) => !sections.includes(title)),
      [],
    );
    assert.ok(summary.endsWith('.') && !/\. [A-Z]/.test(summary), 'not one sentence');
  });
}

test('each alert has a name of its own', () => {
  const names = alerts.map(({ name }) => name);
  assert.equal(new Set(names).size, names.length);
  for (const name of names) assert.match(name, /^Siteward(?:[A-Z][a-z]+)+$/);
});
