/**
 * A copy of deploy/ whose commands meet programs that play what a test wrote down: terraform, ansible, ssh. What was
 * called is kept. Nothing leaves the folder, and the tree has no state of it.
 */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';

const root = join(import.meta.dirname, '../..');

/** What a program answers to a call that `call` matches; the first that does and is not used up. Without one: nothing, 0. */
export type Answer = {
  readonly call: RegExp;
  readonly says?: unknown;
  readonly complains?: string;
  readonly code?: number;
  readonly times?: number;
  /** Of plan.yml: what it finds on each host. */
  readonly facts?: Record<string, object>;
  /** Ctrl-C does not end it at once: it leaves the file `saved` behind a while later. */
  readonly saves?: boolean;
};

export type Ended = { readonly code: number | null; readonly out: string; readonly err: string };

const PLAYER = `#!/usr/bin/env python3
import json, os, pathlib, re, signal, sys, time
world = pathlib.Path(__file__).resolve().parent.parent
words = [word for word in sys.argv[1:] if not word.startswith("-chdir=")]
call = " ".join([pathlib.Path(sys.argv[0]).name, *words])
def save(*_):
    time.sleep(1)
    (world / "saved").touch()
    sys.exit(1)
for at, answer in enumerate(json.loads((world / "answers.json").read_text())):
    used = world / f"used-{at}"
    count = len(used.read_text()) if used.exists() else 0
    if not re.search(answer["call"], call) or count >= answer.get("times", 1000):
        continue
    used.write_text("x" * (count + 1))
    if answer.get("saves"):
        signal.signal(signal.SIGINT, save)
    break
else:
    answer = {}
with open(world / "calls", "a") as calls:
    calls.write(call + "\\n")
if "facts" in answer:
    folder = pathlib.Path(json.loads(words[words.index("-e") + 1])["plan_directory"])
    for host, found in answer["facts"].items():
        (folder / f"{host}.json").write_text(json.dumps(found))
if answer.get("saves"):
    time.sleep(20)
says = answer.get("says", "")
sys.stdout.write(says if isinstance(says, str) else json.dumps(says))
sys.stderr.write(answer.get("complains", ""))
sys.exit(answer.get("code", 0))
`;

export class OperatorBed {
  readonly folder = mkdtempSync(join(tmpdir(), 'siteward-operator-'));

  constructor(...programs: readonly string[]) {
    const filter = (path: string) => !/^(\.terraform|dist|.*\.tfvars|.*\.tfstate.*|backend\.tf)$/.test(basename(path));
    cpSync(join(root, 'deploy'), join(this.folder, 'deploy'), { recursive: true, verbatimSymlinks: true, filter });
    mkdirSync(join(this.folder, 'bin'));
    for (const program of programs) this.program(program, PLAYER);
  }

  program(name: string, text: string): void {
    writeFileSync(join(this.folder, 'bin', name), text);
    chmodSync(join(this.folder, 'bin', name), 0o755);
  }

  /** Writes a file of the copy. */
  put(path: string, content: unknown): string {
    const file = join(this.folder, path);
    mkdirSync(join(file, '..'), { recursive: true });
    writeFileSync(file, typeof content === 'string' ? content : JSON.stringify(content));
    return file;
  }

  has(path: string): boolean {
    return existsSync(join(this.folder, path));
  }

  /** From here on; forgets what was called before. */
  answers(...answers: readonly Answer[]): void {
    const kept = readdirSync(this.folder).filter((name) => /^(used-\d+|calls|saved)$/.test(name));
    for (const name of kept) rmSync(join(this.folder, name));
    this.put(
      'answers.json',
      answers.map((answer) => ({ ...answer, call: answer.call.source })),
    );
  }

  calls(): string {
    return this.has('calls') ? readFileSync(join(this.folder, 'calls'), 'utf8') : '';
  }

  /** No credentials: whatever runs here, it cannot reach an account. */
  #environment(): NodeJS.ProcessEnv {
    return {
      ...Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith('AWS_'))),
      AWS_EC2_METADATA_DISABLED: 'true',
      CHECKPOINT_DISABLE: '1',
      PATH: `${join(this.folder, 'bin')}:${process.env['PATH']}`,
      PYTHONDONTWRITEBYTECODE: '1',
    };
  }

  /** A command of deploy/, with what a person types. */
  run(command: readonly string[], typed = '', cwd = this.folder): Ended {
    const [program = '', ...args] = command;
    const path = join(this.folder, 'deploy', program);
    const options = { cwd, env: this.#environment(), input: typed, encoding: 'utf8', timeout: 120_000 } as const;
    const { status, stdout, stderr } = spawnSync(path, args, options);
    return { code: status, out: stdout, err: stderr };
  }

  /** Lines of Python among the modules of deploy/lib. */
  python(text: string, ...args: readonly string[]): Ended {
    const lines = `import sys; sys.path.insert(0, "deploy/lib")\n${text}`;
    const options = { cwd: this.folder, env: this.#environment(), encoding: 'utf8', timeout: 60_000 } as const;
    const { status, stdout, stderr } = spawnSync('python3', ['-c', lines, ...args], options);
    return { code: status, out: stdout, err: stderr };
  }

  /** In a process group of its own, as a terminal's foreground job is. */
  start(command: readonly string[]): ChildProcess {
    const [program = '', ...args] = command;
    const options = { cwd: this.folder, env: this.#environment(), detached: true, stdio: 'ignore' } as const;
    return spawn(join(this.folder, 'deploy', program), args, options);
  }

  end(): void {
    rmSync(this.folder, { recursive: true, force: true });
  }
}
