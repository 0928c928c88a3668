/** `lab up`: from nothing to two sites of which one writes through the public name. */
import { chownSync, existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { makeClusterFile } from './cluster-file.ts';
import { APP_OWNER, makeDisks } from './disks.ts';
import { bootHost, startKeeper } from './hosts.ts';
import { httpSend, tryWrite } from './http.ts';
import type { Lab, UpOptions } from './lab.ts';
import { accountOf, findPostgres, preparePostgres } from './postgres.ts';
import { run, waitFor } from './process.ts';
import { makeSecrets } from './secrets.ts';
import { setBootStart, writeServices } from './services.ts';
import { writeHaproxy, writeSshd } from './software.ts';
import { stageBuild } from './stage.ts';
import { databaseStatus, entryAddresses, labStatus, renderStatus } from './status.ts';
import { ADDRESSES, ENTRY_NAME, ENTRY_ZONE, HOSTS, LabError, SITES, ZONE_CONTROL } from './topology.ts';
import { makeVolumes } from './volumes.ts';

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
  writeHaproxy(paths);
  writeSshd(paths, secrets, postgres);
  writeServices(paths, { witness, postgres, bootPostgres: true });
  for (const site of SITES)
    chownSync(join(paths.disk(`${site}-app`), 'var/lib/birthday'), APP_OWNER.uid, APP_OWNER.gid);
  say('staged the build; made keys, cluster file and disks');

  const rest = HOSTS.filter((host) => !host.endsWith('-db'));
  const booting = Promise.all(rest.map((host) => bootHost(paths, host, lab.binds(host))));
  const prepared = preparePostgres(paths, postgres, secrets.passwords);
  await Promise.all([booting, prepared]);
  if (options.volumes === true) await makeVolumes(paths, postgres);
  say(`booted ${rest.length} hosts; made the primary and its standby`);
  await Promise.all(SITES.map((site) => bootHost(paths, `${site}-db`, lab.binds(`${site}-db`))));
  for (const site of SITES) setBootStart(paths, `${site}-db`, 'postgres-boot', bootPostgres);
  writeFileSync(paths.state, JSON.stringify({ name: paths.name, witness, createdAt: new Date().toISOString() }));
  say('booted the database hosts');
  await putEntryRecord(lab, options.set ?? []);
  const until = options.until ?? 'healthy';
  if (until !== 'hosts') await becomeHealthy(lab, until, say);
  if (options.tied !== true) keeper.stay();
}

/** What the public zone says before siteward drives it: the name at site1. */
async function putEntryRecord(lab: Lab, settings: readonly string[]): Promise<void> {
  const ttl = /^dns\.ttl=(\d+)s$/m.exec(settings.join('\n'))?.[1] ?? '10';
  const record = { name: ENTRY_NAME, type: 'A', ttl: Number(ttl), values: [ADDRESSES['site1-svc']] };
  const path = `/zones/${ENTRY_ZONE}/records`;
  const answer = await waitFor(async () => {
    const got = await httpSend(lab.paths, 'zone', {
      method: 'PUT',
      url: `http://${ZONE_CONTROL}${path}`,
      json: record,
    });
    return got?.status === 200 || got?.status === 204 ? true : undefined;
  }, 10_000);
  if (answer !== true) throw new LabError(`the zone's double does not take records: ${lab.logs('zone', 'zone') ?? ''}`);
}

/** A person's first steps: init, resume; then wait until the service writes through its name. */
async function becomeHealthy(lab: Lab, until: 'services' | 'healthy', say: (text: string) => void): Promise<void> {
  await waitUntil(lab, 'the application writes through both balancers', 30_000, async () => {
    const answers = await Promise.all(SITES.map((site) => tryWrite(lab.paths, ADDRESSES[`${site}-svc`])));
    return answers.every((answer) => answer === 204);
  });
  say('application and both balancers serve');
  if (until === 'services') return;
  await siteward(lab, ['init', '--primary', 'site1'], 40_000);
  say('siteward init');
  await siteward(lab, ['resume'], 40_000);
  say('siteward resume');
  await waitUntil(lab, 'one site writes through the public name', 30_000, async () => {
    const database = await databaseStatus(lab.paths, 'site1');
    if (database.writable !== true || database.epoch !== 1) return false;
    const [address] = await entryAddresses(lab.paths);
    return address !== undefined && (await tryWrite(lab.paths, address)) === 204;
  });
  say('site1 writes through the public name, in epoch 1');
}

async function waitUntil(lab: Lab, what: string, timeoutMs: number, ask: () => Promise<boolean>): Promise<void> {
  const answer = await waitFor(async () => ((await ask()) ? true : undefined), timeoutMs, 100);
  if (answer === true) return;
  throw new LabError(`not within ${timeoutMs / 1000} s: ${what}\n${renderStatus(await labStatus(lab))}`);
}

/** The command line on site1's service host; repeated while the daemons are still coming up. */
async function siteward(lab: Lab, command: readonly string[], timeoutMs: number): Promise<void> {
  let last = '';
  const done = await waitFor(
    async () => {
      const result = await lab.exec('site1-svc', ['siteward', ...command], { timeoutMs: 30_000 });
      last = (result.stderr || result.stdout).trim();
      return result.code === 0 ? true : undefined;
    },
    timeoutMs,
    300,
  );
  if (done !== true) throw new LabError(`siteward ${command.join(' ')}: ${last}`);
}
