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

/**
 * Only one message in `every` goes as bytes, the others as the frozen values that they are: what the codec does to a value
 * it does to every one of its kind, so most runs need not pay for each. Bytes and values are told apart by their type.
 */
export function sampledCodec(every: number, full: Codec = fullCodec): Codec {
  let left = 0;
  const passes = (): boolean => {
    left = (left + 1) % every;
    return left !== 0;
  };
  return {
    encodeRequest: (to, request) => (passes() ? { kind: 'good', value: request } : full.encodeRequest(to, request)),
    decodeRequest: (from, bytes) =>
      typeof bytes === 'string' ? full.decodeRequest(from, bytes) : { kind: 'good', value: bytes as Request },
    encodeAnswer: (to, answer) => (passes() ? { kind: 'good', value: answer } : full.encodeAnswer(to, answer)),
    decodeAnswer: (from, bytes) =>
      typeof bytes === 'string' ? full.decodeAnswer(from, bytes) : { kind: 'good', value: bytes as Answer },
  };
}
