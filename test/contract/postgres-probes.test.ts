// Every class that a probe can report, produced by a real server (V1). Those that need a network or a volume of their
// own are in postgres-isolated.test.ts.

import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import pg from 'pg';
import { createDatabaseProbes, type ProbeConfig } from '../../src/adapters/postgres/probes.ts';
import {
  type Bed,
  becomePostgres,
  binDirectory,
  createBed,
  database,
  freePort,
  probePassword,
  row,
  run,
  until,
  value,
  writeConfig,
} from './postgres-bed.ts';

const deadlineMs = 800;

describe('probes of a real PostgreSQL', {
  skip: binDirectory === null ? 'no PostgreSQL server is installed' : false,
}, () => {
  let bed: Bed;

  const probesOf = (change: Partial<ProbeConfig> & { port?: number }) =>
    createDatabaseProbes({
      agent: 'site2-agent',
      addresses: {
        site1: { host: '127.0.0.1', port: change.port ?? bed.ports.site1 },
        site2: { host: '127.0.0.1', port: bed.ports.site2 },
      },
      user: 'siteward_probe',
      passwordFile: bed.secrets.probe,
      database,
      systemId: () => null,
      ...change,
    });

  before(async () => {
    bed = await createBed(becomePostgres());
    await bed.startPrimary();
    await bed.startStandby();
  });

  after(async () => {
    await bed.down();
    await until(
      'every socket is gone',
      2000,
      () => !process.getActiveResourcesInfo().some((name) => name.startsWith('TCPSocket')),
    );
  });

  test('ok: commits its own row, sees the WAL move, and reads the row of siteward.cluster', async () => {
    const first = await bed.probes.primary('site1', deadlineMs);
    value(await bed.site1.db.beat(row(1, 7), 1000));
    const second = await bed.probes.primary('site1', deadlineMs);
    assert.deepEqual([first.class, first.detail], ['ok', '']);
    assert.equal(second.class, 'ok');
    assert.ok((second.position ?? 0) > (first.position ?? 0), `${first.position} then ${second.position}`);
    assert.deepEqual(second.row, row(1, 7));
    assert.equal(second.timeline, 1);
    assert.match(second.systemId ?? '', /^\d{10,20}$/);
    const written = await bed.site1.sql("SELECT probes FROM siteward.probe WHERE agent = 'site1-agent'");
    assert.ok(Number(written) >= 2, written);
  });

  test('standby: positions, stream and the age of its last message', async () => {
    await bed.site1.sql('SELECT pg_switch_wal()');
    value(await bed.site1.db.beat(row(1, 8), 1000));
    await until('the row arrives', 3000, async () => (await bed.probes.standby('site2', deadlineMs)).row?.beat === 8);
    const report = await bed.probes.standby('site2', deadlineMs);
    const primary = await bed.probes.primary('site1', deadlineMs);
    assert.deepEqual([report.class, report.inRecovery, report.streaming, report.timeline], ['ok', true, true, 1]);
    assert.equal(report.systemId, primary.systemId);
    assert.ok((report.received ?? 0) >= (report.replayed ?? 0));
    // V5: the primary's own word on how far it has written, which the standby may not have received yet.
    const told = report.primaryPosition ?? 0;
    assert.ok(told > 0 && told <= (primary.position ?? 0), `${told} of ${primary.position}`);
    assert.equal(primary.class, 'ok');
  });

  test('in-recovery: a standby asked as a primary', async () => {
    const report = await bed.probes.primary('site2', deadlineMs);
    assert.equal(report.class, 'in-recovery');
    assert.ok(report.position !== null);
  });

  test('refused: nobody listens', async () => {
    assert.equal((await probesOf({ port: await freePort() }).primary('site1', deadlineMs)).class, 'refused');
  });

  test('auth: wrong password, no such database', async () => {
    const wrong = join(bed.root, 'wrong.password');
    writeFileSync(wrong, 'not-it\n');
    assert.equal((await probesOf({ passwordFile: wrong }).primary('site1', deadlineMs)).class, 'auth');
    assert.equal((await probesOf({ database: 'nothing_here' }).standby('site2', deadlineMs)).class, 'auth');
    const noFile = await probesOf({ passwordFile: join(bed.root, 'missing') }).primary('site1', deadlineMs);
    assert.equal(noFile.class, 'auth');
  });

  test('wrong-system: another system identifier than expected', async () => {
    const report = await probesOf({ systemId: () => '1234567890123456789' }).primary('site1', deadlineMs);
    assert.equal(report.class, 'wrong-system');
    const standby = await probesOf({ systemId: () => '1234567890123456789' }).standby('site2', deadlineMs);
    assert.equal(standby.class, 'wrong-system');
  });

  test('protocol: something else listens there; timeout: it says nothing; refused: it hangs up', async () => {
    const sockets = new Set<Socket>();
    const behaviours: readonly (readonly [string, (socket: Socket) => void])[] = [
      ['protocol', (socket) => socket.write('HTTP/1.1 400 Bad Request\r\n\r\n')],
      ['protocol', (socket) => socket.write('SSH-2.0-OpenSSH_9.2\r\n')],
      ['timeout', () => undefined],
      ['refused', (socket) => socket.destroy()],
    ];
    for (const [expected, behave] of behaviours) {
      const server = createServer((socket) => {
        sockets.add(socket);
        socket.on('error', () => undefined);
        behave(socket);
      });
      await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
      const began = performance.now();
      const report = await probesOf({ port: (server.address() as AddressInfo).port }).primary('site1', 300);
      assert.equal(report.class, expected, report.detail);
      assert.ok(performance.now() - began < 600);
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    }
  });

  test('read-only: default_transaction_read_only', async () => {
    await bed.site1.sql('ALTER SYSTEM SET default_transaction_read_only = on');
    await bed.site1.sql('SELECT pg_reload_conf()');
    await until('read-only', 3000, async () => (await bed.probes.primary('site1', deadlineMs)).class === 'read-only');
    await run(join(bed.site1.settings.binDirectory, 'psql'), [
      '-X',
      '-h',
      bed.site1.settings.socketDirectory,
      '-p',
      String(bed.ports.site1),
      '-d',
      'postgres',
      '-c',
      'SET default_transaction_read_only = off',
      '-c',
      'ALTER SYSTEM RESET default_transaction_read_only',
      '-c',
      'SELECT pg_reload_conf()',
    ]);
    await until('writable again', 3000, async () => (await bed.probes.primary('site1', deadlineMs)).class === 'ok');
  });

  test('too-many-connections, while the guard still gets in', async () => {
    const clients: pg.Client[] = [];
    try {
      for (;;) {
        const client = new pg.Client({
          host: '127.0.0.1',
          port: bed.ports.site1,
          user: 'siteward_probe',
          password: probePassword,
          database,
        });
        client.on('error', () => undefined);
        const connected = await client.connect().then(
          () => true,
          () => false,
        );
        if (!connected) break;
        clients.push(client);
      }
      assert.equal((await bed.probes.primary('site1', deadlineMs)).class, 'too-many-connections');
      assert.equal((await bed.site1.db.beat(row(1, 9), 1000)).kind, 'done');
    } finally {
      await Promise.all(clients.map((client) => client.end()));
    }
    await until('room again', 3000, async () => (await bed.probes.primary('site1', deadlineMs)).class === 'ok');
  });

  test('write-stalled: reads answer, commits do not, and no backend is left waiting', async () => {
    const blocker = new pg.Client({
      host: bed.site1.settings.socketDirectory,
      port: bed.ports.site1,
      user: bed.site1.settings.superuser,
      database,
    });
    await blocker.connect();
    try {
      await blocker.query('BEGIN; LOCK TABLE siteward.probe IN ACCESS EXCLUSIVE MODE');
      const report = await bed.probes.primary('site1', 400);
      assert.equal(report.class, 'write-stalled');
      assert.deepEqual(report.row?.cluster, 'c1');
      const waiting =
        "SELECT count(*) FROM pg_stat_activity WHERE usename = 'siteward_probe' AND wait_event_type = 'Lock'";
      await until('nobody waits', 2000, async () => (await bed.site1.sql(waiting)) === '0');
    } finally {
      await blocker.end();
    }
  });

  test('a missing synchronous standby does not stall a commit probe or a beat', async () => {
    await bed.site1.sql("ALTER SYSTEM SET synchronous_standby_names = 'nobody'");
    await bed.site1.sql('SELECT pg_reload_conf()');
    const shown = () => bed.site1.sql('SHOW synchronous_standby_names');
    await until('set', 3000, async () => (await shown()) === 'nobody');
    assert.equal((await bed.probes.primary('site1', deadlineMs)).class, 'ok');
    assert.equal((await bed.site1.db.beat(row(1, 10), 1000)).kind, 'done');
    await bed.site1.sql('ALTER SYSTEM RESET synchronous_standby_names');
    await bed.site1.sql('SELECT pg_reload_conf()');
    await until('reset', 3000, async () => (await shown()) === '');
  });

  test('timeout: everything is frozen, and the probe ends at its deadline all the same (S10)', async () => {
    const { processes } = bed.site1;
    for (const pid of processes.list()) processes.signal(pid, 'SIGSTOP');
    try {
      const began = performance.now();
      const [report, again] = await Promise.all([bed.probes.primary('site1', 300), bed.probes.primary('site1', 300)]);
      assert.deepEqual([report.class, again.class], ['timeout', 'timeout']);
      assert.ok(performance.now() - began < 600);
    } finally {
      for (const pid of processes.list()) processes.signal(pid, 'SIGCONT');
    }
    await until('it answers again', 3000, async () => (await bed.probes.primary('site1', deadlineMs)).class === 'ok');
  });

  test('starting-up, then a standby whose primary is gone: not streaming', async () => {
    value(await bed.site2.db.stop(5000));
    writeConfig(bed.site2, ['hot_standby = off']);
    value(await bed.site2.db.startStandby(5000));
    assert.equal((await bed.probes.primary('site2', deadlineMs)).class, 'starting-up');
    assert.equal((await bed.probes.standby('site2', deadlineMs)).class, 'starting-up');
    value(await bed.site2.db.stop(5000));
    writeConfig(bed.site2);
    value(await bed.site1.db.stop(5000));
    value(await bed.site2.db.startStandby(5000));
    await until('it answers', 3000, async () => (await bed.probes.standby('site2', deadlineMs)).class === 'ok');
    const report = await bed.probes.standby('site2', deadlineMs);
    assert.deepEqual([report.inRecovery, report.streaming], [true, false]);
    assert.ok((report.received ?? 0) > 0);
  });
});
