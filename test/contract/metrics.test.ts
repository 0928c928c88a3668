// /metrics of the real daemons, each a process of its own on loopback: what Prometheus' own tool says of the text, and what
// is in it before anything has happened.

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { after, before, test } from 'node:test';
import type { DaemonRole } from '../../src/catalog/metrics.ts';
import { daemonBed, roles } from './daemon-bed.ts';

const bed = daemonBed('metrics');
const texts = new Map<DaemonRole, string>();

before(async () => {
  for (const role of roles) bed.start(role);
  for (const role of roles) texts.set(role, await bed.scrape(role));
});

after(() => bed.stop());

for (const role of roles) {
  test(`promtool has nothing to say of the metrics of the ${role}`, () => {
    const { status, stdout, stderr } = spawnSync('promtool', ['check', 'metrics'], {
      input: texts.get(role) ?? '',
      encoding: 'utf8',
    });
    assert.equal(`${stdout}${stderr}`, '');
    assert.equal(status, 0);
  });

  test(`every line of the ${role} says of which cluster and daemon it is`, () => {
    const lines = (texts.get(role) ?? '').split('\n').filter((line) => line !== '' && !line.startsWith('#'));
    assert.ok(lines.length > 3);
    const without = ['cluster="birthday"', `role="${role}"`, 'site="'].map((label) =>
      lines.filter((line) => !line.includes(label)),
    );
    assert.deepEqual(without, [[], [], []]);
  });
}

test('fences and stalls of a guard that has just started are 0, not missing', () => {
  const labels = 'cluster="birthday",role="guard",site="site1"';
  const lines = (texts.get('guard') ?? '').split('\n');
  for (const line of [
    `siteward_fences_total{outcome="done",${labels}} 0`,
    `siteward_fences_total{outcome="failed",${labels}} 0`,
    `siteward_loop_stalls_total{${labels}} 0`,
  ])
    assert.ok(lines.includes(line), `${line}\n---\n${lines.join('\n')}`);
});
