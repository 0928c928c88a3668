// The .env file: which database to serve from. It is replaced as a whole while the instance runs, so it is either right in every key
// or refused as a whole; the caller then keeps what it had.
import { readFile } from 'node:fs/promises';
import { isDeepStrictEqual, parseEnv } from 'node:util';
import { ConfigError } from './config.ts';

export interface DatabaseSettings {
  readonly host: string;
  readonly port: number;
  readonly database: string;
  readonly user: string;
  readonly password: string;
  readonly applicationName: string;
}

export async function readEnvFile(path: string): Promise<DatabaseSettings> {
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (error) {
    throw new ConfigError(`${path} cannot be read: ${(error as NodeJS.ErrnoException).code ?? 'unknown error'}`);
  }
  return parseSettings(text, path);
}

/** SECRET_KEY belongs to the file's format and is accepted, but nothing here signs anything with it. */
export function parseSettings(text: string, path: string): DatabaseSettings {
  const values = parseEnv(text);
  const required = (key: string): string => {
    const value = values[key];
    if (value === undefined || value === '') throw new ConfigError(`${path}: ${key} is missing`);
    return value;
  };
  const port = required('dbport');
  if (!/^\d{1,5}$/.test(port) || Number(port) < 1 || Number(port) > 65_535) {
    throw new ConfigError(`${path}: dbport is not a port number`);
  }
  return {
    host: required('dbhost'),
    port: Number(port),
    database: required('dbname'),
    user: required('dbuser'),
    password: required('dbpass'),
    applicationName: values['dbappname'] || 'birthday',
  };
}

export function isSameDatabase(one: DatabaseSettings, other: DatabaseSettings): boolean {
  return isDeepStrictEqual(one, other);
}
