// /metrics of the real daemons, each a process of its own on loopback: what Prometheus' own tool says of the text, and what
// is in it before anything has happened.

import assert from 'node:assert/strict';
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { parseDocument } from 'yaml';
import { readIdentity } from '../../src/adapters/http/identity.ts';
import type { DaemonRole } from '../../src/catalog/metrics.ts';
import { runKeys } from '../../src/cli/keys.ts';
import { sites } from '../../src/core/site.ts';

const tree = join(import.meta.dirname, '../..');
const folder = mkdtempSync(join(tmpdir(), 'siteward-metrics-'));
const net = `127.${1 + Math.floor(Math.random() * 250)}.${Math.floor(Math.random() * 250)}`;
const hosts: Readonly<Record<DaemonRole, { readonly host: string; readonly site: string; readonly last: number }>> = {
  agent: { host: 'site1-svc', site: 'site1', last: 10 },
  guard: { host: 'site1-db', site: 'site1', last: 20 },
  witness: { host: 'witness', site: 'witness', last: 40 },
};
const roles = Object.keys(hosts) as readonly DaemonRole[];
const running: ChildProcess[] = [];
const texts = new Map<DaemonRole, string>();

before(async () => {
  const file = writeConfig();
  for (const role of roles) {
    const args = [join(tree, 'src/main.ts'), role, '--config', file, '--host', hosts[role].host, '--state', folder];
    running.push(spawn(process.execPath, args, { stdio: ['ignore', 'ignore', 'inherit'] }));
  }
  for (const role of roles) texts.set(role, await scrape(role));
});

after(() => {
  for (const daemon of running) daemon.kill('SIGKILL');
  rmSync(folder, { recursive: true, force: true });
});

function writeConfig(): string {
  const cluster = parseDocument(readFileSync(join(tree, 'test/fixtures/config/good-agent.yaml'), 'utf8'));
  for (const [index, site] of sites.entries()) {
    cluster.setIn(['sites', site, 'service', 'address'], `${net}.${10 + index}`);
    cluster.setIn(['sites', site, 'database', 'address'], `${net}.${20 + index}`);
    cluster.setIn(['sites', site, 'application', 'address'], `${net}.${30 + index}`);
  }
  cluster.setIn(['witness', 'agent', 'address'], `${net}.40`);
  for (const name of ['site1-agent', 'site1-guard', 'witness']) {
    const code = runKeys(['new', name, '--directory', folder], { out: () => {}, err: (text) => assert.fail(text) });
    assert.equal(code, 0);
    cluster.setIn(['keys', name], [readIdentity(folder, name).pin]);
  }
  cluster.setIn(['keys', 'directory'], folder);
  cluster.deleteIn(['dns', 'route53']);
  cluster.setIn(['dns', 'kind'], 'none');
  for (const path of ['stateDirectory', 'runDirectory']) {
    mkdirSync(join(folder, path));
    cluster.setIn(['paths', path], join(folder, path));
  }
  const file = join(folder, 'cluster.yaml');
  writeFileSync(file, String(cluster), { mode: 0o600 });
  return file;
}

async function scrape(role: DaemonRole): Promise<string> {
  const url = `http://${net}.${hosts[role].last}:7400/metrics`;
  for (let tries = 100; tries > 0; tries -= 1) {
    const answer = await fetch(url).catch(() => null);
    if (answer?.status === 200) return answer.text();
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
  throw new Error(`${url} does not answer`);
}

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
