// A "no" of the forced command: thrown where it is found, turned into the one answer in run.ts.

import type { HostRefusal } from '../../wire/host-orders.ts';

export class Refusal extends Error {
  readonly code: HostRefusal;

  constructor(code: HostRefusal, detail: string) {
    super(detail);
    this.code = code;
  }
}

/** The short name of a system error (ENOENT, EACCES, ...), for details and decisions. */
export function errorCode(error: unknown): string {
  const code = error instanceof Error && 'code' in error ? error.code : null;
  return typeof code === 'string' ? code : 'unknown error';
}

/** `code` unless the account simply has no right to do it, which a person has to put right. */
export function refusalFor(error: unknown, code: HostRefusal, doing: string): Refusal {
  if (error instanceof Refusal) return error;
  const name = errorCode(error);
  return new Refusal(name === 'EACCES' || name === 'EPERM' ? 'not-permitted' : code, `${doing}: ${name}`);
}
