// Keys from a file in the format of AWS's shared credentials file, section [default]. Read again every few minutes, so
// that a rotation needs no restart.

import { readFile } from 'node:fs/promises';

type Keys = {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken?: string;
  readonly expiration: Date;
};

/** The library asks again five minutes before the expiration. */
const keysValidMs = 10 * 60_000;

function section(text: string, wanted: string): Map<string, string> {
  const values = new Map<string, string>();
  let current = '';
  for (const raw of text.split('\n')) {
    const line = raw.trim();
    if (line.startsWith('[') && line.endsWith(']')) current = line.slice(1, -1).trim();
    const at = line.indexOf('=');
    if (current === wanted && at > 0 && !/^[#;]/.test(line)) {
      values.set(line.slice(0, at).trim(), line.slice(at + 1).trim());
    }
  }
  return values;
}

function failure(message: string, cause?: unknown): Error {
  const error = new Error(message, { cause });
  error.name = 'CredentialsProviderError';
  return error;
}

export async function readCredentials(path: string): Promise<Keys> {
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (cause) {
    throw failure(`the credentials file ${path} cannot be read`, cause);
  }
  return parseCredentials(text, path);
}

/** `path` is only a name here, for the messages. */
export function parseCredentials(text: string, path: string): Keys {
  const values = section(text, 'default');
  const accessKeyId = values.get('aws_access_key_id');
  const secretAccessKey = values.get('aws_secret_access_key');
  const sessionToken = values.get('aws_session_token');
  if (!accessKeyId || !secretAccessKey) {
    throw failure(`${path} has no aws_access_key_id and aws_secret_access_key in [default]`);
  }
  const expiration = new Date(Date.now() + keysValidMs);
  return { accessKeyId, secretAccessKey, expiration, ...(sessionToken ? { sessionToken } : {}) };
}
