// The peers port: one POST a request over mutual TLS 1.3 with pinned keys. What surely was not sent is rejected, what
// may have arrived is unknown.

import { request as httpsRequest } from 'node:https';
import axios, { type AxiosInstance, type AxiosResponse } from 'axios';
import type { Answer, Request } from '../../core/messages.ts';
import { done, type Outcome, rejected, unknown } from '../../core/outcome.ts';
import type { PeerId } from '../../core/site.ts';
import type { Ms } from '../../core/time.ts';
import type { Peers } from '../../ports/peers.ts';
import { decodeAnswer, encodeRequest } from '../../wire/codec.ts';
import { messageBytes } from '../../wire/limits.ts';
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
};

const defaultTimes: ConnectTimes = { connectMs: 400, handshakeMs: 2000 };

export function createPeers(options: PeersOptions): Peers {
  const clients = new Map<PeerId, Client>();
  for (const [name, address] of options.peers) {
    clients.set(name, createClient(address, options.identity, options.times ?? defaultTimes));
  }

  return {
    ask: (to, request, deadlineMs) => {
      const client = clients.get(to);
      if (client === undefined) return Promise.resolve(rejected('unreachable', `${to} has no address here`));
      return client.ask(request, deadlineMs);
    },
    close: () => {
      for (const client of clients.values()) client.agent.destroy();
      return Promise.resolve();
    },
  };
}

type Client = {
  readonly agent: PinnedAgent;
  ask(request: Request, deadlineMs: Ms): Promise<Outcome<Answer>>;
};

function createClient(address: PeerAddress, identity: Identity, times: ConnectTimes): Client {
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
    headers: { 'content-type': 'application/json', accept: 'application/json', 'user-agent': 'siteward' },
  });

  async function ask(request: Request, deadlineMs: Ms): Promise<Outcome<Answer>> {
    const encoded = encodeRequest(request);
    if (encoded.kind === 'bad') return rejected('unsendable', `${request.type} ${encoded.problem}`);
    const outcome = await post(http, encoded.value, deadlineMs);
    if (outcome.kind === 'unknown') agent.dropIdle();
    return outcome;
  }

  return { agent, ask };
}

async function post(http: AxiosInstance, body: string, deadlineMs: Ms): Promise<Outcome<Answer>> {
  const sent = { maybe: false };
  const transport = {
    request: (...given: Parameters<typeof httpsRequest>) =>
      // A request is given its socket when the peer's key was found good; it writes nothing before.
      httpsRequest(...given).once('socket', () => {
        sent.maybe = true;
      }),
  };
  try {
    return outcomeOf(await http.post<string>('/v1', body, { signal: AbortSignal.timeout(deadlineMs), transport }));
  } catch (error) {
    const cause = error instanceof Error ? (error.cause ?? error) : error;
    if (cause instanceof NotSent) return rejected(cause.code, cause.message);
    const detail = axios.isCancel(error) ? `no answer within ${deadlineMs} ms` : messageOf(cause);
    return sent.maybe ? unknown(detail) : rejected('unreachable', detail);
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** 4xx means that the core over there never saw the request; 503 that it has not answered, so it may yet act. */
function outcomeOf({ status, data }: AxiosResponse<string>): Outcome<Answer> {
  if (status === 200) {
    const answer = decodeAnswer(data);
    return answer.kind === 'good' ? done(answer.value) : unknown(`the answer ${answer.problem}`);
  }
  const detail = `HTTP ${status}: ${data.slice(0, 200)}`;
  if (status === 403) return rejected('forbidden', detail);
  return status >= 400 && status < 500 ? rejected('bad-request', detail) : unknown(detail);
}
