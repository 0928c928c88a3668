import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { pinOfPem } from './pin.ts';
import type { Identity } from './tls.ts';

/**
 * Reads NAME.key and NAME.crt of this process (`siteward keys new NAME` makes them). Throws when one is missing, or when
 * the two are not of one key: peers would see the certificate's and never believe it.
 */
export function readIdentity(directory: string, name: string): Identity & { readonly pin: string } {
  const key = readFileSync(join(directory, `${name}.key`), 'utf8');
  const certificate = readFileSync(join(directory, `${name}.crt`), 'utf8');
  const pin = pinOfPem(certificate);
  if (pinOfPem(key) !== pin) throw new Error(`${join(directory, name)}: .key and .crt are not of one key`);
  return { key, certificate, pin };
}
