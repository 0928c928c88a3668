// What comes from peers, hosts and the register.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { readinessReport } from '../../src/adapters/applications/applications.ts';
import { parseStatistics } from '../../src/adapters/haproxy/statistics.ts';
import { readClusterRow } from '../../src/adapters/postgres/queries.ts';
import { decodeTxt, encodeTxt } from '../../src/adapters/route53/txt.ts';
import { parseLsn } from '../../src/core/lsn.ts';
import type { ClusterRow } from '../../src/core/observe/observation.ts';
import { createCodec, type Heard } from '../../src/wire/codec.ts';
import { encodeAnswer, encodeOrder, parseAnswer, parseOrder } from '../../src/wire/host-orders.ts';
import { formatRegisterState, parseRegisterState } from '../../src/wire/register-codec.ts';
import { createPeerVersions, spoken } from '../../src/wire/versions.ts';
import type { Fuzzed } from './kit.ts';

const fixture = new URL('../fixtures/wire/version-1.json', import.meta.url);
const written = JSON.parse(readFileSync(fixture, 'utf8')) as Record<
  'requests' | 'answers' | 'registers',
  readonly string[]
>;
const codec = createCodec(spoken);
const token = { era: { number: 3, site: 'site2' }, epoch: 12, ballot: { counter: 77, voter: 'witness' } } as const;
const inNewest = (texts: readonly string[]) =>
  texts.map((text) =>
    text
      .replace('"v":1', `"v":${spoken.newest}`)
      .replace(
        /("missingMs":\d+)/,
        '$1,"syncAt":{"counter":9,"voter":"site1"},"diskFull":false,"unheardMs":{"site1":9,"site2":null}',
      ),
  );

/** What was understood is said again, and understood as the same. */
function comesBack<T>(
  heard: Heard<T>,
  encode: (value: T, version: number) => { readonly kind: string; readonly value?: string },
  decode: (text: string) => Heard<T>,
): void {
  if (heard.kind === 'bad') return;
  const said = encode(heard.value, heard.version);
  assert.equal(said.kind, 'good', JSON.stringify(said));
  const again = decode(said.value ?? '');
  // As text: what is nested thousands deep would be too much for a comparison, not for the codec.
  assert.equal(JSON.stringify(again), JSON.stringify(heard));
}

export const wireParsers: readonly Fuzzed[] = [
  {
    parser: 'requests of peers',
    files: ['src/wire/codec.ts', 'src/adapters/http/peer-server.ts'],
    samples: [...written.requests, ...inNewest(written.requests)],
    parse: codec.decodeRequest,
    check: (heard) =>
      comesBack(heard as ReturnType<typeof codec.decodeRequest>, codec.encodeRequest, codec.decodeRequest),
  },
  {
    parser: 'answers of peers',
    files: ['src/wire/codec.ts', 'src/adapters/http/peers.ts'],
    samples: [...written.answers, ...inNewest(written.answers)],
    parse: codec.decodeAnswer,
    check: (heard) => comesBack(heard as ReturnType<typeof codec.decodeAnswer>, codec.encodeAnswer, codec.decodeAnswer),
  },
  {
    parser: 'versions that a peer speaks',
    files: ['src/wire/versions.ts', 'src/adapters/http/peers.ts'],
    samples: ['1-2', '1-1', '12-9999'],
    parse: (said) => {
      const versions = createPeerVersions(spoken);
      versions.heard('witness', said);
      return versions.versionFor('witness');
    },
    check: (version) => assert.ok(version === 1 || version === 2, String(version)),
  },
  {
    parser: 'the register',
    files: ['src/wire/register-codec.ts', 'src/driver/sends.ts'],
    samples: written.registers,
    parse: parseRegisterState,
    check: (state, text) =>
      assert.ok(
        state === null || formatRegisterState(state as NonNullable<ReturnType<typeof parseRegisterState>>) === text,
      ),
  },
  {
    parser: 'the value of a TXT record',
    files: ['src/adapters/route53/txt.ts', 'src/adapters/route53/register.ts'],
    samples: [
      ...written.registers.map((line) => encodeTxt(line) ?? ''),
      '"a" "b"',
      '"\\"\\\\\\101" ',
      `"${'a'.repeat(255)}"`,
    ],
    parse: decodeTxt,
    check: (text) => {
      const value = text === null ? null : encodeTxt(text as string);
      assert.ok(value === null || decodeTxt(value) === text);
    },
  },
  {
    parser: 'orders to a host',
    files: ['src/wire/host-orders.ts', 'src/cli/host/run.ts'],
    samples: [
      ...['read', 'reload', 'stage site2'],
      encodeOrder({ verb: 'switch', site: 'site2', token }),
      encodeOrder({ verb: 'fence', token }),
    ],
    parse: parseOrder,
    check: (order, text) =>
      assert.ok(order === null || encodeOrder(order as NonNullable<ReturnType<typeof parseOrder>>) === text),
  },
  {
    parser: 'answers of a host',
    files: ['src/wire/host-orders.ts', 'src/adapters/ssh/hosts.ts'],
    samples: [
      encodeAnswer({ ok: true, kind: 'env', env: { active: 'site1', staged: ['site1', 'site2'], token }, reloaded: 3 }),
      encodeAnswer({ ok: true, kind: 'env', env: { active: null, staged: [], token: null }, reloaded: 0 }),
      encodeAnswer({ ok: true, kind: 'fenced', killed: 12, found: 'primary' }),
      encodeAnswer({ ok: false, code: 'lower-token', detail: 'seen a higher one', token }),
    ],
    parse: parseAnswer,
    check: (answer) => {
      if (answer === null) return;
      const known = answer as NonNullable<ReturnType<typeof parseAnswer>>;
      assert.deepEqual(parseAnswer(encodeAnswer(known)), known);
    },
  },
  {
    parser: 'statistics of HAProxy',
    files: ['src/adapters/haproxy/statistics.ts', 'src/adapters/haproxy/balancer.ts'],
    samples: [
      '# pxname,svname,qcur,status,\nbirthday,FRONTEND,,OPEN,\nbirthday,a,0,UP 1/2,\nbirthday,"b,""c",0,NOLB,\nother,f,0,UP,\n',
      '# pxname,svname,status,lastchg\r\nbirthday,a,DRAIN,1\r\nbirthday,BACKEND,UP,2\r\n',
    ],
    parse: (text) => parseStatistics(text, 'birthday'),
    check: (servers) => {
      const known = ['up', 'down', 'drain', 'maint', 'unknown'];
      for (const { status } of (servers ?? []) as { status: string }[]) assert.ok(known.includes(status));
    },
  },
  {
    parser: 'readiness of an instance',
    files: ['src/adapters/applications/applications.ts'],
    samples: [
      '{"ready":true,"reason":"","database":{"host":"10.1.0.1","port":5432},"writable":true,"epoch":{"eraNumber":0,"eraSite":"site1","epoch":3},"holding":0}',
      '{"ready":false,"reason":"holding","database":null,"writable":null,"epoch":null,"holding":12}',
    ],
    parse: (text) => readinessReport('a1', 200, text),
    check: (report) => {
      const { detail, holding, epoch } = report as ReturnType<typeof readinessReport>;
      assert.ok(detail.length <= 500 && Number.isSafeInteger(holding));
      assert.ok(epoch === null || (Number.isSafeInteger(epoch.epoch) && Number.isSafeInteger(epoch.era.number)));
    },
  },
  {
    parser: 'a position in the WAL',
    files: [
      'src/core/lsn.ts',
      'src/adapters/postgres/probes.ts',
      'src/adapters/postgres/database.ts',
      'src/adapters/postgres/waiting.ts',
    ],
    samples: ['16/B374D848', '0/0', 'FFFFFFFF/FFFFFFFF'],
    parse: parseLsn,
    check: (lsn) => assert.ok(lsn === null || (Number.isSafeInteger(lsn) && (lsn as number) >= 0)),
  },
  {
    parser: 'the row of siteward.cluster',
    files: ['src/adapters/postgres/queries.ts'],
    samples: ['{"cluster":"birthday","era_number":0,"era_site":"site1","epoch":"12","beat":"99999"}'],
    parse: (text) => readClusterRow(rowOf(text)),
    check: (row) => {
      if (row === null) return;
      const { epoch, beat } = row as ClusterRow;
      for (const number of [epoch.era.number, epoch.epoch, beat])
        assert.ok(Number.isSafeInteger(number), String(number));
    },
  },
];

/** pg gives rows of texts, numbers, booleans and nulls under the names that were asked for. */
function rowOf(text: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : undefined;
  } catch {
    return undefined;
  }
}
