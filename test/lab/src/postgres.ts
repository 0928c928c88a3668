/**
 * The two databases as a person would have set them up before siteward came: a primary and its streaming standby, the
 * configuration in /etc as Debian has it, roles with passwords (scram), access for the hosts that need it and no others.
 */
import {
  chownSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { requireKeeper } from './hosts.ts';
import type { LabPaths } from './paths.ts';
import { must } from './process.ts';
import type { Passwords } from './secrets.ts';
import type { SiteName } from './topology.ts';
import { LabError, SITES } from './topology.ts';

export interface PostgresPlace {
  readonly version: string;
  readonly binDirectory: string;
  readonly dataDirectory: string;
  readonly configDirectory: string;
  readonly configFile: string;
  /** Where the server's own output goes, whoever starts it. */
  readonly logFile: string;
}

/** The newest PostgreSQL that Debian's packages installed. */
export function findPostgres(): PostgresPlace {
  const base = '/usr/lib/postgresql';
  const versions = (existsSync(base) ? readdirSync(base) : [])
    .filter((version) => existsSync(join(base, version, 'bin/postgres')))
    .sort((a, b) => Number(b) - Number(a));
  const version = versions[0];
  if (version === undefined) throw new LabError('PostgreSQL is not installed (apt-get install postgresql)');
  return {
    version,
    binDirectory: join(base, version, 'bin'),
    dataDirectory: `/var/lib/postgresql/${version}/main`,
    configDirectory: `/etc/postgresql/${version}/main`,
    configFile: `/etc/postgresql/${version}/main/postgresql.conf`,
    logFile: `/var/lib/postgresql/${version}/postgresql.log`,
  };
}

export interface Account {
  readonly uid: number;
  readonly gid: number;
}

export function accountOf(name: string): Account {
  const line = readFileSync('/etc/passwd', 'utf8')
    .split('\n')
    .find((entry) => entry.startsWith(`${name}:`));
  const [, , uid, gid] = (line ?? '').split(':');
  if (uid === undefined || gid === undefined) throw new LabError(`there is no account "${name}"`);
  return { uid: Number(uid), gid: Number(gid) };
}

const OTHER: Readonly<Record<SiteName, SiteName>> = { site1: 'site2', site2: 'site1' };
const NETWORK: Readonly<Record<SiteName, string>> = { site1: '172.20.1', site2: '172.21.1' };

function serverConfig(place: PostgresPlace, site: SiteName): string {
  const upstream = `${NETWORK[OTHER[site]]}.30`;
  return [
    `data_directory = '${place.dataDirectory}'`,
    `hba_file = '${place.configDirectory}/pg_hba.conf'`,
    `ident_file = '${place.configDirectory}/pg_ident.conf'`,
    "listen_addresses = '*'",
    'port = 5432',
    "unix_socket_directories = '/run/postgresql'",
    'max_connections = 100',
    'shared_buffers = 64MB',
    'dynamic_shared_memory_type = posix',
    'password_encryption = scram-sha-256',
    'fsync = on',
    'wal_log_hints = on',
    'wal_keep_size = 256MB',
    'max_slot_wal_keep_size = 1GB',
    'hot_standby = on',
    'max_wal_senders = 10',
    'wal_receiver_status_interval = 1s',
    'wal_retrieve_retry_interval = 500ms',
    // A sender that nobody answers must not hold a fast stop for a minute.
    'wal_sender_timeout = 5s',
    'wal_receiver_timeout = 5s',
    `primary_conninfo = 'host=${upstream} port=5432 user=siteward_replication passfile=/var/lib/postgresql/.pgpass ` +
      `application_name=siteward_${site} connect_timeout=3 tcp_user_timeout=5000'`,
    `primary_slot_name = 'siteward_${site}'`,
    // The sessions of an application host that lost its power would keep their places for two hours.
    'tcp_keepalives_idle = 5',
    'tcp_keepalives_interval = 2',
    'tcp_keepalives_count = 3',
    'tcp_user_timeout = 10000',
    "log_line_prefix = '%m [%p] %q%u@%d '",
    "log_timezone = 'UTC'",
    'log_checkpoints = off',
    '',
  ].join('\n');
}

function hbaConfig(site: SiteName): string {
  const lines = ['local all postgres peer', 'local all all scram-sha-256'];
  for (const any of SITES) {
    lines.push(`host revolutdb dbuser ${NETWORK[any]}.20/32 scram-sha-256`);
    lines.push(`host revolutdb siteward_probe ${NETWORK[any]}.10/32 scram-sha-256`);
  }
  lines.push(`host replication siteward_replication ${NETWORK[OTHER[site]]}.30/32 scram-sha-256`, '');
  return lines.join('\n');
}

const rolesScript = (passwords: Passwords) =>
  [
    `CREATE ROLE dbuser LOGIN PASSWORD '${passwords.dbuser}';`,
    `CREATE ROLE siteward_probe LOGIN PASSWORD '${passwords.probe}';`,
    `CREATE ROLE siteward_replication LOGIN REPLICATION PASSWORD '${passwords.replication}';`,
    'CREATE DATABASE revolutdb;',
    "SELECT pg_create_physical_replication_slot('siteward_site2', true);",
  ].join('\n');

/** Below the keeper, so that a database that is being set up ends with the lab too. */
function inKeeperAs(paths: LabPaths, { uid, gid }: Account, command: readonly string[]): readonly string[] {
  const become = ['setpriv', '--reuid', String(uid), '--regid', String(gid), '--init-groups', '--'];
  return ['-t', String(requireKeeper(paths)), '-n', '-m', '-p', '-i', '--', ...become, ...command];
}

/** Makes both hosts' disks ready: initdb, roles and schema, an exact copy for the standby. No network is used. */
export async function preparePostgres(paths: LabPaths, place: PostgresPlace, passwords: Passwords): Promise<void> {
  const owner = accountOf('postgres');
  const dataOf = (site: SiteName) => join(paths.disk(`${site}-db`), place.dataDirectory);
  for (const site of SITES) {
    writeConfig(paths, place, site, passwords);
    const home = join(paths.disk(`${site}-db`), 'var/lib/postgresql');
    const logs = join(paths.disk(`${site}-db`), 'var/log/postgresql');
    await must('chown', ['-R', `${owner.uid}:${owner.gid}`, home, logs, join(paths.base, 'sockets', `${site}-db`)]);
  }
  const primary = dataOf('site1');
  const asPostgres = (program: string, args: readonly string[], input = '') =>
    must('nsenter', inKeeperAs(paths, owner, [join(place.binDirectory, program), ...args]), {
      timeoutMs: 30_000,
      input,
    });

  await asPostgres('initdb', ['-D', primary, '-N', '-E', 'UTF8', '--locale=C.UTF-8', '--data-checksums', '-A', 'peer']);
  const sockets = join(paths.base, 'sockets/site1-db');
  const quiet = `-c listen_addresses= -c fsync=off -k ${sockets}`;
  const log = join(paths.disk('site1-db'), 'var/log/postgresql/setup.log');
  await asPostgres('pg_ctl', ['-D', primary, '-w', '-s', '-l', log, '-o', quiet, 'start']);
  try {
    const psql = ['-h', sockets, '-d', 'postgres', '-q', '-v', 'ON_ERROR_STOP=1'];
    await asPostgres('psql', psql, rolesScript(passwords));
    await migrate(paths, sockets, owner);
    await asPostgres('psql', psql, 'CHECKPOINT;');
  } finally {
    await asPostgres('pg_ctl', ['-D', primary, '-w', '-s', '-m', 'fast', 'stop']);
  }
  // One line, so that `pg_ctl -D` alone and `-c config_file=` both end at the same settings.
  writeFileSync(join(primary, 'postgresql.conf'), `include '${place.configFile}'\n`);
  await must('cp', ['-a', '--reflink=auto', primary, join(dataOf('site2'), '..')]);
  // A slot is of its own server, a base backup leaves it out too.
  rmSync(join(dataOf('site2'), 'pg_replslot/siteward_site2'), { recursive: true, force: true });
  writeFileSync(join(dataOf('site2'), 'standby.signal'), '');
  await must('chown', ['-R', `${owner.uid}:${owner.gid}`, dataOf('site1'), dataOf('site2')]);
}

/** The application's own migration, as its README tells a person to run it. */
async function migrate(paths: LabPaths, sockets: string, owner: Account): Promise<void> {
  const program = join(paths.stage, 'app/dist/main.js');
  if (!existsSync(program)) return;
  const file = join(sockets, 'migrate.env');
  copyFileSync(join(paths.disk('site1-app'), 'srv/birthday/site1.env'), file);
  chownSync(file, owner.uid, owner.gid);
  const env = { PATH: process.env['PATH'], ENV_FILE: file, MIGRATE_HOST: sockets, MIGRATE_USER: 'postgres' };
  const command = [join(paths.stage, 'bin/node'), program, 'migrate'];
  await must('nsenter', inKeeperAs(paths, owner, command), { env, timeoutMs: 30_000 });
  rmSync(file);
}

function writeConfig(paths: LabPaths, place: PostgresPlace, site: SiteName, passwords: Passwords): void {
  const disk = paths.disk(`${site}-db`);
  const config = join(disk, place.configDirectory);
  mkdirSync(config, { recursive: true });
  writeFileSync(join(config, 'postgresql.conf'), serverConfig(place, site));
  writeFileSync(join(config, 'pg_hba.conf'), hbaConfig(site));
  writeFileSync(join(config, 'pg_ident.conf'), '');
  mkdirSync(join(disk, place.dataDirectory, '..'), { recursive: true });
  const passFile = join(disk, 'var/lib/postgresql/.pgpass');
  writeFileSync(passFile, `*:*:*:siteward_replication:${passwords.replication}\n`, { mode: 0o600 });
}
