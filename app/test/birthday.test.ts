// Names, dates and birthdays, by table; February 29 and the zones are decided in docs/APPLICATION.md.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { calendarOf, daysToBirthday, greeting, isBefore, isUsername, parseDate } from '../src/birthday.ts';

const date = (text: string) => {
  const parsed = parseDate(text);
  assert.ok(parsed, `${text} is a date`);
  return parsed;
};

describe('days to the birthday', () => {
  const rows: [born: string, today: string, days: number, why: string][] = [
    ['2000-06-15', '2026-06-15', 0, 'on the day'],
    ['2000-06-15', '2026-06-14', 1, 'the day before'],
    ['2000-06-15', '2026-06-16', 364, 'the day after, no leap day between'],
    ['2000-06-15', '2027-06-16', 365, 'the day after, a leap day between'],
    ['1999-12-31', '2026-01-01', 364, 'from the first to the last day of a year'],
    ['1999-01-01', '2026-12-31', 1, 'over the end of a year'],
    ['2000-02-29', '2028-02-29', 0, 'leap day in a leap year'],
    ['2000-02-29', '2028-02-28', 1, 'in a leap year the 28th is not yet it'],
    ['2000-02-29', '2026-02-28', 0, 'in a year without a leap day it is the 28th'],
    ['2000-02-29', '2026-02-27', 1, 'the day before that'],
    ['2000-02-29', '2026-03-01', 364, 'over to the 28th of the next year'],
    ['2000-02-29', '2027-03-01', 365, 'over to the 29th of a leap year'],
    ['2000-02-29', '2100-02-28', 0, '2100 is no leap year'],
    ['2000-02-29', '2400-02-28', 1, '2400 is one'],
    ['2000-02-28', '2028-02-29', 365, 'born on the 28th, asked on a leap day'],
    ['2000-03-01', '2028-02-29', 1, 'born on March 1, asked on a leap day'],
    ['2000-03-01', '2027-02-28', 1, 'born on March 1, asked in a year without'],
    ['0099-05-05', '2026-05-04', 1, 'years below 100 are themselves'],
  ];
  for (const [born, today, days, why] of rows) {
    it(`born ${born}, asked ${today}: ${days} (${why})`, () => {
      assert.equal(daysToBirthday(date(born), date(today)), days);
    });
  }
});

describe('greeting', () => {
  it('counts the days or congratulates', () => {
    assert.equal(greeting('anna', date('2000-06-15'), date('2026-06-15')), 'Hello, anna! Happy birthday!');
    assert.equal(greeting('Anna', date('2000-06-15'), date('2026-06-14')), 'Hello, Anna! Your birthday is in 1 day(s)');
    assert.equal(greeting('bob', date('2000-06-15'), date('2026-06-10')), 'Hello, bob! Your birthday is in 5 day(s)');
  });
});

describe('dates', () => {
  const real = ['2000-02-29', '2024-02-29', '1900-02-28', '0001-01-01', '2026-12-31', '2026-04-30'];
  const unreal = [
    ...['2001-02-29', '1900-02-29', '2026-04-31', '2026-13-01', '2026-00-10', '2026-01-00', '2026-01-32', '0000-01-01'],
    ...[
      '2026-1-1',
      '26-01-01',
      '2026/01/01',
      '20260101',
      '2026-01-01T00:00:00Z',
      ' 2026-01-01',
      '2026-01-01\n',
      '-2026-01-01',
    ],
    ...['', 'today', '٢٠٢٦-٠١-٠١'],
  ];
  for (const text of real) it(`${text} is one`, () => assert.ok(parseDate(text)));
  for (const text of unreal) it(`${JSON.stringify(text)} is none`, () => assert.equal(parseDate(text), null));

  it('are before another or not', () => {
    assert.equal(isBefore(date('2026-01-01'), date('2026-01-02')), true);
    assert.equal(isBefore(date('2026-01-02'), date('2026-01-02')), false);
    assert.equal(isBefore(date('2026-02-01'), date('2026-01-31')), false);
  });

  const instants: [zone: string, instant: string, today: string][] = [
    ['UTC', '2026-02-28T23:59:59.999Z', '2026-02-28'],
    ['UTC', '2026-03-01T00:00:00Z', '2026-03-01'],
    ['Pacific/Kiritimati', '2026-02-28T10:00:00Z', '2026-03-01'],
    ['Pacific/Pago_Pago', '2026-03-01T10:59:59Z', '2026-02-28'],
    ['America/New_York', '2026-01-01T04:59:59Z', '2025-12-31'],
    ['Europe/Berlin', '2026-06-14T22:00:00Z', '2026-06-15'],
  ];
  for (const [zone, instant, today] of instants) {
    it(`it is ${today} in ${zone} at ${instant}`, () => {
      assert.deepEqual(calendarOf(zone)(new Date(instant)), date(today));
    });
  }
});

describe('user names', () => {
  const rows: [text: string, ok: boolean][] = [
    ['a', true],
    ['Anna', true],
    ['a'.repeat(20), true],
    ['a'.repeat(21), false],
    ['', false],
    ['anna1', false],
    ['an na', false],
    ['anna\n', false],
    ['änna', false],
    ["a'--", false],
  ];
  for (const [text, ok] of rows) it(`${JSON.stringify(text)}: ${ok}`, () => assert.equal(isUsername(text), ok));
});
