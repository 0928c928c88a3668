// What an error of the API means for us. A row by AWS's error name, each with its reason; whatever is not listed is no
// answer, because a guess in the other direction could count a write as not made that was made (W2).

import type { Outcome } from '../../core/outcome.ts';
import { rejected, unknown } from '../../core/outcome.ts';

/** Closed list of this adapter's `rejected` codes. */
export type Route53Code = 'conflict' | 'invalid' | 'missing' | 'access' | 'too-long' | 'unreadable';

type Row = { readonly means: Route53Code | 'unknown' | 'batch'; readonly why: string };

const signed = 'the request was not let in, so nothing was changed; a person has to mend keys, rights or clock';
const busy = 'the API did not look at the request now; says nothing about the record';
const broken = 'the service failed and may have applied the change before it did';
const silent = 'no answer; the request may have arrived and may have been applied';

export const route53Errors: Readonly<Record<string, Row>> = {
  InvalidChangeBatch: { means: 'batch', why: 'nothing was applied; its text tells a lost race from a bad request' },
  InvalidInput: { means: 'invalid', why: 'the request itself is wrong and was not applied' },
  InvalidDomainName: { means: 'invalid', why: 'the request itself is wrong and was not applied' },
  NoSuchHostedZone: { means: 'missing', why: 'the zone in the configuration does not exist' },
  NoSuchChange: { means: 'missing', why: 'the change is not known (any more)' },

  AccessDenied: { means: 'access', why: signed },
  AccessDeniedException: { means: 'access', why: signed },
  ExpiredToken: { means: 'access', why: signed },
  ExpiredTokenException: { means: 'access', why: signed },
  IncompleteSignature: { means: 'access', why: signed },
  InvalidClientTokenId: { means: 'access', why: signed },
  MissingAuthenticationToken: { means: 'access', why: signed },
  OptInRequired: { means: 'access', why: signed },
  RequestExpired: { means: 'access', why: signed },
  SignatureDoesNotMatch: { means: 'access', why: signed },
  UnrecognizedClientException: { means: 'access', why: signed },
  CredentialsProviderError: { means: 'access', why: 'there are no credentials here, so nothing was sent' },

  Throttling: { means: 'unknown', why: busy },
  ThrottlingException: { means: 'unknown', why: busy },
  TooManyRequestsException: { means: 'unknown', why: busy },
  PriorRequestNotComplete: { means: 'unknown', why: busy },

  InternalError: { means: 'unknown', why: broken },
  InternalFailure: { means: 'unknown', why: broken },
  InternalServerError: { means: 'unknown', why: broken },
  ServiceUnavailable: { means: 'unknown', why: broken },

  AbortError: { means: 'unknown', why: silent },
  TimeoutError: { means: 'unknown', why: silent },
};

/** The API's words for "the record is not what you thought"; all other refusals of a batch are our own mistake. */
const conflictTexts = [
  'but the values provided do not match the current values',
  'but it was not found',
  'but it already exists',
];

function text(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const listed = (error as { messages?: unknown }).messages;
  const messages = [error.message, ...(Array.isArray(listed) ? listed.map(String) : [])].filter((part) => part !== '');
  const code = (error as NodeJS.ErrnoException).code;
  const name = typeof code === 'string' && code !== error.name ? `${error.name} ${code}` : error.name;
  return `${name}: ${messages.join('; ')}`;
}

/** What the library throws is made of what the server said: not even that it can be shown is certain. */
function shown(error: unknown): string {
  try {
    return text(error).slice(0, 500);
  } catch {
    return 'an error that cannot be shown';
  }
}

export function toOutcome(error: unknown): Outcome<never> {
  const detail = shown(error);
  const status = (error as { $metadata?: { httpStatusCode?: unknown } } | null)?.$metadata?.httpStatusCode;
  const name = error instanceof Error ? error.name : '';
  // The name is the server's: `constructor` is no row.
  const row = Object.hasOwn(route53Errors, name) ? route53Errors[name] : undefined;
  // A status of the server's fault outweighs a name: a proxy in between may have made it.
  if (row === undefined || row.means === 'unknown' || (typeof status === 'number' && status >= 500))
    return unknown(detail);
  if (row.means !== 'batch') return rejected(row.means, detail);
  return rejected(conflictTexts.some((words) => detail.includes(words)) ? 'conflict' : 'invalid', detail);
}
