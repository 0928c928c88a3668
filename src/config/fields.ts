/**
 * The kinds of value a key of the cluster file can have, each with the sentence that says what is wrong with a bad one.
 * The sentence follows the value: `lease.ttl: "6" is no duration ...`. `value` names the kind in CONFIG.md.
 */
import { z } from 'zod';
import { DURATION_PATTERN, parseDuration, parseSize, SIZE_PATTERN } from './units.ts';

/** Description and example of a key, for CONFIG.md, the JSON Schema, the example file and `config check`'s advice. */
export function doc(description: string, example?: unknown, since = '0.1.0') {
  return { description, since, ...(example === undefined ? {} : { examples: [example] }) };
}

const text = (pattern: RegExp, wrong: string) => z.string(wrong).regex(pattern, wrong);

const NO_DURATION = 'is no duration: a number and ms, s, m or h';
export const duration = () =>
  text(DURATION_PATTERN, NO_DURATION)
    .transform((written, context) => {
      const ms = parseDuration(written);
      if (ms !== undefined && ms > 0 && ms <= 86_400_000) return ms;
      context.issues.push({
        code: 'custom',
        message: 'must be from 1ms to 24h, in whole milliseconds',
        input: written,
      });
      return z.NEVER;
    })
    .meta({ value: 'duration' });

const NO_SIZE = 'is no size: a whole number and B, KiB, MiB or GiB';
export const size = () =>
  text(SIZE_PATTERN, NO_SIZE)
    .transform((written, context) => {
      const bytes = parseSize(written);
      if (bytes !== undefined) return bytes;
      context.issues.push({ code: 'custom', message: 'is too large', input: written });
      return z.NEVER;
    })
    .meta({ value: 'size' });

const NO_PORT = 'is no port number: 1 to 65535';
export const port = () => z.int(NO_PORT).min(1, NO_PORT).max(65_535, NO_PORT).meta({ value: 'port' });

export const count = (min: number, max: number) => {
  const wrong = `must be a whole number from ${min} to ${max}`;
  return z
    .int(wrong)
    .min(min, wrong)
    .max(max, wrong)
    .meta({ value: `${min} to ${max}` });
};

const NO_RATIO = 'must be a number from 0.001 to 0.5';
export const ratio = () => z.number(NO_RATIO).min(0.001, NO_RATIO).max(0.5, NO_RATIO).meta({ value: 'ratio' });

const NO_ADDRESS = 'is no IP address (a name would make failing over depend on DNS)';
export const ipAddress = () => z.union([z.ipv4(), z.ipv6()], NO_ADDRESS).meta({ value: 'IP address' });

export const hostName = () =>
  text(/^[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?$/, 'is no host name in lower case').meta({ value: 'host name' });

export const dnsName = () =>
  text(/^([a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9])?\.)+[a-z0-9-]{2,63}\.?$/, 'is no full DNS name in lower case')
    .transform((name) => name.replace(/\.$/, ''))
    .meta({ value: 'DNS name' });

export const absolutePath = () => text(/^\/[^\0\n]*$/, 'is no absolute path').meta({ value: 'path' });

export const fileName = () => text(/^[\w.-]+$/, 'is no file name (a name, not a path)').meta({ value: 'file name' });

export const urlPath = () =>
  text(/^\/[^\s?#]*$/, 'is no path of a URL, beginning with /').meta({ value: 'path of a URL' });

const NO_SQL_NAME = 'is no PostgreSQL name: lower-case letters, digits and _, at most 63';
export const sqlName = () => text(/^[a-z_][a-z0-9_]{0,62}$/, NO_SQL_NAME).meta({ value: 'PostgreSQL name' });

export const word = (pattern: RegExp, wrong: string) => text(pattern, wrong).meta({ value: 'text' });

export const argv = () =>
  z
    .array(z.string('is no text').min(1, 'is empty'), 'must be a list: the program and its arguments, no shell')
    .min(1, 'is empty: the program is missing')
    .max(64, 'has more than 64 arguments')
    .meta({ value: 'program and arguments' });

const NO_PIN = 'is no pin of a public key: its SHA-256, 44 characters of base64 or 64 of hex';
/** A peer's public key: SHA-256 of its SubjectPublicKeyInfo in base64 or hex; base64 from here on. */
const pin = () =>
  text(/^([A-Za-z0-9+/]{43}=|[0-9a-fA-F]{64})$/, NO_PIN).transform((written) =>
    written.length === 64 ? Buffer.from(written, 'hex').toString('base64') : written,
  );

export const pinList = () =>
  z
    .array(pin(), 'must be a list of one or two pins')
    .min(1, 'has no pin; one or two are needed')
    .max(2, 'has more than two pins; the second is for the time a key is being replaced')
    .meta({ value: 'list of 1 or 2 pins' });

const NO_HOST_KEY = 'is no fingerprint of a host key: SHA256: and 43 characters, as ssh-keygen -lf prints it';
export const hostKeyList = () =>
  z
    .array(text(/^SHA256:[A-Za-z0-9+/]{43}$/, NO_HOST_KEY), 'must be a list of one or more fingerprints')
    .min(1, 'has no fingerprint; one at least is needed')
    .max(4, 'has more than four fingerprints')
    .meta({ value: 'list of fingerprints' });
