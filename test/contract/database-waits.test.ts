// V8 on a real PostgreSQL: commits that wait for the standby, proof that they do, and what keeps on without it.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import pg from 'pg';
import { type Bed, becomePostgres, binDirectory, createBed, database, row, until, value } from './postgres-bed.ts';

const always = () => true;

describe('commits that wait for the standby', {
  skip: binDirectory === null ? 'no PostgreSQL server is installed' : false,
}, () => {
  let bed: Bed;
  before(async () => {
    bed = await createBed(becomePostgres());
    await bed.startPrimary();
    await bed.startStandby();
    await bed.site1.sql('CREATE TABLE words (word text)');
    await streams();
  });
  after(() => bed.down());

  const sync = async (one = bed.site1) => value(await one.db.ask(2000)).sync;
  const streams = () => until('site2 streams', 10_000, async () => (await sync())?.standby !== 'none');
  const freeze = (signal: 'SIGSTOP' | 'SIGCONT') => {
    for (const pid of bed.site2.processes.list()) bed.site2.processes.signal(pid, signal);
  };
  const waiting = () => bed.site1.sql("SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'SyncRep'");
  const autoConf = () => readFileSync(join(bed.site1.settings.dataDirectory, 'postgresql.auto.conf'), 'utf8');

  const client = async () => {
    const { socketDirectory: host, port, superuser: user } = bed.site1.settings;
    const one = new pg.Client({ host, port, user, database });
    const notices: (string | undefined)[] = [];
    one.on('notice', (notice) => notices.push(notice.code));
    one.on('error', () => undefined);
    await one.connect();
    return { one, notices };
  };
  const write = (one: pg.Client) => {
    let ended = false;
    const commit = one.query("INSERT INTO words VALUES ('w')").finally(() => {
      ended = true;
    });
    return { commit, ended: () => ended };
  };

  test('a primary tells of its standby, and a standby of nobody', async () => {
    const seen = await sync();
    assert.deepEqual([seen?.waits, seen?.standby], [false, 'async']);
    assert.ok((seen?.flushed ?? 0) > 0);
    assert.equal(await sync(bed.site2), null);
  });

  test('turned on it is proven, and the server calls the standby synchronous', async () => {
    const began = performance.now();
    value(await bed.site1.db.setWaits(true, 3000));
    assert.ok(performance.now() - began < 1500, `took ${performance.now() - began} ms`);
    const seen = await sync();
    assert.deepEqual([seen?.waits, seen?.standby], [true, 'sync']);
    assert.match(autoConf(), /synchronous_standby_names = 'FIRST 1 \(siteward_site2\)'/);
    // Again, as a guard that restarted does: nothing is written, only proven.
    value(await bed.site1.db.setWaits(true, 3000));
  });

  test('a commit waits for a frozen standby; beats, probes and questions do not', async () => {
    const { one } = await client();
    freeze('SIGSTOP');
    const { commit, ended } = write(one);
    await until('it waits', 3000, async () => (await waiting()) === '1');
    value(await bed.site1.db.beat(row(1, 2), 700));
    assert.equal((await bed.probes.primary('site1', 800)).class, 'ok');
    const flushed = (await sync())?.flushed;
    value(await bed.site1.db.beat(row(1, 3), 700));
    const later = await sync();
    assert.equal(later?.standby, 'sync', 'the server does not notice for a minute');
    assert.equal(later?.flushed, flushed);
    assert.equal(ended(), false);
    freeze('SIGCONT');
    await commit;
    await one.end();
  });

  test('nothing is proven while the standby is frozen, and no commit of ours stays behind', async () => {
    freeze('SIGSTOP');
    const outcome = await bed.site1.db.setWaits(true, 1000);
    assert.equal(outcome.kind === 'rejected' && outcome.code, 'not-replicated');
    await until('nobody waits', 1000, async () => (await waiting()) === '0');
    freeze('SIGCONT');
  });

  test('turned off, what waits is let go', async () => {
    const { one, notices } = await client();
    freeze('SIGSTOP');
    const { commit } = write(one);
    await until('it waits', 3000, async () => (await waiting()) === '1');
    value(await bed.site1.db.setWaits(false, 2000));
    await commit;
    assert.deepEqual(notices, []);
    freeze('SIGCONT');
    assert.doesNotMatch(autoConf(), /synchronous_standby_names/);
    assert.equal((await sync())?.waits, false);
    await one.end();
  });

  test('a wait that is cancelled ends in a commit with a warning of class 01; statement_timeout cancels none', async () => {
    await streams();
    value(await bed.site1.db.setWaits(true, 3000));
    const { one, notices } = await client();
    await one.query('SET statement_timeout = 300');
    const [{ pid } = { pid: 0 }] = (await one.query('SELECT pg_backend_pid() AS pid')).rows;
    freeze('SIGSTOP');
    const { commit, ended } = write(one);
    await until('it waits', 3000, async () => (await waiting()) === '1');
    await pause(800);
    assert.equal(ended(), false, 'the time-out is over before the commit begins');
    await bed.site1.sql(`SELECT pg_cancel_backend(${pid})`);
    await commit;
    assert.deepEqual(notices, ['01000']);
    freeze('SIGCONT');
    await one.end();
  });

  test('a start in place waits from the first commit on', async () => {
    value(await bed.site1.db.kill());
    value(await bed.site2.db.stop(5000));
    value(await bed.site1.db.startPrimary(true, 5000, always));
    assert.deepEqual([(await sync())?.waits, (await sync())?.standby], [true, 'none']);
    const { one } = await client();
    const { commit } = write(one);
    await until('it waits', 3000, async () => (await waiting()) === '1');
    value(await bed.site1.db.beat(row(1, 4), 700));
    value(await bed.site2.db.startStandby(10_000));
    await commit;
    await one.end();
  });

  test('one that need not wait has the setting taken away before it starts; an operator’s own stays', async () => {
    value(await bed.site1.db.kill());
    value(await bed.site1.db.startPrimary(false, 5000, always));
    assert.equal((await sync())?.waits, false);
    assert.equal(await bed.site1.sql('SHOW synchronous_standby_names'), '');
    await bed.site1.sql("ALTER SYSTEM SET synchronous_standby_names = 'mine'");
    value(await bed.site1.db.kill());
    value(await bed.site1.db.startPrimary(false, 5000, always));
    assert.equal(await bed.site1.sql('SHOW synchronous_standby_names'), 'mine');
    assert.equal((await sync())?.waits, false);
    await bed.site1.sql('ALTER SYSTEM RESET synchronous_standby_names');
    await bed.site1.sql('SELECT pg_reload_conf()');
  });

  test('promoted so that it waits, and so that it does not although the other site left its setting', async () => {
    await streams();
    const names = () => bed.site2.sql('SHOW synchronous_standby_names', 'postgres');
    value(await bed.site1.db.setWaits(true, 3000));
    value(await bed.site1.db.stopFast(5000));
    await bed.site2.sql("ALTER SYSTEM SET synchronous_standby_names = 'FIRST 1 (siteward_site2)'", 'postgres');
    await bed.site2.sql('SELECT pg_reload_conf()', 'postgres');
    await until('it is loaded', 2000, async () => (await names()) !== '');
    // Not allowed: the setting is right all the same, and nothing else has happened.
    assert.equal((await bed.site2.db.promote(false, 3000, () => false)).kind, 'rejected');
    assert.equal(await names(), '');
    value(await bed.site2.db.promote(true, 5000, always));
    assert.equal(await names(), 'FIRST 1 (siteward_site1)');
    assert.deepEqual([(await sync(bed.site2))?.waits, (await sync(bed.site2))?.standby], [true, 'none']);
  });
});
