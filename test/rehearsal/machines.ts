/** The six booted hosts: making one's disk, powering it on. Its power loss is the lab's: the cable first, then SIGKILL. */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import {
  appendFileSync,
  chmodSync,
  existsSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { requireKeeper } from '../lab/src/hosts.ts';
import { writeMark } from '../lab/src/marks.ts';
import { plugIn } from '../lab/src/network.ts';
import type { LabPaths } from '../lab/src/paths.ts';
import { childrenOf, isAlive, markOf, must, run, waitFor } from '../lab/src/process.ts';
import type { HostName } from '../lab/src/topology.ts';
import { ADDRESSES, gatewayOf, HOSTS, kindOf, LabError, siteOf } from '../lab/src/topology.ts';
import { bootedChildOf } from '../machines/machine.ts';

/** Hosts that an operator would have rented; the others are the lab's own. */
export const MACHINES: readonly HostName[] = HOSTS.filter((host) => siteOf(host) !== undefined);

/** The account of Debian's cloud images. */
export const OPERATOR_ACCOUNT = 'admin';

const directoryOf = (paths: LabPaths, host: HostName): string => join(paths.base, 'machines', host);
/** What the host wrote over the image: files that the roles made are there, whether the host runs or not. */
export const upperOf = (paths: LabPaths, host: HostName): string => join(directoryOf(paths, host), 'upper');

/** As a cloud makes it: an image, a name, an account that may sudo, the operator's key. Nothing else is on it. */
export async function makeMachine(paths: LabPaths, host: HostName, operatorKey: string): Promise<void> {
  const upper = upperOf(paths, host);
  for (const each of ['work', 'root']) mkdirSync(join(directoryOf(paths, host), each), { recursive: true });
  for (const each of [
    'etc/ssh',
    'etc/sudoers.d',
    `home/${OPERATOR_ACCOUNT}/.ssh`,
    'var/lib/apt/lists',
    'etc/dpkg/dpkg.cfg.d',
  ])
    mkdirSync(join(upper, each), { recursive: true });
  const put = (path: string, text: string, mode = 0o644): void => writeFileSync(join(upper, path), text, { mode });
  put('etc/hostname', `${host}\n`);
  put('etc/hosts', '127.0.0.1 localhost\n');
  // Only this machine's own power loss would need what dpkg waits for.
  put('etc/dpkg/dpkg.cfg.d/rehearsal', 'force-unsafe-io\n');
  put('etc/resolv.conf', `nameserver ${ADDRESSES.zone}\noptions timeout:1 attempts:2\n`);
  put(`etc/sudoers.d/${OPERATOR_ACCOUNT}`, `${OPERATOR_ACCOUNT} ALL=(ALL) NOPASSWD:ALL\n`, 0o440);
  put(`home/${OPERATOR_ACCOUNT}/.ssh/authorized_keys`, `${operatorKey}\n`, 0o600);
  chmodSync(join(upper, `home/${OPERATOR_ACCOUNT}/.ssh`), 0o700);
  await must('ssh-keygen', ['-A', '-f', upper], { timeoutMs: 30_000 });
  await must('chown', ['-R', '1000:1000', join(upper, 'home', OPERATOR_ACCOUNT)]);
  addAccount(upper, imageOf(paths));
  makeView(paths, host);
}

function addAccount(upper: string, image: string): void {
  const lines = {
    passwd: `${OPERATOR_ACCOUNT}:x:1000:1000::/home/${OPERATOR_ACCOUNT}:/bin/bash\n`,
    group: `${OPERATOR_ACCOUNT}:x:1000:\n`,
    shadow: `${OPERATOR_ACCOUNT}:*:19000:0:99999:7:::\n`,
  };
  for (const [file, line] of Object.entries(lines)) {
    writeFileSync(join(upper, 'etc', file), readFileSync(join(image, 'etc', file)), {
      mode: file === 'shadow' ? 0o640 : 0o644,
    });
    appendFileSync(join(upper, 'etc', file), line);
  }
}

/**
 * The host's disk as the scenarios know it (`paths.disk`): files of the upper layer by links, the logs that are followed, and
 * keys by which the scenarios ask the agents, which are the scenarios' own.
 */
function makeView(paths: LabPaths, host: HostName): void {
  const disk = paths.disk(host);
  const upper = upperOf(paths, host);
  mkdirSync(join(disk, 'var/log/lab'), { recursive: true });
  symlinkSync(join(upper, 'srv'), join(disk, 'srv'));
  if (kindOf(host) !== 'svc') return;
  mkdirSync(join(disk, 'etc/siteward'), { recursive: true });
  symlinkSync(join(paths.base, 'keys'), join(disk, 'etc/siteward/keys'));
  for (const each of ['cluster.yaml', 'secrets'])
    symlinkSync(join(upper, 'etc/siteward', each), join(disk, 'etc/siteward', each));
}

export const imageOf = (paths: LabPaths): string => readlinkSync(join(paths.base, 'image'));

function bindsOf(paths: LabPaths, host: HostName): readonly string[] {
  const bind = (name: string, to: string): string => {
    const from = join(paths.base, name, host);
    mkdirSync(from, { recursive: true });
    return `${from}=${to}`;
  };
  // Containers on an overlay over an overlay: the kernel has none of that. The sockets are for the load's writers.
  if (kindOf(host) === 'app') return [bind('docker', '/var/lib/docker')];
  if (kindOf(host) === 'db') return [bind('sockets', '/run/postgresql')];
  return [];
}

/** Power on: returns when its units are up. */
export async function bootMachine(paths: LabPaths, host: HostName): Promise<void> {
  const keeper = requireKeeper(paths);
  const directory = directoryOf(paths, host);
  // The kernel may still be at the last boot's processes.
  const below = ['-t', String(keeper), '-p', '-m', '-i', '--'];
  const network = await startBelow(
    ['nsenter', ...below, 'unshare', '-n', 'sleep', 'infinity'],
    `${directory}/network.log`,
  );
  const own = await waitFor(() => differentNetwork(network.inner, keeper), 5_000, 10);
  if (own !== true) throw new LabError(`${host}: no network namespace`);
  writeMark(paths, `${host}.network`, network.mark);
  await plugIn(keeper, host, network.inner);
  const script = [
    'link set lo up',
    `addr add ${ADDRESSES[host]}/32 dev eth0`,
    'link set eth0 up',
    `route add default via ${gatewayOf(host)} dev eth0 onlink`,
  ].join('\n');
  await must('nsenter', ['-t', String(network.inner), '-n', '--', 'ip', '-batch', '-'], { input: `${script}\n` });

  const binds = bindsOf(paths, host);
  if (kindOf(host) === 'db') clearSockets(join(paths.base, 'sockets', host));
  const path = `/proc/${innerPid(network.inner)}/ns/net`;
  const words = [paths.name, host, imageOf(paths), directory, path, ...binds];
  const boot = join(import.meta.dirname, 'boot-machine.sh');
  const started = await startBelow(['nsenter', ...below, 'bash', '--norc', boot, ...words], `${directory}/boot.log`);
  const leader = await waitFor(() => {
    if (!isAlive(started.mark)) return null;
    const found = bootedChildOf(started.inner);
    return found === null ? undefined : Number(found);
  }, 20_000);
  const mark = typeof leader === 'number' ? markOf(leader) : undefined;
  if (mark === undefined) throw new LabError(`${host} did not boot: ${tail(directory)}`);
  writeMark(paths, `${host}.nspawn`, started.mark);
  writeMark(paths, host, mark);
  await becomeReady(host, mark.pid);
  followLogs(paths, host, mark.pid);
}

async function becomeReady(host: HostName, leader: number): Promise<void> {
  const enter = ['-t', String(leader), '-m', '-u', '-i', '-n', '-p', '--'];
  // Before its engine starts containers, which get control groups; apt's lists are as new as the image.
  const prepare = `touch /var/lib/apt/lists; ${kindOf(host) === 'app' ? 'awk \'$3 == "cgroup" { print $2 }\' /proc/mounts | xargs -r -n 1 mount -o remount,rw,bind' : 'true'}`;
  await must('nsenter', [...enter, 'sh', '-c', prepare], { timeoutMs: 10_000 });
  const ready = await waitFor(
    async () => {
      const state = await run('nsenter', [...enter, 'systemctl', 'is-system-running'], { timeoutMs: 5_000 });
      return /running|degraded/.test(state.stdout) ? true : undefined;
    },
    60_000,
    200,
  );
  if (ready !== true) throw new LabError(`${host}: its units do not come up`);
}

const UNITS = { svc: ['siteward-agent'], db: ['siteward-guard'] } as const;

/** The journal of each boot, appended to where the scenarios read the daemons' events. Ends with the host. */
function followLogs(paths: LabPaths, host: HostName, leader: number): void {
  const kind = kindOf(host);
  if (kind !== 'svc' && kind !== 'db') return;
  for (const unit of UNITS[kind]) {
    const log = openSync(join(paths.disk(host), 'var/log/lab', `${unit.replace('siteward-', '')}.log`), 'a');
    const words = ['journalctl', '-q', '-b', '-f', '-n', 'all', '-o', 'cat', '-u', unit];
    const follower = spawn('nsenter', ['-t', String(leader), '-m', '-p', '--', ...words], {
      stdio: ['ignore', log, 'ignore'],
      detached: true,
    });
    follower.on('error', () => {});
    follower.unref();
  }
}

interface Started {
  /** As this machine sees it. */
  readonly inner: number;
  readonly mark: NonNullable<ReturnType<typeof markOf>>;
}

/** nsenter forks into the keeper's process namespace: what is started is its only child, and ends with the keeper. */
async function startBelow(command: readonly string[], logPath: string): Promise<Started> {
  const [file = '', ...args] = command;
  const log = openSync(logPath, 'w');
  const child: ChildProcess = spawn(file, args, { stdio: ['ignore', log, log], detached: true });
  child.on('error', () => {});
  child.unref();
  const inner = await waitFor(() => (child.pid === undefined ? undefined : childrenOf(child.pid)[0]), 5_000, 5);
  const mark = inner === undefined ? undefined : markOf(inner);
  if (inner === undefined || mark === undefined)
    throw new LabError(`${command.slice(0, 12).join(' ')}: ${readFileSync(logPath, 'utf8')}`);
  return { inner, mark };
}

function differentNetwork(pid: number, keeper: number): true | undefined {
  try {
    return readlinkSync(`/proc/${pid}/ns/net`) === readlinkSync(`/proc/${keeper}/ns/net`) ? undefined : true;
  } catch {
    return undefined;
  }
}

/** The pid that the keeper's own /proc knows it by. */
function innerPid(pid: number): number {
  const found = /^NSpid:.*\s(\d+)$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'));
  return Number(found?.[1]);
}

/** A real /run is empty after a boot; this one outlives it. */
function clearSockets(directory: string): void {
  for (const name of readdirSync(directory)) rmSync(join(directory, name), { force: true, recursive: true });
}

function tail(directory: string): string {
  return ['boot.log', 'console.log']
    .map((name) => (existsSync(join(directory, name)) ? readFileSync(join(directory, name), 'utf8').slice(-800) : ''))
    .join('\n');
}

/** Control groups that a dead fleet leaves; a living one's cannot be removed. */
export function removeControlGroups(name: string): void {
  const script = `for each in /sys/fs/cgroup/siteward-${name} /sys/fs/cgroup/*/siteward-${name}; do [ -d "$each" ] && find "$each" -depth -type d -exec rmdir {} + 2>/dev/null; done; rm -rf /run/systemd/nspawn/propagate/siteward-${name}-*; true`;
  execFileSync('sh', ['-c', script], { stdio: 'ignore' });
}
