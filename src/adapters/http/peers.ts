// The peers port: one POST a request over mutual TLS 1.3 with pinned keys. What surely was not sent is rejected, what
// may have arrived is unknown.

import { request as httpsRequest } from 'node:https';
import axios, { type AxiosInstance, type AxiosResponse } from 'axios';
import type { Answer, Request } from '../../core/messages.ts';
import { done, type Outcome, rejected, unknown } from '../../core/outcome.ts';
import type { PeerId } from '../../core/site.ts';
import type { Ms } from '../../core/time.ts';
import type { Peers } from '../../ports/peers.ts';
import { type Codec, createCodec, encodeRequestTo } from '../../wire/codec.ts';
import { messageBytes } from '../../wire/limits.ts';
import {
  createPeerVersions,
  type PeerVersions,
  showRange,
  speaks,
  spoken,
  versionsHeader,
  type WireRange,
} from '../../wire/versions.ts';
import { type ConnectTimes, NotSent, type PeerAddress, PinnedAgent } from './pinned-agent.ts';
import type { Identity } from './tls.ts';

export type PeersOptions = {
  readonly identity: Identity;
  /** Whoever may be asked; all others are unreachable. */
  readonly peers: ReadonlyMap<PeerId, PeerAddress>;
  /**
   * A connection attempt is given up after `connectMs`, so that a dead host costs little; a handshake may take longer,
   * because a busy host is not a dead one.
   */
  readonly times?: ConnectTimes;
  readonly speaks?: WireRange;
};

const defaultTimes: ConnectTimes = { connectMs: 400, handshakeMs: 2000 };

export function createPeers(options: PeersOptions): Peers {
  const clients = new Map<PeerId, Client>();
  const codec = createCodec(options.speaks ?? spoken);
  const known = createPeerVersions(codec.range);
  for (const [name, address] of options.peers) {
    const channel = createChannel(address, options.identity, options.times ?? defaultTimes, codec.range);
    clients.set(name, {
      channel,
      ask: (request, deadlineMs) => ask({ name, channel, codec, known }, request, deadlineMs),
    });
  }

  return {
    ask: (to, request, deadlineMs) => {
      const client = clients.get(to);
      if (client === undefined) return Promise.resolve(rejected('unreachable', `${to} has no address here`));
      return client.ask(request, deadlineMs);
    },
    close: () => {
      for (const client of clients.values()) client.channel.agent.destroy();
      return Promise.resolve();
    },
  };
}

type Client = { readonly channel: Channel; ask(request: Request, deadlineMs: Ms): Promise<Outcome<Answer>> };
type Channel = { readonly agent: PinnedAgent; readonly http: AxiosInstance };
type Conversation = {
  readonly name: PeerId;
  readonly channel: Channel;
  readonly codec: Codec;
  readonly known: PeerVersions;
};

function createChannel(address: PeerAddress, identity: Identity, times: ConnectTimes, range: WireRange): Channel {
  const agent = new PinnedAgent(address, identity, times);
  const http = axios.create({
    baseURL: `https://${address.host.includes(':') ? `[${address.host}]` : address.host}:${address.port}`,
    httpsAgent: agent,
    adapter: 'http',
    proxy: false,
    maxRedirects: 0,
    maxContentLength: messageBytes,
    maxBodyLength: messageBytes,
    decompress: false,
    responseType: 'text',
    transformRequest: [(body: unknown) => body],
    transformResponse: [(body: unknown) => body],
    validateStatus: () => true,
    headers: {
      'content-type': 'application/json',
      accept: 'application/json',
      'user-agent': 'siteward',
      [versionsHeader]: showRange(range),
    },
  });
  return { agent, http };
}

async function ask(to: Conversation, request: Request, deadlineMs: Ms): Promise<Outcome<Answer>> {
  const signal = AbortSignal.timeout(deadlineMs);
  const first = await askOnce(to, request, signal);
  // It was refused unread, and the peer has now said what it speaks: it may have been exchanged since it was asked last.
  const again = first.refusedVersion !== null && to.known.versionFor(to.name) !== first.refusedVersion;
  const { outcome } = again ? await askOnce(to, request, signal) : first;
  if (outcome.kind === 'unknown') to.channel.agent.dropIdle();
  if (outcome.kind !== 'done' && signal.aborted) return { ...outcome, detail: `no answer within ${deadlineMs} ms` };
  return outcome;
}

type Asked = { readonly outcome: Outcome<Answer>; readonly refusedVersion: number | null };

async function askOnce(to: Conversation, request: Request, signal: AbortSignal): Promise<Asked> {
  const encoded = encodeRequestTo(to.codec, to.known, to.name, request);
  if (encoded.kind === 'bad') {
    const code = encoded.code === 'version' ? 'version' : 'unsendable';
    return { outcome: rejected(code, `${request.type} ${encoded.problem}`), refusedVersion: null };
  }
  const { text, version } = encoded.value;
  const sent = await post(to.channel.http, text, signal);
  if (sent.kind !== 'done') return { outcome: sent, refusedVersion: null };
  const { status, headers, data } = sent.value;
  const said: unknown = headers[versionsHeader];
  const range = to.known.heard(to.name, typeof said === 'string' ? said : null);
  const detail = `HTTP ${status}: ${data.slice(0, 200)}`;
  if (status === 200) return { outcome: answerOf(to.codec, data, version), refusedVersion: null };
  // 4xx means that the core over there never saw the request; 503 that it has not answered, so it may yet act.
  if (status < 400 || status >= 500) return { outcome: unknown(detail), refusedVersion: null };
  if (status === 400 && !speaks(range, version)) {
    return { outcome: rejected('version', `it speaks ${showRange(range)}: ${detail}`), refusedVersion: version };
  }
  return { outcome: rejected(status === 403 ? 'forbidden' : 'bad-request', detail), refusedVersion: null };
}

function answerOf(codec: Codec, text: string, version: number): Outcome<Answer> {
  const answer = codec.decodeAnswer(text);
  if (answer.kind === 'bad') return unknown(`the answer ${answer.problem}`);
  if (answer.version !== version) return unknown(`the answer is of version ${answer.version}, asked in ${version}`);
  return done(answer.value);
}

async function post(http: AxiosInstance, body: string, signal: AbortSignal): Promise<Outcome<AxiosResponse<string>>> {
  const sent = { maybe: false };
  const transport = {
    request: (...given: Parameters<typeof httpsRequest>) =>
      // A request is given its socket when the peer's key was found good; it writes nothing before.
      httpsRequest(...given).once('socket', () => {
        sent.maybe = true;
      }),
  };
  try {
    return done(await http.post<string>('/v1', body, { signal, transport }));
  } catch (error) {
    const cause = error instanceof Error ? (error.cause ?? error) : error;
    if (cause instanceof NotSent) return rejected(cause.code, cause.message);
    const detail = cause instanceof Error ? cause.message : String(cause);
    return sent.maybe ? unknown(detail) : rejected('unreachable', detail);
  }
}
