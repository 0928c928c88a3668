import assert from 'node:assert/strict';
import { test } from 'node:test';
import { dateOf, dayOf, valueAt, valueShown } from '../../chaos/load/register-dates.ts';

test('a value survives its way through a birthday, around every new year and leap day', () => {
  for (const start of ['2026-11-22', '2027-12-31', '2028-02-28', '2028-02-29', '2028-01-01']) {
    const base = dayOf(Date.parse(`${start}T12:00:00Z`));
    for (let value = 1; value <= 300; value += 1) {
      const date = dateOf(base, value);
      if (!date.endsWith('02-29')) assert.equal(valueAt(base, date), value, `${start} ${date}`);
    }
  }
});

test('the greeting is read on its own day', () => {
  assert.equal(valueShown('{"message":"Hello, a! Your birthday is in 5 day(s)"}', 100, 100), 5);
  assert.equal(valueShown('{"message":"Hello, a! Your birthday is in 4 day(s)"}', 100, 101), 5);
  assert.equal(valueShown('{"message":"Hello, a! Happy birthday!"}', 100, 105), 5);
  assert.throws(() => valueShown('{"error":"no"}', 100, 100));
});
