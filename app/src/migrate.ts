// Brings the schema up to date: `migrate`, run by a person against the primary, as a role that may create schemas. Every file of
// migrations/ runs once, in order, each in a transaction of its own; a second run, or two at once, do no harm.
import { existsSync } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Client } from 'pg';
import { ConfigError } from './config.ts';
import { readEnvFile } from './env-file.ts';

const LOCK_KEY = 7_401_001;
const FILE = /^(\d{3})-[a-z0-9-]+\.sql$/;
const CONNECT_TIMEOUT_MS = 5000;
const STATEMENT_TIMEOUT_MS = 60_000;

/** The database is the .env file's; MIGRATE_HOST (a socket's folder too), _PORT, _USER, _PASSWORD_FILE say otherwise how to get in. */
export async function migrate(env: Readonly<Record<string, string | undefined>>): Promise<void> {
  const settings = await readEnvFile(env['ENV_FILE'] || '.env');
  const passwordFile = env['MIGRATE_PASSWORD_FILE'];
  const password = passwordFile ? (await readFile(passwordFile, 'utf8')).trimEnd() : settings.password;
  const client = new Client({
    host: env['MIGRATE_HOST'] || settings.host,
    port: Number(env['MIGRATE_PORT'] || settings.port),
    database: settings.database,
    user: env['MIGRATE_USER'] || settings.user,
    password,
    application_name: 'birthday-migrate',
    connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
    statement_timeout: STATEMENT_TIMEOUT_MS,
  });
  await client.connect();
  try {
    const { rows } = await client.query('SELECT pg_is_in_recovery() AS in_recovery');
    if (rows[0].in_recovery === true) throw new ConfigError('this database is a standby: migrate the primary');
    await client.query('SELECT pg_advisory_lock($1)', [LOCK_KEY]);
    await client.query(`SELECT set_config('birthday.app_role', $1, false)`, [settings.user]);
    await applyAll(client);
  } finally {
    await client.end();
  }
}

async function applyAll(client: Client): Promise<void> {
  await client.query('CREATE SCHEMA IF NOT EXISTS base');
  await client.query(
    'CREATE TABLE IF NOT EXISTS base.migrations (version int PRIMARY KEY, name text NOT NULL, at timestamptz NOT NULL DEFAULT now())',
  );
  const { rows } = await client.query<{ version: number }>('SELECT version FROM base.migrations');
  const done = new Set(rows.map(({ version }) => version));
  // It stands beside src/ and dist/, or beside main.js where that was copied alone.
  const folder = ['migrations', '../migrations'].map((path) => join(import.meta.dirname, path)).find(existsSync);
  if (folder === undefined) throw new ConfigError('there is no folder migrations beside the program');
  for (const name of (await readdir(folder)).sort()) {
    const version = Number(FILE.exec(name)?.[1] ?? Number.NaN);
    if (Number.isNaN(version)) throw new ConfigError(`migrations/${name}: a name like 003-what-it-does.sql is needed`);
    if (done.has(version)) continue;
    await client.query('BEGIN');
    await client.query(await readFile(join(folder, name), 'utf8'));
    await client.query('INSERT INTO base.migrations (version, name) VALUES ($1, $2)', [version, name]);
    await client.query('COMMIT');
    console.log(`applied ${name}`);
  }
  console.log('the schema is up to date');
}
