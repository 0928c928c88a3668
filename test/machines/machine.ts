// One Debian system that boots for real, with a systemd of its own, over the cached image: nothing that is done in it
// reaches the image or this machine. Its network is a loopback that holds every address of the cluster.

import { type ChildProcess, execFileSync, spawn, spawnSync } from 'node:child_process';
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';

export type Said = { readonly status: number; readonly out: string; readonly err: string };

export type Machine = {
  /** A shell command, as root unless told. */
  run(command: string, input?: string): Said;
  /** The same; throws when it fails. */
  sh(command: string, input?: string): string;
  start(command: string): ChildProcess;
  put(path: string, content: string): void;
  bring(file: string): string;
  /** A file of the machine's, copied to a path here. */
  take(path: string, to: string): void;
  off(): Promise<void>;
};

const commandMs = 120_000;

export function imageDirectory(kind: 'package' | 'rehearsal'): string {
  const script = join(import.meta.dirname, 'image');
  return execFileSync(script, [kind], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'] }).trim();
}

/** What is missing here for a machine to boot, or null. */
export function whyNot(): string | null {
  if (process.getuid?.() !== 0) return 'only root can boot a machine';
  const missing = ['debootstrap', 'systemd-nspawn', 'nsenter', 'dpkg-deb'].filter(
    (program) => spawnSync('sh', ['-c', `command -v ${program}`]).status !== 0,
  );
  return missing.length === 0 ? null : `not installed here: ${missing.join(', ')}`;
}

export interface MachineOptions {
  readonly image?: 'package' | 'rehearsal';
  /** A directory of the machine's that is none of the overlay: an engine of containers has an overlay of its own. */
  readonly plain?: string;
}

export async function bootMachine(
  name: string,
  addresses: readonly string[],
  { image = 'package', plain }: MachineOptions = {},
): Promise<Machine> {
  const folder = mkdtempSync(join(tmpdir(), `${name}-`));
  const root = join(folder, 'root');
  for (const each of ['root', 'upper', 'work', 'plain']) mkdirSync(join(folder, each));
  const layers = `lowerdir=${imageDirectory(image)},upperdir=${join(folder, 'upper')},workdir=${join(folder, 'work')}`;
  execFileSync('mount', ['-t', 'overlay', 'overlay', '-o', layers, root]);
  const options = ['-q', '-D', root, '-M', name, '-b', '--register=no', '--keep-unit', '--private-network'];
  const bind = plain === undefined ? [] : [`--bind=${join(folder, 'plain')}:${plain}`];
  const rights = ['--capability=all', '--drop-capability=CAP_SYS_TIME', '--system-call-filter=add_key keyctl bpf'];
  const nspawn = spawn('systemd-nspawn', [...options, ...rights, ...bind, '--console=pipe'], { stdio: 'ignore' });
  const ended = new Promise<void>((resolve) => nspawn.once('exit', () => resolve()));
  const leader = await until('the machine boots', 60_000, () => bootedChildOf(nspawn.pid));
  const enter = ['-t', leader, '-m', '-u', '-i', '-n', '-p', '--'];

  const run = (command: string, input = ''): Said => {
    const options = {
      input,
      encoding: 'utf8',
      timeout: commandMs,
      env: { PATH: '/usr/sbin:/usr/bin:/sbin:/bin', LC_ALL: 'C' },
    } as const;
    const { status, stdout, stderr } = spawnSync('nsenter', [...enter, 'sh', '-c', command], options);
    return { status: status ?? -1, out: stdout.trim(), err: stderr.trim() };
  };
  const sh = (command: string, input?: string): string => {
    const { status, out, err } = run(command, input);
    if (status !== 0) throw new Error(`${command}: ended with ${status}\n${out}\n${err}`);
    return out;
  };
  const off = async (): Promise<void> => {
    spawnSync('nsenter', [...enter, 'systemctl', 'poweroff', '--force']);
    await Promise.race([ended, pause(10_000).then(() => nspawn.kill('SIGKILL'))]);
    await ended;
    spawnSync('umount', ['-l', root]);
    rmSync(folder, { recursive: true, force: true });
  };
  try {
    for (const address of addresses)
      execFileSync('nsenter', ['-t', leader, '-n', '--', 'ip', 'address', 'add', `${address}/32`, 'dev', 'lo']);
    await until('its units are up', 60_000, () =>
      /running|degraded/.test(run('systemctl is-system-running').out) ? true : null,
    );
  } catch (error) {
    await off();
    throw error;
  }
  return {
    run,
    sh,
    start: (command) => spawn('nsenter', [...enter, 'sh', '-c', command], { stdio: ['ignore', 'pipe', 'inherit'] }),
    put: (path, content) => {
      mkdirSync(dirname(join(root, path)), { recursive: true });
      writeFileSync(join(root, path), content);
    },
    bring: (file) => {
      copyFileSync(file, join(root, 'root', basename(file)));
      return join('/root', basename(file));
    },
    take: (path, to) => copyFileSync(join(root, path), to),
    off,
  };
}

/** Process 1 of the machine; the first child only prepares it. */
export function bootedChildOf(parent: number | undefined): string | null {
  try {
    const children = readFileSync(`/proc/${parent}/task/${parent}/children`, 'utf8').trim().split(' ');
    return children.find((child) => readFileSync(`/proc/${child}/comm`, 'utf8') === 'systemd\n') ?? null;
  } catch {
    return null;
  }
}

export async function until<T>(what: string, limitMs: number, look: () => T | null | Promise<T | null>): Promise<T> {
  const began = performance.now();
  for (;;) {
    const found = await look();
    if (found !== null) return found;
    if (performance.now() - began > limitMs) throw new Error(`not within ${limitMs} ms: ${what}`);
    await pause(50);
  }
}
