// Looking, asking, beating and fencing, frozen servers included (L9, V1, S10).

import assert from 'node:assert/strict';
import { statSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import pg from 'pg';
import {
  type Bed,
  becomePostgres,
  binDirectory,
  createBed,
  database,
  probePassword,
  row,
  until,
  value,
} from './postgres-bed.ts';

/** fenceBudget less fuseBudget: past this the fuse would have killed. */
const fenceWithinMs = 500;

describe('the guard at a real PostgreSQL', {
  skip: binDirectory === null ? 'no PostgreSQL server is installed' : false,
}, () => {
  let bed: Bed;
  before(async () => {
    bed = await createBed(becomePostgres());
    await bed.startPrimary();
  });
  after(() => bed.down());

  const restart = async () => value(await bed.site1.db.startPrimary(false, 5000, () => true));
  const signalAll = (signal: NodeJS.Signals) => {
    for (const pid of bed.site1.processes.list()) bed.site1.processes.signal(pid, signal);
  };
  const timed = async <T>(work: Promise<T>): Promise<readonly [T, number]> => {
    const began = performance.now();
    return [await work, performance.now() - began];
  };

  test('the bootstrap gives the least rights and keeps the secret out of the data directory', async () => {
    const asRole = async (user: string, password: string, text: string) => {
      const client = new pg.Client({ host: '127.0.0.1', port: bed.ports.site1, user, password, database });
      await client.connect();
      try {
        return (await client.query(text)).rows;
      } finally {
        await client.end();
      }
    };
    await bed.site1.sql("CREATE ROLE dbuser LOGIN PASSWORD 'app'");
    assert.equal((await asRole('dbuser', 'app', 'SELECT epoch FROM siteward.cluster'))[0]?.epoch, '1');
    await assert.rejects(
      asRole('dbuser', 'app', "INSERT INTO siteward.probe VALUES ('x', 1, now())"),
      /permission denied/,
    );
    await assert.rejects(
      asRole('siteward_probe', probePassword, 'UPDATE siteward.cluster SET epoch = 9'),
      /permission denied/,
    );
    await assert.rejects(
      asRole('siteward_probe', probePassword, 'CREATE TABLE siteward.x (a int)'),
      /permission denied/,
    );
    assert.equal(
      await bed.site1.sql("SELECT slot_type FROM pg_replication_slots WHERE slot_name = 'siteward_site2'"),
      'physical',
    );
    assert.doesNotMatch(await bed.site1.sql('SHOW primary_conninfo'), /secret/);
    assert.equal(statSync(join(bed.site1.settings.stateDirectory, 'replication.pgpass')).mode & 0o777, 0o600);
    assert.deepEqual(bed.site1.reports, []);
  });

  test('a beat moves the position, and an older epoch is never written over a newer one', async () => {
    const first = value(await bed.site1.db.beat(row(3, 1), 1000)).position;
    const second = value(await bed.site1.db.beat(row(3, 2), 1000)).position;
    assert.ok(second > first);
    const order = [
      row(3, 3),
      row(4, 1),
      row(1, 1, 1, 'site1'),
      row(1, 1, 1, 'site2'),
      row(2, 1, 1, 'site2'),
      row(1, 1, 2, 'site1'),
    ];
    for (const [index, next] of order.entries()) {
      value(await bed.site1.db.beat(next, 1000));
      for (const older of order
        .slice(0, index)
        .filter((one) => one.epoch.epoch !== next.epoch.epoch || one.epoch.era !== next.epoch.era)) {
        const lower = await bed.site1.db.beat({ ...older, beat: 99 }, 1000);
        const same = JSON.stringify(older.epoch) === JSON.stringify(next.epoch);
        assert.equal(
          lower.kind === 'rejected' ? lower.code : lower.kind,
          same ? 'done' : 'lower-epoch',
          JSON.stringify([older, next]),
        );
      }
      assert.deepEqual(value(await bed.site1.db.ask(1000)).row?.epoch, next.epoch);
    }
    value(await bed.site1.db.beat({ ...row(1, 1), cluster: 'made anew' }, 1000));
  });

  test('a beat puts back a signal file that somebody removed', async () => {
    const { rmSync } = await import('node:fs');
    rmSync(join(bed.site1.settings.dataDirectory, 'standby.signal'));
    value(await bed.site1.db.beat({ ...row(1, 2), cluster: 'made anew' }, 1000));
    assert.equal(bed.site1.signalFile(), true);
  });

  test('looks and questions are cheap', async () => {
    value(await bed.site1.db.look());
    const [, lookMs] = await timed(Promise.all(Array.from({ length: 20 }, () => bed.site1.db.look())));
    const [, askMs] = await timed(bed.site1.db.ask(1000));
    console.log(`look ${(lookMs / 20).toFixed(2)} ms, ask ${askMs.toFixed(1)} ms`);
    assert.ok(lookMs / 20 < 10);
  });

  test('the application database is missing: whether this one accepts writes is known all the same', async () => {
    await bed.site1.sql(
      `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '${database}'`,
      'postgres',
    );
    await bed.site1.sql(`ALTER DATABASE ${database} RENAME TO moved`, 'postgres');
    const answer = value(await bed.site1.db.ask(1000));
    assert.deepEqual([answer.inRecovery, answer.row], [false, null]);
    assert.equal((await bed.site1.db.beat(row(1, 1), 1000)).kind, 'rejected');
    await bed.site1.sql(`ALTER DATABASE moved RENAME TO ${database}`, 'postgres');
  });

  test('a session that was ended from outside is opened again', async () => {
    value(await bed.site1.db.ask(1000));
    await bed.site1.sql(
      "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'siteward guard'",
    );
    await until('it answers', 1000, async () => (await bed.site1.db.ask(1000)).kind === 'done');
  });

  test('a slot that lost what it kept is made anew with the next session', async () => {
    const status = () =>
      bed.site1.sql("SELECT wal_status FROM pg_replication_slots WHERE slot_name = 'siteward_site2'");
    const keepNothing = async (sql: string) => {
      for (const name of ['max_slot_wal_keep_size', 'wal_keep_size']) await bed.site1.sql(sql.replace('$', name));
      await bed.site1.sql('SELECT pg_reload_conf()');
    };
    await keepNothing('ALTER SYSTEM SET $ = 0');
    await until('it is lost', 10_000, async () => {
      await bed.site1.sql('SELECT pg_switch_wal(), txid_current()');
      await bed.site1.sql('CHECKPOINT');
      return (await status()) === 'lost';
    });
    await keepNothing('ALTER SYSTEM RESET $');
    await bed.site1.sql(
      "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'siteward guard'",
    );
    await until('a beat is written', 1000, async () => {
      return (await bed.site1.db.beat({ ...row(1, 3), cluster: 'made anew' }, 1000)).kind === 'done';
    });
    await until('it keeps WAL again', 5000, async () => (await status()) === 'reserved');
    assert.deepEqual(bed.site1.reports, []);
  });

  test('the fence is quick, and counts nothing that is left', async () => {
    const [killed, ms] = await timed(bed.site1.db.kill());
    value(killed);
    console.log(`fence: ${ms.toFixed(0)} ms`);
    assert.ok(ms < fenceWithinMs, `${ms} ms`);
    assert.deepEqual(value(await bed.site1.db.look()), {
      ...value(await bed.site1.db.look()),
      running: false,
      postmaster: false,
      signalFile: true,
    });
    assert.equal((await bed.site1.db.ask(500)).kind, 'rejected');
    assert.equal((await bed.site1.db.beat(row(9, 9), 500)).kind, 'rejected');
    value(await bed.site1.db.kill());
  });

  test('the fence begins before it returns: the postmaster has its signal within the same turn', async () => {
    await restart();
    const postmaster = bed.site1.processes.postmaster();
    assert.ok(postmaster !== null);
    const killing = bed.site1.db.kill();
    const end = performance.now() + 400;
    // Without giving the event loop a turn.
    while (bed.site1.processes.postmaster() !== null && performance.now() < end);
    assert.equal(bed.site1.processes.postmaster(), null);
    value(await killing);
  });

  test('frozen: every question ends at its deadline as unknown, and the fence still works (S10)', async () => {
    await restart();
    value(await bed.site1.db.ask(1000));
    signalAll('SIGSTOP');
    const [asked, askMs] = await timed(bed.site1.db.ask(200));
    const [beaten, beatMs] = await timed(bed.site1.db.beat(row(9, 10), 200));
    const [again, againMs] = await timed(bed.site1.db.ask(200));
    const [stopped, stopMs] = await timed(bed.site1.db.stopFast(400));
    assert.deepEqual([asked.kind, beaten.kind, again.kind, stopped.kind], ['unknown', 'unknown', 'unknown', 'unknown']);
    for (const [ms, limit] of [
      [askMs, 200],
      [beatMs, 200],
      [againMs, 200],
      [stopMs, 400],
    ] as const) {
      assert.ok(ms < limit + 150, `${ms} ms of ${limit}`);
    }
    const looked = value(await bed.site1.db.look());
    assert.deepEqual([looked.running, looked.postmaster], [true, true]);
    const [killed, killMs] = await timed(bed.site1.db.kill());
    value(killed);
    console.log(`fence, frozen: ${killMs.toFixed(0)} ms`);
    assert.ok(killMs < fenceWithinMs, `${killMs} ms`);
    assert.equal(value(await bed.site1.db.look()).running, false);
  });

  test('only the postmaster frozen: sessions that live are fenced too', async () => {
    await restart();
    const postmaster = bed.site1.processes.postmaster();
    assert.ok(postmaster !== null);
    bed.site1.processes.signal(postmaster, 'SIGSTOP');
    value(await bed.site1.db.kill());
    assert.deepEqual(bed.site1.processes.list(), []);
  });

  test('orphans of a postmaster that died are running, without a postmaster, and are fenced (S1)', async () => {
    await restart();
    const postmaster = bed.site1.processes.postmaster();
    assert.ok(postmaster !== null);
    for (const pid of bed.site1.processes.list()) if (pid !== postmaster) bed.site1.processes.signal(pid, 'SIGSTOP');
    bed.site1.processes.signal(postmaster, 'SIGKILL');
    await until('it is gone', 1000, () => bed.site1.processes.postmaster() === null);
    const looked = value(await bed.site1.db.look());
    assert.deepEqual([looked.running, looked.postmaster], [true, false]);
    assert.equal((await bed.site1.db.startPrimary(false, 500, () => true)).kind, 'rejected');
    value(await bed.site1.db.kill());
    await restart();
  });
});
