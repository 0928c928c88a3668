// Servers that answer with noise, or with a good answer that was bent on the way: the libraries that read them (pg, axios,
// ssh2, the SDK) run in our process, and nothing that they are sent may get past the adapter. Loopback only.

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import fc from 'fast-check';
import { setServerState } from '../../src/adapters/haproxy/runtime-socket.ts';
import { httpGet } from '../../src/adapters/http/http-get.ts';
import { connect } from '../../src/adapters/postgres/connection.ts';
import { createScreen } from '../../src/adapters/postgres/screened-socket.ts';
import { createRegister } from '../../src/adapters/route53/register.ts';
import { createSshHosts } from '../../src/adapters/ssh/hosts.ts';
import { runs } from './kit.ts';

const directory = mkdtempSync(join(tmpdir(), 'siteward-fuzz-'));
const servers: Server[] = [];
after(() => {
  for (const server of servers) server.close();
  rmSync(directory, { recursive: true, force: true });
});

/** Sends what `answer` holds to whoever speaks, then ends or stays silent. */
async function serverOf(path?: string) {
  const says = { answer: Buffer.alloc(0), ends: true };
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => {});
    socket.once('close', () => sockets.delete(socket));
    socket.once('data', () => {
      socket.write(says.answer);
      if (says.ends) socket.end();
    });
  });
  servers.push(server);
  await new Promise<void>((resolve) => (path ? server.listen(path, resolve) : server.listen(0, '127.0.0.1', resolve)));
  after(() => {
    for (const socket of sockets) socket.destroy();
  });
  const address = server.address();
  return { says, port: typeof address === 'object' && address !== null ? address.port : 0 };
}

const patience = { timeout: 120_000 };
/** Each run may take its whole deadline: a bent answer often leaves its reader waiting for more. */
const few = { ...runs(40), interruptAfterTimeLimit: 60_000, markInterruptAsFailure: false };
const deadlineMs = 60;

/** Bytes of the samples, cut, bent, spliced, or none of them. */
function bytesLike(samples: readonly Buffer[]): fc.Arbitrary<Buffer> {
  const sample = fc.constantFrom(...samples);
  const where = fc.double({ min: 0, max: 0.999, noNaN: true });
  const bent = fc.tuple(sample, fc.array(fc.tuple(where, fc.nat({ max: 255 })), { minLength: 1, maxLength: 4 }));
  return fc.oneof(
    fc.uint8Array({ maxLength: 200 }).map((bytes) => Buffer.from(bytes)),
    sample,
    fc.tuple(sample, where).map(([bytes, end]) => bytes.subarray(0, Math.floor(bytes.length * end))),
    bent.map(([bytes, edits]) => {
      const copy = Buffer.from(bytes);
      for (const [at, byte] of edits) copy[Math.floor(at * copy.length)] = byte;
      return copy;
    }),
    fc
      .tuple(sample, where, fc.uint8Array({ maxLength: 9 }), sample)
      .map(([one, at, odd, other]) => Buffer.concat([one.subarray(0, Math.floor(at * one.length)), odd, other])),
  );
}

function message(type: string, ...parts: readonly (string | number | Buffer)[]): Buffer {
  const body = Buffer.concat(
    parts.map((part) => {
      if (typeof part === 'string') return Buffer.from(`${part}\0`);
      if (Buffer.isBuffer(part)) return part;
      const number = Buffer.alloc(4);
      number.writeInt32BE(part);
      return number;
    }),
  );
  const head = Buffer.alloc(5);
  head.write(type, 'latin1');
  head.writeInt32BE(body.length + 4, 1);
  return Buffer.concat([head, body]);
}

const short = (value: number): Buffer => Buffer.from([value >> 8, value & 255]);
const welcome = Buffer.concat([
  message('R', 0),
  message('S', 'server_version', '15.10'),
  message('K', 4242, 99),
  message('Z', Buffer.from('I')),
]);
const column = Buffer.concat([Buffer.from('position\0'), Buffer.alloc(18, 0)]);
const rows = Buffer.concat([
  message('T', short(1), column),
  message('D', short(1), 3, Buffer.from('0/1')),
  message('C', 'SELECT 1'),
  message('Z', Buffer.from('I')),
]);
const failure = Buffer.concat([
  message('E', Buffer.from('SFATAL\0VFATAL\0C57P03\0Mthe database system is starting up\0\0')),
]);
const scram = message('R', 10, 'SCRAM-SHA-256', Buffer.from('\0'));

test(
  'whatever a PostgreSQL server says, connecting ends in time, with a connection or an error',
  patience,
  async () => {
    const { says, port } = await serverOf();
    const samples = [
      welcome,
      Buffer.concat([welcome, rows]),
      failure,
      scram,
      Buffer.concat([message('N', Buffer.from('SNOTICE\0\0')), welcome, rows, failure]),
    ];
    const target = { host: '127.0.0.1', port, user: 'u', database: 'd', password: 'secret', applicationName: 'fuzz' };
    await fc.assert(
      fc.asyncProperty(bytesLike(samples), fc.boolean(), async (answer, ends) => {
        Object.assign(says, { answer, ends });
        const began = performance.now();
        try {
          const connection = await connect(target, deadlineMs, deadlineMs);
          const found = await connection.script('SELECT 1', deadlineMs).catch(() => null);
          assert.ok(found === null || Array.isArray(found));
          connection.destroy();
        } catch (error) {
          assert.ok(error instanceof Error);
        }
        assert.ok(performance.now() - began < 20_000);
      }),
      few,
    );
  },
);

test('an error without its end, for which pg would loop for ever, ends the connection', patience, async () => {
  const { says, port } = await serverOf();
  const target = { host: '127.0.0.1', port, user: 'u', database: 'd', password: null, applicationName: 'fuzz' };
  for (const answer of [
    message('E', Buffer.from('SFATAL\0C57P03\0')),
    message('E', Buffer.from('SFATAL')),
    message('R', 99),
  ]) {
    Object.assign(says, { answer, ends: false });
    await assert.rejects(connect(target, 2000, 2000), /does not speak the PostgreSQL protocol/);
  }
});

test('the screen says the same however the bytes are cut, and lets whole messages through', () => {
  const whole = Buffer.concat([welcome, rows, failure, message('N', Buffer.from('SNOTICE\0\0'))]);
  assert.ok(createScreen()(whole));
  fc.assert(
    fc.property(
      bytesLike([whole, welcome, failure]),
      fc.array(fc.nat({ max: 40 }), { maxLength: 12 }),
      (bytes, cuts) => {
        const screen = createScreen();
        let at = 0;
        let good = true;
        for (const length of [...cuts, bytes.length]) {
          good &&= screen(bytes.subarray(at, at + length));
          at += length;
        }
        assert.equal(good, createScreen()(bytes));
      },
    ),
    runs(),
  );
});

test('whatever HAProxy says, a command ends in time with an outcome', patience, async () => {
  const path = join(directory, 'haproxy.sock');
  const { says } = await serverOf(path);
  const samples = ['\n', 'No such server.\n', 'Permission denied\n', 'x'.repeat(9000)].map((text) => Buffer.from(text));
  await fc.assert(
    fc.asyncProperty(bytesLike(samples), fc.boolean(), async (answer, ends) => {
      Object.assign(says, { answer, ends });
      const outcome = await setServerState(path, 'birthday/a1', 'drain', deadlineMs);
      assert.ok(outcome.kind === 'done' || outcome.detail.length <= 500, outcome.kind);
    }),
    few,
  );
});

test('whatever an SSH server says, an order ends in time with an outcome', patience, async () => {
  const keyFile = join(directory, 'key');
  execFileSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-f', keyFile]);
  const { says, port } = await serverOf();
  const kex = Buffer.concat([Buffer.from([0, 0, 0, 44, 10, 20]), Buffer.alloc(16, 7), Buffer.alloc(26)]);
  const banner = Buffer.from('SSH-2.0-OpenSSH_9.2\r\n');
  const samples = [banner, Buffer.concat([banner, kex]), Buffer.from(`${'x'.repeat(300)}\r\n`.repeat(50))];
  const host = { address: '127.0.0.1', hostKeys: [`SHA256:${'a'.repeat(43)}`] };
  const bothSites = { site1: host, site2: host };
  await fc.assert(
    fc.asyncProperty(bytesLike(samples), fc.boolean(), async (answer, ends) => {
      Object.assign(says, { answer, ends });
      const hosts = createSshHosts({ user: 'u', port, keyFile, application: bothSites, database: bothSites });
      const outcome = await hosts.readEnv('site1', deadlineMs);
      assert.notEqual(outcome.kind, 'done');
      await hosts.close();
    }),
    few,
  );
});

const page = (status: string, headers: string, body: string): Buffer =>
  Buffer.from(`HTTP/1.1 ${status}\r\n${headers}\r\n\r\n${body}`);

test('whatever an HTTP server says, a probe ends in time with an answer or a class', patience, async () => {
  const { says, port } = await serverOf();
  const samples = [
    page('200 OK', 'content-length: 14', '{"ready":true}'),
    page('503 x', 'transfer-encoding: chunked', 'e\r\n{"ready":true}\r\n0\r\n'),
    page('302 x', 'location: http://127.0.0.1:1/\r\ncontent-length: 0', ''),
    page('200 OK', 'content-encoding: gzip\r\ncontent-length: 3', 'abc'),
  ];
  await fc.assert(
    fc.asyncProperty(bytesLike(samples), fc.boolean(), async (answer, ends) => {
      Object.assign(says, { answer, ends });
      const asked = { address: '127.0.0.1', port, path: '/ready', login: null, maxBytes: 1024, deadlineMs };
      const got = await httpGet(asked);
      assert.ok(got.kind === 'none' || got.body.length <= 1024);
    }),
    few,
  );
});

test('whatever the API of Route 53 says, a read ends in time with an outcome', patience, async () => {
  process.env['AWS_ACCESS_KEY_ID'] = 'AKIAFUZZ';
  process.env['AWS_SECRET_ACCESS_KEY'] = 'secret';
  const { says, port } = await serverOf();
  const set =
    '<ResourceRecordSet><Name>w.example.</Name><Type>TXT</Type><TTL>5</TTL><ResourceRecords><ResourceRecord><Value>"siteward1 x"</Value></ResourceRecord></ResourceRecords></ResourceRecordSet>';
  const list = `<?xml version="1.0"?><ListResourceRecordSetsResponse xmlns="https://route53.amazonaws.com/doc/2013-04-01/"><ResourceRecordSets>${set}</ResourceRecordSets><IsTruncated>false</IsTruncated><MaxItems>1</MaxItems></ListResourceRecordSetsResponse>`;
  const error =
    '<?xml version="1.0"?><ErrorResponse><Error><Type>Sender</Type><Code>constructor</Code><Message>m</Message></Error></ErrorResponse>';
  const batch =
    '<InvalidChangeBatch><Messages><Message>a</Message><Message><b/></Message></Messages></InvalidChangeBatch>';
  const samples = [
    page('200 OK', `content-length: ${list.length}`, list),
    page('400 Bad', `content-length: ${error.length}`, error),
    page('400 Bad', `content-length: ${batch.length}`, batch),
  ];
  const register = createRegister({
    ...{ hostedZoneId: 'Z1', name: 'w.example', ttlSeconds: 5, endpoint: `http://127.0.0.1:${port}` },
  });
  await fc.assert(
    fc.asyncProperty(bytesLike(samples), fc.boolean(), async (answer, ends) => {
      Object.assign(says, { answer, ends });
      const outcome = await register.read(deadlineMs);
      if (outcome.kind === 'rejected') {
        const codes = ['conflict', 'invalid', 'missing', 'access', 'too-long', 'unreadable'];
        assert.ok(codes.includes(outcome.code), outcome.code);
      }
    }),
    few,
  );
  register.close();
});
