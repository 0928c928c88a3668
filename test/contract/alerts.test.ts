// The rules that an operator loads, tried by Prometheus' own tool on what the daemons export.

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { alerts } from '../../src/catalog/alerts.ts';
import { always, breaksAt, type Expected, everySeconds, rule, type Series, tried, wellCluster } from './alerts-bed.ts';
import { type Case, type Change, cases, harmless } from './alerts-cases.ts';

const tree = join(import.meta.dirname, '../..');
const rulesPath = join(tree, 'deploy/prometheus/siteward.rules.yml');
const rules = readFileSync(rulesPath, 'utf8');
const folder = mkdtempSync(join(tmpdir(), 'siteward-prometheus-'));
after(() => rmSync(folder, { recursive: true, force: true }));

/** Two clusters of different kinds in one Prometheus, which has other things to do as well. */
const well: Series = new Map([['up{job="other",instance="x"}', always(0)]]);
before(async () => {
  for (const [name, values] of await wellCluster('shop', 'agent')) well.set(name, values);
  for (const [name, values] of await wellCluster('birthday', 'route53')) well.set(name, values);
});

function promtool(...args: string[]) {
  return spawnSync('promtool', args, { encoding: 'utf8' });
}

function changed(changes: readonly Change[]): Series {
  const series = new Map(well);
  for (const { of, values } of changes) {
    const names = [...well.keys()].filter((name) => of.every((word) => name.includes(word)));
    assert.ok(names.length > 0, `no daemon exports ${of.join(' ')}`);
    for (const name of names) {
      if (values === null) series.delete(name);
      else series.set(name, values);
    }
  }
  return series;
}

const secondsOf = { s: 1, m: 60, h: 3600 } as const;

/** How long it takes until it fires, from the first sample that is wrong. */
function delay(alert: string): number {
  const [, count = '0', unit = 's'] = /^(\d+)([smh])$/.exec(rule(alert).lasting ?? '') ?? [];
  const lasting = Number(count) * secondsOf[unit as keyof typeof secondsOf];
  return alert === 'SitewardChecksStopped' ? 1210 - breaksAt : lasting;
}

const silentAt = (seconds: number, names = alerts.map(({ name }) => name)): readonly Expected[] =>
  names.map((alert) => ({ alert, seconds, fires: [] }));

function expectedOf({ alert, fires, not = [] }: Case): readonly Expected[] {
  const after = breaksAt + delay(alert);
  const late = delay(alert) > 0 ? after - everySeconds : breaksAt - everySeconds;
  return [
    ...silentAt(breaksAt - everySeconds),
    ...silentAt(late, [alert]),
    { alert, seconds: after + everySeconds, fires },
    ...not.flatMap((other) => silentAt(breaksAt + Math.max(delay(alert), delay(other)) + everySeconds, [other])),
  ];
}

test('the file is one that Prometheus loads', () => {
  const { status, stdout, stderr } = promtool('check', 'rules', '--lint=all', '--lint-fatal', rulesPath);
  assert.equal(status, 0, stdout + stderr);
  assert.match(stdout, new RegExp(`${alerts.length} rules found`));
});

test('what METRICS.md says to write into prometheus.yml is understood', () => {
  const page = readFileSync(join(tree, 'docs/METRICS.md'), 'utf8');
  const [, example = ''] = /```yaml\n(.*?)```/s.exec(page) ?? [];
  writeFileSync(join(folder, 'prometheus.yml'), example);
  writeFileSync(join(folder, 'siteward.rules.yml'), rules);
  const { status, stdout, stderr } = promtool('check', 'config', join(folder, 'prometheus.yml'));
  assert.equal(status, 0, stdout + stderr);
  assert.match(stdout, new RegExp(`${alerts.length} rules found`));
});

test('no alert fires while all is well', () => {
  assert.equal(
    tried(
      rules,
      well,
      [10, 300, 1500, 4000].flatMap((seconds) => silentAt(seconds)),
    ),
    null,
  );
});

test('without a witness one alert always fires, and no other', async () => {
  const alone = await wellCluster('small', 'none');
  const names = alerts.map(({ name }) => name).filter((name) => name !== 'SitewardWaitsForPerson');
  assert.equal(tried(rules, alone, silentAt(1500, names)), null);
});

for (const { what, changes } of harmless) {
  test(`no alert fires when ${what}`, () => {
    const moments = [breaksAt, breaksAt + 30, 600, 1010, 1060, 1500, 3000];
    assert.equal(
      tried(
        rules,
        changed(changes),
        moments.flatMap((seconds) => silentAt(seconds)),
      ),
      null,
    );
  });
}

for (const each of cases) {
  test(`${each.alert} fires when ${each.when}, there alone and not before`, () => {
    assert.equal(tried(rules, changed(each.changes), expectedOf(each)), null);
  });
}

test('SitewardNotScraped fires when nothing is scraped under the name of the job', () => {
  const others = [...well].filter(([name]) => !name.startsWith('up{job="siteward"'));
  const fires = [{ job: 'siteward' }];
  const expected = [...silentAt(290, ['SitewardNotScraped']), { alert: 'SitewardNotScraped', seconds: 310, fires }];
  assert.equal(tried(rules, new Map(others), expected), null);
});

test('every alert was tried', () => {
  const untried = alerts.map(({ name }) => name).filter((name) => cases.every(({ alert }) => alert !== name));
  assert.deepEqual(untried, ['SitewardNotScraped']);
});
