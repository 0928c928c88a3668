// The two ways to drive PostgreSQL: pg_ctl with its configuration elsewhere, as on Debian, and systemd, here a stand-in
// for systemctl that does what postgresql@.service does.

import assert from 'node:assert/strict';
import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { createDatabase } from '../../src/adapters/postgres/database.ts';
import { type Bed, becomePostgres, binDirectory, createBed, row, until, value } from './postgres-bed.ts';

const skip = binDirectory === null ? 'no PostgreSQL server is installed' : false;

describe('driving PostgreSQL', { skip }, () => {
  let bed: Bed;
  before(async () => {
    bed = await createBed(becomePostgres());
    await bed.startPrimary();
  });
  after(() => bed.down());

  test('pg_ctl with postgresql.conf outside the data directory', async () => {
    value(await bed.site1.db.stop(5000));
    const { dataDirectory } = bed.site1.settings;
    const configFile = join(bed.root, 'else where.conf');
    renameSync(join(dataDirectory, 'postgresql.conf'), configFile);
    const logFile = join(bed.root, 'elsewhere.log');
    const db = createDatabase({ ...bed.site1.settings, configFile }, { kind: 'pg_ctl', logFile });
    try {
      value(await db.startPrimary(false, 5000, () => true));
      assert.equal(await bed.site1.sql('SHOW config_file'), configFile);
      value(await db.stop(5000));
    } finally {
      db.close();
      renameSync(configFile, join(dataDirectory, 'postgresql.conf'));
    }
  });

  test('systemd: a start clears the unit first, a fence needs no systemctl', async () => {
    const { dataDirectory, binDirectory: bin } = bed.site1.settings;
    const log = join(bed.root, 'systemctl.log');
    const script = join(bed.root, 'systemctl');
    const lines = [
      `echo "$*" >>${log}`,
      'case $1 in',
      // As ExecStart and ExecStop of the unit do, in the background because of --no-block.
      `restart) ${bin}/pg_ctl start -s -W -D ${dataDirectory} -l ${log}.server >/dev/null 2>&1 & ;;`,
      `stop) ${bin}/pg_ctl stop -s -W -m fast -D ${dataDirectory} >/dev/null 2>&1 & ;;`,
      'esac',
    ];
    writeFileSync(script, `${lines.join('\n')}\n`);
    const unit = 'postgresql@15-main.service';
    const control = { kind: 'systemd', unit, by: { systemctl: ['/bin/sh', script] } } as const;
    const db = createDatabase(bed.site1.settings, control);
    const said = () => readFileSync(log, 'utf8').trim().split('\n');
    try {
      value(await db.startPrimary(false, 5000, () => true));
      value(await db.beat(row(1, 2), 1000));
      assert.deepEqual(said(), [`reset-failed ${unit}`, `restart --no-block ${unit}`]);
      const { checkpoint } = value(await db.stopFast(5000));
      assert.ok(checkpoint > 0);
      assert.equal(said().at(-1), `stop --no-block ${unit}`);
      value(await db.startStandby(5000));
      await until('in recovery', 10_000, async () => {
        const asked = await db.ask(1000);
        return asked.kind === 'done' && asked.value.inRecovery;
      });
      value(await db.kill());
      assert.equal(said().length, 5);
      // pg_ctlcluster believes a lock file that names any process with `postgres` in its command line.
      writeFileSync(join(dataDirectory, 'postmaster.pid'), `${process.pid}\n`);
      value(await db.startStandby(5000));
      await until('it runs', 10_000, async () => (await db.ask(1000)).kind === 'done');
      // Started by hand, it is none of the unit's.
      writeFileSync(script, '');
      value(await db.stop(5000));
      assert.deepEqual(bed.site1.processes.list(), []);
      const missing = createDatabase(bed.site1.settings, { ...control, by: { systemctl: ['/nonexistent/systemctl'] } });
      const failed = await missing.startPrimary(false, 5000, () => true);
      assert.deepEqual([failed.kind, failed.kind === 'rejected' && failed.code], ['rejected', 'control']);
      assert.equal(bed.site1.signalFile(), true);
    } finally {
      db.close();
    }
  });
});
