// The peer server: HTTPS with mutual TLS 1.3. A connection whose key is not pinned is closed when its handshake is over,
// before a byte of HTTP is read. What gets through is checked by size, schema and sender, then handed on.

import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer } from 'node:https';
import type { Socket } from 'node:net';
import type { TLSSocket } from 'node:tls';
import type { Request } from '../../core/messages.ts';
import type { PeerId } from '../../core/site.ts';
import type { PeerServer, RequestHandler } from '../../ports/peers.ts';
import { type Codec, createCodec } from '../../wire/codec.ts';
import { showRange, spoken, versionsHeader, type WireRange } from '../../wire/versions.ts';
import { pinOfPeer } from './pin.ts';
import { readBody } from './read-body.ts';
import { type Identity, tlsOptions } from './tls.ts';

export type PeerServerOptions = {
  readonly identity: Identity;
  /** Null: every address of the host. */
  readonly address: string | null;
  readonly port: number;
  /** Whose keys are pinned, by name: one or two each. */
  readonly pins: ReadonlyMap<PeerId, readonly string[]>;
  readonly allow: (from: PeerId, type: Request['type']) => boolean;
  /** A stranger, or a peer that asks what it may not: for log and metric. */
  readonly onRefused?: (remote: string, why: string) => void;
  /** The core has not answered in this time: 503. */
  readonly answerMs?: number;
  readonly speaks?: WireRange;
};

const limits = {
  handshakeTimeout: 5000,
  headersTimeout: 5000,
  requestTimeout: 10_000,
  keepAliveTimeout: 60_000,
  // Node looks for connections that are over these times only so often.
  connectionsCheckingInterval: 2000,
};
const maxConnections = 256;

/** Besides the port: which address it listens on, for port 0. */
export type ListeningPeerServer = PeerServer & { port(): number };

export function createPeerServer(options: PeerServerOptions): ListeningPeerServer {
  const { pins, onRefused = () => {} } = options;
  const peerOf = new Map([...pins].flatMap(([peer, keys]) => keys.map((key) => [key, peer] as const)));
  const peers = new WeakMap<Socket, PeerId>();
  const codec = createCodec(options.speaks ?? spoken);
  let handler: RequestHandler | null = null;

  const server = createServer({
    ...tlsOptions(options.identity),
    ...limits,
    requestCert: true,
    maxHeaderSize: 8192,
    noDelay: true,
    keepAlive: true,
  });
  server.maxConnections = maxConnections;
  server.on('request', (request: IncomingMessage, response: ServerResponse) => {
    const from = peers.get(request.socket);
    if (from === undefined || handler === null) return void request.socket.destroy();
    response.setHeader(versionsHeader, showRange(codec.range));
    void serve({ from, request, response, handler, codec, options, onRefused });
  });

  // The server's own listener begins to read HTTP from each finished handshake; ours stands before it.
  const listeners = server.listeners('secureConnection') as ((socket: TLSSocket) => void)[];
  server.removeAllListeners('secureConnection');
  server.on('secureConnection', (socket: TLSSocket) => {
    const pin = pinOfPeer(socket);
    const peer = pin === null ? undefined : peerOf.get(pin);
    if (peer === undefined) {
      const remote = socket.remoteAddress ?? 'unknown';
      socket.on('error', () => {});
      socket.destroy();
      return onRefused(remote, `shows the key ${pin ?? 'none'}, which is not pinned`);
    }
    peers.set(socket, peer);
    for (const listener of listeners) listener.call(server, socket);
  });
  // Strangers, scanners, TLS 1.2: the connection is closed, nobody has to do anything.
  server.on('tlsClientError', (error, socket) => onRefused(socket.remoteAddress ?? 'unknown', error.message));

  return {
    listen: (given) =>
      new Promise((resolve, reject) => {
        handler = given;
        server.once('error', reject);
        server.listen({ port: options.port, host: options.address ?? undefined }, () => {
          server.off('error', reject);
          server.on('error', (error) => onRefused('server', error.message));
          resolve();
        });
      }),
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
    port: () => (server.address() as { port: number }).port,
  };
}

type Exchange = {
  readonly from: PeerId;
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly handler: RequestHandler;
  readonly codec: Codec;
  readonly options: PeerServerOptions;
  readonly onRefused: (remote: string, why: string) => void;
};

async function serve({ from, request, response, handler, codec, options, onRefused }: Exchange): Promise<void> {
  const refuse = (status: number, why: string) => {
    onRefused(from, why);
    end(response, status, { error: why });
  };
  if (request.url !== '/v1') return refuse(404, 'only /v1 is served');
  if (request.method !== 'POST') return refuse(405, 'only POST is served');
  const body = await readBody(request);
  if (body.kind === 'gone') return;
  if (body.kind === 'too-large') return refuse(413, 'the message is too large');
  const decoded = codec.decodeRequest(body.text);
  if (decoded.kind === 'bad') return refuse(400, `the message ${decoded.problem}`);
  if (!options.allow(from, decoded.value.type)) return refuse(403, `${from} may not ask ${decoded.value.type}`);
  const timer = setTimeout(() => refuse(503, 'no answer in time'), options.answerMs ?? 5000);
  handler(from, decoded.value, (answer) => {
    clearTimeout(timer);
    if (response.writableEnded) return;
    // Who asked in an older version may know no newer one.
    const encoded = codec.encodeAnswer(answer, decoded.version);
    if (encoded.kind === 'bad') refuse(500, `the answer ${answer.type} ${encoded.problem}`);
    else end(response, 200, encoded.value);
  });
}

function end(response: ServerResponse, status: number, body: string | object): void {
  if (response.writableEnded) return;
  // Whoever was refused may still be sending: the connection ends with the answer.
  if (status >= 400) response.setHeader('connection', 'close');
  response.writeHead(status, { 'content-type': 'application/json' });
  response.end(typeof body === 'string' ? body : JSON.stringify(body));
}
