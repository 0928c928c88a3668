/**
 * Keys and passwords of one lab, made anew at each `up`: a key and certificate for every peer and for the operator
 * `lab`, the dedicated ssh key, host keys, database and statistics passwords, the Route 53 credentials.
 */
import { createHash, randomBytes, X509Certificate } from 'node:crypto';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { LabPaths } from './paths.ts';
import { must } from './process.ts';
import type { HostName } from './topology.ts';

export const OPERATOR = 'lab';
export const PEERS = ['site1-agent', 'site2-agent', 'site1-guard', 'site2-guard', 'witness'] as const;
export const SSH_HOSTS: readonly HostName[] = ['site1-app', 'site1-db', 'site2-app', 'site2-db'];

export interface Passwords {
  readonly dbuser: string;
  readonly probe: string;
  readonly replication: string;
  readonly haproxy: string;
  readonly secretKey: string;
}

export interface LabSecrets {
  readonly directory: string;
  readonly passwords: Passwords;
  /** SHA-256 of each public key, base64. */
  readonly pins: Readonly<Record<string, string>>;
  /** `SHA256:...` of each ssh host key. */
  readonly hostKeys: Readonly<Record<string, string>>;
  readonly sshPublicKey: string;
}

/** What the zone's double knows by default; see test/lab/zone/README.md. */
export const AWS_CREDENTIALS =
  '[default]\naws_access_key_id = AKIALABSITEWARD\naws_secret_access_key = lab-secret-key\n';

export async function makeKey(directory: string, name: string): Promise<[string, string]> {
  const key = join(directory, `${name}.key`);
  const certificate = join(directory, `${name}.crt`);
  const subject = ['-subj', `/CN=${name}`, '-days', '36500'];
  const request = ['req', '-x509', '-newkey', 'ed25519', '-nodes', '-keyout', key, '-out', certificate, ...subject];
  await must('openssl', request, { timeoutMs: 10_000 });
  const spki = new X509Certificate(readFileSync(certificate)).publicKey.export({ type: 'spki', format: 'der' });
  return [name, createHash('sha256').update(spki).digest('base64')];
}

export async function makeSshKey(directory: string, name: string): Promise<[string, string]> {
  const file = join(directory, name);
  await must('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-C', name, '-f', file], { timeoutMs: 10_000 });
  const blob = Buffer.from(readFileSync(`${file}.pub`, 'utf8').split(' ')[1] ?? '', 'base64');
  return [name, `SHA256:${createHash('sha256').update(blob).digest('base64').replace(/=+$/, '')}`];
}

export async function makeSecrets(paths: LabPaths): Promise<LabSecrets> {
  const directory = paths.secrets;
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  const word = () => randomBytes(18).toString('base64url');
  const passwords = { dbuser: word(), probe: word(), replication: word(), haproxy: word(), secretKey: word() };
  const peers = Promise.all([...PEERS, OPERATOR].map((name) => makeKey(directory, name)));
  const hosts = Promise.all(SSH_HOSTS.map((host) => makeSshKey(directory, host)));
  const dedicated = makeSshKey(directory, 'ssh_ed25519');
  const pins = Object.fromEntries(await peers);
  const hostKeys = Object.fromEntries(await hosts);
  await dedicated;
  writeFileSync(join(directory, 'aws.credentials'), AWS_CREDENTIALS, { mode: 0o600 });
  writeFileSync(join(directory, 'passwords.json'), JSON.stringify(passwords), { mode: 0o600 });
  const sshPublicKey = readFileSync(join(directory, 'ssh_ed25519.pub'), 'utf8').trim();
  return { directory, passwords, pins, hostKeys, sshPublicKey };
}
