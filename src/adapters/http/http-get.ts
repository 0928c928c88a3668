// Plain GETs for probes: readiness endpoints and HAProxy's statistics. Each on a connection of its own, since a kept one
// that its server closes at the wrong moment looks like a failure of the server.

import axios from 'axios';
import type { HttpGet, HttpGetAnswer } from '../../ports/http-get.ts';

type NoAnswer = Extract<HttpGetAnswer, { kind: 'none' }>['class'];

/** By `code`, as Node and axios 1.21 give it; class names and messages are no guide. What is not listed is `protocol`. */
const classByCode: Readonly<Record<string, NoAnswer>> = {
  ECONNREFUSED: 'refused',
  // The signal's time-out, and the kernel's.
  ERR_CANCELED: 'timeout',
  ECONNABORTED: 'timeout',
  ETIMEDOUT: 'timeout',
  EHOSTUNREACH: 'unreachable',
  ENETUNREACH: 'unreachable',
  EHOSTDOWN: 'unreachable',
  ENETDOWN: 'unreachable',
  EADDRNOTAVAIL: 'unreachable',
};

export const httpGet: HttpGet = async (request) => {
  const { address, port, path, login, maxBytes, deadlineMs } = request;
  const host = address.includes(':') ? `[${address}]` : address;
  try {
    const response = await axios.get<unknown>(`http://${host}:${port}${path}`, {
      signal: AbortSignal.timeout(deadlineMs),
      maxContentLength: maxBytes,
      maxRedirects: 0,
      proxy: false,
      decompress: false,
      responseType: 'text',
      transformResponse: (body: unknown) => body,
      validateStatus: () => true,
      headers: { 'Accept-Encoding': 'identity', Connection: 'close' },
      ...(login && { auth: { username: login.user, password: login.password } }),
    });
    const body = typeof response.data === 'string' ? response.data : '';
    return { kind: 'answer', status: response.status, body };
  } catch (error) {
    const code = error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : '';
    const known = Object.hasOwn(classByCode, code) ? classByCode[code] : undefined;
    return { kind: 'none', class: known ?? 'protocol', detail: code || String(error) };
  }
};
