// What an error means for the request that met it, and the line in which requests wait.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { NoConnection, reasonOf, UnfitDatabase, whatNow } from '../src/database/failure.ts';
import { HoldEnded, HoldQueue } from '../src/database/hold-queue.ts';

const coded = (code: string) => Object.assign(new Error('x'), { code });

describe('an error of the database', () => {
  const rows: [error: unknown, next: string, reason: string][] = [
    [coded('ECONNREFUSED'), 'hold', 'ECONNREFUSED'],
    [coded('ECONNRESET'), 'hold', 'ECONNRESET'],
    [coded('EPIPE'), 'hold', 'EPIPE'],
    [coded('EHOSTUNREACH'), 'hold', 'EHOSTUNREACH'],
    [coded('ENOTFOUND'), 'hold', 'ENOTFOUND'],
    [new Error('Connection terminated unexpectedly'), 'hold', 'connection-lost'],
    [new Error('Query read timeout'), 'hold', 'timeout'],
    [new Error('timeout expired'), 'hold', 'timeout'],
    [new Error('Cannot use a pool after calling end on the pool'), 'hold', 'connection-lost'],
    [coded('25006'), 'hold', '25006'],
    [coded('57P01'), 'hold', '57P01'],
    [coded('57P02'), 'hold', '57P02'],
    [coded('57P03'), 'hold', '57P03'],
    [coded('08006'), 'hold', '08006'],
    [coded('53100'), 'hold', '53100'],
    [coded('53300'), 'hold', '53300'],
    [coded('58030'), 'hold', '58030'],
    [coded('57014'), 'again', '57014'],
    [coded('23505'), 'fail', '23505'],
    [coded('22008'), 'fail', '22008'],
    [coded('42P01'), 'fail', '42P01'],
    [coded('42501'), 'fail', '42501'],
    [new NoConnection(coded('28P01')), 'hold', '28P01'],
    [new NoConnection(new UnfitDatabase('stale-epoch')), 'hold', 'stale-epoch'],
    [new UnfitDatabase('in-recovery'), 'hold', 'in-recovery'],
  ];
  for (const [error, next, reason] of rows) {
    it(`${reason}: ${next}`, () => assert.deepEqual([whatNow(error), reasonOf(error)], [next, reason]));
  }
  it('shows nothing of its text', () => assert.equal(reasonOf(new Error('Key (username)=(anna)')), 'unknown'));
});

describe('the line', () => {
  const soon = () => performance.now() + 5000;
  const refused = (refusal: string) => (error: unknown) => error instanceof HoldEnded && error.refusal === refusal;

  it('lets in by order of arrival', async () => {
    const line = new HoldQueue<string>(3);
    const waiting = [line.wait(soon()), line.wait(soon())];
    assert.equal(line.size, 2);
    assert.deepEqual([line.admit('one'), line.admit('two'), line.admit('three')], [true, true, false]);
    assert.deepEqual(await Promise.all(waiting), ['one', 'two']);
  });

  it('is bounded in length', async () => {
    const line = new HoldQueue<string>(1);
    const first = line.wait(soon());
    await assert.rejects(line.wait(soon()), refused('full'));
    line.admit('seat');
    await first;
  });

  it('is bounded in time, and whoever left is not let in', async () => {
    const line = new HoldQueue<string>(1);
    await assert.rejects(line.wait(performance.now() + 20), refused('expired'));
    await assert.rejects(line.wait(performance.now() - 1), refused('expired'));
    assert.equal(line.admit('seat'), false);
  });

  it('ends at a stop, for those in it and those to come', async () => {
    const line = new HoldQueue<string>(2);
    const waiting = assert.rejects(line.wait(soon()), refused('stopping'));
    line.stop();
    await waiting;
    await assert.rejects(line.wait(soon()), refused('stopping'));
  });
});
