// The peers port over the simulated network, through the production wire codec and its list of who may ask what.

import type { Answer, Request } from '../../../src/core/messages.ts';
import { done, type Outcome, rejected, unknown } from '../../../src/core/outcome.ts';
import type { Ballot } from '../../../src/core/quorum/ballot.ts';
import type { PeerId } from '../../../src/core/site.ts';
import type { Peers, RequestHandler } from '../../../src/ports/peers.ts';
import { mayAsk } from '../../../src/wire/allowed.ts';
import { spoken } from '../../../src/wire/versions.ts';
import { cancel, milli } from '../engine/scheduler.ts';
import { type PeerCodec, peerCodec } from './codec.ts';
import type { Machine } from './machine.ts';
import type { Network } from './network.ts';
import { Process } from './process.ts';

/** Where a peer can be reached; `process` is null while it does not run. */
export type PeerEndpoint = {
  readonly machine: Machine;
  process: Process | null;
  handle: RequestHandler | null;
  codec: PeerCodec;
};

/** What a process does between the arrival of bytes and its core's event. */
const handlingMicros = 200;

export class PeerNetwork {
  readonly endpoints = new Map<PeerId, PeerEndpoint>();
  /** A ballot that leaves its proposer, or is promised to it by a voter: at that moment, for checkers. */
  onBallot: (who: PeerId, ballot: Ballot) => void = () => {};
  readonly #network: Network;

  constructor(network: Network) {
    this.#network = network;
  }

  add(peer: PeerId, machine: Machine): PeerEndpoint {
    const endpoint = { machine, process: null, handle: null, codec: peerCodec(spoken, 1) };
    this.endpoints.set(peer, endpoint);
    return endpoint;
  }

  /** The port of one incarnation of `me`. */
  peersOf(me: PeerId, process: Process, codec: PeerCodec): Peers {
    return {
      ask: (to, request, deadlineMs) =>
        process.mayAffect() ? this.#ask(me, process, codec, to, request, deadlineMs) : Process.never,
      close: () => Promise.resolve(),
    };
  }

  #ask(
    me: PeerId,
    process: Process,
    codec: PeerCodec,
    to: PeerId,
    request: Request,
    deadlineMs: number,
  ): Promise<Outcome<Answer>> {
    const target = this.endpoints.get(to);
    if (target === undefined) return Promise.resolve(rejected('unreachable', `${to} has no address here`));
    const encoded = codec.sendRequest(to, request);
    if (encoded.kind === 'bad')
      return Promise.resolve(rejected(encoded.code === 'version' ? 'version' : 'unsendable', encoded.problem));
    const from = process.machine;
    const network = this.#network;
    if (request.type === 'prepare') this.onBallot(me, request.ballot);
    return new Promise((resolve) => {
      const settle = (outcome: Outcome<Answer>): void => {
        cancel(deadline);
        process.run(() => resolve(outcome));
      };
      const deadline = from.scheduler.deadline(deadlineMs * milli, () =>
        settle(unknown(`no answer within ${deadlineMs} ms`)),
      );
      const back = (deliver: () => void): void => network.send(target.machine, from, deliver);
      const serve = (): void => {
        const { process: server, handle } = target;
        if (server === null || handle === null) return;
        const read = target.codec.takeRequest(encoded.value);
        if (read.kind === 'bad') {
          back(() => settle(rejected(read.code === 'version' ? 'version' : 'bad-request', read.problem)));
          return;
        }
        if (!mayAsk(me, to, read.value.type)) {
          back(() => settle(rejected('forbidden', `${me} may not ask that`)));
          return;
        }
        handle(me, read.value, (answer) => {
          if (!server.mayAffect()) return;
          if (request.type === 'prepare' && answer.type === 'promise' && answer.promised)
            this.onBallot(to, request.ballot);
          const text = target.codec.sendAnswer(answer, read.version);
          if (text.kind === 'bad') return;
          back(() => {
            const heard = codec.takeAnswer(to, text.value);
            settle(heard.kind === 'good' ? done(heard.value) : unknown(`the answer ${heard.problem}`));
          });
        });
      };
      const arrive = (): void => {
        if (target.process === null) back(() => settle(rejected('unreachable', 'connection refused')));
        else target.process.run(serve);
      };
      network.send(from, target.machine, arrive, false, handlingMicros);
    });
  }
}
