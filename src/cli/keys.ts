/** `siteward keys new NAME` and `siteward keys pin FILE`: the keys by which agents, guards, witness and operators know each other. */
import { execFileSync } from 'node:child_process';
import { chmodSync, existsSync, linkSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { pinOfPem } from '../adapters/http/pin.ts';
import { EXIT } from '../catalog/exit-codes.ts';
import type { Output } from './config.ts';

const DEFAULT_DIRECTORY = '/etc/siteward/keys';

const USAGE = `usage: siteward keys new NAME [--directory DIRECTORY]
       siteward keys pin FILE

new  makes NAME.key (readable by its owner only) and NAME.crt with openssl and prints the pin for cluster.yaml.
     NAME is site1-agent, site2-agent, site1-guard, site2-guard, witness, or a person's name for an operator.
     The key stays on its host; only the pin goes into the cluster file. Nothing is ever overwritten.
pin  prints the pin of a key or certificate

DIRECTORY is ${DEFAULT_DIRECTORY} when absent.
To replace a key: "Add a key, replace a key" in /usr/share/doc/siteward/RUNBOOK.md. A key that is put in place has to belong
to its daemon's account, else the daemon does not start.`;

const NAME = /^[a-z][a-z0-9._-]{0,31}$/;

/** Returns the exit code. */
export function runKeys(args: readonly string[], output: Output): number {
  const parsed = parse(args);
  if (parsed === null) {
    output.err(USAGE);
    return EXIT.usage;
  }
  const { command, subject, directory } = parsed;
  try {
    if (command === 'help') output.out(USAGE);
    else output.out(command === 'new' ? newKey(directory, subject) : pinOfFile(subject));
    return EXIT.ok;
  } catch (error) {
    output.err(`siteward keys: ${error instanceof Error ? error.message : String(error)}`);
    return EXIT.config;
  }
}

function parse(args: readonly string[]) {
  try {
    const { values, positionals } = parseArgs({
      args: [...args],
      allowPositionals: true,
      options: { directory: { type: 'string' }, help: { type: 'boolean', short: 'h' } },
    });
    const [command, subject, ...more] = positionals;
    const directory = values.directory ?? DEFAULT_DIRECTORY;
    if (values.help === true) return { command: 'help', subject: '', directory } as const;
    if ((command !== 'new' && command !== 'pin') || subject === undefined || more.length > 0) return null;
    if (command === 'new' ? !NAME.test(subject) : values.directory !== undefined) return null;
    return { command, subject, directory } as const;
  } catch {
    return null;
  }
}

/** Makes both files aside and gives them their names last, never over others. Returns the pin. */
function newKey(directory: string, name: string): string {
  mkdirSync(directory, { recursive: true, mode: 0o750 });
  const key = join(directory, `${name}.key`);
  const certificate = join(directory, `${name}.crt`);
  for (const path of [key, certificate]) if (existsSync(path)) throw new Error(`${path} is there already`);
  const aside = mkdtempSync(join(directory, '.new-'));
  try {
    const newKeyFile = join(aside, 'key');
    const newCertificate = join(aside, 'crt');
    openssl('genpkey', '-algorithm', 'ed25519', '-out', newKeyFile);
    chmodSync(newKeyFile, 0o600);
    // The dates count for nothing (identity is the key): a hundred years, so that no tool worries.
    const dates = ['-days', '36500'];
    openssl('req', '-new', '-x509', '-key', newKeyFile, '-subj', `/CN=${name}`, ...dates, '-out', newCertificate);
    chmodSync(newCertificate, 0o644);
    const pin = pinOfPem(readFileSync(newCertificate));
    linkSync(newKeyFile, key);
    linkSync(newCertificate, certificate);
    return pin;
  } finally {
    rmSync(aside, { recursive: true, force: true });
  }
}

function pinOfFile(path: string): string {
  const pem = readFileSync(path);
  try {
    return pinOfPem(pem);
  } catch {
    throw new Error(`${path} is no key or certificate in PEM`);
  }
}

function openssl(...args: readonly string[]): void {
  try {
    execFileSync('openssl', args, { stdio: ['ignore', 'ignore', 'pipe'], timeout: 30_000 });
  } catch (error) {
    const { code, stderr } = error as { code?: string; stderr?: Buffer };
    if (code === 'ENOENT') throw new Error('openssl is not installed: `apt-get install openssl`');
    throw new Error(`openssl ${args[0] ?? ''} failed: ${stderr?.toString().trim() ?? String(error)}`);
  }
}
