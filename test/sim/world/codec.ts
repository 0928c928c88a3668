// The wire codec as a process uses it: to bytes and back, knowing who is at the other end.

import type { Answer, Request } from '../../../src/core/messages.ts';
import type { PeerId } from '../../../src/core/site.ts';
import { decodeAnswer, decodeRequest, encodeAnswer, encodeRequest, type Wire } from '../../../src/wire/codec.ts';

/** What goes over the simulated network; opaque to it. */
export type Bytes = unknown;

export type Codec = {
  encodeRequest(to: PeerId, request: Request): Wire<Bytes>;
  decodeRequest(from: PeerId, bytes: Bytes): Wire<Request>;
  encodeAnswer(to: PeerId, answer: Answer): Wire<Bytes>;
  decodeAnswer(from: PeerId, bytes: Bytes): Wire<Answer>;
};

export const fullCodec: Codec = {
  encodeRequest: (_to, request) => encodeRequest(request),
  decodeRequest: (_from, bytes) => decodeRequest(bytes as string),
  encodeAnswer: (_to, answer) => encodeAnswer(answer),
  decodeAnswer: (_from, bytes) => decodeAnswer(bytes as string),
};
