// Keys, certificates and raw TLS ends for the contract of the peers: everything on loopback, on ports of its own.

import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer as createTcpServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after } from 'node:test';
import {
  type ConnectionOptions,
  connect,
  createServer as createTlsServer,
  type TLSSocket,
  type TlsOptions,
} from 'node:tls';
import { readIdentity } from '../../src/adapters/http/identity.ts';
import { createPeerServer, type PeerServerOptions } from '../../src/adapters/http/peer-server.ts';
import { createPeers } from '../../src/adapters/http/peers.ts';
import { runKeys } from '../../src/cli/keys.ts';
import type { Answer, Request } from '../../src/core/messages.ts';
import type { PeerId } from '../../src/core/site.ts';
import type { RequestHandler } from '../../src/ports/peers.ts';
import type { WireRange } from '../../src/wire/versions.ts';

export type Key = ReturnType<typeof readIdentity>;

const directory = mkdtempSync(join(tmpdir(), 'siteward-peers-'));
const atEnd: (() => unknown)[] = [];
after(async () => {
  for (const end of atEnd) await end();
  rmSync(directory, { recursive: true, force: true });
});

/** Made by the documented command. */
export function key(name: string): Key {
  const errors: string[] = [];
  const code = runKeys(['new', name, '--directory', directory], {
    out: () => {},
    err: (text) => void errors.push(text),
  });
  if (code !== 0) throw new Error(errors.join('\n'));
  return readIdentity(directory, name);
}

/** The same key with a certificate whose days are over. */
export function expired(name: string): Key {
  const path = (end: string) => join(directory, `${name}${end}`);
  const openssl = (...args: string[]) => execFileSync('openssl', args, { stdio: 'ignore' });
  openssl('req', '-new', '-key', path('.key'), '-subj', `/CN=${name}`, '-out', path('.csr'));
  const sign = ['x509', '-req', '-in', path('.csr'), '-signkey', path('.key'), '-out', path('.old')];
  try {
    openssl(...sign, '-days', '-1');
  } catch {
    openssl(...sign, '-not_before', '20200101000000Z', '-not_after', '20200102000000Z');
  }
  return { ...readIdentity(directory, name), certificate: readFileSync(path('.old'), 'utf8') };
}

export const yes: Answer = { type: 'ack', ok: true, why: '', steps: [] };
export const question: Request = { type: 'status' };

export type Served = {
  readonly port: number;
  readonly asked: { readonly from: PeerId; readonly request: Request }[];
  readonly refused: string[];
  close(): Promise<void>;
};

export async function serve(
  identity: Key,
  pins: readonly (readonly [PeerId, readonly string[]])[],
  options: Partial<PeerServerOptions> & { readonly handler?: RequestHandler } = {},
): Promise<Served> {
  const asked: { from: PeerId; request: Request }[] = [];
  const refused: string[] = [];
  const server = createPeerServer({
    identity,
    address: '127.0.0.1',
    port: 0,
    pins: new Map(pins),
    allow: () => true,
    onRefused: (_remote, why) => void refused.push(why),
    ...options,
  });
  await server.listen((from, request, reply) => {
    asked.push({ from, request });
    (options.handler ?? ((_from, _request, answer) => answer(yes)))(from, request, reply);
  });
  atEnd.push(() => server.close());
  return { port: server.port(), asked, refused, close: () => server.close() };
}

/** One peer, `site2-agent`, at this port, pinned to these keys. */
export function peersAt(
  port: number,
  identity: Key,
  pins: readonly string[],
  times?: { connectMs: number; handshakeMs: number },
  speaks?: WireRange,
) {
  const peers = createPeers({
    identity,
    peers: new Map([['site2-agent', { host: '127.0.0.1', port, pins }]]),
    ...(times && { times }),
    ...(speaks && { speaks }),
  });
  atEnd.push(() => peers.close());
  return {
    close: () => peers.close(),
    ask: (deadlineMs = 2000, request: Request = question) => peers.ask('site2-agent', request, deadlineMs),
  };
}

/** A TLS end that says nothing of HTTP: what arrives there is all that the other side sent. */
export async function rawServer(options: TlsOptions, onSocket: (socket: TLSSocket) => void = () => {}) {
  let received = 0;
  let connections = 0;
  const server = createTlsServer({ requestCert: true, rejectUnauthorized: false, ...options }, (socket) => {
    connections += 1;
    socket.on('error', () => {});
    socket.on('data', (data: Buffer) => {
      received += data.length;
    });
    onSocket(socket);
  });
  server.on('tlsClientError', () => {});
  return { port: await listen(server), received: () => received, connections: () => connections };
}

export async function tcpServer(onSocket: (socket: Socket) => void): Promise<number> {
  return listen(createTcpServer(onSocket));
}

async function listen(server: Server): Promise<number> {
  const sockets = new Set<Socket>();
  server.on('connection', (socket: Socket) => {
    sockets.add(socket);
    socket.on('error', () => {});
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  atEnd.push(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return (server.address() as { port: number }).port;
}

/** Sends an HTTP request over TLS as whoever; resolves with all that came back until the connection ended. */
export function rawClient(port: number, options: ConnectionOptions, send: string): Promise<string> {
  return new Promise((resolve) => {
    let got = '';
    const socket = connect({ host: '127.0.0.1', port, rejectUnauthorized: false, ...options }, () =>
      socket.write(send),
    );
    socket.on('data', (data: Buffer) => {
      got += data.toString();
    });
    socket.on('error', () => {});
    socket.on('close', () => resolve(got));
  });
}

export function rawRequest(body: string, headers = '', path = '/v1', method = 'POST'): string {
  return `${method} ${path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-length: ${body.length}\r\n${headers}\r\n${body}`;
}
