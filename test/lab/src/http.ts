/** Single HTTP requests from inside a host, over bash's own sockets: nothing to install there, no slow start of a program. */
import { execIn } from './hosts.ts';
import type { LabPaths } from './paths.ts';
import type { HostName } from './topology.ts';
import { ENTRY_NAME } from './topology.ts';

export interface HttpRequest {
  readonly method?: string;
  /** http://ADDRESS:PORT/PATH, no name. */
  readonly url: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly json?: unknown;
  readonly timeoutSeconds?: number;
}

export interface HttpAnswer {
  readonly status: number;
  readonly body: string;
}

const SCRIPT = 'exec 3<>"/dev/tcp/$0/$1" && printf %s "$2" >&3 && cat <&3';

/** Undefined when there was no answer in time. */
export async function httpSend(paths: LabPaths, from: HostName, request: HttpRequest): Promise<HttpAnswer | undefined> {
  const { hostname, port, pathname, search } = new URL(request.url);
  const body = request.json === undefined ? '' : JSON.stringify(request.json);
  const headers = {
    Host: hostname,
    ...(body === '' ? {} : { 'Content-Type': 'application/json', 'Content-Length': String(Buffer.byteLength(body)) }),
    Connection: 'close',
    ...request.headers,
  };
  const head = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
  const text = `${request.method ?? 'GET'} ${pathname}${search} HTTP/1.1\r\n${head.join('')}\r\n${body}`;
  const seconds = request.timeoutSeconds ?? 3;
  const command = ['timeout', String(seconds), 'bash', '--norc', '-c', SCRIPT, hostname, port || '80', text];
  const { stdout } = await execIn(paths, from, command, { timeoutMs: seconds * 1000 + 1000 });
  const end = stdout.indexOf('\r\n\r\n');
  const status = /^HTTP\/1\.[01] (\d{3})/.exec(stdout)?.[1];
  if (status === undefined || end < 0) return undefined;
  const chunked = /^transfer-encoding: *chunked/im.test(stdout.slice(0, end));
  const raw = stdout.slice(end + 4);
  return { status: Number(status), body: chunked ? dechunk(raw) : raw };
}

function dechunk(raw: string): string {
  let rest = raw;
  let body = '';
  for (;;) {
    const line = rest.indexOf('\r\n');
    const size = Number.parseInt(rest.slice(0, Math.max(line, 0)), 16);
    if (line < 0 || !(size > 0)) return body;
    body += rest.slice(line + 2, line + 2 + size);
    rest = rest.slice(line + 2 + size + 2);
  }
}

/** The status of a write through a balancer, as the client's host sees it. */
export async function tryWrite(paths: LabPaths, address: string, name = 'labprobe'): Promise<number | undefined> {
  const json = { dateOfBirth: '2000-01-01' };
  const url = `http://${address}:8000/hello/${name}`;
  const answer = await httpSend(paths, 'client', { method: 'PUT', url, json, headers: { Host: ENTRY_NAME } });
  return answer?.status;
}
