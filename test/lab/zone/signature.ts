// AWS Signature Version 4, checked: who signs with the wrong key, region or service finds out here and not in AWS.

import { createHash, createHmac, timingSafeEqual } from 'node:crypto';
import { ApiError } from './xml.ts';

export type SignedRequest = {
  readonly method: string;
  readonly path: string;
  readonly query: URLSearchParams;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: Buffer;
};

/** The service is global and signed for this region; the commercial partition is all the double knows. */
const region = 'us-east-1';
const service = 'route53';
const skewMaxMs = 15 * 60_000;

function hmac(key: string | Buffer, text: string): Buffer {
  return createHmac('sha256', key).update(text, 'utf8').digest();
}

function sha256(data: string | Buffer): string {
  return createHash('sha256').update(data).digest('hex');
}

function encode(text: string): string {
  return encodeURIComponent(text).replace(/[!'()*]/g, (c) => `%${c.charCodeAt(0).toString(16).toUpperCase()}`);
}

function canonicalQuery(query: URLSearchParams): string {
  return [...query]
    .map(([name, value]) => `${encode(name)}=${encode(value)}`)
    .sort()
    .join('&');
}

function dateMs(amzDate: string): number {
  const parts = /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/.exec(amzDate);
  if (parts === null)
    throw new ApiError(403, 'IncompleteSignature', `Date must be in ISO-8601 'basic format': ${amzDate}`);
  const [, year, month, day, hour, minute, second] = parts.map(Number);
  return Date.UTC(year ?? 0, (month ?? 1) - 1, day, hour, minute, second);
}

/** Throws the API's error unless the request is signed by a known key; gives the access key. */
export function verifySignature(request: SignedRequest, keys: ReadonlyMap<string, string>, now: number): string {
  const authorization = String(request.headers['authorization'] ?? '');
  if (authorization === '') throw new ApiError(403, 'MissingAuthenticationToken', 'Missing Authentication Token');
  const parts =
    /^AWS4-HMAC-SHA256 Credential=([^/]+)\/(\d{8})\/([^/]+)\/([^/]+)\/aws4_request, ?SignedHeaders=([^,]+), ?Signature=([0-9a-f]{64})$/.exec(
      authorization,
    );
  if (parts === null) throw new ApiError(403, 'IncompleteSignature', `Authorization header is not understood`);
  const [, accessKey = '', day = '', toRegion = '', toService = '', names = '', signature = ''] = parts;
  const secret = keys.get(accessKey);
  if (secret === undefined) {
    throw new ApiError(403, 'InvalidClientTokenId', 'The security token included in the request is invalid.');
  }
  const mismatch = (why: string) => new ApiError(403, 'SignatureDoesNotMatch', why);
  if (toRegion !== region) throw mismatch(`Credential should be scoped to a valid region, not '${toRegion}'. `);
  if (toService !== service) throw mismatch(`Credential should be scoped to correct service: '${service}'. `);
  const amzDate = String(request.headers['x-amz-date'] ?? '');
  const at = dateMs(amzDate);
  if (!amzDate.startsWith(day)) throw mismatch('Date in Credential scope does not match YYYYMMDD from ISO-8601 date.');
  if (Math.abs(now - at) > skewMaxMs) throw mismatch(`Signature expired: ${amzDate}`);
  const signed = names.split(';');
  if (!signed.includes('host')) throw mismatch(`'Host' must be a 'SignedHeader' in the AWS Authorization.`);
  const headers = signed.map(
    (name) =>
      `${name}:${String(request.headers[name] ?? '')
        .trim()
        .replace(/ +/g, ' ')}\n`,
  );
  const path = request.path.split('/').map(encode).join('/');
  const canonical = [
    request.method,
    path,
    canonicalQuery(request.query),
    headers.join(''),
    names,
    sha256(request.body),
  ];
  const scope = `${day}/${toRegion}/${toService}/aws4_request`;
  const toSign = `AWS4-HMAC-SHA256\n${amzDate}\n${scope}\n${sha256(canonical.join('\n'))}`;
  const key = hmac(hmac(hmac(hmac(`AWS4${secret}`, day), toRegion), toService), 'aws4_request');
  if (!timingSafeEqual(hmac(key, toSign), Buffer.from(signature, 'hex'))) {
    throw mismatch(
      'The request signature we calculated does not match the signature you provided. ' +
        'Check your AWS Secret Access Key and signing method. Consult the service documentation for details.',
    );
  }
  return accessKey;
}
