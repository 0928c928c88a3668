/** `lab up`: from nothing to two sites of which one writes through the public name. */
import { chownSync, existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { makeClusterFile } from './cluster-file.ts';
import { makeDisks, SSH_UID } from './disks.ts';
import { bootHost, startKeeper } from './hosts.ts';
import type { Lab, UpOptions } from './lab.ts';
import { accountOf, findPostgres, preparePostgres } from './postgres.ts';
import { run } from './process.ts';
import { makeSecrets } from './secrets.ts';
import { setBootStart, writeServices } from './services.ts';
import { writeHaproxy, writeSshd } from './software.ts';
import { stageBuild } from './stage.ts';
import { HOSTS, LabError, SITES } from './topology.ts';

const TOOLS = ['unshare', 'nsenter', 'setpriv', 'setsid', 'pivot_root', 'ip', 'nft', 'openssl', 'ssh-keygen', 'dig'];
const DAEMONS = ['haproxy', 'sshd'];

export async function requireMachine(): Promise<void> {
  if (process.getuid?.() !== 0) throw new LabError('the lab needs root: it makes network namespaces (use sudo)');
  const script = 'PATH=$PATH:/usr/sbin:/sbin; for p; do command -v "$p" >/dev/null || echo "$p"; done';
  const missing = (await run('sh', ['-c', script, 'sh', ...TOOLS, ...DAEMONS])).stdout
    .trim()
    .split('\n')
    .filter(Boolean);
  if (missing.length > 0)
    throw new LabError(`these programs are missing: ${missing.join(' ')} (make setup installs them)`);
}

export async function bringUp(lab: Lab, options: UpOptions): Promise<void> {
  await requireMachine();
  const begin = performance.now();
  const say = (text: string) => {
    options.progress?.(`${((performance.now() - begin) / 1000).toFixed(1).padStart(5)} s  ${text}`);
  };
  const { paths } = lab;
  if (existsSync(paths.base)) {
    await lab.down();
    say('cleaned up the lab that was there');
  }
  try {
    await build(lab, options, say);
  } catch (error) {
    if (process.env['LAB_KEEP'] === undefined) await lab.down();
    throw error;
  }
}

async function build(lab: Lab, options: UpOptions, say: (text: string) => void): Promise<void> {
  const { paths } = lab;
  const witness = options.witness ?? 'route53';
  const postgres = findPostgres();
  const bootPostgres = options.bootPostgres ?? false;
  mkdirSync(paths.base, { recursive: true, mode: 0o755 });
  mkdirSync(paths.load, { mode: 0o777 });
  chownSync(paths.load, accountOf('postgres').uid, accountOf('postgres').gid);
  for (const site of SITES) mkdirSync(join(paths.base, 'sockets', `${site}-db`), { recursive: true });
  const keeper = await startKeeper(paths);
  const missing = stageBuild(paths);
  if (missing.length > 0) say(`not built yet: ${missing.join(', ')} (make build)`);

  const secrets = await makeSecrets(paths);
  const clusterFile = makeClusterFile(witness, secrets, postgres, options.set ?? []);
  await makeDisks(paths, { clusterFile, secrets, postgres });
  writeHaproxy(paths, secrets);
  writeSshd(paths, secrets);
  writeServices(paths, { witness, postgres, bootPostgres: true });
  for (const site of SITES) chownSync(join(paths.disk(`${site}-app`), 'var/lib/birthday'), SSH_UID, SSH_UID);
  say('staged the build; made keys, cluster file and disks');

  const rest = HOSTS.filter((host) => !host.endsWith('-db'));
  const booting = Promise.all(rest.map((host) => bootHost(paths, host, lab.binds(host))));
  const prepared = preparePostgres(paths, postgres, secrets.passwords);
  await Promise.all([booting, prepared]);
  say(`booted ${rest.length} hosts; made the primary and its standby`);
  await Promise.all(SITES.map((site) => bootHost(paths, `${site}-db`, lab.binds(`${site}-db`))));
  for (const site of SITES) setBootStart(paths, `${site}-db`, 'postgres-boot', bootPostgres);
  writeFileSync(paths.state, JSON.stringify({ name: paths.name, witness, createdAt: new Date().toISOString() }));
  say('booted the database hosts');
  if (options.tied !== true) keeper.stay();
}
