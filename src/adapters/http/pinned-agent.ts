// Connections to one peer. The peer's key is checked on the socket before it is handed to a request, so no byte of a
// request ever reaches a stranger; and a failure up to there is known to have sent nothing.

import { Agent } from 'node:https';
import type { Duplex } from 'node:stream';
import { connect, type TLSSocket } from 'node:tls';
import type { Ms } from '../../core/time.ts';
import { pinOfPeer } from './pin.ts';
import { type Identity, tlsOptions } from './tls.ts';

export type PeerAddress = { readonly host: string; readonly port: number; readonly pins: readonly string[] };

/** Nothing of the request was sent. `code` is one of the port's codes. */
export class NotSent extends Error {
  readonly code: 'unreachable' | 'refused' | 'wrong-key';
  constructor(code: NotSent['code'], message: string) {
    super(message);
    this.name = 'NotSent';
    this.code = code;
  }
}

export type ConnectTimes = { readonly connectMs: Ms; readonly handshakeMs: Ms };

const maxSockets = 16;

export class PinnedAgent extends Agent {
  readonly #peer: PeerAddress;
  readonly #identity: Identity;
  readonly #times: ConnectTimes;

  constructor(peer: PeerAddress, identity: Identity, times: ConnectTimes) {
    super({ keepAlive: true, maxSockets, scheduling: 'lifo' });
    this.#peer = peer;
    this.#identity = identity;
    this.#times = times;
  }

  override createConnection(
    _options: unknown,
    callback?: (error: Error | null, stream: Duplex) => void,
  ): Duplex | null | undefined {
    const give = callback as ((error: Error | null, socket?: TLSSocket) => void) | undefined;
    const { host, port, pins } = this.#peer;
    const socket = connect({ host, port, ...tlsOptions(this.#identity) });
    socket.setNoDelay(true);
    let phase: 'connecting' | 'handshake' | 'over' = 'connecting';
    let timer = setTimeout(() => fail('unreachable', 'no connection in time'), this.#times.connectMs);
    const fail = (code: NotSent['code'], detail: string) => {
      if (phase === 'over') return;
      phase = 'over';
      clearTimeout(timer);
      socket.destroy();
      give?.(new NotSent(code, `${host}:${port}: ${detail}`));
    };
    socket.once('connect', () => {
      if (phase !== 'connecting') return;
      phase = 'handshake';
      clearTimeout(timer);
      timer = setTimeout(() => fail('unreachable', 'no TLS handshake in time'), this.#times.handshakeMs);
    });
    // Stays for the socket's life: an error after the handshake reaches the request by its own listener.
    socket.on('error', (error: NodeJS.ErrnoException) => {
      const code = error.code === 'ECONNREFUSED' ? 'refused' : 'unreachable';
      fail(code, phase === 'connecting' ? (error.code ?? error.message) : `TLS: ${error.message}`);
    });
    socket.once('close', () => fail('unreachable', 'closed before the handshake was over'));
    socket.once('secureConnect', () => {
      const pin = pinOfPeer(socket);
      if (pin === null || !pins.includes(pin)) return fail('wrong-key', `shows the key ${pin ?? 'none'}`);
      if (phase === 'over') return;
      phase = 'over';
      clearTimeout(timer);
      give?.(null, socket);
    });
    return undefined;
  }

  /** Idle sockets of a peer that just failed may all be dead (its power is gone): the next ask begins with a fresh one. */
  dropIdle(): void {
    for (const sockets of Object.values(this.freeSockets)) for (const socket of sockets ?? []) socket.destroy();
  }
}
