// The zone as a child process on loopback, for contract tests.

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { type ZoneControl, zoneControl } from './control.ts';

export type RunningZone = AsyncDisposable & {
  readonly endpoint: string;
  readonly dns: { readonly host: string; readonly port: number };
  readonly control: ZoneControl;
  readonly directory: string;
  /** In the format of AWS's shared credentials file. */
  readonly credentialsFile: string;
  /** Power loss and start on the same ports and state. */
  restart(): Promise<void>;
};

export const zoneKeys = { accessKeyId: 'AKIATESTSITEWARD', secretAccessKey: 'test/secret+key' } as const;
export const entryZone = { id: 'ZLABENTRY', name: 'siteward.test' } as const;
export const registerZone = { id: 'ZLABREGISTER', name: 'register.test' } as const;

type Ready = { readonly http: string; readonly dns: string; readonly control: string };

const main = new URL('main.ts', import.meta.url).pathname;

async function launch(flags: readonly string[]): Promise<{ child: ChildProcess; ready: Ready }> {
  const child = spawn(process.execPath, [main, ...flags], { stdio: ['ignore', 'pipe', 'inherit'] });
  for await (const line of createInterface({ input: child.stdout })) {
    return { child, ready: JSON.parse(line) as Ready };
  }
  throw new Error('the zone ended before it was ready');
}

async function kill(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exited = once(child, 'exit');
  child.kill('SIGKILL');
  await exited;
}

/** No account limit unless `flags` say so, that tests may be quick. */
export async function startZone(flags: readonly string[] = []): Promise<RunningZone> {
  const directory = await mkdtemp(join(tmpdir(), 'siteward-zone-'));
  const credentialsFile = join(directory, 'credentials');
  const keys = `aws_access_key_id = ${zoneKeys.accessKeyId}\naws_secret_access_key = ${zoneKeys.secretAccessKey}\n`;
  await writeFile(credentialsFile, `[default]\n${keys}`);
  const fixed = ['--state', join(directory, 'state.json'), '--credentials', credentialsFile, '--rate', '0', ...flags];
  const any = '127.0.0.1:0';
  let { child, ready } = await launch(['--http', any, '--dns', any, '--control', any, ...fixed]);
  const { http, dns, control } = ready;
  const [host = '', port = ''] = dns.split(':');
  return {
    endpoint: `http://${http}`,
    dns: { host, port: Number(port) },
    control: zoneControl(control),
    directory,
    credentialsFile,
    async restart() {
      await kill(child);
      ({ child, ready } = await launch(['--http', http, '--dns', dns, '--control', control, ...fixed]));
    },
    async [Symbol.asyncDispose]() {
      await kill(child);
      await rm(directory, { recursive: true, force: true });
    },
  };
}
