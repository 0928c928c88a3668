// The real daemons of three hosts, each a process of its own on loopback, with one cluster file and one folder of keys.

import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseDocument } from 'yaml';
import { readIdentity } from '../../src/adapters/http/identity.ts';
import type { DaemonRole } from '../../src/catalog/metrics.ts';
import { runKeys } from '../../src/cli/keys.ts';
import { sites } from '../../src/core/site.ts';

const tree = join(import.meta.dirname, '../..');
const hosts: Readonly<Record<DaemonRole, { readonly host: string; readonly last: number }>> = {
  agent: { host: 'site1-svc', last: 10 },
  guard: { host: 'site1-db', last: 20 },
  witness: { host: 'witness', last: 40 },
};
export const roles = Object.keys(hosts) as readonly DaemonRole[];

export function daemonBed(name: string) {
  const folder = mkdtempSync(join(tmpdir(), `siteward-${name}-`));
  const net = `127.${1 + Math.floor(Math.random() * 250)}.${Math.floor(Math.random() * 250)}`;
  const file = writeConfig(folder, net);
  const running: ChildProcess[] = [];
  return {
    stateDirectory: join(folder, 'stateDirectory'),
    start: (role: DaemonRole): ChildProcess & { said(): string } => {
      const args = [join(tree, 'src/main.ts'), role, '--config', file, '--host', hosts[role].host, '--state', folder];
      const daemon = spawn(process.execPath, args, { stdio: ['ignore', 'ignore', 'pipe'] });
      running.push(daemon);
      let said = '';
      daemon.stderr.on('data', (chunk: Buffer) => {
        said += chunk.toString();
      });
      return Object.assign(daemon, { said: () => said });
    },
    scrape: (role: DaemonRole) => scrape(`http://${net}.${hosts[role].last}:7400/metrics`),
    stop: (): void => {
      for (const daemon of running) daemon.kill('SIGKILL');
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

function writeConfig(folder: string, net: string): string {
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

async function scrape(url: string): Promise<string> {
  for (let tries = 100; tries > 0; tries -= 1) {
    const answer = await fetch(url).catch(() => null);
    if (answer?.status === 200) return answer.text();
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
  throw new Error(`${url} does not answer`);
}
