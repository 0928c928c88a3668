// What the report concludes from journals, wrong ones included: a checker that cannot fail proves nothing.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { letters } from '../lab/load/config.ts';
import { type Ack, acks, asked, longest, outages, overlaps, segments } from '../lab/load/findings.ts';
import type { Token, WriterRecord } from '../lab/load/records.ts';

function ack(site: string, s: number, a: number, t: Token): Ack {
  return { site, st: 'x', q: s, s, a, t };
}

const first: Token = [0, 1, 1];
const second: Token = [0, 2, 2];

describe('overlap', () => {
  it('is none where the old database ended before the new one began', () => {
    assert.deepEqual(
      overlaps([ack('site1', 0, 5, first), ack('site1', 20, 25, first), ack('site2', 30, 33, second)]),
      [],
    );
  });

  it('is none for a write sent before the other arrived, however late its own acknowledgement', () => {
    assert.deepEqual(overlaps([ack('site1', 29, 90, first), ack('site2', 10, 30, second)]), []);
  });

  it('is each write sent after that', () => {
    const found = overlaps([ack('site1', 31, 32, first), ack('site1', 40, 41, first), ack('site2', 10, 30, second)]);
    assert.deepEqual(
      found.map(({ write, otherSite, otherArrivedMs }) => [write.s, otherSite, otherArrivedMs]),
      [
        [31, 'site2', 30],
        [40, 'site2', 30],
      ],
    );
  });

  it('is seen by the timeline while the row still shows the old epoch, and by the era before either', () => {
    assert.equal(overlaps([ack('site1', 40, 41, [0, 1, 1]), ack('site2', 10, 30, [0, 1, 2])]).length, 1);
    assert.equal(overlaps([ack('site1', 40, 41, [0, 9, 9]), ack('site2', 10, 30, [1, 1, 2])]).length, 1);
  });

  it('is none for the later epoch after a move there and back', () => {
    const third: Token = [0, 3, 3];
    assert.deepEqual(
      overlaps([ack('site1', 0, 1, first), ack('site2', 10, 11, second), ack('site1', 20, 21, third)]),
      [],
    );
  });
});

describe('outages', () => {
  it('are the gaps between acknowledgements, the first and the last one included', () => {
    const found = outages([100, 120, 900], [500], [{ from: 50, to: 1500 }]);
    assert.deepEqual(
      found.map(({ ms, failed }) => [ms, failed]),
      [
        [50, 0],
        [20, 0],
        [780, 1],
        [600, 0],
      ],
    );
    assert.equal(longest(found), 780);
  });

  it('are none while the client itself was down', () => {
    const within = segments([
      { k: 'start', a: 0 },
      { k: 'w', a: 100 },
      { k: 'start', a: 9000 },
      { k: 'stop', a: 9050 },
    ]);
    assert.deepEqual(within, [
      { from: 0, to: 100 },
      { from: 9000, to: 9050 },
    ]);
    assert.equal(longest(outages([100], [], within)), 100);
  });
});

describe('windows', () => {
  it('keep what was sent in them', () => {
    const records = [0, 10, 20].map((s) => ({ k: 'w' as const, n: 'a', s, a: s + 1, c: 204 }));
    assert.equal(asked(records, 5, 15).length, 1);
    const writer: WriterRecord[] = [0, 10].map((s) => ({ k: 'w', st: 'x', q: s, s, a: s + 1, t: first }));
    assert.equal(acks('site1', writer, 5, 15).length, 1);
  });
});

describe('names', () => {
  it('are letters, unique and in order', () => {
    const names = [0, 1, 25, 26, 26 ** 6].map(letters);
    assert.deepEqual(names, [...names].sort());
    for (const name of names) assert.match(name, /^[a-z]{7}$/);
  });
});
