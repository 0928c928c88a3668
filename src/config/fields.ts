/**
 * The kinds of value a key of the cluster file can have, each with the sentence that says what is wrong with a bad one.
 * The sentences follow the key's name: "lease.ttl is no duration: ...".
 */
import { z } from 'zod';
import { DURATION_PATTERN, parseDuration, parseSize, SIZE_PATTERN } from './units.ts';

/** Description and example of a key, for CONFIG.md, the JSON Schema, the example file and `config check`'s advice. */
export function doc(description: string, example?: unknown, since = '0.1.0') {
  return { description, since, ...(example === undefined ? {} : { examples: [example] }) };
}

export const duration = () =>
  z
    .string('is no duration: a number and ms, s, m or h')
    .regex(DURATION_PATTERN, 'is no duration: a number and ms, s, m or h')
    .transform((text, context) => {
      const ms = parseDuration(text);
      if (ms !== undefined && ms > 0 && ms <= 86_400_000) return ms;
      context.issues.push({ code: 'custom', message: 'must be from 1ms to 24h, in whole milliseconds', input: text });
      return z.NEVER;
    });

export const size = () =>
  z
    .string('is no size: a whole number and B, KiB, MiB or GiB')
    .regex(SIZE_PATTERN, 'is no size: a whole number and B, KiB, MiB or GiB')
    .transform((text, context) => {
      const bytes = parseSize(text);
      if (bytes !== undefined) return bytes;
      context.issues.push({ code: 'custom', message: 'is too large', input: text });
      return z.NEVER;
    });

export const port = () =>
  z.int('is no port number').min(1, 'is no port number: 1 to 65535').max(65_535, 'is no port number: 1 to 65535');

export const count = (min: number, max: number) =>
  z.int('is no whole number').min(min, `must be from ${min} to ${max}`).max(max, `must be from ${min} to ${max}`);

export const ratio = () =>
  z.number('is no number').min(0.001, 'must be from 0.001 to 0.5').max(0.5, 'must be from 0.001 to 0.5');

const NOT_AN_ADDRESS = 'is no IP address (a name would make failing over depend on DNS)';
export const ipAddress = () => z.union([z.ipv4(), z.ipv6()], NOT_AN_ADDRESS);

export const hostName = () =>
  z.string('is no host name').regex(/^[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?$/, 'is no host name in lower case');

export const dnsName = () =>
  z
    .string('is no DNS name')
    .regex(/^([a-z0-9_]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z0-9-]{2,63}\.?$/, 'is no full DNS name in lower case')
    .transform((name) => name.replace(/\.$/, ''));

export const absolutePath = () => z.string('is no path').regex(/^\/[^\0\n]*$/, 'is no absolute path');

export const urlPath = () => z.string('is no path').regex(/^\/[^\s?#]*$/, 'is no path of a URL, beginning with /');

export const sqlName = () =>
  z
    .string('is no name')
    .regex(/^[a-z_][a-z0-9_]{0,62}$/, 'is no PostgreSQL name: lower-case letters, digits and _, at most 63');

export const argv = () =>
  z
    .array(z.string('is no text').min(1, 'is empty'), 'must be a list: the program and its arguments, no shell')
    .min(1, 'is empty')
    .max(64, 'has more than 64 arguments');

/** A peer's public key: SHA-256 of its SubjectPublicKeyInfo in base64 or hex; base64 from here on. */
export const pin = () =>
  z
    .string('is no pin of a public key')
    .regex(
      /^([A-Za-z0-9+/]{43}=|[0-9a-fA-F]{64})$/,
      'is no pin of a public key: its SHA-256, 44 characters of base64 or 64 of hex',
    )
    .transform((text) => (text.length === 64 ? Buffer.from(text, 'hex').toString('base64') : text));

export const pinList = () =>
  z
    .array(pin(), 'must be a list of one or two pins')
    .min(1, 'has no pin; one or two are needed')
    .max(2, 'has more than two pins; the second is for the time a key is being replaced');

export const hostKey = () =>
  z
    .string('is no fingerprint of a host key')
    .regex(
      /^SHA256:[A-Za-z0-9+/]{43}$/,
      'is no fingerprint of a host key: SHA256: and 43 characters, as ssh-keygen -lf prints it',
    );
