// The forced command on a database host: `fence`, against real PostgreSQL, as primary, standby and stopped.

import assert from 'node:assert/strict';
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import type { DatabaseHost } from '../../src/cli/host/database.ts';
import { runOrder } from '../../src/cli/host/run.ts';
import type { Token } from '../../src/core/observe/observation.ts';
import { encodeOrder, type HostAnswer } from '../../src/wire/host-orders.ts';
import { type Bed, becomePostgres, binDirectory, createBed, type Member, until, value } from './postgres-bed.ts';

const skip = binDirectory === null ? 'no PostgreSQL is installed' : false;
let bed: Bed;

before(async () => {
  if (skip) return;
  bed = await createBed(becomePostgres());
  await bed.startPrimary();
  await bed.startStandby();
});

after(async () => {
  if (!skip) await bed.down();
});

function hostOf(member: Member): DatabaseHost {
  return {
    dataDirectory: member.settings.dataDirectory,
    binDirectory: member.settings.binDirectory,
    stateDirectory: join(bed.root, `${member.site}-command`),
    guardEpochFile: join(member.runDirectory, 'guard.epoch'),
    killDeadlineMs: 5000,
  };
}

function token(epoch: number): Token {
  return { era: { number: 0, site: 'site1' }, epoch, ballot: { counter: epoch, voter: 'site2' } };
}

function order(member: Member, text: string): Promise<HostAnswer> {
  return runOrder({ kind: 'database', host: hostOf(member), waitMs: 1000 }, text, () =>
    Promise.resolve(Buffer.alloc(0)),
  );
}

const fence = (member: Member, epoch: number) => order(member, encodeOrder({ verb: 'fence', token: token(epoch) }));
const code = (answer: HostAnswer) => (answer.ok ? 'done' : answer.code);
const signalFile = (member: Member) => join(member.settings.dataDirectory, 'standby.signal');

test('nothing but fence is an order here', { skip }, async () => {
  for (const text of ['read', 'reload', 'stage site1', 'switch site1 0 site1 2 5 site1', 'fence', 'kill', '']) {
    assert.equal(code(await order(bed.site1, text)), 'not-an-order', text);
  }
});

test('a standby lives on', { skip }, async () => {
  const answer = await fence(bed.site2, 2);
  assert.deepEqual(answer, { ok: true, kind: 'fenced', killed: 0, found: 'standby' });
  assert.equal(await bed.site2.sql('select pg_is_in_recovery()'), 't');
});

test('a primary that its guard runs in this epoch or a higher one lives on', { skip }, async () => {
  for (const running of [3, 4]) {
    const epoch = { era: { number: 0, site: 'site1' }, epoch: running };
    writeFileSync(hostOf(bed.site1).guardEpochFile, JSON.stringify(epoch));
    assert.equal(code(await fence(bed.site1, 3)), 'higher-epoch');
    assert.equal(await bed.site1.sql('select pg_is_in_recovery()'), 'f');
  }
});

test('a lower token is refused before anything is looked at', { skip }, async () => {
  rmSync(hostOf(bed.site1).guardEpochFile);
  assert.equal(code(await fence(bed.site1, 2)), 'lower-token');
  assert.equal(await bed.site1.sql('select pg_is_in_recovery()'), 'f');
});

test('an old primary is killed, frozen processes and sessions too, and does not start writable', { skip }, async () => {
  writeFileSync(hostOf(bed.site1).guardEpochFile, JSON.stringify({ era: { number: 0, site: 'site1' }, epoch: 1 }));
  rmSync(signalFile(bed.site1), { force: true });
  const session = bed.site1.sql('select pg_sleep(60)').catch(() => 'ended');
  await until(
    'the session runs',
    5000,
    async () =>
      (await bed.site1.sql(
        "select count(*) from pg_stat_activity where query like '%sleep(60)%' and pid <> pg_backend_pid()",
      )) === '1',
  );
  for (const pid of bed.site1.processes.list()) bed.site1.processes.signal(pid, 'SIGSTOP');
  const answer = await fence(bed.site1, 5);
  assert.ok(answer.ok && answer.kind === 'fenced', JSON.stringify(answer));
  assert.equal(answer.found, 'primary');
  assert.ok(answer.killed > 5);
  assert.deepEqual(bed.site1.processes.list(), []);
  assert.equal(readFileSync(signalFile(bed.site1)).length, 0);
  assert.equal(await session, 'ended');

  // Again: nobody left, the same answer.
  assert.deepEqual(await fence(bed.site1, 5), { ok: true, kind: 'fenced', killed: 0, found: 'none' });
});

test('a standby that was promoted by hand is a primary', { skip }, async () => {
  value(await bed.site2.db.promote(false, 10_000, () => true));
  const answer = await fence(bed.site2, 6);
  assert.ok(answer.ok && answer.kind === 'fenced' && answer.found === 'primary', JSON.stringify(answer));
  assert.deepEqual(bed.site2.processes.list(), []);
});

test('a data directory that is not there is told', { skip }, async () => {
  const host = { ...hostOf(bed.site1), dataDirectory: join(bed.root, 'nowhere') };
  const answer = await runOrder(
    { kind: 'database', host, waitMs: 1000 },
    encodeOrder({ verb: 'fence', token: token(9) }),
    () => Promise.resolve(Buffer.alloc(0)),
  );
  assert.equal(code(answer), 'failed');
});
