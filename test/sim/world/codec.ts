// The wire codec as one process uses it: in the versions that it speaks, agreeing with each peer on one, as the HTTP
// adapter does. What the simulated network carries is opaque to it.

import type { Answer, Request } from '../../../src/core/messages.ts';
import type { PeerId } from '../../../src/core/site.ts';
import { answer as answers } from '../../../src/wire/answers.ts';
import { type Codec, createCodec, encodeRequestTo, type Heard, type Wire } from '../../../src/wire/codec.ts';
import { request as requests } from '../../../src/wire/requests.ts';
import { isSameIn } from '../../../src/wire/since.ts';
import { createPeerVersions, showRange, speaks, spoken, type WireRange } from '../../../src/wire/versions.ts';

/** A message on its way: bytes, or (most of them, see `every`) the frozen value itself; and what its sender speaks. */
export type Parcel = {
  readonly text: string | null;
  readonly value: Request | Answer;
  readonly version: number;
  readonly said: string | null;
};

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

/** By version: the messages that it says as the newest does. */
const alike = new Map<number, ReadonlySet<string>>();

function saysAlike(version: number, type: string): boolean {
  if (version === spoken.newest) return true;
  let types = alike.get(version);
  if (types === undefined) {
    const same = [...requests.options, ...answers.options].filter((option) => isSameIn(version, option));
    types = new Set(same.map((option) => option.shape.type.value));
    alike.set(version, types);
  }
  return types.has(type);
}

/**
 * Only one message in `every` goes as bytes: what the codec does to a value it does to each of its kind, so most runs need
 * not pay for all. What an older version says otherwise always does, because the codec leaves something out there.
 */
export function peerCodec(range: WireRange, every: number): PeerCodec {
  const codec = codecFor(range);
  const versions = createPeerVersions(range);
  const said = range.newest === 1 ? null : showRange(range);
  let turn = 0;
  const asValue = (version: number, { type }: { readonly type: string }): boolean => {
    turn = (turn + 1) % every;
    return turn !== 0 && saysAlike(version, type);
  };
  const good = (text: string | null, value: Request | Answer, version: number): Wire<Parcel> => ({
    kind: 'good',
    value: { text, value, version, said },
  });
  return {
    sendRequest: (to, request) => {
      const version = versions.versionFor(to);
      if (asValue(version, request)) return good(null, request, version);
      const encoded = encodeRequestTo(codec, versions, to, request);
      return encoded.kind === 'good' ? good(encoded.value.text, request, encoded.value.version) : encoded;
    },
    takeRequest: ({ text, value, version }) => {
      if (text !== null) return codec.decodeRequest(text);
      if (!speaks(range, version)) return { kind: 'bad', code: 'version', problem: `is of version ${version}` };
      return { kind: 'good', value: value as Request, version };
    },
    sendAnswer: (answer, version) => {
      if (asValue(version, answer)) return good(null, answer, version);
      const encoded = codec.encodeAnswer(answer, version);
      return encoded.kind === 'good' ? good(encoded.value, answer, version) : encoded;
    },
    takeAnswer: (from, { text, value, version, said: theirs }) => {
      versions.heard(from, theirs);
      return text === null ? { kind: 'good', value: value as Answer, version } : codec.decodeAnswer(text);
    },
  };
}
