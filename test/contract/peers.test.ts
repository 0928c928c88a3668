import assert from 'node:assert/strict';
import { test } from 'node:test';
import { messageBytes } from '../../src/wire/limits.ts';
import {
  expired,
  key,
  peersAt,
  question,
  rawClient,
  rawRequest,
  rawServer,
  serve,
  tcpServer,
  yes,
} from './peers-kit.ts';

const here = key('site1-agent');
const there = key('site2-agent');
const stranger = key('stranger');
const limit = { timeout: 20_000 };
const status = '{"v":1,"m":{"type":"status"}}';
const short = { connectMs: 200, handshakeMs: 200 };

test('a request is answered; the server knows by the key who asked', limit, async () => {
  const server = await serve(there, [['site1-agent', [here.pin]]]);
  const peers = peersAt(server.port, here, [there.pin]);
  assert.deepEqual(await peers.ask(), { kind: 'done', value: yes });
  assert.deepEqual(server.asked, [{ from: 'site1-agent', request: question }]);
});

test('while a key is replaced either of two pins will do, on both sides', limit, async () => {
  const server = await serve(there, [['site1-agent', [stranger.pin, here.pin]]]);
  const peers = peersAt(server.port, here, [stranger.pin, there.pin]);
  assert.equal((await peers.ask()).kind, 'done');
});

test('a server with another key is not sent a byte', limit, async () => {
  const raw = await rawServer({ key: stranger.key, cert: stranger.certificate });
  const outcome = await peersAt(raw.port, here, [there.pin]).ask();
  assert.ok(outcome.kind === 'rejected' && outcome.code === 'wrong-key', JSON.stringify(outcome));
  assert.equal(raw.received(), 0);
});

for (const [who, options] of [
  ['a stranger', { key: stranger.key, cert: stranger.certificate }],
  ['a client without a certificate', {}],
] as const) {
  test(`of ${who} not a byte is read and none is sent to it`, limit, async () => {
    const server = await serve(there, [['site1-agent', [here.pin]]]);
    assert.equal(await rawClient(server.port, options, rawRequest(status)), '');
    assert.deepEqual(server.asked, []);
    assert.match(server.refused.join(), /not pinned/);
  });
}

test('an expired certificate of the right key is good on both sides: nothing expires here', limit, async () => {
  const oldHere = expired('site1-agent');
  const oldThere = expired('site2-agent');
  const server = await serve(oldThere, [['site1-agent', [here.pin]]]);
  assert.equal((await peersAt(server.port, oldHere, [there.pin]).ask()).kind, 'done');
});

test('TLS 1.2 is refused by the server and by the client', limit, async () => {
  const server = await serve(there, [['site1-agent', [here.pin]]]);
  const old = { key: here.key, cert: here.certificate, maxVersion: 'TLSv1.2' } as const;
  assert.equal(await rawClient(server.port, old, rawRequest(status)), '');
  assert.deepEqual(server.asked, []);
  const raw = await rawServer({ key: there.key, cert: there.certificate, maxVersion: 'TLSv1.2' });
  const outcome = await peersAt(raw.port, here, [there.pin]).ask();
  assert.equal(outcome.kind, 'rejected');
  assert.equal(raw.received(), 0);
});

test('nobody listens: rejected at once', limit, async () => {
  const server = await serve(there, [['site1-agent', [here.pin]]]);
  await server.close();
  const outcome = await peersAt(server.port, here, [there.pin]).ask();
  assert.ok(outcome.kind === 'rejected' && outcome.code === 'refused', JSON.stringify(outcome));
});

for (const [deadlineMs, times] of [
  [2000, short],
  [200, { connectMs: 2000, handshakeMs: 2000 }],
] as const) {
  test(
    `a frozen peer (accepts, shakes no hand) is rejected: nothing was sent, deadline ${deadlineMs}`,
    limit,
    async () => {
      const port = await tcpServer(() => {});
      const began = performance.now();
      const outcome = await peersAt(port, here, [there.pin], times).ask(deadlineMs);
      assert.ok(outcome.kind === 'rejected' && outcome.code === 'unreachable', JSON.stringify(outcome));
      assert.ok(performance.now() - began < 1500);
    },
  );
}

test('a peer that takes the request and never answers is unknown within the deadline', limit, async () => {
  const raw = await rawServer({ key: there.key, cert: there.certificate });
  const peers = peersAt(raw.port, here, [there.pin]);
  const began = performance.now();
  const outcome = await peers.ask(300);
  assert.equal(outcome.kind, 'unknown');
  assert.ok(performance.now() - began < 800);
  assert.ok(raw.received() > 0);
});

test('after a failure the next ask begins with a fresh connection', limit, async () => {
  let silent = false;
  const answer = `{"v":1,"m":${JSON.stringify(yes)}}`;
  const raw = await rawServer({ key: there.key, cert: there.certificate }, (socket) => {
    socket.on('data', () => {
      if (!silent) socket.write(`HTTP/1.1 200 OK\r\ncontent-length: ${answer.length}\r\n\r\n${answer}`);
    });
  });
  const peers = peersAt(raw.port, here, [there.pin]);
  await Promise.all([peers.ask(), peers.ask(), peers.ask()]);
  assert.equal(raw.connections(), 3);
  await peers.ask();
  assert.equal(raw.connections(), 3, 'connections are kept open');
  silent = true;
  assert.equal((await peers.ask(100)).kind, 'unknown');
  silent = false;
  assert.equal((await peers.ask(1000)).kind, 'done');
  assert.equal(raw.connections(), 4, 'one dead connection is not followed by the next dead one');
});

test('a failed ask does not take a slow one with it', limit, async () => {
  const server = await serve(there, [['site1-agent', [here.pin]]], {
    handler: (_from, _request, reply) => void setTimeout(() => reply(yes), 400),
  });
  const peers = peersAt(server.port, here, [there.pin]);
  const slow = peers.ask(2000);
  assert.equal((await peers.ask(100)).kind, 'unknown');
  assert.equal((await slow).kind, 'done');
});

test('a peer that was restarted is reached at the next ask but one', limit, async () => {
  const first = await serve(there, [['site1-agent', [here.pin]]]);
  const peers = peersAt(first.port, here, [there.pin]);
  assert.equal((await peers.ask()).kind, 'done');
  await first.close();
  await serve(there, [['site1-agent', [here.pin]]], { port: first.port });
  const kinds = [(await peers.ask()).kind, (await peers.ask()).kind];
  assert.equal(kinds[1], 'done');
});

test('who may not ask this is told so; the core does not see it', limit, async () => {
  const server = await serve(there, [['site1-agent', [here.pin]]], { allow: () => false });
  const outcome = await peersAt(server.port, here, [there.pin]).ask();
  assert.ok(outcome.kind === 'rejected' && outcome.code === 'forbidden');
  assert.deepEqual(server.asked, []);
});

test('a core that does not answer is 503 there and unknown here', limit, async () => {
  let late = () => {};
  const server = await serve(there, [['site1-agent', [here.pin]]], {
    answerMs: 100,
    handler: (_from, _request, reply) => {
      late = () => reply(yes);
    },
  });
  const outcome = await peersAt(server.port, here, [there.pin]).ask();
  assert.ok(outcome.kind === 'unknown' && outcome.detail.includes('503'), JSON.stringify(outcome));
  assert.doesNotThrow(late);
});

test('answers that are no answers are unknown: it may have been done', limit, async () => {
  for (const text of ['', 'x'.repeat(messageBytes + 1), '{"v":2}', 'nonsense']) {
    const raw = await rawServer({ key: there.key, cert: there.certificate }, (socket) => {
      socket.on('data', () => socket.write(`HTTP/1.1 200 OK\r\ncontent-length: ${text.length}\r\n\r\n${text}`));
    });
    assert.equal((await peersAt(raw.port, here, [there.pin]).ask(1000)).kind, 'unknown', text.slice(0, 10));
  }
});

test('a redirect is followed by nobody', limit, async () => {
  const raw = await rawServer({ key: there.key, cert: there.certificate }, (socket) => {
    socket.on('data', () =>
      socket.write('HTTP/1.1 307 X\r\nlocation: https://127.0.0.1:1/\r\ncontent-length: 0\r\n\r\n'),
    );
  });
  assert.equal((await peersAt(raw.port, here, [there.pin]).ask(1000)).kind, 'unknown');
});

test('what is too large, no message, or somewhere else is refused', limit, async () => {
  const server = await serve(there, [['site1-agent', [here.pin]]]);
  const us = { key: here.key, cert: here.certificate };
  const large = 'x'.repeat(messageBytes + 1);
  const chunked = `POST /v1 HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n${large.length.toString(16)}\r\n${large}\r\n0\r\n\r\n`;
  for (const [status, request] of [
    [413, rawRequest(large)],
    [413, chunked],
    [400, rawRequest('nonsense')],
    [400, rawRequest('')],
    [404, rawRequest('', '', '/v2')],
    [405, rawRequest('', '', '/v1', 'PUT')],
  ] as const) {
    const got = await rawClient(server.port, us, request);
    assert.match(got, new RegExp(`^HTTP/1.1 ${status} `), `${status}: ${got.slice(0, 40)}`);
  }
  assert.deepEqual(server.asked, []);
});

test('what would be refused over there is not sent', limit, async () => {
  const raw = await rawServer({ key: there.key, cert: there.certificate });
  const order = { kind: 'pause', reason: 'x'.repeat(500) } as const;
  const outcome = await peersAt(raw.port, here, [there.pin]).ask(500, { type: 'order', cluster: 'c', order });
  assert.ok(outcome.kind === 'rejected' && outcome.code === 'unsendable');
  assert.equal(raw.connections(), 0);
});
