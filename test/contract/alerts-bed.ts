// Clusters in which all is well, as series for promtool: what the roles themselves export, with the labels that the scrape
// job of docs/METRICS.md gives them. A test changes some of them and asks which alerts fire.

import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after } from 'node:test';
import { stringify } from 'yaml';
import { createMetrics, type DaemonLabels, type MetricsRegistry } from '../../src/adapters/metrics/metrics.ts';
import { alerts } from '../../src/catalog/alerts.ts';
import { startGuard } from '../../src/core/guard/state.ts';
import type { WitnessKind } from '../../src/core/settings.ts';
import { type Site, sites } from '../../src/core/site.ts';
import { measureAgent } from '../../src/roles/agent-metrics.ts';
import { measureGuard } from '../../src/roles/guard-metrics.ts';
import { now, state } from '../unit/agent-state.ts';
import { settings } from '../unit/core-builders.ts';

export const everySeconds = 10;
/** From here on something is wrong; all was well before. */
export const breaksAt = 120;
const samples = 600;

/** A sample's name and labels, and its values in promtool's notation. */
export type Series = Map<string, string>;
export type Labels = Readonly<Record<string, string>>;
export type Expected = {
  readonly alert: string;
  readonly seconds: number;
  /** One alert each; none: it is silent. */
  readonly fires: readonly Labels[];
};

const folder = mkdtempSync(join(tmpdir(), 'siteward-alerts-'));
after(() => rmSync(folder, { recursive: true, force: true }));

export const always = (value: number | string): string => `${value}+0x${samples}`;

/** `value` until something breaks, `then` from there on. */
export function until(value: number | string, then: number | string): string {
  const before = breaksAt / everySeconds - 1;
  return `${value}+0x${before} ${then === 'stale' ? 'stale' : always(then)}`;
}

/** The labels of everything that Prometheus reads of a daemon. */
export function target({ cluster, role, site }: DaemonLabels): Labels {
  return { cluster, role, site, job: 'siteward', instance: `${cluster}-${site}-${role}:7400` };
}

const clock = { now: () => now, wall: () => now, wakeAt: () => () => {} };

/** All daemons of a cluster, the primary and the entry at site1. */
export async function wellCluster(cluster: string, witness: WitnessKind): Promise<Series> {
  const all: Series = new Map();
  const daemons = sites.flatMap((site) => [agent(cluster, site, witness), guard(cluster, site)]);
  if (witness === 'agent') daemons.push(voter(cluster));
  for (const daemon of daemons) for (const [name, value] of await scraped(daemon)) all.set(name, value);
  return all;
}

type Daemon = { readonly labels: DaemonLabels; readonly metrics: MetricsRegistry };

function agent(cluster: string, site: Site, witness: WitnessKind): Daemon {
  const labels: DaemonLabels = { cluster, role: 'agent', site };
  const metrics = createMetrics(labels);
  // Between two reads of the register, as most of the time.
  const well = witness === 'route53' ? state(site, witness).registerSilent() : state(site, witness);
  measureAgent(metrics, well.state, clock);
  metrics.set('siteward_config_fallback', 0);
  metrics.set('siteward_check_ok', 1, { check: 'disk-space' });
  metrics.set('siteward_check_timestamp_seconds', 0, { check: 'disk-space' });
  return { labels, metrics };
}

function guard(cluster: string, site: Site): Daemon {
  const labels: DaemonLabels = { cluster, role: 'guard', site };
  const metrics = createMetrics(labels);
  measureGuard(metrics, startGuard(site, settings(), null, now, now), clock);
  metrics.set('siteward_fuse_alive', 1);
  metrics.set('siteward_epoch', 1);
  if (site === 'site1') metrics.set('siteward_lease_left_seconds', 5);
  metrics.set('siteward_config_fallback', 0);
  return { labels, metrics };
}

function voter(cluster: string): Daemon {
  const labels: DaemonLabels = { cluster, role: 'witness', site: 'witness' };
  const metrics = createMetrics(labels);
  metrics.set('siteward_ballot', 1);
  metrics.set('siteward_epoch', 1);
  return { labels, metrics };
}

async function scraped({ labels, metrics }: Daemon): Promise<Series> {
  const { job = '', instance = '', cluster, role } = target(labels);
  const series: Series = new Map([
    [`up{job="${job}",instance="${instance}",cluster="${cluster}",role="${role}"}`, always(1)],
  ]);
  for (const line of (await metrics.render()).text.split('\n')) {
    const [, name = '', own = '', value = ''] = /^(\w+)\{(.*)\} (\S+)$/.exec(line) ?? [];
    if (name === '') continue;
    // Well is what has just been checked.
    const values = name === 'siteward_check_timestamp_seconds' ? `0+${everySeconds}x${samples}` : always(value);
    series.set(`${name}{${own},job="${job}",instance="${instance}"}`, values);
  }
  return series;
}

/** Null when each alert does what is expected of it, else what promtool says. */
export function tried(rules: string, series: Series, expected: readonly Expected[]): string | null {
  const file = join(folder, 'test.yml');
  writeFileSync(join(folder, 'rules.yml'), rules);
  const interval = `${everySeconds}s`;
  const inputs = [...series].map(([name, values]) => ({ series: name, values }));
  const alertRules = expected.map(({ alert, seconds, fires }) => ({
    eval_time: `${seconds}s`,
    alertname: alert,
    exp_alerts: fires.map((labels) => ({
      exp_labels: { severity: rule(alert).severity, ...labels },
      exp_annotations: { summary: rule(alert).summary, what_to_do: rule(alert).whatToDo },
    })),
  }));
  const test = { interval, input_series: inputs, alert_rule_test: alertRules };
  writeFileSync(file, stringify({ rule_files: ['rules.yml'], evaluation_interval: interval, tests: [test] }));
  const { status, stdout, stderr } = spawnSync('promtool', ['test', 'rules', file], { encoding: 'utf8' });
  return status === 0 ? null : `${stdout}${stderr}`;
}

export function rule(name: string) {
  const found = alerts.find((each) => each.name === name);
  if (found === undefined) throw new Error(`there is no alert ${name}`);
  return found;
}
