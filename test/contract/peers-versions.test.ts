// Old and new processes over real connections: a rolling upgrade, and one that is taken back (docs/decisions/0008).

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import type { Request } from '../../src/core/messages.ts';
import { createCodec } from '../../src/wire/codec.ts';
import { spoken } from '../../src/wire/versions.ts';
import { key, peersAt, rawClient, rawRequest, rawServer, type Served, serve, yes } from './peers-kit.ts';

const here = key('site1-agent');
const there = key('site2-agent');
const limit = { timeout: 20_000 };
const one = { oldest: 1, newest: 1 };

const fixture = new URL('../fixtures/wire/version-1.json', import.meta.url);
const written = JSON.parse(readFileSync(fixture, 'utf8')) as { requests: readonly string[] };
const heard = createCodec(spoken).decodeRequest(written.requests[0] ?? '');
assert.ok(heard.kind === 'good' && heard.value.type === 'renew');
const syncAt = { counter: 5, voter: 'site1' } as const;
/** Shows in which version it arrived: version 1 has no `syncAt`. */
const renew: Request = { ...heard.value, status: { ...heard.value.status, syncAt } };
const syncOff: Request = {
  ...{ type: 'sync-off', cluster: 'birthday', voters: '', epoch: heard.value.epoch, site: 'site1' },
  ask: heard.value.round,
};

const versionsAsked = ({ asked }: Served): readonly number[] =>
  asked.map(({ request }) => (request.type === 'renew' && request.status.syncAt === null ? 1 : 2));
const served = (speaks = spoken, port = 0) => serve(there, [['site1-agent', [here.pin]]], { speaks, port });
const asking = (port: number, speaks = spoken) => peersAt(port, here, [there.pin], undefined, speaks);

/** What a process of version 1 does on the wire: its strict reader, and no word of versions. Keeps what it was sent. */
async function versionOne() {
  const got: string[] = [];
  const codec = createCodec(one);
  const raw = await rawServer({ key: there.key, cert: there.certificate }, (socket) => {
    socket.on('data', (data: Buffer) => {
      const [head = '', body = ''] = data.toString().split('\r\n\r\n');
      got.push(body);
      assert.match(head, /^POST \/v1 HTTP\/1\.1\r\n/);
      const good = codec.decodeRequest(body).kind === 'good';
      const answer = good
        ? `{"v":1,"m":${JSON.stringify(yes)}}`
        : '{"error":"the message is of version 2, this is version 1"}';
      const status = good ? '200 OK' : '400 Bad Request';
      socket.write(`HTTP/1.1 ${status}\r\ncontent-length: ${answer.length}\r\n\r\n${answer}`);
    });
  });
  return { ...raw, got };
}

test('two new processes: the first message in the oldest version, all others in the newest', limit, async () => {
  const server = await served();
  const peers = asking(server.port);
  for (let round = 0; round < 3; round += 1)
    assert.deepEqual(await peers.ask(2000, renew), { kind: 'done', value: yes });
  assert.deepEqual(versionsAsked(server), [1, 2, 2]);
});

test('a new process asks one of version 1: in version 1, to the byte', limit, async () => {
  const old = await versionOne();
  const peers = asking(old.port);
  for (let round = 0; round < 3; round += 1)
    assert.deepEqual(await peers.ask(2000, renew), { kind: 'done', value: yes });
  assert.deepEqual(new Set(old.got), new Set([written.requests[0]]));
});

test('a process of version 1 asks a new one: it is answered in version 1, to the byte', limit, async () => {
  const server = await served();
  const us = { key: here.key, cert: here.certificate };
  const got = await rawClient(server.port, us, rawRequest(written.requests[0] ?? ''));
  assert.match(got, /^HTTP\/1.1 200 /);
  assert.ok(got.split('\r\n').includes(`{"v":1,"m":${JSON.stringify(yes)}}`), got);
  const peers = asking(server.port, one);
  for (let round = 0; round < 2; round += 1) assert.equal((await peers.ask(2000, renew)).kind, 'done');
  assert.deepEqual(versionsAsked(server), [1, 1, 1]);
});

test('what version 1 does not have is refused by a process of version 1 unread, and then not sent', limit, async () => {
  const old = await versionOne();
  const peers = asking(old.port);
  for (let round = 0; round < 2; round += 1) {
    const outcome = await peers.ask(2000, syncOff);
    assert.ok(outcome.kind === 'rejected' && outcome.code === 'version', JSON.stringify(outcome));
  }
  assert.equal(old.got.length, 1, 'once it has said what it speaks, it is not asked again');
});

test('what version 1 does not have is understood by a new process, also as the first message', limit, async () => {
  const server = await served();
  const peers = asking(server.port);
  for (const request of [syncOff, renew])
    assert.deepEqual(await peers.ask(2000, request), { kind: 'done', value: yes });
  assert.deepEqual(versionsAsked(server), [2, 2]);
});

test('a peer is upgraded, and taken back, under way: no message is lost to it', limit, async () => {
  const before = await served(one);
  const peers = asking(before.port);
  const ask = async () => {
    // The connections of the process that ended may have to be found dead first.
    const outcome = await peers.ask(2000, renew);
    return outcome.kind === 'done' ? outcome : peers.ask(2000, renew);
  };
  for (let round = 0; round < 2; round += 1) assert.equal((await ask()).kind, 'done');
  await before.close();
  const upgraded = await served(spoken, before.port);
  for (let round = 0; round < 2; round += 1) assert.equal((await ask()).kind, 'done');
  await upgraded.close();
  const downgraded = await served(one, before.port);
  for (let round = 0; round < 2; round += 1) assert.equal((await ask()).kind, 'done');
  assert.deepEqual([before, upgraded, downgraded].map(versionsAsked), [
    [1, 1],
    [1, 2],
    [1, 1],
  ]);
  assert.equal(downgraded.refused.length, 1, 'it refused version 2 once, unread, and was asked again at once');
});

test('a peer that no longer speaks our oldest is asked in what both speak, at once', limit, async () => {
  const server = await served({ oldest: 2, newest: 3 });
  const peers = asking(server.port);
  assert.deepEqual(await peers.ask(2000, renew), { kind: 'done', value: yes });
  assert.deepEqual(versionsAsked(server), [2]);
});

test('without a version in common every message is refused, and says what is spoken', limit, async () => {
  const server = await served({ oldest: 3, newest: 4 });
  const peers = asking(server.port);
  for (let round = 0; round < 2; round += 1) {
    const outcome = await peers.ask(2000, renew);
    assert.ok(outcome.kind === 'rejected' && outcome.code === 'version', JSON.stringify(outcome));
    assert.match(outcome.detail, /3-4/);
  }
  assert.deepEqual(server.asked, []);
});

test('an answer in another version than the question is none: it may have been done', limit, async () => {
  const answer = `{"v":2,"m":${JSON.stringify(yes)}}`;
  const raw = await rawServer({ key: there.key, cert: there.certificate }, (socket) => {
    socket.on('data', () => socket.write(`HTTP/1.1 200 OK\r\ncontent-length: ${answer.length}\r\n\r\n${answer}`));
  });
  const outcome = await asking(raw.port).ask(2000, renew);
  assert.ok(outcome.kind === 'unknown' && outcome.detail.includes('version 2'), JSON.stringify(outcome));
});

test('nonsense about versions is taken for version 1', limit, async () => {
  const answer = `{"v":1,"m":${JSON.stringify(yes)}}`;
  const raw = await rawServer({ key: there.key, cert: there.certificate }, (socket) => {
    const head = `HTTP/1.1 200 OK\r\ncontent-length: ${answer.length}\r\n`;
    socket.on('data', () =>
      socket.write(`${head}siteward-wire: 1-2\r\nsiteward-wire: ${'9'.repeat(999)}\r\n\r\n${answer}`),
    );
  });
  const peers = asking(raw.port);
  for (let round = 0; round < 2; round += 1) assert.equal((await peers.ask(2000, renew)).kind, 'done');
});
