// `siteward init --dry-run`, on the database host whose running database is to become the primary: what it still lacks, each
// with the words to type. It asks the database through its socket, by psql, and changes nothing.

import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import type { ClusterConfig } from '../../config/cluster.ts';
import { otherSite, type Site } from '../../core/site.ts';
import { type DatabaseAccount, readDatabaseAccount } from '../../wire/database-account.ts';

export type Lack = {
  readonly what: string;
  /** SQL, or a line of a file, or a command. */
  readonly type: readonly string[];
  /** siteward makes it itself, or it is advice: init works without. */
  readonly optional: boolean;
};

const query = `SELECT json_build_object(
  'recovery', pg_is_in_recovery(),
  'databases', (SELECT json_agg(datname) FROM pg_database),
  'roles', (SELECT json_agg(json_build_object('name', rolname, 'replication', rolreplication)) FROM pg_roles WHERE rolcanlogin),
  'slots', (SELECT coalesce(json_agg(slot_name), '[]') FROM pg_replication_slots),
  'schema', to_regclass('siteward.cluster') IS NOT NULL,
  'settings', (SELECT json_object_agg(name, setting) FROM pg_settings),
  'hba', (SELECT coalesce(json_agg(json_build_object('type', type, 'databases', database, 'users', user_name, 'method', auth_method)), '[]')
          FROM pg_hba_file_rules WHERE error IS NULL))`;

/** Throws with what psql says. */
export function askDatabase(config: ClusterConfig, site: Site): DatabaseAccount {
  const { database } = config;
  const { binDirectory, socketDirectory, superuser } = database;
  const ask = (name: string): string => {
    const words = [
      join(binDirectory, 'psql'),
      '-XAtq',
      '-h',
      socketDirectory,
      '-p',
      String(config.sites[site].database.port),
    ];
    const all = [...words, '-U', superuser, '-d', name, '-c', query];
    const [file = '', ...args] = process.getuid?.() === 0 ? ['runuser', '-u', superuser, '--', ...all] : all;
    return execFileSync(file, args, { cwd: '/', encoding: 'utf8', timeout: 10_000, stdio: ['ignore', 'pipe', 'pipe'] });
  };
  const first = readDatabaseAccount(ask('postgres'));
  return first.databases.includes(database.name) ? readDatabaseAccount(ask(database.name)) : first;
}

/** Least values of settings that only a restart of PostgreSQL changes, and what siteward counts on besides. */
const atLeast = { max_wal_senders: 3, max_replication_slots: 2 } as const;
const keepAlive = {
  tcp_keepalives_idle: 5,
  tcp_keepalives_interval: 2,
  tcp_keepalives_count: 3,
  tcp_user_timeout: 10_000,
} as const;

export function lacksOf(config: ClusterConfig, site: Site, found: DatabaseAccount): readonly Lack[] {
  if (found.recovery)
    return [
      {
        what: `this database is a standby: on the primary's host, or --primary ${otherSite(site)}`,
        type: [],
        optional: false,
      },
    ];
  return [...objects(config, site, found), ...access(config, site, found), ...settings(found)];
}

function objects({ database }: ClusterConfig, site: Site, found: DatabaseAccount): readonly Lack[] {
  const lacks: Lack[] = [];
  const add = (what: string, sql: string, optional: boolean): void => {
    lacks.push({ what, type: [sql], optional });
  };
  if (!found.databases.includes(database.name))
    add(`database ${database.name}`, `CREATE DATABASE "${database.name}";`, false);
  const role = (name: string): DatabaseAccount['roles'][number] | undefined =>
    found.roles.find((each) => each.name === name);
  const { probe, replication } = database;
  if (role(probe.user) === undefined)
    add(`role ${probe.user}`, `CREATE ROLE "${probe.user}" LOGIN PASSWORD '...';  -- ${probe.passwordFile}`, true);
  const words = 'LOGIN REPLICATION';
  if (role(replication.user) === undefined)
    add(
      `role ${replication.user}`,
      `CREATE ROLE "${replication.user}" ${words} PASSWORD '...';  -- ${replication.passwordFile}`,
      true,
    );
  else if (role(replication.user)?.replication === false)
    add(`${replication.user} may not replicate`, `ALTER ROLE "${replication.user}" ${words};`, false);
  const slot = `${replication.slot}_${otherSite(site)}`;
  if (!found.slots.includes(slot))
    add(`replication slot ${slot}`, `SELECT pg_create_physical_replication_slot('${slot}', true);`, true);
  if (!found.schema) add('schema siteward with its two tables', '-- nothing to type: made with the first lease', true);
  return lacks;
}

function access({ database, sites }: ClusterConfig, site: Site, found: DatabaseAccount): readonly Lack[] {
  const lacks: Lack[] = [];
  const network = found.hba.filter(({ type }) => type.startsWith('host'));
  const lets = (name: string, user: string): boolean =>
    network.some(
      ({ databases, users, method }) =>
        method !== 'reject' &&
        (databases.includes(name) || (databases.includes('all') && name !== 'replication')) &&
        (users.includes(user) || users.includes('all')),
    );
  const services = [sites.site1.service.address, sites.site2.service.address];
  if (!lets(database.name, database.probe.user))
    lacks.push({
      what: `pg_hba.conf lets no agent in as ${database.probe.user}`,
      type: services.map((address) => `host ${database.name} ${database.probe.user} ${address}/32 scram-sha-256`),
      optional: false,
    });
  if (!lets('replication', database.replication.user))
    lacks.push({
      what: `pg_hba.conf lets no standby in as ${database.replication.user}`,
      type: [
        `hostssl replication ${database.replication.user} ${sites[otherSite(site)].database.address}/32 scram-sha-256`,
      ],
      optional: false,
    });
  const trusting = network.filter(({ method }) => method === 'trust').length;
  if (trusting > 0)
    lacks.push({
      what: `${trusting} lines of pg_hba.conf let anybody in without a password (trust)`,
      type: [],
      optional: true,
    });
  return lacks;
}

function settings({ settings: now }: DatabaseAccount): readonly Lack[] {
  const lacks: Lack[] = [];
  const set = (name: string, value: string, why: string, optional: boolean): void => {
    lacks.push({ what: `${name} is ${now[name]}: ${why}`, type: [`ALTER SYSTEM SET ${name} = '${value}';`], optional });
  };
  const restart = 'takes a restart of PostgreSQL';
  if (now['wal_level'] === 'minimal') set('wal_level', 'replica', restart, false);
  if (now['listen_addresses'] === 'localhost' || now['listen_addresses'] === '')
    set('listen_addresses', '*', restart, false);
  for (const [name, least] of Object.entries(atLeast))
    if (Number(now[name]) < least) set(name, String(least), restart, false);
  if (now['max_slot_wal_keep_size'] === '-1')
    set('max_slot_wal_keep_size', '4GB', "without a limit a standby that stays away fills the primary's disk", true);
  const wrong = Object.entries(keepAlive).filter(([name]) => Number(now[name]) === 0);
  if (wrong.length > 0)
    lacks.push({
      what: 'sessions of an application host that lost its power keep their places for two hours',
      type: wrong.map(([name, value]) => `ALTER SYSTEM SET ${name} = ${value};`),
      optional: true,
    });
  if (wrong.length > 0 || lacks.some(({ type }) => type.length > 0))
    lacks.push({ what: 'then', type: ['SELECT pg_reload_conf();'], optional: true });
  return lacks;
}

export function showLacks(primary: Site, lacks: readonly Lack[]): string {
  const needed = lacks.filter(({ optional }) => !optional);
  if (lacks.length === 0) return `nothing is missing for ${primary}'s database: siteward init --primary ${primary}`;
  const lines = lacks.map(({ what, type, optional }) =>
    [`${optional ? ' ' : '!'} ${what}`, ...type.map((line) => `      ${line}`)].join('\n'),
  );
  const last =
    needed.length === 0
      ? 'Nothing that is missing stands in the way: siteward makes it, or it is advice.'
      : `${needed.length} of it (!) stand in the way of siteward init --primary ${primary}.`;
  return [...lines, last, 'Nothing was changed.'].join('\n');
}
