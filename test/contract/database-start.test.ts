// Starts, promotion, stops and the switchover, on two real clusters (L7, L9, L10).

import assert from 'node:assert/strict';
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { createControlFile } from '../../src/adapters/postgres/control-file.ts';
import {
  type Bed,
  becomePostgres,
  binDirectory,
  createBed,
  type Member,
  row,
  run,
  until,
  value,
} from './postgres-bed.ts';

const always = () => true;

describe('starts and stops of a real PostgreSQL', {
  skip: binDirectory === null ? 'no PostgreSQL server is installed' : false,
}, () => {
  let bed: Bed;

  before(async () => {
    bed = await createBed(becomePostgres());
    await bed.startPrimary();
    await bed.startStandby();
    await bed.site1.sql('CREATE TABLE notes (n int)');
  });
  after(() => bed.down());

  const isWritable = async (one: Member) => !value(await one.db.ask(2000)).inRecovery;
  const recovers = async (one: Member) => {
    const answer = await one.db.ask(2000);
    return answer.kind === 'done' && answer.value.inRecovery;
  };
  const startByAnybody = (one: Member) =>
    run(join(one.settings.binDirectory, 'pg_ctl'), [
      'start',
      '-w',
      '-s',
      '-D',
      one.settings.dataDirectory,
      '-l',
      join(bed.root, 'anybody.log'),
    ]);

  test('a running primary has the signal file in place, and a crashed backend brings it back read-only', async () => {
    assert.equal(bed.site1.signalFile(), true);
    assert.equal(await isWritable(bed.site1), true);
    const backend = Number(await bed.site1.sql("SELECT pid FROM pg_stat_activity WHERE backend_type = 'checkpointer'"));
    bed.site1.processes.signal(backend, 'SIGKILL');
    await until('it is back in recovery', 5000, () => recovers(bed.site1));
    assert.equal((await bed.probes.primary('site1', 800)).class, 'in-recovery');
  });

  test('found in recovery it is stopped and started as a primary, on its old timeline, and may be told the epoch', async () => {
    assert.deepEqual((await bed.site1.db.startPrimary(false, 5000, always)).kind, 'rejected');
    value(await bed.site1.db.stop(5000));
    value(await bed.site1.db.startPrimary(false, 5000, always));
    assert.equal(bed.site1.signalFile(), true);
    value(await bed.site1.db.beat(row(1, 2), 1000));
    assert.equal((await bed.probes.primary('site1', 800)).timeline, 1);
  });

  test('whoever else starts a crashed primary gets a database that refuses writes (S9)', async () => {
    value(await bed.site1.db.kill());
    assert.equal(value(await bed.site1.db.look()).controlState, 'in production');
    await startByAnybody(bed.site1);
    await until('it answers', 5000, () => recovers(bed.site1));
    await assert.rejects(bed.site1.sql('INSERT INTO notes VALUES (1)'), /read-only transaction/);
    assert.equal((await bed.site1.db.beat(row(1, 3), 1000)).kind, 'rejected');
    value(await bed.site1.db.stop(5000));
    value(await bed.site1.db.startPrimary(false, 5000, always));
    await bed.site1.sql('INSERT INTO notes VALUES (1)');
  });

  test('without leave nothing is started, before or after the signal file was taken away', async () => {
    value(await bed.site1.db.kill());
    for (const leaves of [0, 1]) {
      let asked = 0;
      const outcome = await bed.site1.db.startPrimary(false, 3000, () => asked++ < leaves);
      assert.deepEqual([outcome.kind, asked], ['rejected', leaves + 1]);
      assert.deepEqual([bed.site1.signalFile(), value(await bed.site1.db.look()).running], [true, false]);
    }
  });

  test('a fence in the midst of a start leaves nothing running, and the signal file there', async () => {
    for (const delayed of [false, true]) {
      let fenced: Promise<unknown> = Promise.resolve();
      let fencing = false;
      const started = bed.site1.db.startPrimary(false, 5000, () => {
        // The second time it is asked the signal file is away.
        if (!fencing && (delayed || !bed.site1.signalFile())) {
          fencing = true;
          if (!delayed) fenced = bed.site1.db.kill();
          else
            fenced = until('it runs', 3000, () => bed.site1.processes.list().length > 0).then(() =>
              bed.site1.db.kill(),
            );
        }
        return true;
      });
      assert.notEqual((await started).kind, 'done');
      await fenced;
      assert.deepEqual(value(await bed.site1.db.look()), {
        ...value(await bed.site1.db.look()),
        running: false,
        signalFile: true,
      });
    }
    value(await bed.site1.db.startPrimary(false, 5000, always));
  });

  test('a crash recovery that is cut short: the signal file is back while it runs, and the next start is not misled', async () => {
    const note = 'INSERT INTO notes SELECT generate_series(1, 600000)';
    await bed.site1.sql(`CHECKPOINT`);
    await bed.site1.sql(note);
    value(await bed.site1.db.kill());
    const first = bed.site1.db.startPrimary(false, 10_000, always);
    const control = createControlFile(bed.site1.settings.dataDirectory, bed.site1.settings.binDirectory);
    await until('it recovers, with the signal file back', 5000, async () => {
      return (await control.read(0))?.state === 'in crash recovery' && bed.site1.signalFile();
    });
    value(await bed.site1.db.kill());
    assert.notEqual((await first).kind, 'done');
    assert.equal(value(await bed.site1.db.look()).controlState, 'in crash recovery');
    value(await bed.site1.db.startPrimary(false, 10_000, always));
    assert.deepEqual([await isWritable(bed.site1), bed.site1.signalFile()], [true, true]);
  });

  test('leave is asked for before side effects only: a lease renewed during a long recovery is no reason to give up', async () => {
    value(await bed.site1.db.kill());
    let asked = 0;
    value(await bed.site1.db.startPrimary(false, 5000, () => asked++ < 2));
    assert.equal(asked, 2);
  });

  test('lock files that name a living stranger do not hinder a start (power loss)', async () => {
    value(await bed.site1.db.kill());
    const { dataDirectory, socketDirectory, port } = bed.site1.settings;
    writeFileSync(join(dataDirectory, 'postmaster.pid'), `${process.pid}\n${dataDirectory}\n`);
    writeFileSync(join(socketDirectory, `.s.PGSQL.${port}.lock`), `${process.pid}\n${dataDirectory}\n`);
    assert.equal(value(await bed.site1.db.look()).running, false);
    value(await bed.site1.db.startPrimary(false, 5000, always));
  });

  test('a start that cannot succeed says so, and the signal file is back', async () => {
    value(await bed.site1.db.stop(5000));
    const path = join(bed.site1.settings.dataDirectory, 'postgresql.auto.conf');
    writeFileSync(path, 'no_such_setting = 1\n');
    const outcome = await bed.site1.db.startPrimary(false, 5000, always);
    assert.deepEqual([outcome.kind, bed.site1.signalFile()], ['rejected', true]);
    rmSync(path);
    value(await bed.site1.db.startPrimary(false, 5000, always));
    value(await bed.site1.db.beat(row(1, 4), 1000));
  });

  test('a standby that dies of its promotion is told at once, not at the end of the deadline (L7)', async () => {
    const isStartup = (pid: number) => readFileSync(`/proc/${pid}/cmdline`, 'latin1').includes(' startup ');
    const startup = bed.site2.processes.list().find(isStartup);
    assert.ok(startup !== undefined);
    // It is asked for, and does not end: what replays is stopped.
    bed.site2.processes.signal(startup, 'SIGSTOP');
    const began = performance.now();
    const promoted = bed.site2.db.promote(false, 10_000, always);
    await pause(300);
    for (const pid of bed.site2.processes.list()) bed.site2.processes.signal(pid, 'SIGKILL');
    assert.equal((await promoted).kind, 'rejected');
    assert.ok(performance.now() - began < 3000);
    assert.equal(bed.site2.signalFile(), true);
    // Told as soon as the postmaster is dead; the others of it are dying.
    await until('nothing of it is left', 3000, () => bed.site2.processes.list().length === 0);
    // A promotion that was asked for does not outlive its server.
    value(await bed.site2.db.startStandby(5000));
    await until('it recovers', 3000, () => recovers(bed.site2));
  });

  test('switchover: the standby has received beyond the shutdown checkpoint, is promoted, and the old primary follows', async () => {
    await until('site2 streams', 10_000, async () => (await bed.probes.standby('site2', 800)).streaming === true);
    assert.equal((await bed.site2.db.promote(false, 3000, () => false)).kind, 'rejected');
    assert.equal(await recovers(bed.site2), true);
    for (let n = 0; n < 20; n += 1) await bed.site1.sql(`INSERT INTO notes SELECT generate_series(1, 1000)`);

    const { checkpoint } = value(await bed.site1.db.stopFast(8000));
    await until('received beyond', 3000, async () => (value(await bed.site2.db.ask(1000)).position ?? 0) > checkpoint);
    value(await bed.site2.db.promote(false, 5000, always));
    assert.deepEqual([bed.site2.signalFile(), await isWritable(bed.site2)], [true, true]);
    value(await bed.site2.db.promote(false, 1000, always));
    value(await bed.site2.db.beat(row(2, 1), 2000));
    assert.equal(await bed.site2.sql('SELECT count(*) > 20000 FROM notes'), 't');
    assert.equal((await bed.probes.primary('site2', 800)).timeline, 2);

    value(await bed.site1.db.startStandby(5000));
    await until('the old primary follows', 5000, async () => {
      const report = await bed.probes.standby('site1', 800);
      return report.streaming === true && report.row?.epoch.epoch === 2 && report.timeline === 2;
    });
    value(await bed.site1.db.ask(1000));
    assert.equal(
      await bed.site1.sql('SELECT count(*) FROM pg_replication_slots'),
      '0',
      'its own slot would keep WAL for ever',
    );
    assert.equal(
      await bed.site2.sql("SELECT active FROM pg_replication_slots WHERE slot_name = 'siteward_site1'"),
      't',
    );
  });

  test('and back again', async () => {
    value(await bed.site2.db.beat(row(2, 2), 1000));
    const { checkpoint } = value(await bed.site2.db.stopFast(8000));
    await until('received beyond', 3000, async () => (value(await bed.site1.db.ask(1000)).position ?? 0) > checkpoint);
    value(await bed.site1.db.promote(false, 5000, always));
    value(await bed.site1.db.beat(row(3, 1), 2000));
    value(await bed.site2.db.startStandby(5000));
    await until('site2 follows', 5000, async () => (await bed.probes.standby('site2', 800)).row?.epoch.epoch === 3);
  });

  test('stopFast of a standby gives no checkpoint to compare with; stop and start of what is so already are done', async () => {
    const stopped = await bed.site2.db.stopFast(5000);
    assert.deepEqual([stopped.kind, stopped.kind === 'rejected' && stopped.code], ['rejected', 'not-clean']);
    value(await bed.site2.db.stop(1000));
    value(await bed.site2.db.startStandby(5000));
    value(await bed.site2.db.startStandby(1000));
    assert.equal(bed.site2.signalFile(), true);
  });

  test('nothing went wrong beside the outcomes', () => {
    assert.deepEqual(bed.site2.reports, []);
    assert.deepEqual(bed.site1.reports, []);
  });
});
