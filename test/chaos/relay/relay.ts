/** 35 ms between the sites: routes their packets through relay.py. See there for why it is not the kernel that delays. */
import type { ChildProcessByStdio } from 'node:child_process';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Readable, Writable } from 'node:stream';
import { requireKeeper } from '../../lab/src/hosts.ts';
import type { Lab } from '../../lab/src/lab.ts';
import { must, run } from '../../lab/src/process.ts';
import { LabError } from '../../lab/src/topology.ts';

const DEVICE = 'longline';
const TABLE = '735';
const SITE_NETWORKS = ['172.20.0.0/16', '172.21.0.0/16'] as const;

/** What came back over the line goes its usual way; what one site sends the other goes over it first. */
const SCRIPT = `
set -e
sysctl -qw net.ipv4.conf.${DEVICE}.rp_filter=0 net.ipv4.conf.all.rp_filter=0
ip link set ${DEVICE} up
ip route replace default dev ${DEVICE} table ${TABLE}
for pref in 90 100 101; do ip rule del pref $pref 2>/dev/null || true; done
ip rule add pref 90 iif ${DEVICE} lookup main
ip rule add pref 100 from ${SITE_NETWORKS[0]} to ${SITE_NETWORKS[1]} lookup ${TABLE}
ip rule add pref 101 from ${SITE_NETWORKS[1]} to ${SITE_NETWORKS[0]} lookup ${TABLE}`;

/** The Python of the distribution: nothing that it does not bring with it is used. */
export const PYTHON = '/usr/bin/python3';

export async function relayProblem(): Promise<string | undefined> {
  const found = await run(PYTHON, ['-c', 'import fcntl'], { timeoutMs: 5_000 });
  if (found.code !== 0) return 'the delay between the sites needs python3 (apt-get install python3), or --relay 0';
  const device = await run('test', ['-c', '/dev/net/tun'], { timeoutMs: 5_000 });
  return device.code === 0 ? undefined : 'the delay between the sites needs /dev/net/tun, or --relay 0';
}

export class Relay {
  readonly #child: ChildProcessByStdio<Writable, Readable, Readable>;
  #said = '';
  #closed = false;

  private constructor(child: ChildProcessByStdio<Writable, Readable, Readable>) {
    this.#child = child;
    child.stdin.on('error', () => {});
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      this.#said += text;
    });
  }

  static async start(lab: Lab, delayMs: number, seed: number): Promise<Relay> {
    const keeper = String(requireKeeper(lab.paths));
    const program = [PYTHON, join(import.meta.dirname, 'relay.py'), DEVICE, String(seed)];
    const child = spawn('nsenter', ['-t', keeper, '-n', '--', 'nice', '-n', '-5', ...program], {
      stdio: ['pipe', 'pipe', 'pipe'],
    });
    const relay = new Relay(child);
    const lines = createInterface(child.stdout);
    const [first] = (await Promise.race([once(lines, 'line'), once(child, 'exit').then(() => ['ended'])])) as [string];
    if (first !== 'ready') throw new LabError(`the relay between the sites did not start: ${relay.#said.trim()}`);
    relay.delay(delayMs);
    await must('nsenter', ['-t', keeper, '-n', '--', 'sh', '-c', SCRIPT], { timeoutMs: 10_000 });
    return relay;
  }

  delay(ms: number): void {
    this.#child.stdin.write(`delay ${ms}\n`);
  }

  loss(percent: number): void {
    this.#child.stdin.write(`loss ${percent}\n`);
  }

  /** Undefined while it does what it should; a run without its delay would measure something else. */
  get problem(): string | undefined {
    if (this.#closed || this.#child.exitCode === null) return undefined;
    return `the relay between the sites ended with ${this.#child.exitCode}: ${this.#said.trim()}`;
  }

  close(): void {
    this.#closed = true;
    this.#child.stdin.end();
  }
}
