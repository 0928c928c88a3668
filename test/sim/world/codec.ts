// The wire codec as one process uses it: in the versions that it speaks, agreeing with each peer on one, as the HTTP
// adapter does. What the simulated network carries is opaque to it.

import type { Answer, Request } from '../../../src/core/messages.ts';
import type { PeerId } from '../../../src/core/site.ts';
import { type Codec, createCodec, encodeRequestTo, type Heard, type Wire } from '../../../src/wire/codec.ts';
import { createPeerVersions, showRange, spoken, type WireRange } from '../../../src/wire/versions.ts';

/** A message on its way: bytes, or (most of them, see `every`) the frozen value itself; and what its sender speaks. */
export type Parcel = { readonly text: string | null; readonly value: Request | Answer; readonly said: string | null };

export type PeerCodec = {
  sendRequest(to: PeerId, request: Request): Wire<Parcel>;
  takeRequest(parcel: Parcel): Heard<Request>;
  /** In the version of the request that it answers. */
  sendAnswer(answer: Answer, version: number): Wire<Parcel>;
  takeAnswer(from: PeerId, parcel: Parcel): Heard<Answer>;
};

/** What was spoken before versions were negotiated. */
export const oldRelease: WireRange = { oldest: 1, newest: 1 };

/** Made once for each release: what is derived from the schemas costs more than a minute of a run. */
const codecs = new Map<string, Codec>();

function codecFor(range: WireRange): Codec {
  const key = showRange(range);
  const known = codecs.get(key) ?? createCodec(range);
  codecs.set(key, known);
  return known;
}

/**
 * Only one message in `every` goes as bytes: what the codec does to a value it does to each of its kind, so most runs need
 * not pay for all. What is said in an older version always does, because the codec leaves something out there.
 */
export function peerCodec(range: WireRange, every: number): PeerCodec {
  const codec = codecFor(range);
  const versions = createPeerVersions(range);
  const said = range.newest === 1 ? null : showRange(range);
  let turn = 0;
  const asValue = (version: number): boolean => {
    turn = (turn + 1) % every;
    return turn !== 0 && version === spoken.newest;
  };
  const parcel = (text: Wire<string>, value: Request | Answer): Wire<Parcel> =>
    text.kind === 'good' ? { kind: 'good', value: { text: text.value, value, said } } : text;
  return {
    sendRequest: (to, request) => {
      const version = versions.versionFor(to);
      if (asValue(version)) return { kind: 'good', value: { text: null, value: request, said } };
      const encoded = encodeRequestTo(codec, versions, to, request);
      return encoded.kind === 'good' ? parcel({ kind: 'good', value: encoded.value.text }, request) : encoded;
    },
    takeRequest: ({ text, value }) =>
      text === null ? { kind: 'good', value: value as Request, version: spoken.newest } : codec.decodeRequest(text),
    sendAnswer: (answer, version) =>
      asValue(version)
        ? { kind: 'good', value: { text: null, value: answer, said } }
        : parcel(codec.encodeAnswer(answer, version), answer),
    takeAnswer: (from, { text, value, said: theirs }) => {
      versions.heard(from, theirs);
      if (text === null) return { kind: 'good', value: value as Answer, version: spoken.newest };
      return codec.decodeAnswer(text);
    },
  };
}
