// What an instance is told by its environment: where it listens, how long it waits, how much it bears. Never a secret and never
// the database: those are in the .env file (env-file.ts), which siteward replaces while the instance runs.
import { hostname } from 'node:os';
import { dirname, join } from 'node:path';

export interface AppConfig {
  readonly name: string;
  readonly host: string;
  readonly port: number;
  readonly envFile: string;
  /** Where the highest epoch seen is kept over a restart; null keeps it in memory only. */
  readonly epochFile: string | null;
  readonly timeZone: string;
  readonly logLevel: string;
  readonly accessLog: boolean;
  readonly limits: Limits;
}

export interface Limits {
  /** How long one request may wait for a database in all, from its arrival. */
  readonly holdMs: number;
  readonly holdMax: number;
  /** How long an instance that only holds still calls itself ready. */
  readonly readyHoldMs: number;
  readonly poolMax: number;
  readonly connectTimeoutMs: number;
  readonly queryTimeoutMs: number;
  readonly checkEveryMs: number;
  readonly retryEveryMs: number;
}

export class ConfigError extends Error {}

type Environment = Readonly<Record<string, string | undefined>>;

export function readConfig(env: Environment): AppConfig {
  const envFile = env['ENV_FILE'] || '.env';
  const port = integer(env, 'APP_PORT', 8000, 1, 65_535);
  return {
    name: env['APP_NAME'] || `${hostname()}:${port}`,
    host: env['APP_HOST'] || '0.0.0.0',
    port,
    envFile,
    epochFile: env['EPOCH_FILE'] === '' ? null : (env['EPOCH_FILE'] ?? join(dirname(envFile), '.epoch')),
    timeZone: timeZone(env),
    logLevel: oneOf(env, 'LOG_LEVEL', ['info', 'trace', 'debug', 'warn', 'error', 'fatal', 'silent']),
    accessLog: oneOf(env, 'ACCESS_LOG', ['off', 'on']) === 'on',
    limits: {
      holdMs: integer(env, 'HOLD_MS', 15_000, 0, 600_000),
      holdMax: integer(env, 'HOLD_MAX', 1000, 1, 100_000),
      readyHoldMs: integer(env, 'READY_HOLD_MS', 30_000, 0, 3_600_000),
      poolMax: integer(env, 'POOL_MAX', 10, 1, 1000),
      connectTimeoutMs: integer(env, 'CONNECT_TIMEOUT_MS', 1000, 50, 60_000),
      queryTimeoutMs: integer(env, 'QUERY_TIMEOUT_MS', 2000, 50, 60_000),
      checkEveryMs: integer(env, 'CHECK_EVERY_MS', 250, 50, 10_000),
      retryEveryMs: integer(env, 'RETRY_EVERY_MS', 100, 10, 10_000),
    },
  };
}

function integer(env: Environment, key: string, fallback: number, least: number, most: number): number {
  const text = env[key];
  if (text === undefined || text === '') return fallback;
  const value = Number(text);
  if (!/^\d+$/.test(text) || value < least || value > most) {
    throw new ConfigError(`${key} is ${JSON.stringify(text)}: write a whole number from ${least} to ${most}`);
  }
  return value;
}

function oneOf(env: Environment, key: string, allowed: readonly [string, ...string[]]): string {
  const text = env[key] || allowed[0];
  if (!allowed.includes(text)) {
    throw new ConfigError(`${key} is ${JSON.stringify(text)}: write one of ${allowed.join(', ')}`);
  }
  return text;
}

function timeZone(env: Environment): string {
  const text = env['TIME_ZONE'] || 'UTC';
  try {
    new Intl.DateTimeFormat('en', { timeZone: text });
    return text;
  } catch {
    throw new ConfigError(`TIME_ZONE is ${JSON.stringify(text)}: write a zone like UTC or Europe/Berlin`);
  }
}
