// Which epochs may be served from (I8), and that the highest one seen outlives the process.
import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { type Epoch, HighestEpoch, judgeEpoch, parseEpoch } from '../src/database/epoch.ts';

const at = (eraNumber: number, eraSite: string, epoch: number, cluster = 'c'): Epoch => ({
  cluster,
  eraNumber,
  eraSite,
  epoch,
});

describe('an epoch against the highest one seen', () => {
  const rows: [highest: Epoch | null, seen: Epoch | null, verdict: string, why: string][] = [
    [null, null, 'current', 'there is no siteward yet'],
    [null, at(0, 'site1', 1), 'higher', 'the first one'],
    [at(0, 'site1', 1), null, 'stale-epoch', 'a database without one, where one was'],
    [at(0, 'site1', 5), at(0, 'site1', 5), 'current', 'the same'],
    [at(0, 'site1', 5), at(0, 'site1', 6), 'higher', 'after a failover'],
    [at(0, 'site1', 5), at(0, 'site1', 4), 'stale-epoch', 'the old primary'],
    [at(0, 'site1', 9), at(1, 'site2', 3), 'higher', 'the era goes first'],
    [at(1, 'site2', 3), at(0, 'site1', 9), 'stale-epoch', 'the era goes first, backwards'],
    [at(1, 'site1', 3), at(1, 'site2', 2), 'higher', 'two forced eras are ordered by site'],
    [at(1, 'site2', 2), at(1, 'site1', 3), 'stale-epoch', 'and backwards'],
    [at(0, 'site1', 10), at(0, 'site1', 9), 'stale-epoch', 'numbers, not texts'],
    [at(0, 'site1', 1), at(0, 'site1', 7, 'other'), 'other-cluster', "another cluster's epochs say nothing"],
  ];
  for (const [highest, seen, verdict, why] of rows) it(why, () => assert.equal(judgeEpoch(highest, seen), verdict));
});

describe('the epoch file', () => {
  const inFolder = async (body: (file: string) => Promise<void>) => {
    const folder = mkdtempSync(join(tmpdir(), 'app-epoch-'));
    try {
      await body(join(folder, '.epoch'));
    } finally {
      rmSync(folder, { recursive: true });
    }
  };
  const fail = (error: unknown) => assert.fail(String(error));

  it('keeps the highest over a restart and leaves nothing else behind', () =>
    inFolder(async (file) => {
      const before = new HighestEpoch(file, fail);
      before.raise(at(0, 'site1', 3));
      before.raise(at(0, 'site1', 4));
      await before.flush();
      const after = new HighestEpoch(file, fail);
      await after.load();
      assert.deepEqual(after.value, at(0, 'site1', 4));
      assert.deepEqual(readdirSync(join(file, '..')), ['.epoch']);
    }));

  it('is not lowered by another instance that knows less', () =>
    inFolder(async (file) => {
      const ahead = new HighestEpoch(file, fail);
      ahead.raise(at(0, 'site1', 9));
      await ahead.flush();
      const behind = new HighestEpoch(file, fail);
      behind.raise(at(0, 'site1', 8));
      await behind.flush();
      assert.equal(parseEpoch(readFileSync(file, 'utf8'))?.epoch, 9);
    }));

  it('counts as missing when it is damaged', () =>
    inFolder(async (file) => {
      for (const text of [
        '',
        '{',
        'null',
        '{"epoch":1}',
        '{"cluster":"c","eraNumber":0,"eraSite":"site1","epoch":"1"}',
      ]) {
        writeFileSync(file, text);
        const highest = new HighestEpoch(file, fail);
        await highest.load();
        assert.equal(highest.value, null, text);
      }
    }));

  it('tells when it cannot be written, and serves on', () =>
    inFolder(async (file) => {
      const failures: unknown[] = [];
      const highest = new HighestEpoch(join(file, 'nowhere', '.epoch'), (error) => failures.push(error));
      highest.raise(at(0, 'site1', 2));
      await highest.flush();
      assert.equal(failures.length, 1);
      assert.equal(highest.value?.epoch, 2);
    }));
});
