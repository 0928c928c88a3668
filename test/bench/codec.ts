// How long the codec takes for the messages that are sent all the time, in microseconds. `node test/bench/codec.ts`
//
// The least of many short rounds: what the machine can do when nothing else is in the way.

import { performance } from 'node:perf_hooks';
import type { Answer, GuardStatus, Request, VoterView } from '../../src/core/messages.ts';
import type { Accepted, EpochId } from '../../src/core/quorum/record.ts';
import { createCodec, type Wire } from '../../src/wire/codec.ts';
import { spoken } from '../../src/wire/versions.ts';

const rounds = 60;
const perRound = 3000;

const epoch: EpochId = { era: { number: 0, site: 'site1' }, epoch: 3 };
const chosen: Accepted = {
  ballot: { counter: 7, voter: 'site1' },
  record: {
    ...{ cluster: 'birthday', era: epoch.era, epoch: 3, primary: 'site1', entry: 'site1', mode: 'auto', sync: false },
    ...{ voters: 'c0ffee00c0ffee00', by: 'site1-agent', at: '2026-11-22T10:00:00.000Z' },
    reason: 'the database of site2 failed: it refuses connections',
  },
};
const status: GuardStatus = {
  ...{ site: 'site1', noted: epoch, database: 'primary', crashed: false, leaseLeftMs: 5234.5, fuseAlive: true },
  ...{ systemId: '7301234567890123456', timeline: 2, position: 123_456_789 },
  ...{ quarantineMs: 0, restingMs: 0, missingMs: 0, syncAt: null },
};
const view: VoterView = {
  ...{ promised: chosen.ballot, accepted: chosen, chosen, bindsMs: 5321.2, bindsTo: 'site1' },
  ...{ quarantineMs: 0, amnesia: false },
};
const addressed = { cluster: 'birthday', voters: 'c0ffee00c0ffee00' };
const round = { start: 1_790_000_000_000, seq: 991 };

const requests: readonly Request[] = [
  { type: 'renew', ...addressed, epoch, site: 'site1', round, ttlMs: 6000, status },
  { type: 'inquire', ...addressed, status },
  {
    ...{ type: 'state', ...addressed, version: 12, view, refusing: false },
    verdicts: { primary: 'healthy', standby: 'healthy', entry: 'healthy', otherEntry: 'healthy' },
    register: { serial: 99, nonce: 'ab'.repeat(16), sinceMs: 123.4, out: false },
    lastPrimary: { position: 1_234_567, epoch },
    ...{ orderMs: 0, orderRefuses: false, seenOfYou: chosen.ballot },
  },
];
const answers: readonly Answer[] = [
  {
    ...{ type: 'guard-answer', granted: 'site1', refusal: null, round, chosen, refusing: false, hearsPeer: true },
    standby: { mayTakeOver: true, why: '', received: 123_456_789, ageMs: 321.5 },
  },
  { type: 'view', view },
];

const codec = createCodec(spoken);
for (const value of requests) {
  measure(value, (each) => codec.encodeRequest(each, spoken.newest), codec.decodeRequest);
}
for (const value of answers) {
  measure(value, (each) => codec.encodeAnswer(each, spoken.newest), codec.decodeAnswer);
}

function measure<T extends { readonly type: string }>(
  value: T,
  encode: (value: T) => Wire<string>,
  decode: (text: string) => unknown,
): void {
  // Numbers differ from message to message; the objects that stay the same in the core stay the same here.
  const values = Array.from({ length: 64 }, () => ({ ...value }));
  const texts = values.map((each) => flat(encode(each)));
  const encoding = least((index) => flat(encode(values[index % 64] as T)));
  const decoding = least((index) => decode(texts[index % 64] as string));
  const parsing = least((index) => JSON.parse(texts[index % 64] as string));
  const columns = [encoding, decoding, parsing].map((each) => each.toFixed(2).padStart(6));
  const [encoded, decoded, parsed] = columns;
  console.log(`${value.type.padEnd(13)} encode ${encoded}  decode ${decoded}  (JSON.parse alone ${parsed})`);
}

/** A text that was put together lazily is put together here, as it would be when it is sent. */
function flat(encoded: Wire<string>): string {
  if (encoded.kind === 'bad') throw new Error(encoded.problem);
  Number(encoded.value);
  return encoded.value;
}

function least(work: (index: number) => unknown): number {
  let best = Number.POSITIVE_INFINITY;
  for (let round = 0; round < rounds; round += 1) {
    const began = performance.now();
    for (let index = 0; index < perRound; index += 1) work(index);
    best = Math.min(best, ((performance.now() - began) * 1000) / perRound);
  }
  return best;
}
