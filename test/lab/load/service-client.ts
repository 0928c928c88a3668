// HTTP to the service by its DNS name, as a careful client does it: the TTL is respected, connections are kept open and
// belong to one address, and a request that met a connection just closed by the other side is sent once more (RFC 9112,
// 9.3.1; PUT and GET are idempotent).

import { Resolver } from 'node:dns/promises';
import { Agent, type IncomingMessage, request } from 'node:http';
import type { ServiceTarget } from './config.ts';
import { nowMs } from './journal.ts';

/** `failure` is null for an answer below 400, `body` empty where there is none. */
export type Reply = {
  readonly status: number;
  readonly failure: string | null;
  readonly body: string;
  readonly isRetried: boolean;
};
export type Ask = {
  readonly method: 'GET' | 'PUT';
  readonly path: string;
  readonly body?: string;
  /** On a connection of its own. */
  readonly isAlone?: boolean;
};

/** One address the name had, with its connections and the requests that have no answer yet. */
export type Target = { readonly address: string; readonly agent: Agent; inFlight: number };

const resolveAgainMs = 500;
/** Below what any balancer allows, so that the other side seldom closes first. */
const idleSocketMs = 3000;

export class ServiceClient {
  readonly #options: ServiceTarget;
  readonly #resolver = new Resolver({ timeout: 500, tries: 2 });
  readonly #onAddress: (address: string, ttlSeconds: number) => void;
  #target: Target | null = null;
  #timer: NodeJS.Timeout | undefined;
  #isClosed = false;

  constructor(options: ServiceTarget, onAddress: (address: string, ttlSeconds: number) => void = () => undefined) {
    this.#options = options;
    this.#onAddress = onAddress;
    this.#resolver.setServers([options.dnsServer]);
  }

  get target(): Target | null {
    return this.#target;
  }

  /** Resolves now, and again whenever the TTL ends; an old address stays in use while nobody answers. */
  async resolve(): Promise<void> {
    let waitMs = resolveAgainMs;
    try {
      const [first] = await this.#resolver.resolve4(this.#options.name, { ttl: true });
      if (first !== undefined) {
        waitMs = Math.max(resolveAgainMs, first.ttl * 1000);
        if (first.address !== this.#target?.address) {
          const agent = new Agent({ keepAlive: true, timeout: idleSocketMs });
          this.#target = { address: first.address, agent, inFlight: 0 };
          this.#onAddress(first.address, first.ttl);
        }
      }
    } catch {
      // No answer is no news about the address.
    }
    if (!this.#isClosed) this.#timer = setTimeout(() => void this.resolve(), waitMs);
  }

  /** Resolves until there is an address, at most until the deadline. */
  async waitForAddress(deadlineMs: number): Promise<void> {
    const end = nowMs() + deadlineMs;
    await this.resolve();
    while (this.#target === null) {
      if (nowMs() > end) throw new Error(`${this.#options.dnsServer} gives no address for ${this.#options.name}`);
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }

  /** Never rejects: whatever happens is a `failure` with a name. */
  async ask(ask: Ask, target: Target, agent: Agent = target.agent): Promise<Reply> {
    target.inFlight += 1;
    try {
      const first = await this.#send(ask, target.address, ask.isAlone === true ? false : agent);
      if (first !== 'closed-connection') return { ...first, isRetried: false };
      const second = await this.#send(ask, target.address, false);
      if (second !== 'closed-connection') return { ...second, isRetried: true };
      return { status: 0, failure: 'ECONNRESET', body: '', isRetried: true };
    } finally {
      target.inFlight -= 1;
    }
  }

  close(): void {
    this.#isClosed = true;
    clearTimeout(this.#timer);
    this.#target?.agent.destroy();
    this.#resolver.cancel();
  }

  #send(ask: Ask, host: string, agent: Agent | false): Promise<Omit<Reply, 'isRetried'> | 'closed-connection'> {
    const { name, port, timeoutMs, connectTimeoutMs } = this.#options;
    const headers: Record<string, string> = { host: `${name}:${port}` };
    if (ask.body !== undefined) {
      headers['content-type'] = 'application/json';
      headers['content-length'] = String(Buffer.byteLength(ask.body));
    }
    return new Promise((resolve) => {
      const call = request({ host, port, method: ask.method, path: ask.path, agent, headers });
      const timer = setTimeout(() => call.destroy(named('timeout')), timeoutMs);
      const finish = (result: Omit<Reply, 'isRetried'> | 'closed-connection') => {
        clearTimeout(timer);
        resolve(result);
      };
      call.on('socket', (socket) => {
        if (!socket.connecting) return;
        const connectTimer = setTimeout(() => call.destroy(named('connect-timeout')), connectTimeoutMs);
        const stop = () => clearTimeout(connectTimer);
        socket.once('connect', stop);
        socket.once('close', stop);
      });
      call.on('response', (response: IncomingMessage) => {
        const status = response.statusCode ?? 0;
        let body = '';
        response.setEncoding('utf8').on('data', (text: string) => {
          body += text;
        });
        response.on('end', () => finish({ status, failure: status < 400 ? null : `http-${status}`, body }));
        response.on('error', (error) => finish({ status, failure: nameOf(error), body: '' }));
      });
      call.on('error', (error) => {
        const kind = nameOf(error);
        const isClosed = call.reusedSocket && (kind === 'ECONNRESET' || kind === 'EPIPE');
        finish(isClosed ? 'closed-connection' : { status: 0, failure: kind, body: '' });
      });
      call.end(ask.body);
    });
  }
}

function named(code: string): Error {
  return Object.assign(new Error(code), { code });
}

function nameOf(error: Error): string {
  return (error as NodeJS.ErrnoException).code ?? error.name;
}
