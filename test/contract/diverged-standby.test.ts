// I4, V8 on a real PostgreSQL, `zero-loss-strict`: an old primary that diverged, started as a standby by its guard, has nothing
// of what the new one writes, so no commit there may be released by it.

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import pg from 'pg';
import { type Bed, becomePostgres, binDirectory, createBed, database, row, until, value } from './postgres-bed.ts';

describe('a standby that diverged', { skip: binDirectory === null ? 'no PostgreSQL' : false }, () => {
  let bed: Bed;
  before(async () => {
    bed = await createBed(becomePostgres());
    await bed.startPrimary();
    await bed.startStandby();
    await bed.site1.sql('CREATE TABLE words (word text)');
  });
  after(() => bed.down());

  // It asks for its old timeline from the beginning of the segment, is served up to the fork, and says that it has flushed all of its
  // own tail: commits of the new primary that lie below that would come back.
  test('releases no commit of the new primary', async () => {
    // The beginning of a segment, so that the tail ends in the same one.
    await bed.site1.sql('SELECT pg_switch_wal()');
    await bed.site1.sql("INSERT INTO words VALUES ('on both')");
    const same = async () =>
      (await bed.site1.sql('SELECT pg_current_wal_lsn()')) === (await bed.site2.sql('SELECT pg_last_wal_replay_lsn()'));
    await until('site2 has all', 5000, same);
    // The link is cut, the primary goes on for a moment, and dies.
    const sender = Number(await bed.site1.sql('SELECT pid FROM pg_stat_replication'));
    process.kill(sender, 'SIGSTOP');
    await bed.site1.sql("INSERT INTO words SELECT repeat('tail', 50) FROM generate_series(1, 4000)");
    value(await bed.site1.db.kill());

    // The failover: promoted to wait from its first commit on, as in `zero-loss-strict`.
    value(await bed.site2.db.promote(true, 10_000, () => true));
    value(await bed.site2.db.beat(row(2, 1), 5000));
    const slots = 'SELECT count(*) FROM pg_replication_slots';
    await until('the slot is there', 15_000, async () => {
      value(await bed.site2.db.beat(row(2, 2), 5000));
      return (await bed.site2.sql(slots)) === '1';
    });
    // What the old primary's guard does when its host is back.
    value(await bed.site1.db.startStandby(10_000));
    await until('it was refused', 10_000, () => /forked off current database system timeline/.test(bed.site1.log()));

    const { socketDirectory: host, port, superuser: user } = bed.site2.settings;
    const client = new pg.Client({ host, port, user, database });
    client.on('error', () => undefined);
    await client.connect();
    let acknowledged = 0;
    const write = async () => {
      for (let n = 0; n < 5; n += 1) {
        await client.query("INSERT INTO words VALUES ('acknowledged')");
        acknowledged += 1;
      }
    };
    const writing = write().catch(() => undefined);
    // It asks again every 500 ms (wal_retrieve_retry_interval); without the new segment all five came back within 0.2 s.
    await pause(4000);
    const proof = await bed.site2.db.setWaits(true, 3000);
    await bed.site2.sql("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE wait_event = 'SyncRep'");
    await writing;
    await client.end().catch(() => undefined);
    assert.equal(acknowledged, 0, 'commits were acknowledged that the standby does not have');
    assert.notEqual(proof.kind, 'done', 'nor is it taken for a standby that confirms');
  });
});
