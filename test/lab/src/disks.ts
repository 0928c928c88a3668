/** The hosts' disks: /etc, /var, /srv and /root of each, as plain directories. What is on them survives a power loss. */
import {
  chmodSync,
  chownSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  readFileSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import type { LabPaths } from './paths.ts';
import type { Account, PostgresPlace } from './postgres.ts';
import { accountOf } from './postgres.ts';
import { must } from './process.ts';
import type { LabSecrets, Passwords } from './secrets.ts';
import { OPERATOR } from './secrets.ts';
import type { HostName } from './topology.ts';
import { ADDRESSES, HOSTS, kindOf, SITES, siteOf } from './topology.ts';

/** What programs look for in /etc, and nothing that says anything about the machine. */
const ETC = [
  'passwd',
  'group',
  'shadow',
  'gshadow',
  'nsswitch.conf',
  'services',
  'protocols',
  'localtime',
  'login.defs',
  'pam.d',
  'security',
  'pam.conf',
  'ld.so.cache',
  'ld.so.conf',
  'ld.so.conf.d',
  'host.conf',
  'gai.conf',
  'bash.bashrc',
  'profile',
  'debian_version',
  'os-release',
  'ssl/openssl.cnf',
  'postgresql-common',
  'nftables.conf',
];

/** The dedicated account of the forced ssh command, and the one the application runs as. */
export const SSH_ACCOUNT = 'siteward';
export const APP_OWNER: Account = { uid: 64_101, gid: 64_101 };

export interface DiskContents {
  readonly clusterFile: string;
  readonly secrets: LabSecrets;
  readonly postgres: PostgresPlace;
}

export async function makeDisks(
  paths: LabPaths,
  contents: DiskContents,
  hosts: readonly HostName[] = HOSTS,
): Promise<void> {
  const template = join(paths.base, 'template');
  mkdirSync(join(template, 'ssl'), { recursive: true });
  mkdirSync(join(template, 'alternatives'));
  const present = ETC.filter((entry) => existsSync(join('/etc', entry)));
  await must('sh', ['-c', 'cd /etc && cp -a --parents -- "$@"', 'sh', ...present, template]);
  const postgres = accountOf('postgres');
  for (const host of hosts) {
    const disk = paths.disk(host);
    for (const directory of [
      'etc',
      'srv',
      'root',
      'var/log/lab',
      'var/log/postgresql',
      'var/tmp',
      'var/lib/siteward',
    ]) {
      mkdirSync(join(disk, directory), { recursive: true });
    }
    chmodSync(join(disk, 'root'), 0o700);
    chmodSync(join(disk, 'var/tmp'), 0o1777);
    symlinkSync('/run', join(disk, 'var/run'));
    symlinkSync('/run/lock', join(disk, 'var/lock'));
  }
  const targets = hosts.map((host) => join(paths.disk(host), 'etc'));
  await must('sh', ['-c', 'from=$1; shift; for to; do cp -a -- "$from/." "$to/"; done', 'sh', template, ...targets]);
  for (const host of hosts) writeHostFiles(paths, host, contents, postgres);
}

/** On database hosts the account is postgres by another name: a fence kills PostgreSQL's processes. */
function appendAccount(etc: string, file: 'passwd' | 'group' | 'shadow', { uid, gid }: Account): void {
  const line = {
    passwd: `${SSH_ACCOUNT}:x:${uid}:${gid}:siteward:/var/lib/siteward:/bin/sh\n`,
    group: `${SSH_ACCOUNT}:x:${gid}:\n`,
    // `*` is no password, and unlike `!` not a locked account, which sshd would refuse.
    shadow: `${SSH_ACCOUNT}:*:19000:0:99999:7:::\n`,
  }[file];
  const path = join(etc, file);
  const before = existsSync(path) ? readFileSync(path, 'utf8') : '';
  const kept = before.split('\n').filter((entry) => entry !== '' && !entry.startsWith(`${SSH_ACCOUNT}:`));
  writeFileSync(path, `${kept.join('\n')}\n${line}`);
}

function writeHostFiles(paths: LabPaths, host: HostName, contents: DiskContents, postgres: Account): void {
  const disk = paths.disk(host);
  const etc = join(disk, 'etc');
  writeFileSync(join(etc, 'hostname'), `${host}\n`);
  writeFileSync(
    join(etc, 'hosts'),
    `127.0.0.1 localhost\n${HOSTS.map((name) => `${ADDRESSES[name]} ${name}\n`).join('')}`,
  );
  // One server and short patience: DNS is a part that scenarios take away.
  writeFileSync(join(etc, 'resolv.conf'), `nameserver ${ADDRESSES.zone}\noptions timeout:1 attempts:2\n`);
  writeFileSync(join(etc, 'machine-id'), `${Buffer.from(host.padEnd(16, '0')).toString('hex').slice(0, 32)}\n`);

  const kind = kindOf(host);
  const own = kind === 'db' ? postgres : { uid: 0, gid: 0 };
  const put = (path: string, text: string, owner: Account = own, mode = 0o600) => {
    const file = join(disk, path);
    mkdirSync(join(file, '..'), { recursive: true });
    writeFileSync(file, text);
    chownSync(file, owner.uid, owner.gid);
    chmodSync(file, mode);
  };
  const take = (name: string, path: string, owner: Account = own) => {
    const file = join(disk, path);
    mkdirSync(join(file, '..'), { recursive: true });
    copyFileSync(join(contents.secrets.directory, name), file);
    chownSync(file, owner.uid, owner.gid);
    chmodSync(file, 0o600);
  };
  put('etc/siteward/cluster.yaml', contents.clusterFile, own, 0o644);
  const site = siteOf(host);
  const roles: Partial<Record<typeof kind, string>> = { svc: `${site}-agent`, db: `${site}-guard`, witness: 'witness' };
  const role = roles[kind];
  if (role !== undefined) for (const end of ['key', 'crt']) take(`${role}.${end}`, `etc/siteward/keys/${role}.${end}`);
  if (kind === 'svc') {
    for (const end of ['key', 'crt']) take(`${OPERATOR}.${end}`, `etc/siteward/keys/${OPERATOR}.${end}`);
    take('ssh_ed25519', 'etc/siteward/keys/ssh_ed25519');
    take('aws.credentials', 'etc/siteward/aws.credentials');
    put('etc/siteward/secrets/probe.password', `${contents.secrets.passwords.probe}\n`);
    put('etc/siteward/secrets/haproxy.password', `${contents.secrets.passwords.haproxy}\n`);
  }
  if (kind === 'db') put('etc/siteward/secrets/replication.password', `${contents.secrets.passwords.replication}\n`);
  if (kind === 'db') put('etc/siteward/secrets/probe.password', `${contents.secrets.passwords.probe}\n`);
  if (kind === 'app') writeEnvFiles(disk, contents.secrets.passwords, put);
  chownSync(join(disk, 'var/lib/siteward'), own.uid, own.gid);
  const command = kind === 'app' ? APP_OWNER : own;
  mkdirSync(join(disk, 'var/lib/siteward-host'), { mode: 0o700 });
  chownSync(join(disk, 'var/lib/siteward-host'), command.uid, command.gid);
  for (const file of ['passwd', 'group', 'shadow'] as const) appendAccount(etc, file, kind === 'db' ? own : APP_OWNER);
}

type Put = (path: string, text: string, owner?: Account, mode?: number) => void;

function writeEnvFiles(disk: string, passwords: Passwords, put: Put): void {
  for (const site of SITES) put(`srv/birthday/${site}.env`, envFile(site, passwords), APP_OWNER);
  put('srv/birthday/.env', envFile('site1', passwords), APP_OWNER);
  chownSync(join(disk, 'srv/birthday'), APP_OWNER.uid, APP_OWNER.gid);
}

function envFile(site: 'site1' | 'site2', passwords: Passwords): string {
  return [
    `SECRET_KEY=${passwords.secretKey}`,
    `dbhost=${ADDRESSES[`${site}-db`]}`,
    'dbport=5432',
    'dbname=revolutdb',
    'dbuser=dbuser',
    `dbpass=${passwords.dbuser}`,
    'dbappname=birthday',
    '',
  ].join('\n');
}
