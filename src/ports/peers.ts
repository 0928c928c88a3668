import type { Answer, Request } from '../core/messages.ts';
import type { Outcome } from '../core/outcome.ts';
import type { PeerId } from '../core/site.ts';
import type { Ms } from '../core/time.ts';

/** Sends to other processes. Exactly one outcome per call, after `deadlineMs` at the latest. */
export type Peers = {
  ask(to: PeerId, request: Request, deadlineMs: Ms): Promise<Outcome<Answer>>;
  close(): Promise<void>;
};

/** What the server side hands to the driver: a request from a peer whose key was checked; `reply` may be called once. */
export type RequestHandler = (from: PeerId, request: Request, reply: (answer: Answer) => void) => void;

export type PeerServer = {
  /** Resolves once it listens. */
  listen(handler: RequestHandler): Promise<void>;
  close(): Promise<void>;
};
