// I6, I7 on a real PostgreSQL: somebody dropped the database `postgres` (its manual says that it may be dropped). The guard sees the
// standby through the application's database; by that it can also promote it, and make its commits wait.

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { type Bed, becomePostgres, binDirectory, createBed, until, value } from './postgres-bed.ts';

describe('without a database `postgres`', { skip: binDirectory === null ? 'no PostgreSQL' : false }, () => {
  let bed: Bed;
  before(async () => {
    bed = await createBed(becomePostgres());
    await bed.startPrimary();
    await bed.startStandby();
  });
  after(() => bed.down());

  test('a standby is promoted', async () => {
    await bed.site1.sql('DROP DATABASE postgres WITH (FORCE)');
    const gone = async () =>
      (await bed.site2.sql("SELECT count(*) FROM pg_database WHERE datname = 'postgres'")) === '0';
    await until('it is gone at site2', 5000, gone);
    value(await bed.site1.db.kill());
    assert.equal(value(await bed.site2.db.ask(2000)).inRecovery, true);
    value(await bed.site2.db.promote(true, 10_000, () => true));
    assert.equal(value(await bed.site2.db.ask(2000)).inRecovery, false);
  });
});
