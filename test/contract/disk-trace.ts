// What a program wrote, renamed and said, in order, as the kernel saw it (strace), and at each of these moments what a
// power loss would have taken away: whatever no finished fsync or fdatasync, begun after the change, stands for. Page
// caches survive a SIGKILL, so nothing that only stops a process can tell a save that was synced from one that was not.

import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, relative } from 'node:path';

export type Traced = {
  /** `writes FILE`, `renames FILE` (its new name), `removes FILE`, `says WORDS`; with what was not on the disk by then. */
  readonly moments: readonly string[];
  readonly stdout: string;
  readonly status: number | null;
};

export type TraceOptions = {
  readonly env?: NodeJS.ProcessEnv;
  readonly input?: string;
  /** Below the root: not on the disk when the program begins, as a stopped one may have left them. */
  readonly unsynced?: readonly string[];
  /** This sync of this kind fails, as on a broken disk. */
  readonly fail?: { readonly call: 'fsync' | 'fdatasync'; readonly nth: number };
};

/** Those of one architecture only are marked so that strace passes over them on another. */
const calls =
  'openat,?open,?creat,write,writev,pwrite64,pwritev,?pwritev2,ftruncate,?rename,renameat,?renameat2,?link,linkat,' +
  '?unlink,unlinkat,?rmdir,?mkdir,mkdirat,fsync,fdatasync';

/** Long enough that whoever does not wait for the end of a sync speaks before it. */
const syncTakes = 'fsync,fdatasync:delay_exit=20000';

/** Null where programs can be traced, else why not. A missing strace is no such reason: scripts/setup installs it. */
export function whyNoTrace(): string | null {
  const probe = spawnSync('strace', ['-f', '-o', '/dev/null', 'true'], { encoding: 'utf8' });
  if (probe.error !== undefined) throw new Error('there is no strace: run make setup', { cause: probe.error });
  return probe.status === 0 ? null : `this machine lets nobody trace a program: ${probe.stderr.trim()}`;
}

/** Runs `command`, whose standard output is what it says, and looks at what it does below `root`. */
export function traced(root: string, command: readonly string[], options: TraceOptions = {}): Traced {
  const folder = mkdtempSync(join(tmpdir(), 'siteward-trace-'));
  try {
    const log = join(folder, 'log');
    const { fail } = options;
    // Counted for each thread: with one, the nth is the nth.
    const inject = fail === undefined ? syncTakes : `${fail.call}:error=EIO:when=${fail.nth}`;
    const threads = fail === undefined ? '4' : '1';
    const disk = new Disk(root, options.unsynced ?? []);
    const child = spawnSync(
      'strace',
      [
        '-f',
        '--seccomp-bpf',
        '-y',
        '-qq',
        '-s',
        '64',
        '-o',
        log,
        '-e',
        `trace=${calls}`,
        '-e',
        `inject=${inject}`,
        ...command,
      ],
      {
        encoding: 'utf8',
        // What goes through an io_uring, strace does not see.
        env: { PATH: process.env['PATH'], ...options.env, UV_USE_IO_URING: '0', UV_THREADPOOL_SIZE: threads },
        input: options.input ?? '',
        timeout: 30_000,
      },
    );
    const points = parse(readFileSync(log, 'utf8'));
    return { moments: disk.follow(points), stdout: child.stdout, status: child.status };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

type Point = {
  readonly pid: string;
  readonly call: string;
  readonly args: string;
  /** Null where the call begins. */
  readonly result: number | null;
};

/** A call that others came in between is two lines: `fsync(3</x> <unfinished ...>` and `<... fsync resumed>) = 0`. */
function parse(log: string): Point[] {
  const begun = new Map<string, string>();
  return log.split('\n').flatMap((line): Point[] => {
    const [, pid = '', rest = ''] = /^(\d+) +(.*)$/.exec(line) ?? [];
    const unfinished = /^(\w+)\((.*) <unfinished \.\.\.>$/.exec(rest);
    if (unfinished !== null) {
      const [, call = '', args = ''] = unfinished;
      begun.set(pid, args);
      return [{ pid, call, args, result: null }];
    }
    const resumed = /^<\.\.\. (\w+) resumed>.*\) += (-?\d+)/.exec(rest);
    if (resumed !== null) {
      const [, call = '', result] = resumed;
      return [{ pid, call, args: begun.get(pid) ?? '', result: Number(result) }];
    }
    const whole = /^(\w+)\((.*)\) += (-?\d+)/.exec(rest);
    if (whole === null) return [];
    const [, call = '', args = '', result] = whole;
    return [
      { pid, call, args, result: null },
      { pid, call, args, result: Number(result) },
    ];
  });
}

class Disk {
  readonly #root: string;
  /** Opening one of these with O_CREAT creates nothing. */
  readonly #there: Set<string>;
  /** Path of a file (its content) or a directory (its names), and when it changed last. */
  readonly #unsynced = new Map<string, number>();
  readonly #syncs = new Map<string, number>();
  readonly #moments: string[] = [];
  #at = 0;

  constructor(root: string, unsynced: readonly string[]) {
    this.#root = root;
    this.#there = new Set(readdirSync(root, { encoding: 'utf8', recursive: true }).map((name) => join(root, name)));
    for (const name of unsynced) this.#changed(join(root, name));
  }

  follow(points: readonly Point[]): string[] {
    for (const point of points) {
      this.#at += 1;
      const [, fd = '', path = ''] = /^(\d+)<([^>]*)>/.exec(point.args) ?? [];
      const names = [...point.args.matchAll(/"((?:[^"\\]|\\.)*)"/g)].map(([, name = '']) => name);
      if (/write|truncate/.test(point.call)) {
        if (this.#isBelow(path)) this.#write(path, point);
        // The first to appear is the program itself, not one that it started.
        else if (fd === '1' && point.pid === points[0]?.pid && point.result === null) this.#say(names[0] ?? '');
      } else if (/sync/.test(point.call)) this.#sync(path, point);
      else this.#name(names, point);
    }
    return this.#moments;
  }

  #isBelow(path: string): boolean {
    return path === this.#root || path.startsWith(`${this.#root}/`);
  }

  #changed(path: string): void {
    if (this.#isBelow(path)) this.#unsynced.set(path, this.#at);
  }

  #write(path: string, { result }: Point): void {
    if (result === null) this.#happens(`writes ${this.#short(path)}`);
    this.#changed(path);
  }

  #say(text: string): void {
    const words = text.replaceAll('\\"', '"').replaceAll('\\n', '').slice(0, 10);
    this.#happens(`says ${words}`, [...this.#unsynced.keys()]);
  }

  #sync(path: string, { pid, result }: Point): void {
    if (result === null) this.#syncs.set(pid, this.#at);
    else if (result === 0 && (this.#unsynced.get(path) ?? this.#at) < (this.#syncs.get(pid) ?? 0)) {
      this.#unsynced.delete(path);
    }
  }

  #name([from = '', to = '']: readonly string[], { call, args, result }: Point): void {
    if (call.startsWith('rename')) {
      if (result === null && this.#isBelow(to)) {
        // The temporary's own name may be lost, and with it goes the rename.
        const lost = [...this.#unsynced.keys()].filter((path) => path !== dirname(from));
        this.#happens(`renames ${this.#short(to)}`, lost);
      }
      if (result !== 0) return;
      if (this.#unsynced.delete(from)) this.#changed(to);
      this.#removed(from);
      this.#there.delete(to);
      this.#created(to);
    } else if (result === null || result < 0) return;
    else if (/unlink|rmdir/.test(call)) {
      if (this.#isBelow(from)) this.#happens(`removes ${this.#short(from)}`);
      this.#removed(from);
    } else if (call.startsWith('link')) this.#created(to);
    else if (!call.startsWith('open') || args.includes('O_CREAT')) this.#created(from);
  }

  #created(path: string): void {
    if (this.#there.has(path)) return;
    this.#there.add(path);
    this.#changed(dirname(path));
  }

  #removed(path: string): void {
    this.#there.delete(path);
    this.#unsynced.delete(path);
    this.#changed(dirname(path));
  }

  #happens(what: string, lost: readonly string[] = []): void {
    const names = lost.map((path) => this.#short(path)).sort();
    const moment = names.length === 0 ? what : `${what}; a power loss takes ${names.join(', ')}`;
    if (this.#moments.at(-1) !== moment) this.#moments.push(moment);
  }

  #short(path: string): string {
    return relative(this.#root, path) || 'the directory';
  }
}
